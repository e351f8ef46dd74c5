// Package wktarea owns the reading of WKT and EWKT: one geometry, or one per line.
package wktarea

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/gather"
)

// maxNesting limits the nesting of collections. Real files do not need more.
const maxNesting = 32

// Read reads geometries in WKT (OGC 06-103r4, 7.2.2), each with or without SRID=n; before it, until
// r ends. Each geometry begins on its own line, and may have several lines. They have no
// attributes. Errors are *geomgen.ParamError, unless r fails.
func Read(r *bufio.Reader, to *gather.Collector) (feature.Schema, error) {
	w := wktReader{r: r, to: to}
	var srid int32

	for n := 1; ; n++ {
		more, err := w.begin(n)
		if err == nil && !more {
			return feature.Schema{SRID: srid}, nil
		}

		var s int32
		if err == nil {
			s, err = w.srid()
		}

		switch {
		case err == nil && n == 1:
			srid = s
		case err == nil && s != srid:
			err = feature.BadArea("names %s and, in line %d, %s: it must have one CRS", sridText(srid), w.line+1, sridText(s))
		}

		if err == nil {
			err = w.geometry(0)
		}
		if err == nil {
			err = to.EndFeature(nil)
		}

		if errors.As(err, new(wktError)) {
			return feature.Schema{}, feature.BadArea("cannot be read as WKT: %w", err)
		}
		if err != nil {
			return feature.Schema{}, err
		}
	}
}

func sridText(srid int32) string {
	if srid == 0 {
		return "no CRS"
	}
	return fmt.Sprintf("EPSG:%d", srid)
}

// begin goes to the n-th geometry, if there is another one.
func (w *wktReader) begin(n int) (more bool, err error) {
	line := w.lastLine
	b, err := w.next()
	if err != nil || b == 0 {
		return false, err
	}

	w.unread(b)
	if n == 1 {
		return true, nil
	}

	if w.line == line {
		w.column++ // to point at the unexpected byte
		return false, w.fault(1, "syntax error: invalid character")
	}

	w.behind = ""
	w.to.Where = ", in line " + strconv.Itoa(w.line+1)

	return true, nil
}

// srid reads SRID=n; if it is present.
func (w *wktReader) srid() (int32, error) {
	const mark = "SRID="
	if b, err := w.r.Peek(len(mark)); err != nil || !strings.EqualFold(string(b), mark) {
		return 0, nil // an error occurs again
	}

	_, _ = w.r.Discard(len(mark))
	var number []byte
	for {
		b, err := w.r.ReadByte()
		switch {
		case err == nil && b != ';' && len(number) < 40:
			number = append(number, b)
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return 0, err
		}

		srid, parseErr := strconv.ParseInt(strings.TrimSpace(string(number)), 10, 32)
		if err != nil || b != ';' || parseErr != nil || srid < 0 {
			return 0, feature.BadArea("cannot be read as EWKT%s: it must look like SRID=3035;POLYGON((...))", w.to.Where)
		}

		w.behind = fmt.Sprintf("SRID=%d;", srid)
		return int32(srid), nil
	}
}

// geometry reads a geometry.
func (w *wktReader) geometry(depth int) error {
	if err := w.take(isLetter); err != nil {
		return err
	}

	kind, dimensions := splitDimensions(string(w.word))
	switch {
	case isCurved(kind):
		return feature.BadArea("holds a %s%s: an area of interest is made of polygons; ST_CurveToLine or ST_Dump may turn it into some", kind, w.to.Where)
	case !isGeometry(kind):
		return w.fault(len(w.word), "syntax error")
	}

	switch kind {
	case "POLYGON":
		if err := w.list(&dimensions, w.polygon(&dimensions)); err != nil {
			return err
		}
		w.to.ClosePolygon()
		return w.to.EndGeometry()
	case "MULTIPOLYGON":
		if err := w.list(&dimensions, func() error {
			if err := w.list(nil, w.polygon(&dimensions)); err != nil {
				return err
			}
			w.to.ClosePolygon()
			return nil
		}); err != nil {
			return err
		}
		return w.to.EndGeometry()
	case "GEOMETRYCOLLECTION":
		if depth == maxNesting {
			return feature.BadArea("cannot be read as WKT: brackets are nested more than %d deep", maxNesting)
		}
		return w.list(&dimensions, func() error { return w.geometry(depth + 1) })
	}

	return w.to.Refuse(map[string]string{"POINT": "Point", "LINESTRING": "LineString", "MULTIPOINT": "MultiPoint", "MULTILINESTRING": "MultiLineString"}[kind])
}

func isGeometry(kind string) bool {
	switch kind {
	case "POLYGON", "MULTIPOLYGON", "GEOMETRYCOLLECTION", "POINT", "LINESTRING", "MULTIPOINT", "MULTILINESTRING":
		return true
	}
	return false
}

