package aoi

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode"

	"github.com/loadgrid/loadgrid/geomgen"
)

// maxAreaBytes bounds what Read reads. Its memory is a small multiple of what
// it reads: see the tests.
const maxAreaBytes = 512 << 20

// Read reads an area of interest: GeoJSON (a geometry, a Feature or a
// FeatureCollection, in EPSG:4326 unless a member crs says otherwise, as in the
// format's version of 2008), WKT, or EWKT with an SRID. Coordinates beside x and y
// are dropped, with a warning. The error is a *geomgen.ParamError of parameter aoi
// for anything but polygons, rings that are not closed, coordinates that are not
// finite, GeoJSON without crs that cannot be in degrees, and more than 512 MiB.
func Read(r io.Reader) (*Area, error) {
	return read(r, maxAreaBytes, 0)
}

// ReadAs is Read for an area whose text may not say in which CRS it is: that is the one of
// the SRID then, 0 for none. Where the text names another one, the error is a
// *geomgen.ParamError of parameter aoi-srid.
func ReadAs(r io.Reader, srid int32) (*Area, error) {
	if srid < 0 {
		return nil, &geomgen.ParamError{Param: "aoi-srid", Value: strconv.Itoa(int(srid)), Reason: "must not be negative"}
	}

	return read(r, maxAreaBytes, srid)
}

func read(r io.Reader, most int64, srid int32) (*Area, error) {
	limited := &io.LimitedReader{R: r, N: most + 1}
	in := bufio.NewReaderSize(limited, 1<<16)
	first, before, err := firstByte(in)
	var a *Area

	switch {
	case errors.Is(err, io.EOF):
		return nil, BadArea("is empty: there is nothing in it")
	case err != nil:
		return nil, fmt.Errorf("reading the area of interest: %w", err)
	case first == '{':
		a, err = readGeoJSON(in, before, srid)
	default:
		a, err = readWKT(in, srid)
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

	return a, nil
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
