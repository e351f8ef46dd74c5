// Package areafile owns the reading of area-of-interest files: which format a file has, and which of
// its features to keep.
package areafile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
)

// File is the content of a file with an area.
type File struct {
	SRID     int32 // 0 for none
	Polygons []geomgen.Polygon
	Features []feature.Feature // if the caller requested attributes
	Union    bool              // the polygons belong to several features, which may overlap
	Warnings []string          // what the reader left out
}

// Options say how to read a file.
type Options struct {
	SRID         int32 // the SRID that the user names, 0 for none
	MaxPositions int64 // 0 for gather.DefaultMax
	// Attributes are the names of the attributes to keep.
	Attributes []string
	// Where is a condition as in package condition. Read skips features for which it is not true. ""
	// means no condition.
	Where string
	// Layer is the layer to read, "" for the only one.
	Layer string
	// OGR lets ogr2ogr read the formats that no other reader supports.
	OGR bool
	// Path is the file's path, for ogr2ogr and for readers that look for files next to it. It is "" for
	// a stream, which ogr2ogr gets as a temporary file.
	Path string
}

// WGS84 is the SRID of WGS 84, the CRS of GeoJSON.
const WGS84 = 4326

// Read reads a file of any supported format: see aoi.ReadWith. It needs at most 32 bytes per position,
// plus the attribute values and 64 MiB.
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

// take returns the features and polygons that were read.
func take(s *selector, f format, schema feature.Schema, o Options) (*File, error) {
	given := o.SRID
	if f.converted { // and so no longer in the file's CRS
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
		reason := fmt.Sprintf("is true for none of the %d features", s.to.PassedOver)
		if strings.Contains(o.Where, "'") {
			reason += ": upper and lower case of texts must match"
		}
		return nil, &geomgen.ParamError{Param: "aoi-where", Value: o.Where, Reason: reason}
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
