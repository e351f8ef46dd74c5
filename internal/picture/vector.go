package picture

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/color"
	"strconv"
)

// vector is a page as SVG. Its text stays text: whoever shows it has the letters.
type vector struct {
	b bytes.Buffer
}

func newVector(width, height float64) *vector {
	v := new(vector)
	fmt.Fprintf(&v.b, `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="%[1]spt" height="%[2]spt" viewBox="0 0 %[1]s %[2]s" font-family="Go, Helvetica, Arial, sans-serif">
<rect width="%[1]s" height="%[2]s" fill="white"/>
`, number(width), number(height))

	return v
}

// number writes a length with two digits at most.
func number(f float64) string {
	text := strconv.AppendFloat(nil, f, 'f', 2, 64)
	text = bytes.TrimRight(text, "0")
	return string(bytes.TrimSuffix(text, []byte{'.'}))
}

func hex(c color.Color) string {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	return fmt.Sprintf("#%02x%02x%02x", n.R, n.G, n.B)
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

func (v *vector) fill(c color.Color, rings ...[]point) {
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

func (v *vector) disc(c color.Color, center point, radius float64) {
	fmt.Fprintf(&v.b, `<circle cx="%s" cy="%s" r="%s" fill="%s"/>`+"\n", number(center.x), number(center.y), number(radius), hex(c))
}

func (v *vector) write(l label) {
	if l.text == "" {
		return
	}

	anchor := map[align]string{alignLeft: "start", alignCenter: "middle", alignRight: "end"}[l.align]
	fmt.Fprintf(&v.b, `<text x="%s" y="%s" font-size="%s" text-anchor="%s">`, number(l.at.x), number(l.at.y), number(l.size), anchor)
	_ = xml.EscapeText(&v.b, []byte(l.text)) // a buffer takes all
	v.b.WriteString("</text>\n")
}

func (v *vector) encode() ([]byte, error) {
	v.b.WriteString("</svg>\n")
	return v.b.Bytes(), nil
}
