package picture

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"iter"
	"math"
	"strconv"
	"strings"
)

// vector is a page as SVG. Its text stays text: the program that shows it has the letters.
type vector struct {
	t   typeface // which measures the texts
	b   bytes.Buffer
	err error
}

const (
	// vectorPoints is how many points the tiles of a mosaic may have as paths. With more they are an image.
	vectorPoints = 6000
	// imageBytes is how large that image may be. In base64 it grows by a third.
	imageBytes = 140_000
)

func newVector(t typeface, page color.NRGBA, width, height float64) *vector {
	v := &vector{t: t}
	fmt.Fprintf(&v.b, `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="%[1]s" height="%[2]s" viewBox="0 0 %[3]s %[4]s" font-family="%[5]s">
<rect width="%[3]s" height="%[4]s" fill="%[6]s"/>
`, number(math.Round(dots(width))), number(math.Round(dots(height))), number(width), number(height), fontFamily, hex(page))

	return v
}

// number writes a length with two digits at most.
func number(f float64) string {
	text := strconv.AppendFloat(nil, f, 'f', 2, 64)
	text = bytes.TrimRight(text, "0")
	return string(bytes.TrimSuffix(text, []byte{'.'}))
}

func hex(c color.NRGBA) string {
	return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B)
}

func (v *vector) path(points []point) {
	for i, p := range points {
		command := byte('L')
		if i == 0 {
			command = 'M'
		}

		v.b.WriteByte(command)
		v.b.WriteString(number(p.x) + " " + number(p.y))
	}
}

func (v *vector) fill(c color.NRGBA, rings ...[]point) {
	v.b.WriteString(`<path d="`)
	for _, ring := range rings {
		v.path(ring)
		v.b.WriteByte('Z')
	}

	fmt.Fprintf(&v.b, `" fill="%s" fill-rule="evenodd"/>`+"\n", hex(c))
}

func (v *vector) stroke(l line, points ...point) {
	v.b.WriteString(`<path d="`)
	v.path(points)
	fmt.Fprintf(&v.b, `" fill="none" stroke="%s" stroke-width="%s"`, hex(l.color), number(l.width))

	for i, d := range l.dashes {
		separator := ` stroke-dasharray="`
		if i > 0 {
			separator = " "
		}
		v.b.WriteString(separator + number(d))
	}
	if len(l.dashes) > 0 {
		v.b.WriteByte('"')
	}

	v.b.WriteString("/>\n")
}

// mosaic writes tiles as paths, each with a line of its own colour where it touches others, or all of them as an image.
func (v *vector) mosaic(within rect, tiles iter.Seq[tile]) {
	points := 0
	for t := range tiles {
		points += len(t.ring)
	}
	if points > vectorPoints {
		v.image(within, tiles)
		return
	}

	for t := range tiles {
		if !within.holds(boundsOf(t.ring)) {
			t.ring = clipRing(t.ring, within)
		}
		if len(t.ring) == 0 {
			continue
		}

		v.b.WriteString(`<path d="`)
		v.path(t.ring)
		fmt.Fprintf(&v.b, `Z" fill="%[1]s" stroke="%[1]s" stroke-width="0.3"/>`+"\n", hex(t.color))
	}
}

func (v *vector) image(within rect, tiles iter.Seq[tile]) {
	at, m := sample(within, tiles)
	img := image.NewNRGBA(image.Rect(0, 0, m.width, m.height))
	for p, c := range m.pixels() {
		img.SetNRGBA(p.X, p.Y, c)
	}

	data, err := encodePNG(img, imageBytes)
	if err != nil {
		v.err = err
		return
	}

	points := func(pixels int) string { return number(float64(pixels) / dotsPerPoint) }
	fmt.Fprintf(&v.b, `<image x="%s" y="%s" width="%s" height="%s" href="data:image/png;base64,%s"/>`+"\n",
		points(at.X), points(at.Y), points(m.width), points(m.height), base64.StdEncoding.EncodeToString(data))
}

func (v *vector) write(l label) {
	if l.text == "" {
		return
	}

	anchor := map[align]string{alignLeft: "start", alignCenter: "middle", alignRight: "end"}[l.align]
	fmt.Fprintf(&v.b, `<text x="%s" y="%s" font-size="%s" fill="%s" text-anchor="%s"`, number(l.at.x), number(l.at.y), number(l.size), hex(l.ink), anchor)
	if !strings.ContainsFunc(l.text, func(r rune) bool { return !v.t.has(r) }) { // so that it also fits in a wider font
		fmt.Fprintf(&v.b, ` textLength="%s" lengthAdjust="spacingAndGlyphs"`, number(v.t.width(l.text, l.size)))
	}
	v.b.WriteByte('>')
	_ = xml.EscapeText(&v.b, []byte(l.text)) // a buffer takes all
	v.b.WriteString("</text>\n")
}

func (v *vector) encode() ([]byte, error) {
	v.b.WriteString("</svg>\n")
	return v.b.Bytes(), v.err
}
