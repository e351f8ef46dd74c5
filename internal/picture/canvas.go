// Package picture draws what lies in a grid's table: where the cells are, and in
// which order; and charts of bars. It writes PNG and SVG.
package picture

import (
	"errors"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
)

// point is a place on the page, in points of 1/72 inch from its upper left corner.
type point struct{ x, y float64 }

// rect is a part of the page.
type rect struct{ left, top, right, bottom float64 }

func (r rect) width() float64  { return r.right - r.left }
func (r rect) height() float64 { return r.bottom - r.top }

// ring is the edge of a rectangle, without its first corner again.
func (r rect) ring() []point {
	return []point{{r.left, r.top}, {r.right, r.top}, {r.right, r.bottom}, {r.left, r.bottom}}
}

// line is how a line is drawn: its width and the lengths of dashes and gaps in points.
type line struct {
	color  color.Color
	width  float64
	dashes []float64
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
}

// canvas is a page in one of the formats.
type canvas interface {
	// fill fills rings by the even-odd rule: a ring inside another one is a hole.
	fill(c color.Color, rings ...[]point)
	// stroke draws a line through points.
	stroke(l line, points ...point)
	// disc fills a circle.
	disc(c color.Color, center point, radius float64)
	// write draws black text.
	write(l label)
	// encode returns the file.
	encode() ([]byte, error)
}

// typeface is the font of a picture.
type typeface struct {
	font *opentype.Font
}

func newTypeface() (typeface, error) {
	f, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return typeface{}, fmt.Errorf("reading the font: %w", err)
	}
	return typeface{f}, nil
}

// face returns the font in a size in pixels.
func (t typeface) face(pixels float64) (font.Face, error) {
	f, err := opentype.NewFace(t.font, &opentype.FaceOptions{Size: pixels, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return nil, fmt.Errorf("reading the font in size %g: %w", pixels, err)
	}
	return f, nil
}

// width returns how wide a text is in points.
func (t typeface) width(text string, size float64) float64 {
	const detail = 10 // the font measures in 64th of a pixel
	face, err := t.face(detail * size)
	if err != nil {
		return 0
	}
	return float64(font.MeasureString(face, t.spell(text))) / 64 / detail
}

// fit returns the largest size up to most in which a text is not wider than width.
func (t typeface) fit(text string, most, width float64) float64 {
	if wide := t.width(text, most); wide > width {
		return most * width / wide
	}
	return most
}

// spell writes letters that the font does not have by their numbers. It has the
// Latin, Greek and Cyrillic ones.
func (t typeface) spell(text string) string {
	var b strings.Builder
	for _, r := range text {
		if i, err := t.font.GlyphIndex(nil, r); err == nil && i != 0 {
			b.WriteRune(r)
		} else if r < 0x10000 {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}

	return b.String()
}

// newCanvas returns an empty page of this size in points, for a file of this name.
func newCanvas(name string, t typeface, width, height float64) (canvas, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	if strings.EqualFold(filepath.Ext(name), ".svg") {
		return newVector(width, height), nil
	}
	return newRaster(t, width, height), nil
}

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