// splitDimensions splits the first word of a geometry into its kind and the number of dimensions
// that it names, 0 for none.
func splitDimensions(word string) (kind string, dimensions int) {
	for _, suffix := range [...]string{"ZM", "Z", "M"} {
		if kind, ok := strings.CutSuffix(word, suffix); ok && (isGeometry(kind) || isCurved(kind)) {
			return kind, 2 + len(suffix)
		}
	}

	return word, 0
}

// isCurved tells whether the geometry is valid WKT, but has no polygons, or consists of triangles.
func isCurved(kind string) bool {
	switch kind {
	case "CURVEPOLYGON", "MULTISURFACE", "CIRCULARSTRING", "COMPOUNDCURVE", "MULTICURVE", "POLYHEDRALSURFACE", "TIN", "TRIANGLE":
		return true
	}
	return false
}

// list reads EMPTY, or a list in brackets. If dimensions is not nil, Z, M or ZM may come before
// either.
func (w *wktReader) list(dimensions *int, item func() error) error {
	if err := w.take(isLetter); err != nil {
		return err
	}

	switch word := string(w.word); {
	case dimensions != nil && *dimensions == 0 && (word == "Z" || word == "M" || word == "ZM"):
		*dimensions = 2 + len(word)
		return w.list(nil, item)
	case word == "EMPTY":
		return nil
	case word != "":
		return w.fault(len(word), "syntax error")
	}

	b, err := w.next()
	switch {
	case err != nil:
		return err
	case b == 0:
		return w.fault(0, "syntax error: unexpected end")
	case b != '(':
		return w.fault(1, "syntax error: unexpected %q, expecting '(' or EMPTY", b)
	}

	for {
		if err := item(); err != nil {
			return err
		}

		switch b, err := w.next(); {
		case err != nil:
			return err
		case b == ')':
			return nil
		case b == 0:
			return w.fault(0, "syntax error: unexpected end")
		case b != ',':
			return w.fault(1, "syntax error: unexpected %q, expecting ',' or ')'", b)
		}
	}
}

// polygon returns a function that reads a ring of a polygon with this number of dimensions. If it
// is 0, the first position sets it.
func (w *wktReader) polygon(dimensions *int) func() error {
	return func() error {
		b, err := w.next()
		switch {
		case err != nil:
			return err
		case b != '(':
			w.unread(b)
			return w.fault(0, "syntax error: a ring must begin with '('")
		}

		return w.ring(dimensions)
	}
}

// ring reads a ring after its bracket.
func (w *wktReader) ring(dimensions *int) error {
	var first, last geomgen.Point
	for n := 0; ; n++ {
		p, err := w.position(dimensions)
		if err != nil {
			return err
		}

		w.to.Position(p.X, p.Y)
		if last = p; n == 0 {
			first = p
		}

		switch b, err := w.next(); {
		case err != nil:
			return err
		case b == ',':
			continue
		case b == 0:
			return w.fault(0, "syntax error: unexpected end")
		case b != ')':
			return w.fault(1, "syntax error: unexpected %q in a ring", b)
		case n+1 < 4:
			return w.fault(1, "syntax error: polygon ring doesn't have enough points")
		case first != last:
			return w.fault(1, "syntax error: polygon ring not closed")
		}

		w.to.CloseRing()
		return nil
	}
}

// position reads the coordinates of a position.
func (w *wktReader) position(dimensions *int) (p geomgen.Point, err error) {
	n := 0
	for ; ; n++ {
		if err := w.take(isNumber); err != nil {
			return p, err
		}
		if len(w.word) == 0 {
			break
		}

		f, err := strconv.ParseFloat(string(w.word), 64)
		if err != nil {
			return p, w.fault(len(w.word), "syntax error: invalid number")
		}

		switch n {
		case 0:
			p.X = f
		case 1:
			p.Y = f
		default:
			w.to.Dropped()
		}
	}

	switch {
	case n < 2 || n > 4:
		return p, w.fault(0, "syntax error: a position has %d numbers", n)
	case *dimensions == 0:
		*dimensions = n
	case *dimensions != n:
		return p, w.fault(0, "syntax error: mixed dimensionality, a position has %d numbers and not %d", n, *dimensions)
	}

	return p, nil
}

// IsWKT tells whether the text of a file, without leading white space, begins with WKT or EWKT.
func IsWKT(head []byte) bool {
	text := strings.ToUpper(string(head[:min(len(head), 40)]))
	if strings.HasPrefix(text, "SRID=") {
		return true
	}

	word, behind := text, byte(' ')
	if n := strings.IndexFunc(text, func(r rune) bool { return r < 'A' || r > 'Z' }); n >= 0 {
		word, behind = text[:n], text[n]
	}

	kind, _ := splitDimensions(word)
	return (isGeometry(kind) || isCurved(kind)) && (behind == '(' || isSpace(behind))
}
