package aoi

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode"

	"github.com/loadgrid/loadgrid/geomgen"
)

// maxAreaBytes bounds what Read reads. Its memory is 32 bytes a position at most, and 64 MiB:
// see the tests.
const maxAreaBytes = 512 << 20

// Read reads an area of interest: GeoJSON (a geometry, a Feature or a
// FeatureCollection, in EPSG:4326 unless a member crs says otherwise, as in the
// format's version of 2008), WKT, or EWKT with an SRID. Coordinates beside x and y
// are dropped, with a warning. The error is a *geomgen.ParamError of parameter aoi
// for anything but polygons, rings that are not closed, coordinates that are not
// finite, GeoJSON without crs that cannot be in degrees, more than 512 MiB, and more
// positions than DefaultMaxPositions. ReadWith has options, and can be cancelled.
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

	most := cmp.Or(o.maxBytes, maxAreaBytes)
	limited := &io.LimitedReader{R: contextReader{ctx, r}, N: most + 1}
	in := bufio.NewReaderSize(limited, 1<<16)
	first, before, err := firstByte(in)
	var a *Area

	switch {
	case errors.Is(err, io.EOF):
		return nil, BadArea("is empty: there is nothing in it")
	case err != nil:
		return nil, fmt.Errorf("reading the area of interest: %w", err)
	case first == '{':
		a, err = readGeoJSON(in, before, o)
	default:
		a, err = readWKT(in, o)
	}

	if limited.N <= 0 {
		return nil, BadArea("has more than %d bytes: simplify it (ST_SimplifyPreserveTopology, ogr2ogr -simplify), or put it into a table and use aoi-sql", most)
	}

	if err != nil {
		return nil, err
	}

	if len(a.Polygons) == 0 {
		return nil, BadArea("is empty: it has no polygons")
	}

	a.MaxPositions = o.MaxPositions

	return a, nil
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
