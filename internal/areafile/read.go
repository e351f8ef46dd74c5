// Package areafile owns the reading of files of areas of interest: which format one has, and what
// of its features is kept.
package areafile

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
)

// File is what a file says of an area.
type File struct {
	SRID     int32 // 0 for none
	Polygons []geomgen.Polygon
	Features []feature.Feature // where attributes were asked for
	Union    bool              // the polygons are several features', which may overlap
	Warnings []string          // what of the file was left out
}

// Options say how a file is read.
type Options struct {
	SRID         int32 // what somebody says that it is in, 0 for nobody
	MaxPositions int64 // 0 for gather.DefaultMax
	// Attributes are the names of those whose values are kept.
	Attributes []string
	// Where is a condition of package condition's: features for which it is not true are passed
	// over. "" is for none.
	Where string
	// Layer is the layer to read, "" for the only one.
	Layer string
	// OGR says that ogr2ogr reads what nothing else does.
	OGR bool
	// Path is where the file is, for ogr2ogr and for readers that look for others beside it. "" is for
	// a stream, which ogr2ogr gets as a temporary file.
	Path string
}

// WGS84 is the SRID of WGS 84, which GeoJSON has.
const WGS84 = 4326

// Read reads a file of one of the formats: see aoi.ReadWith. It needs 32 bytes a position at most, what
// values of attributes need, and 64 MiB.
func Read(ctx context.Context, r io.Reader, o Options) (*File, error) {
	s, err := newSelector(o)
	if err != nil {
		return nil, err
	}

	in := newInput(ctx, r, o.Path)
	f, schema, err := in.read(o, s)
	err = errors.Join(err, in.close())

	var param *geomgen.ParamError
	switch {
	case ctx.Err() != nil && err != nil && !errors.As(err, &param):
		return nil, fmt.Errorf("reading the area of interest: %w", context.Cause(ctx))
	case errors.As(err, &param):
		return nil, param
	case err != nil:
		return nil, fmt.Errorf("reading the area of interest: %w", err)
	}

	if err := s.checkNames(f, schema.Names); err != nil {
		return nil, err
	}

	return take(s, f, schema, o)
}

// take returns what was read.
func take(s *selector, f format, schema feature.Schema, o Options) (*File, error) {
	given := o.SRID
	if f.converted { // and so no longer in it
		given = 0
	}

	srid, err := Declared(given, schema.SRID)
	if err != nil {
		return nil, err
	}

	all, err := s.to.Polygons()
	switch {
	case err != nil:
		return nil, err
	case len(all) == 0 && s.to.PassedOver > 0:
		return nil, &geomgen.ParamError{Param: "aoi-where", Value: o.Where, Reason: fmt.Sprintf("is true for none of the %d features", s.to.PassedOver)}
	case len(all) == 0:
		return nil, feature.BadArea("is empty: it has no polygons")
	}

	if f.degrees && srid == 0 {
		srid = WGS84
		if at, found := notDegrees(all); found {
			return nil, feature.BadArea("has coordinates that cannot be degrees, at %s, but GeoJSON without a crs member is in EPSG:4326: name its CRS with aoi-srid", feature.FormatPoint(at))
		}
	}

	return &File{SRID: srid, Polygons: all, Features: s.to.Features(), Union: s.to.Parts > 1, Warnings: s.to.Warnings()}, nil
}
