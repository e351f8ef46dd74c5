// Package areafile owns the reading of files of areas of interest: which format one has, and what
// of its features is kept.
package areafile

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"unicode"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/gather"
	"github.com/loadgrid/loadgrid/internal/geojson"
	"github.com/loadgrid/loadgrid/internal/wktarea"
)

// File is what a file says of an area.
type File struct {
	SRID     int32 // 0 for none
	Polygons []geomgen.Polygon
	Union    bool     // the polygons are several features', which may overlap
	Warnings []string // what of the file was left out
}

// Options say how a file is read.
type Options struct {
	SRID         int32 // what somebody says that it is in, 0 for nobody
	MaxPositions int64 // 0 for gather.DefaultMax
	MaxBytes     int64
}

// WGS84 is the SRID of WGS 84, which GeoJSON has.
const WGS84 = 4326

// Read reads GeoJSON, WKT or EWKT: see aoi.ReadWith. It needs 32 bytes a position at most, and
// 64 MiB.
func Read(ctx context.Context, r io.Reader, o Options) (*File, error) {
	limited := &io.LimitedReader{R: contextReader{ctx, r}, N: o.MaxBytes + 1}
	in := bufio.NewReaderSize(limited, 1<<16)
	first, before, err := firstByte(in)

	to := &gather.Collector{}
	to.Max = o.MaxPositions
	var schema feature.Schema

	switch {
	case errors.Is(err, io.EOF):
		return nil, feature.BadArea("is empty: there is nothing in it")
	case err != nil:
	case first == '{':
		schema, err = geojson.Read(in, before, feature.Request{SRID: o.SRID}, to)
	default:
		schema, err = wktarea.Read(in, to)
	}

	var param *geomgen.ParamError
	switch {
	case limited.N <= 0:
		return nil, feature.BadArea("has more than %d bytes: simplify it (ST_SimplifyPreserveTopology, ogr2ogr -simplify), or put it into a table and use aoi-sql", o.MaxBytes)
	case errors.As(err, &param):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("reading the area of interest: %w", err)
	}

	return take(to, schema, first == '{', o)
}

// take returns what was read. In degrees says what a file is in that does not name its CRS.
func take(to *gather.Collector, schema feature.Schema, inDegrees bool, o Options) (*File, error) {
	srid, err := Declared(o.SRID, schema.SRID)
	if err != nil {
		return nil, err
	}

	all, err := to.Polygons()
	switch {
	case err != nil:
		return nil, err
	case len(all) == 0:
		return nil, feature.BadArea("is empty: it has no polygons")
	}

	if inDegrees && srid == 0 {
		srid = WGS84
		if at, found := notDegrees(all); found {
			return nil, feature.BadArea("has coordinates that cannot be degrees, at %s, and GeoJSON without a member crs is in EPSG:4326: say which CRS it is in with aoi-srid", feature.FormatPoint(at))
		}
	}

	return &File{SRID: srid, Polygons: all, Union: to.Parts > 1, Warnings: to.Warnings()}, nil
}

// contextReader reads until a context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (r contextReader) Read(b []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.r.Read(b)
}

// firstByte returns the first byte behind a byte order mark and white space, and
// how many bytes are before it. It leaves the byte to be read.
func firstByte(r *bufio.Reader) (first byte, before int64, err error) {
	if mark, err := r.Peek(3); err == nil && string(mark) == "\xef\xbb\xbf" {
		if _, err := r.Discard(len(mark)); err != nil {
			return 0, 0, err
		}

		before = int64(len(mark))
	}

	for ; ; before++ {
		b, err := r.ReadByte()
		if err != nil {
			return 0, 0, err
		}

		if !unicode.IsSpace(rune(b)) {
			return b, before, r.UnreadByte()
		}
	}
}
