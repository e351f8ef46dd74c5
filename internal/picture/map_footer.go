package picture

import (
	"image/color"
	"math"
	"slices"

	"github.com/loadgrid/loadgrid/geomgen"
)

// The footer of a map has what the lines and colours mean at the left, a sample of the
// cells in the middle, and a bar of a round length at the right.
const (
	keyWidth     = 26.0
	keyHeight    = 16.0
	legendWidth  = 130.0
	legendHeight = 9.0
	sampleSide   = 92.0
	samplePad    = 6.0
)

// key explains a line or a colour.
type key struct {
	text string
	draw func(c canvas, at rect)
}

func (m Map) keys() (keys []key) {
	middle := func(l line) func(canvas, rect) {
		return func(c canvas, at rect) {
			y := (at.top + at.bottom) / 2
			c.stroke(l, point{at.left, y}, point{at.right, y})
		}
	}

	if len(m.Area) > 0 {
		keys = append(keys, key{"area of interest", func(c canvas, at rect) {
			ring := at.ring()
			c.fill(areaFill(), ring)
			c.stroke(areaLine(), append(ring, ring[0], ring[1])...)
		}})
	}
	if m.Extent != nil {
		keys = append(keys, key{"extent", middle(extentLine())})
	}
	if m.Categories.Name != "" {
		keys = append(keys, key{m.Categories.Name + ":", func(canvas, rect) {}})
	}
	keys = append(keys, m.Categories.keys()...)
	if slices.ContainsFunc(m.Pieces, func(p Piece) bool { return p.Category < 1 && math.IsNaN(p.Value) }) {
		keys = append(keys, key{"no value", middle(line{color: scale(math.NaN()), width: 8})})
	}

	return keys
}

func (m Map) footerHeight() float64 {
	height := keyHeight * float64(len(m.keys()))
	if m.Legend.Name != "" {
		height += 3.4 * textSize * lineHeight
	}
	if len(m.Sample.Cells) > 0 {
		height = max(height, sampleSide+3*samplePad+textSize)
	}

	return max(height, 3*textSize*lineHeight)
}

func (m Map) footer(c canvas, v viewport, strip rect) {
	left := strip
	left.right = v.drawScaleBar(c, strip, m.CRS)

	if len(m.Sample.Cells) > 0 {
		left.right = min(left.right, m.Sample.draw(c, v.letters, strip))
	}
	y := drawKeys(c, m.keys(), strip)

	if m.Legend.Name != "" {
		m.Legend.draw(c, v.letters, rect{strip.left, y, left.right - margin, strip.bottom})
	}
}

// drawKeys draws keys below one another, and returns where they end.
func drawKeys(c canvas, keys []key, strip rect) (y float64) {
	y = strip.top
	for _, k := range keys {
		k.draw(c, rect{strip.left, y + 4, strip.left + keyWidth, y + keyHeight - 4})
		c.write(label{text: k.text, at: point{strip.left + keyWidth + 8, y + keyHeight/2 + 0.35*textSize}, size: textSize})
		y += keyHeight
	}

	return y
}

// draw draws the scale of colours, with its name above and its ends below.
func (l Legend) draw(c canvas, letters typeface, r rect) {
	y := r.top + textSize
	c.write(label{text: l.Name, at: point{r.left, y}, size: letters.fit(l.Name, textSize, r.width())})
	y += 5

	const steps = legendWidth
	for i := range int(steps) {
		// Each reaches to the end, so that there are no seams.
		from := r.left + float64(i)*legendWidth/steps
		c.fill(scale(float64(i)/(steps-1)), rect{from, y, r.left + legendWidth, y + legendHeight}.ring())
	}

	y += legendHeight + textSize + 2
	c.write(label{text: l.Low, at: point{r.left, y}, size: textSize})
	c.write(label{text: l.High, at: point{r.left + legendWidth, y}, size: textSize, align: alignRight})
}

// draw draws the cells in a frame in the middle of the strip, and returns where that
// begins.
func (s Sample) draw(c canvas, letters typeface, strip rect) (left float64) {
	b := s.box()
	factor := sampleSide / math.Max(b.XMax-b.XMin, b.YMax-b.YMin)
	w, h := (b.XMax-b.XMin)*factor, (b.YMax-b.YMin)*factor
	wide := max(w, letters.width(s.Title, textSize))
	middle := (strip.left + strip.right) / 2
	frame := rect{middle - wide/2 - samplePad, strip.top, middle + wide/2 + samplePad, strip.top + h + 3*samplePad + textSize}
	ring := frame.ring()
	c.stroke(line{color: color.Gray{Y: 120}, width: 0.8}, append(ring, ring[0], ring[1])...)
	c.write(label{text: s.Title, at: point{middle, frame.top + samplePad + 0.8*textSize}, size: textSize, align: alignCenter})

	cells := viewport{world: b, page: rect{middle - w/2, frame.bottom - samplePad - h, middle + w/2, frame.bottom - samplePad}}
	outline := func(l line, ring []geomgen.Point) {
		points := cells.ring(ring)
		c.stroke(l, append(points, points[0])...)
	}

	for _, ring := range s.Others {
		outline(line{color: color.Gray{Y: 200}, width: 0.5}, ring)
	}

	for _, ring := range s.Cells {
		c.fill(scale(0.25), cells.ring(ring))
		outline(line{color: color.Gray{Y: 90}, width: 0.7}, ring)
	}

	return frame.left
}
