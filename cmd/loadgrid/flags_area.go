package main

import (
	"errors"
	"io"
	"math"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

// areaFlags are the flags that say which area selects the cells, and what they
// have of it.
type areaFlags struct {
	file, sql, rule           string
	segmentize                string
	sqlTimeout                time.Duration
	makeValid, coverage, clip bool
}

func (f *areaFlags) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.file, "aoi", "", "area of interest: `file` of GeoJSON, WKT or EWKT with polygons, - for stdin")
	fs.StringVar(&f.sql, "aoi-sql", "", "area of interest: a `query` that returns polygons, run in a read-only transaction, on a connection of its own")
	fs.DurationVar(&f.sqlTimeout, "aoi-sql-timeout", loader.DefaultSQLTimeout, "`duration` after which the query is ended, such as 90s or 1h")
	fs.StringVar(&f.rule, "aoi-rule", "intersects", "which cells the area selects, `intersects|within|centroid`: that meet or touch it, that lie in it, whose centre does")
	fs.StringVar(&f.segmentize, "aoi-segmentize", "", "longest straight `length` of the area's edge, in units of its CRS, when the server transforms it; 0 for none (default 0.01 in degrees, else 1000)")
	fs.BoolVar(&f.makeValid, "aoi-make-valid", false, "let the server mend an area that is not valid")
	fs.BoolVar(&f.coverage, "coverage", false, "add a column coverage real: the area's share of the cell, 0 to 1")
	fs.BoolVar(&f.clip, "clip", false, "cut cells at the edge of the area; the geometry is a MultiPolygon")
}

// apply puts the flags of the area into a job, and reads its file.
func (f *areaFlags) apply(cmd *cobra.Command, job *loader.Job) error {
	job.Coverage, job.Clip = f.coverage, f.clip
	file, sql := cmd.Flags().Changed("aoi"), cmd.Flags().Changed("aoi-sql")
	switch {
	case file && sql:
		return &geomgen.ParamError{Param: "aoi-sql", Value: f.sql, Reason: "contradicts aoi: there is one area of interest"}
	case file && f.file == "":
		return &geomgen.ParamError{Param: "aoi", Value: `""`, Reason: "the name is empty"}
	case sql && f.sql == "":
		return &geomgen.ParamError{Param: "aoi-sql", Value: `""`, Reason: "the query is empty"}
	case !sql && cmd.Flags().Changed("aoi-sql-timeout"):
		return &geomgen.ParamError{Param: "aoi-sql-timeout", Value: f.sqlTimeout.String(), Reason: "needs a query: aoi-sql"}
	case sql && f.sqlTimeout <= 0:
		return &geomgen.ParamError{Param: "aoi-sql-timeout", Value: f.sqlTimeout.String(), Reason: "must be longer than 0"}
	case !file && !sql:
		for _, name := range []string{"aoi-rule", "aoi-segmentize", "aoi-make-valid"} {
			if given := cmd.Flags().Lookup(name); given.Changed {
				return &geomgen.ParamError{Param: name, Value: given.Value.String(), Reason: "needs an area of interest: aoi or aoi-sql"}
			}
		}
		return nil
	}

	area := &loader.Area{SQL: f.sql}
	if cmd.Flags().Changed("aoi-sql-timeout") {
		area.SQLTimeout = f.sqlTimeout
	}

	if file {
		var err error
		if area, err = f.readFile(cmd); err != nil {
			return err
		}
	}

	if f.rule == "" {
		return &geomgen.ParamError{Param: "aoi-rule", Value: `""`, Reason: "must be intersects, within or centroid"}
	}

	area.Rule, area.MakeValid = geomgen.Rule(f.rule), f.makeValid
	if f.segmentize != "" {
		length, err := strconv.ParseFloat(f.segmentize, 64)
		if err != nil || !(length >= 0) || math.IsInf(length, 1) {
			return &geomgen.ParamError{Param: "aoi-segmentize", Value: f.segmentize, Reason: "must be a length in units of the area's CRS, or 0"}
		}
		area.Segmentize = &length
	}

	job.Area = area
	return nil
}

func (f *areaFlags) readFile(cmd *cobra.Command) (area *loader.Area, err error) {
	var r io.Reader = cmd.InOrStdin()
	if f.file != "-" {
		file, err := os.Open(f.file)
		if err != nil {
			return nil, &geomgen.ParamError{Param: "aoi", Value: f.file, Reason: "cannot be read: " + errorWithoutPath(err)}
		}
		defer func() { err = errors.Join(err, file.Close()) }()

		r = file
	}

	area, err = loader.ReadArea(r)
	var param *geomgen.ParamError
	if errors.As(err, &param) && param.Param == "aoi" { // the file's name says more than what was read
		return nil, &geomgen.ParamError{Param: "aoi", Value: f.file, Reason: param.Reason}
	}

	return area, err
}
