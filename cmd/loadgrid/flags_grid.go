package main

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

// gridFlags are the flags that say which cells there are.
type gridFlags struct {
	cellSize, extent, origin, srid string
	cols, rows                     int64
	shape, hexagon, geometry       string
	rotate                         float64
	zoom                           int32
}

func (f *gridFlags) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.cellSize, "cell-size", "", "size of a cell in CRS units, `DX[,DY]`; of hexagons the length of an edge")
	fs.StringVar(&f.extent, "extent", "", "cells that meet this box in CRS units, `XMIN,YMIN,XMAX,YMAX`")
	fs.Int64Var(&f.cols, "cols", 0, "`number` of columns from the origin, in place of --extent")
	fs.Int64Var(&f.rows, "rows", 0, "`number` of rows from the origin, in place of --extent")
	fs.StringVar(&f.origin, "origin", "0,0", "lower left corner of cell 0,0 in CRS units, `X,Y`; of hexagons its centre")
	fs.StringVar(&f.srid, "srid", "0", "SRID of the grid's CRS, as `3035` or EPSG:3035; 0 for none")
	fs.StringVar(&f.shape, "shape", "square", "shape of the cells, `square|hexagon|xyz`; xyz are web map tiles in EPSG:3857")
	fs.StringVar(&f.hexagon, "hexagon", "flat", "which way hexagons lie: `flat|pointy`; flat ones are those of ST_HexagonGrid")
	fs.Int32Var(&f.zoom, "zoom", 0, "`zoom` of tiles, 0 to 30")
	fs.Float64Var(&f.rotate, "rotate", 0, "turn squares and hexagons about the origin, in `degrees` counter-clockwise")
	fs.StringVar(&f.geometry, "geometry", "polygon", "what is written of a cell: `polygon|point`, itself or its centre")
}

// apply puts the flags of the grid into a job.
func (f *gridFlags) apply(cmd *cobra.Command, job *loader.Job) error {
	var err error
	if job.Grid, err = f.grid(cmd); err != nil {
		return err
	}

	switch f.geometry {
	case "polygon":
	case "point":
		job.Geometry = geomgen.AsPoint
	default:
		return &geomgen.ParamError{Param: "geometry", Value: f.geometry, Reason: "must be polygon or point"}
	}

	if cmd.Flags().Changed("extent") {
		e, err := parseNumbers("extent", f.extent, 4, 4)
		if err != nil {
			return err
		}
		job.Extent = &geomgen.Box{XMin: e[0], YMin: e[1], XMax: e[2], YMax: e[3]}
	}

	job.Cols, job.Rows = f.cols, f.rows
	return checkPositive(cmd, "cols", "rows")
}

// grid returns the grid by its shape.
func (f *gridFlags) grid(cmd *cobra.Command) (geomgen.Grid, error) {
	shape, err := f.parseShape(cmd)
	if err != nil {
		return geomgen.Grid{}, err
	}
	if shape == geomgen.XYZ {
		return f.tileGrid(cmd)
	}
	if cmd.Flags().Changed("zoom") {
		return geomgen.Grid{}, &geomgen.ParamError{Param: "zoom", Value: strconv.Itoa(int(f.zoom)), Reason: "goes with shape xyz alone"}
	}
	if f.cellSize == "" {
		return geomgen.Grid{}, &geomgen.ParamError{Param: "cell-size", Value: "(none)", Reason: "is required, as DX or DX,DY in CRS units"}
	}

	size, err := parseNumbers("cell-size", f.cellSize, 1, 2)
	if err != nil {
		return geomgen.Grid{}, err
	}

	origin, err := parseNumbers("origin", f.origin, 2, 2)
	if err != nil {
		return geomgen.Grid{}, err
	}

	srid, err := parseSRID(f.srid)
	if err != nil {
		return geomgen.Grid{}, err
	}
	return geomgen.Grid{X0: origin[0], Y0: origin[1], DX: size[0], DY: size[len(size)-1], SRID: srid, Shape: shape, Rotate: f.rotate}, nil
}

func (f *gridFlags) parseShape(cmd *cobra.Command) (geomgen.Shape, error) {
	if cmd.Flags().Changed("hexagon") && f.shape != "hexagon" {
		return "", &geomgen.ParamError{Param: "hexagon", Value: f.hexagon, Reason: "goes with shape hexagon alone"}
	}

	switch {
	case f.shape == "square":
		return geomgen.Square, nil
	case f.shape == "xyz":
		return geomgen.XYZ, nil
	case f.shape != "hexagon":
		return "", &geomgen.ParamError{Param: "shape", Value: f.shape, Reason: "must be square, hexagon or xyz"}
	case f.hexagon == "flat":
		return geomgen.HexagonFlat, nil
	case f.hexagon == "pointy":
		return geomgen.HexagonPointy, nil
	}

	return "", &geomgen.ParamError{Param: "hexagon", Value: f.hexagon, Reason: "must be flat or pointy"}
}

// tileGrid returns the grid of web map tiles, which have all but their zoom already.
func (f *gridFlags) tileGrid(cmd *cobra.Command) (geomgen.Grid, error) {
	for _, name := range []string{"cell-size", "origin", "rotate"} {
		if given := cmd.Flags().Lookup(name); given.Changed {
			return geomgen.Grid{}, &geomgen.ParamError{Param: name, Value: given.Value.String(), Reason: "contradicts shape xyz: tiles have their own"}
		}
	}

	if srid, err := parseSRID(f.srid); err != nil || cmd.Flags().Changed("srid") && srid != 3857 {
		return geomgen.Grid{}, &geomgen.ParamError{Param: "srid", Value: f.srid, Reason: "contradicts shape xyz: tiles are in EPSG:3857"}
	}
	if !cmd.Flags().Changed("zoom") {
		return geomgen.Grid{}, &geomgen.ParamError{Param: "zoom", Value: "(none)", Reason: "is required with shape xyz"}
	}
	if f.zoom < 0 || f.zoom > geomgen.MaxZoom {
		return geomgen.Grid{}, &geomgen.ParamError{Param: "zoom", Value: strconv.Itoa(int(f.zoom)), Reason: "must lie between 0 and 30"}
	}

	return geomgen.Tiles(f.zoom), nil
}

// parseSRID reads a number, or one behind EPSG: as people name a CRS.
func parseSRID(s string) (int32, error) {
	digits := s
	if len(s) > 5 && strings.EqualFold(s[:5], "EPSG:") {
		digits = s[5:]
	}

	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil {
		return 0, &geomgen.ParamError{Param: "srid", Value: s, Reason: "must be a number, as 3035 or EPSG:3035"}
	}
	return int32(n), nil
}
