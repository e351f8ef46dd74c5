package aoi

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/twpayne/go-geom/encoding/wkt"

	"github.com/loadgrid/loadgrid/geomgen"
)

// readWKT reads WKT, with SRID=n; before it or without.
func readWKT(r io.Reader) (*Area, error) {
	var b strings.Builder // which gives its bytes away without a copy
	if _, err := io.Copy(&b, r); err != nil {
		return nil, fmt.Errorf("reading the area of interest: %w", err)
	}

	text := strings.TrimSpace(b.String())
	var srid int64
	var err error
	if len(text) > 5 && strings.EqualFold(text[:5], "SRID=") {
		number, rest, ok := strings.Cut(text[5:], ";")
		if srid, err = strconv.ParseInt(strings.TrimSpace(number), 10, 32); err != nil || !ok || srid < 0 {
			return nil, BadArea("is no EWKT: it must look like SRID=3035;POLYGON((...))")
		}

		text = rest
	}

	if err := checkText(text); err != nil {
		return nil, err
	}

	g, err := wkt.Unmarshal(text)
	if err != nil {
		return nil, explainWKT(text, err)
	}

	var c PolygonReader
	if err := c.add(g); err != nil {
		return nil, err
	}

	return c.newArea(int32(srid)), nil
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

// explainWKT says what go-geom has against a text. Of a ring it says but where it
// ends.
func explainWKT(text string, err error) error {
	var syntax *wkt.SyntaxError
	if !errors.As(err, &syntax) {
		return BadArea("is no WKT that can be used: %w", err)
	}

	what, _, _ := strings.Cut(strings.TrimPrefix(syntax.Error(), "syntax error: "), "\n")
	if strings.HasPrefix(what, "polygon ring ") {
		if m := regexp.MustCompile(` at line ([0-9]+), pos ([0-9]+)$`).FindStringSubmatch(what); m != nil {
			if fault := ringBefore(text, m[1], m[2]); fault != nil {
				return BadArea("is not valid: %w (%s)", fault, what)
			}
		}
	}

	return BadArea("is neither GeoJSON, which begins with {, nor WKT: %s", what)
}

// ringBefore returns what is wrong with the ring that ends at a line and column of
// a text, nil if that cannot be told.
func ringBefore(text, line, column string) *geomgen.InvalidError {
	n, errLine := strconv.Atoi(line)
	end, errColumn := strconv.Atoi(column)
	if errLine != nil || errColumn != nil {
		return nil
	}

	for rest := text; n > 1; n-- { // columns count from the begin of the line
		before, after, _ := strings.Cut(rest, "\n")
		end += len(before) + 1
		rest = after
	}

	const digits = "-.0123456789"
	end = min(end, len(text))
	var found geomgen.InvalidError
	start, brackets := 0, [2]byte{} // where the ring begins, and the last two characters

	for i := range end {
		switch c := text[i]; {
		case unicode.IsSpace(rune(c)):
			continue
		case c == '(':
			start = i + 1
		case brackets == [2]byte{'(', '('} && strings.IndexByte(digits, c) >= 0:
			found.Polygon, found.Ring = found.Polygon+1, 0
		case brackets == [2]byte{',', '('} && strings.IndexByte(digits, c) >= 0:
			found.Ring++
		}

		brackets = [2]byte{brackets[1], text[i]}
	}

	ring, err := positions(text[start:end])
	if err != nil {
		return nil
	}

	if found.At, found.Reason = geomgen.RingFault(ring); found.Reason == "" {
		return nil
	}

	return &found
}

// positions reads the text of a ring.
func positions(text string) ([]geomgen.Point, error) {
	var ring []geomgen.Point
	for position := range strings.SplitSeq(strings.TrimRight(text, "), \t\r\n"), ",") {
		numbers := strings.Fields(position)
		if len(numbers) < 2 {
			return nil, fmt.Errorf("%q is no position", position)
		}

		x, err := strconv.ParseFloat(numbers[0], 64)
		if err != nil {
			return nil, err
		}

		y, err := strconv.ParseFloat(numbers[1], 64)
		if err != nil {
			return nil, err
		}

		ring = append(ring, geomgen.Point{X: x, Y: y})
	}

	return ring, nil
}
