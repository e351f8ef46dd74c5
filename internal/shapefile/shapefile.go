// Package shapefile owns the reading of polygons and attributes from shapefiles: .shp, .shx, .dbf,
// .prj and .cpg next to each other, or in a .zip. Source of the format: ESRI Shapefile Technical
// Description, 1998.
package shapefile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/dbase"
	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/featurefile"
)

// Is tells whether a file that begins with these bytes is the .shp of a shapefile.
func Is(head []byte) bool {
	return strings.HasPrefix(string(head), "\x00\x00\x27\x0a")
}

// Read reads the features of a .shp. Options.Sibling opens its other parts. Read needs none of
// them, but without a .dbf there are no attributes. Its only layer is called "". Rings may run in
// either direction, because their places decide which are holes. The .cpg or the .dbf names the
// encoding of texts: see dbase.Open. Errors about the file are *geomgen.ParamError.
func Read(ctx context.Context, f io.ReaderAt, size int64, o featurefile.Options, to feature.Sink) (featurefile.Result, error) {
	result := featurefile.Result{Layers: []string{""}}
	if o.Layer != "" {
		return result, &geomgen.ParamError{Param: "aoi-layer", Value: o.Layer, Reason: "the area of interest is a shapefile, which has only one layer, without a name"}
	}

	p := parts{shp: randomStream("shp", f, size)}

	for suffix, set := range map[string]func(*stream){
		".shx": func(s *stream) { p.shx = s },
		".dbf": func(s *stream) { p.dbf = s },
		".prj": func(s *stream) { p.prj = s },
		".cpg": func(s *stream) { p.cpg = s },
	} {
		if o.Sibling == nil {
			break
		}

		f, size, err := o.Sibling(suffix)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return result, fmt.Errorf("opening the %s of the shapefile: %w", suffix, err)
		default:
			set(randomStream(suffix[1:], f, size))
		}
	}

	return p.read(ctx, result, o, to)
}

// parts are the files of a shapefile, nil for missing ones.
type parts struct {
	shp, shx, dbf, prj, cpg *stream
}

// read reads the features. result has the known facts about the layers.
func (p parts) read(ctx context.Context, result featurefile.Result, o featurefile.Options, to feature.Sink) (featurefile.Result, error) {
	var err error
	if result.CRS.WKT, err = p.prj.text(); err != nil {
		return result, err
	}

	r := reader{shp: p.shp, options: o, to: to}
	if r.max = o.MaxPositions; r.max == 0 {
		r.max = featurefile.DefaultMaxPositions
	}

	if p.dbf != nil {
		cpg, err := p.cpg.text()
		if err != nil {
			return result, err
		}

		if r.table, err = dbase.Open(p.dbf.read, cpg); err != nil {
			return result, err
		}
		result.Attributes = r.table.Names()
	}

	if err := featurefile.CheckAttributes(o.Attributes, result.Attributes); err != nil {
		return result, err
	}

	if r.index, err = openIndex(p.shx); err != nil {
		return result, err
	}

	if err := r.header(); err != nil {
		return result, err
	}

	err = r.features(ctx)
	result.Features = r.kept

	return result, err
}
