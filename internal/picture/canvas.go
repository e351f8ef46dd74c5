// Package picture draws what lies in a grid's table: where the cells are, and in
// which order; and charts of bars. It writes PNG and SVG, for a light or a dark page.
package picture

import (
	"errors"
	"fmt"
	"image/color"
	"iter"
	"os"
	"path/filepath"
	"strings"
)

// point is a place on the page, in points of 1/72 inch from its upper left corner.
type point struct{ x, y float64 }

// rect is a part of the page.
type rect struct{ left, top, right, bottom float64 }

func (r rect) width() float64  { return r.right - r.left }
func (r rect) height() float64 { return r.bottom - r.top }

// holds tells whether all of b is inside r.
func (r rect) holds(b rect) bool {
	return r.left <= b.left && b.right <= r.right && r.top <= b.top && b.bottom <= r.bottom
}

// ring is the edge of a rectangle, without its first corner again.
func (r rect) ring() []point {
	return []point{{r.left, r.top}, {r.right, r.top}, {r.right, r.bottom}, {r.left, r.bottom}}
}

// outline is the edge of a rectangle once around and around its first corner, which else is open.
func (r rect) outline() []point {
	ring := r.ring()
	return append(ring, ring[0], ring[1])
}

// line is how a line is drawn: its width and the lengths of dashes and gaps in points.
type line struct {
	color  color.NRGBA
	width  float64
	dashes []float64
	// crisp moves the line onto whole pixels. All of its parts are vertical or horizontal.
	crisp bool
}

// align is where in its text a label's place is.
type align float64

const (
	alignLeft   align = 0
	alignCenter align = 0.5
	alignRight  align = 1
)

// label is a text on one line; at is on its baseline.
type label struct {
	text  string
	at    point
	size  float64
	align align
	ink   color.NRGBA
}

// canvas is a page in one of the formats.
type canvas interface {
	// fill fills rings by the even-odd rule: a ring inside another one is a hole.
	fill(c color.NRGBA, rings ...[]point)
	// stroke draws a line through points.
	stroke(l line, points ...point)
	// mosaic draws tiles within a part of the page.
	mosaic(within rect, tiles iter.Seq[tile])
	// write draws text.
	write(l label)
	// encode returns the file.
	encode() ([]byte, error)
}

// newCanvas returns an empty page of this size in points, for a file of this name.
func newCanvas(name string, t typeface, page color.NRGBA, width, height float64) (canvas, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	if isSVG(name) {
		return newVector(t, page, width, height), nil
	}
	return newRaster(t, page, width, height), nil
}

// isSVG tells whether the file of a name is an SVG. Else it is a PNG.
func isSVG(name string) bool { return strings.EqualFold(filepath.Ext(name), ".svg") }

// Write writes a picture that is drawn into a file.
func Write(name string, data []byte) error {
	err := os.WriteFile(name, data, 0o644)
	if path := new(os.PathError); errors.As(err, &path) {
		err = path.Err // the file is named here
	}
	if err != nil {
		return fmt.Errorf("drawing %s: %w", name, err)
	}

	return nil
}
