package aoi

import (
	"cmp"
	"context"
	"io"
	"strconv"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/areafile"
)

// maxAreaBytes bounds what Read reads.
const maxAreaBytes = 512 << 20

// Read reads an area of interest: GeoJSON (a geometry, a Feature or a
// FeatureCollection, in EPSG:4326 unless a member crs says otherwise, as in the
// format's version of 2008), WKT, or EWKT with an SRID. Coordinates beside x and y
// are dropped, with a warning. It needs 32 bytes of memory a position at most, and 64 MiB. The
// error is a *geomgen.ParamError of parameter aoi for anything but polygons, rings that are
// not closed, coordinates that are not finite, GeoJSON without crs that cannot be in degrees,
// more than 512 MiB, and more positions than DefaultMaxPositions. ReadWith has options, and
// can be cancelled.
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

	maxBytes int64 // 0 for maxAreaBytes
}

// ReadWith is Read with options. It ends with ctx, and with its cause, unless it waits for the
// reader.
func ReadWith(ctx context.Context, r io.Reader, o ReadOptions) (*Area, error) {
	if o.SRID < 0 {
		return nil, &geomgen.ParamError{Param: "aoi-srid", Value: strconv.Itoa(int(o.SRID)), Reason: "must not be negative"}
	}

	f, err := areafile.Read(ctx, r, areafile.Options{SRID: o.SRID, MaxPositions: o.MaxPositions, MaxBytes: cmp.Or(o.maxBytes, maxAreaBytes)})
	if err != nil {
		return nil, err
	}

	return &Area{SRID: f.SRID, Polygons: f.Polygons, Union: f.Union, Warnings: f.Warnings, MaxPositions: o.MaxPositions}, nil
}

// Declared returns the SRID of an area that is said to be in given, 0 for nothing said, and
// whose text or geometries say srid, 0 for nothing. The error is a *geomgen.ParamError of
// parameter aoi-srid where the two differ.
func Declared(given, srid int32) (int32, error) { return areafile.Declared(given, srid) }
