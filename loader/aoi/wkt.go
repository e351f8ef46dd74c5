package aoi

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/twpayne/go-geom/encoding/wkt"
)

// readWKT reads WKT, with SRID=n; before it or without. given is what somebody says that it
// is in, 0 for nobody.
func readWKT(r io.Reader, given int32) (*Area, error) {
	var b strings.Builder // which gives its bytes away without a copy
	if _, err := io.Copy(&b, r); err != nil {
		return nil, fmt.Errorf("reading the area of interest: %w", err)
	}

	text, prefix := strings.TrimSpace(b.String()), ""
	var srid int64
	var err error
	if len(text) > 5 && strings.EqualFold(text[:5], "SRID=") {
		number, rest, ok := strings.Cut(text[5:], ";")
		if srid, err = strconv.ParseInt(strings.TrimSpace(number), 10, 32); err != nil || !ok || srid < 0 {
			return nil, BadArea("is no EWKT: it must look like SRID=3035;POLYGON((...))")
		}

		text, prefix = rest, fmt.Sprintf("SRID=%d;", srid)
	}

	if err := checkText(text); err != nil {
		return nil, err
	}

	g, err := wkt.Unmarshal(text)
	if err != nil {
		return nil, explainWKT(prefix, err)
	}

	var c PolygonReader
	if err := c.add(g); err != nil {
		return nil, err
	}

	declared, err := Declared(given, int32(srid))
	if err != nil {
		return nil, err
	}

	return c.newArea(declared), nil
}

// checkText refuses what go-geom would not: it takes a zero byte for the end, and
// recursion over its geometries would find no end.
func checkText(text string) error {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case 0:
			return BadArea("is no WKT: there is a zero byte in it, at byte %d", i+1)
		case '(':
			depth++
		case ')':
			depth--
		}

		if depth > maxNesting {
			return BadArea("is no WKT that can be used: brackets are nested more than %d deep", maxNesting)
		}
	}

	return nil
}

// explainWKT says what go-geom has against a text, and where. prefix is what stands before
// the text, and is not counted.
func explainWKT(prefix string, err error) error {
	what, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "syntax error: "), "\n") // the rest draws the place
	if prefix != "" {
		what += " behind " + prefix
	}

	return BadArea("is neither GeoJSON, which begins with {, nor WKT that can be used: %s", what)
}
