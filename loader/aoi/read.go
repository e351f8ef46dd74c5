package aoi

import (
	"context"
	"io"
	"strconv"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/areafile"
)

// Read reads an area of interest. It recognizes the format by the content:
//   - GeoJSON: a geometry, a Feature, a FeatureCollection, several of them one after another, or a text sequence
//     (RFC 8142). It is in EPSG:4326 unless a member crs names another CRS, as in the 2008 version of the format.
//     Values of properties may be NaN and Infinity.
//   - WKT, or EWKT with an SRID: one geometry, or one per line.
//   - WKB or EWKB, binary or as hexadecimal digits: one geometry, or several one after another; with digits, one
//     per line.
//   - Shapefile, alone or in a zip, GeoPackage, FlatGeobuf. Only ReadWith, given the name of a file, looks for
//     the files next to a .shp.
//   - Any of these, compressed with gzip.
//
// Read drops coordinates other than x and y, with a warning. It needs at most 32 bytes of memory per position
// plus 64 MiB, however large the file is. ReadWith takes options and can be cancelled.
//
// The error is a *geomgen.ParamError for the parameter aoi if the format is unknown, if the input contains
// anything except polygons, if rings are not closed or coordinates not finite, if there are several CRSs, if
// GeoJSON without crs cannot be in degrees, or if there are more positions than DefaultMaxPositions.
func Read(r io.Reader) (*Area, error) {
	return ReadWith(context.Background(), r, ReadOptions{})
}

// ReadAs is Read for an area that may not name its CRS. If it does not, its CRS is srid; 0 means none. If it
// names another CRS, the error is a *geomgen.ParamError for the parameter aoi-srid.
func ReadAs(r io.Reader, srid int32) (*Area, error) {
	return ReadWith(context.Background(), r, ReadOptions{SRID: srid})
}

// ReadOptions are the options of ReadWith.
type ReadOptions struct {
	// SRID is the srid of ReadAs.
	SRID int32
	// MaxPositions is the most positions that the area may have. If it has more, the error is a
	// *geomgen.ParamError for the parameter aoi with their number. Defaults to DefaultMaxPositions.
	MaxPositions int64
	// Attributes are the names of the attributes to read into Area.Layer. An attribute that no feature has is a
	// *geomgen.ParamError for the parameter attribute. So are values that need more memory than 64 bytes for each
	// position that MaxPositions allows. Defaults to none, which leaves Layer nil.
	Attributes []string
	// Where is a condition on attributes, such as "name = 'France' and pop > 1e6". Only features for which it is
	// true are part of the area. The error is a *geomgen.ParamError for the parameter aoi-where if the condition
	// cannot be read, uses an attribute that no feature has, compares a text with a number, or is true for no
	// feature. Defaults to none, which includes all features.
	Where string
	// Layer is the layer to read, for formats that have several. A missing layer is a *geomgen.ParamError for the
	// parameter aoi-layer. Defaults to the only layer.
	Layer string
	// OGR lets the program ogr2ogr read formats that this package does not read. It must be on the PATH. Its
	// output is in EPSG:4326. SRID then sets the CRS of the file, even if the file names another one.
	OGR bool
	// Path is the name of the file. ogr2ogr uses it, and shapefiles need it to find the files next to them.
	// Defaults to none: ogr2ogr then reads a temporary file, and a .shp has no attributes and no CRS.
	Path string
}

// ReadWith is Read with options. If ctx ends, it stops and returns the cause, unless it is waiting for the
// reader.
func ReadWith(ctx context.Context, r io.Reader, o ReadOptions) (*Area, error) {
	if o.SRID < 0 {
		return nil, &geomgen.ParamError{Param: "aoi-srid", Value: strconv.Itoa(int(o.SRID)), Reason: "must not be negative"}
	}

	f, err := areafile.Read(ctx, r, areafile.Options(o))
	if err != nil {
		return nil, err
	}

	a := &Area{SRID: f.SRID, Polygons: f.Polygons, Union: f.Union, Warnings: f.Warnings, MaxPositions: o.MaxPositions}
	if len(o.Attributes) > 0 {
		a.Layer = fileLayer(f, len(o.Attributes))
	}

	return a, nil
}

// CheckWhere refuses an empty condition, and one that ReadOptions.Where would refuse for any file. The error is a
// *geomgen.ParamError for the parameter aoi-where.
func CheckWhere(where string) error { return areafile.CheckCondition(where) }

// Declared returns the SRID of an area. given is the SRID from the user, and srid the one in the text or the
// geometries; 0 means none. If both are set and differ, the error is a *geomgen.ParamError for the parameter
// aoi-srid.
func Declared(given, srid int32) (int32, error) { return areafile.Declared(given, srid) }
