package aoi

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"unicode"
)

// maxAreaBytes bounds what Read reads. Its memory is a small multiple of what
// it reads: see the tests.
const maxAreaBytes = 512 << 20

// Read reads an area of interest: GeoJSON (a geometry, a Feature or a
// FeatureCollection, in EPSG:4326 unless a member crs says otherwise, as in the
// format's version of 2008), WKT, or EWKT with an SRID. Coordinates beside x and y
// are dropped, with a warning. The error is a *geomgen.ParamError of parameter aoi
// for anything but polygons, rings that are not closed, coordinates that are not
// finite, and more than 512 MiB.
func Read(r io.Reader) (*Area, error) {
	return read(r, maxAreaBytes)
}

func read(r io.Reader, most int64) (*Area, error) {
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
		a, err = readGeoJSON(in, before)
	default:
		a, err = readWKT(in)
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

// sridOf returns the SRID of a CRS by its name, in one of the ways of the format's
// version of 2008.
func sridOf(name string) (int32, error) {
	if regexp.MustCompile(`(?i)^(urn:ogc:def:crs:)?OGC:[0-9.]*:?CRS84$`).MatchString(name) {
		return WGS84, nil
	}

	if m := regexp.MustCompile(`(?i)^(?:urn:ogc:def:crs:)?EPSG:(?:[0-9.]*:)?([0-9]+)$`).FindStringSubmatch(name); m != nil {
		if n, err := strconv.ParseInt(m[1], 10, 32); err == nil && n > 0 {
			return int32(n), nil
		}
	}

	return 0, BadArea("names a CRS that is not understood, %q: it must look like EPSG:3035 or urn:ogc:def:crs:EPSG::3035", name)
}
