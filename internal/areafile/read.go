// Package areafile owns the file formats of areas of interest: GeoJSON, WKT and EWKB.
package areafile

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"unicode"

	"github.com/loadgrid/loadgrid/geomgen"
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
	MaxPositions int64 // 0 for DefaultMaxPositions
	MaxBytes     int64
}

// WGS84 is the SRID of WGS 84, which GeoJSON has.
const WGS84 = 4326

// BadArea returns a *geomgen.ParamError about the area of interest.
func BadArea(format string, args ...any) error {
	return &geomgen.ParamError{Param: "aoi", Value: "(the area)", Reason: fmt.Errorf(format, args...).Error()}
}

// Read reads GeoJSON, WKT or EWKT: see aoi.ReadWith. It needs 32 bytes a position at most, and
// 64 MiB.
func Read(ctx context.Context, r io.Reader, o Options) (*File, error) {
	limited := &io.LimitedReader{R: contextReader{ctx, r}, N: o.MaxBytes + 1}
	in := bufio.NewReaderSize(limited, 1<<16)
	first, before, err := firstByte(in)
	var f *File

	switch {
	case errors.Is(err, io.EOF):
		return nil, BadArea("is empty: there is nothing in it")
	case err != nil:
		return nil, fmt.Errorf("reading the area of interest: %w", err)
	case first == '{':
		f, err = readGeoJSON(in, before, o)
	default:
		f, err = readWKT(in, o)
	}

	if limited.N <= 0 {
		return nil, BadArea("has more than %d bytes: simplify it (ST_SimplifyPreserveTopology, ogr2ogr -simplify), or put it into a table and use aoi-sql", o.MaxBytes)
	}

	if err != nil {
		return nil, err
	}

	if len(f.Polygons) == 0 {
		return nil, BadArea("is empty: it has no polygons")
	}

	return f, nil
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
