package aoi

import (
	"context"
	"io"
	"strconv"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/areafile"
)

// Read reads an area of interest. What it is in is decided by its content:
//
//   - GeoJSON: a geometry, a Feature or a FeatureCollection, several of them one behind the other,
//     or a text sequence (RFC 8142). It is in EPSG:4326 unless a member crs says otherwise, as in the
//     format's version of 2008. NaN and Infinity may be values of properties.
//   - WKT, or EWKT with an SRID: a geometry, or one a line.
//   - WKB or EWKB, binary or as hexadecimal digits: a geometry, or several one behind the other,
//     of digits one a line.
//   - Shapefile, alone or in a zip, GeoPackage, FlatGeobuf. Only ReadWith, with the name of a file,
//     looks for the files beside a .shp.
//   - each of these packed with gzip.
//
// Coordinates beside x and y are dropped, with a warning. Read needs 32 bytes of memory a position at
// most, and 64 MiB, however large the file is. The error is a *geomgen.ParamError of parameter aoi for
// other formats, anything but polygons, rings that are not closed, coordinates that are not finite,
// several CRSs, GeoJSON without crs that cannot be in degrees, and more positions than
// DefaultMaxPositions. ReadWith has options, and can be cancelled.
func Read(r io.Reader) (*Area, error) {
	return ReadWith(context.Background(), r, ReadOptions{})
}

// ReadAs is Read for an area whose text may not say in which CRS it is: that is the one of
// the SRID then, 0 for none. Where the text names another one, the error is a
// *geomgen.ParamError of parameter aoi-srid.
func ReadAs(r io.Reader, srid int32) (*Area, error) {
	return ReadWith(context.Background(), r, ReadOptions{SRID: srid})
}

// ReadOptions say how an area is read.
type ReadOptions struct {
	// SRID is as in ReadAs.
	SRID int32
	// MaxPositions is how many positions there may be. With more, the error is a
	// *geomgen.ParamError of parameter aoi that says how many there are. Defaults to
	// DefaultMaxPositions.
	MaxPositions int64
	// Attributes are the names of the features' attributes whose values Area.Layer has. One that
	// no feature has is a *geomgen.ParamError of parameter attribute, as are values that need more
	// memory than 64 bytes for each position that is allowed. Defaults to none: there is no Layer
	// then.
	Attributes []string
	// Where is a condition on attributes, such as "name = 'France' and pop > 1e6": only features for
	// which it is true are part of the area. A condition that is none, that asks for an attribute
	// that no feature has, that compares a text with a number, or that is true for no feature is a
	// *geomgen.ParamError of parameter aoi-where. Defaults to none: all features are.
	Where string
	// Layer is the layer to read of a format that has several. One that is not there is a
	// *geomgen.ParamError of parameter aoi-layer. Defaults to the only one.
	Layer string
	// OGR lets the program ogr2ogr read a format that nothing else reads; it must be on the PATH.
	// Its result is in EPSG:4326, and SRID says in which CRS the file is, whatever that says.
	OGR bool
	// Path is the name of the file, for ogr2ogr and for shapefiles, which may have others beside it.
	// Defaults to none: ogr2ogr reads a temporary file then, and a .shp has no attributes and no CRS.
	Path string
}

// ReadWith is Read with options. It ends with ctx, and with its cause, unless it waits for the
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

// CheckWhere refuses what ReadOptions.Where would refuse of any file, and an empty text, as a
// *geomgen.ParamError of parameter aoi-where.
func CheckWhere(where string) error { return areafile.CheckCondition(where) }

// Declared returns the SRID of an area that is said to be in given, 0 for nothing said, and
// whose text or geometries say srid, 0 for nothing. The error is a *geomgen.ParamError of
// parameter aoi-srid where the two differ.
func Declared(given, srid int32) (int32, error) { return areafile.Declared(given, srid) }
