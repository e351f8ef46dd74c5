package picture

import (
	"image/color"
	"math"
	"slices"

	"github.com/loadgrid/loadgrid/geomgen"
)

// The footer of a map has what the lines and colours mean at the left, then a sample of the
// cells, and a bar of a round length at the right.
const (
	keyWidth    = 22.0
	keyHeight   = 15.0
	keyGap      = 14.0 // between columns
	sampleSide  = 84.0
	samplePad   = 6.0
	scaleColumn = 125.0 // the width that a scale bar has
	keyColumn   = 130.0 // the width that keys have at least
)

// key explains a line or a colour.
type key struct {
	text string
	draw func(c canvas, at rect)
}

func swatch(of color.NRGBA) func(canvas, rect) {
	return func(c canvas, at rect) { c.fill(of, at.ring()) }
}

func lineKey(l line) func(canvas, rect) {
	return func(c canvas, at rect) {
		y := (at.top + at.bottom) / 2
		c.stroke(l, point{at.left, y}, point{at.right, y})
	}
}

// keys explain what is not on the scale of colours and no category.
func (m Map) keys(k inks) (keys []key) {
	if len(m.Area) > 0 {
		keys = append(keys, key{"area of interest", func(c canvas, at rect) {
			c.fill(k.areaFill, at.ring())
			c.stroke(k.areaLine(), at.outline()...)
		}})
	}
	if m.Extent != nil {
		keys = append(keys, key{"extent", lineKey(k.extentLine())})
	}
	if slices.ContainsFunc(m.Pieces, func(p Piece) bool { return p.Category < 1 && math.IsNaN(p.Value) }) {
		keys = append(keys, key{"no value", swatch(k.noValue)})
	}

	return keys
}

// columns are keys in columns of equal width.
type columns struct {
	keys  []key
	width float64
	rows  int
}

// newColumns sets keys in as many columns as a width has room for.
func newColumns(v viewport, keys []key, width float64) columns {
	widest := 0.0
	for _, k := range keys {
		widest = max(widest, v.letters.width(k.text, textSize))
	}

	one := min(width, keyWidth+7+widest+keyGap)
	n := max(1, min(len(keys), int(width/one)))

	return columns{keys, one, (len(keys) + n - 1) / n}
}

func (s columns) height() float64 { return keyHeight * float64(s.rows) }

// draw draws the keys, column by column.
func (s columns) draw(c canvas, v viewport, at point) {
	for i, k := range s.keys {
		x, y := at.x+s.width*float64(i/s.rows), at.y+keyHeight*float64(i%s.rows)
		k.draw(c, rect{x, y + 3, x + keyWidth, y + keyHeight - 3})
		text := v.letters.shorten(k.text, textSize, s.width-keyWidth-7)
		c.write(v.text(text, point{x + keyWidth + 7, y + keyHeight/2 + 0.35*textSize}, alignLeft))
	}
}

// explanation is the left part of the footer.
type explanation struct{ keys, categories columns }

func (m Map) explanation(v viewport, width float64) explanation {
	room := width - scaleColumn
	if len(m.Sample.Cells) > 0 {
		room -= m.Sample.width(v, width) + 2*margin
	}

	return explanation{newColumns(v, m.keys(v.inks), room), newColumns(v, m.Categories.keys(v.inks), room)}
}

func (m Map) footerHeight(v viewport, width float64) float64 {
	e := m.explanation(v, width)
	height := e.keys.height() + e.categories.height()
	if m.Categories.Name != "" {
		height += 1.7 * textSize
	}
	if m.Legend.Name != "" {
		height += legendHeight
	}
	if len(m.Sample.Cells) > 0 {
		height = max(height, sampleSide+3*samplePad+textSize)
	}

	return max(height, scaleBarHeight)
}

func (m Map) footer(c canvas, v viewport, strip rect) {
	left := strip
	left.right = v.drawScaleBar(c, strip, m.CRS) - 2*margin
	if len(m.Sample.Cells) > 0 {
		left.right = min(left.right, strip.right-scaleColumn)
		left.right = m.Sample.draw(c, v, rect{left.right - m.Sample.width(v, strip.width()), strip.top, left.right, strip.bottom}) - 2*margin
	}

	e, y := m.explanation(v, strip.width()), strip.top
	if m.Legend.Name != "" {
		m.Legend.draw(c, v, left)
		y += legendHeight
	}

	if m.Categories.Name != "" {
		c.write(v.text(v.letters.shorten(m.Categories.Name, textSize, left.width()), point{strip.left, y + textSize}, alignLeft))
		y += 1.7 * textSize
		e.categories.draw(c, v, point{strip.left, y})
		y += e.categories.height()
	}

	e.keys.draw(c, v, point{strip.left, y})
}

// width is how wide the frame of a sample is in a footer of this width.
func (s Sample) width(v viewport, footer float64) float64 {
	most := footer - scaleColumn - keyColumn - 4*margin
	return max(sampleSide+2*samplePad, min(most, v.letters.width(s.Title, textSize)+2*samplePad))
}

// draw draws the cells in a frame, and returns where that begins.
func (s Sample) draw(c canvas, v viewport, r rect) (left float64) {
	b := s.box()
	factor := sampleSide / math.Max(b.XMax-b.XMin, b.YMax-b.YMin)
	w, h := (b.XMax-b.XMin)*factor, (b.YMax-b.YMin)*factor
	middle := (r.left + r.right) / 2
	frame := rect{r.left, r.top, r.right, r.top + h + 3*samplePad + textSize}
	c.fill(v.inks.panel, frame.ring())
	c.stroke(line{color: v.inks.frame, width: 0.7, crisp: true}, frame.outline()...)
	title := v.text(s.Title, point{middle, frame.top + samplePad + 0.8*textSize}, alignCenter)
	title.size = v.letters.fit(s.Title, textSize, frame.width()-2*samplePad)
	c.write(title)

	cells := viewport{world: b, page: rect{middle - w/2, frame.bottom - samplePad - h, middle + w/2, frame.bottom - samplePad}}
	outline := func(l line, ring []geomgen.Point) {
		points := cells.ring(ring)
		c.stroke(l, append(points, points[0])...)
	}

	for _, ring := range s.Others {
		outline(line{color: mix(v.inks.panel, v.inks.frame, 0.5), width: 0.5}, ring)
	}
	for _, ring := range s.Cells {
		c.fill(v.inks.scale(0.5), cells.ring(ring))
		outline(line{color: v.inks.edge, width: 0.8}, ring)
	}

	return frame.left
}
