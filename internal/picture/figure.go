package picture

import (
	"math"

	"github.com/loadgrid/loadgrid/geomgen"
)

// figure is a map in a frame with a scale on two sides. A unit is as long in each
// direction.
type figure struct {
	theme Theme
	// title is written above the map, its first line in larger letters.
	title []string
	// world is what the map shows at least, in CRS units.
	world geomgen.Box
	// draw draws into the map.
	draw func(canvas, viewport)
	// footer draws into the strip below the map, which is as high as footerHeight says for its width.
	footer       func(c canvas, v viewport, strip rect)
	footerHeight func(v viewport, width float64) float64
}

// Lengths in points, and sizes of letters.
const (
	mapWidth     = 590.0 // at most
	mapHeight    = 490.0
	leastWidth   = 420.0 // the footer needs some
	leastHeight  = 150.0
	margin       = 12.0
	tickLength   = 4.0
	titleSize    = 13.5
	subtitleSize = 10.0
	textSize     = 9.5
	lineHeight   = 1.35 // of the size of its letters
)

// viewport is where on the page a part of the world is.
type viewport struct {
	world   geomgen.Box
	page    rect
	letters typeface
	inks    inks
}

// perUnit is how many points a CRS unit has.
func (v viewport) perUnit() float64 { return v.page.width() / (v.world.XMax - v.world.XMin) }

func (v viewport) at(p geomgen.Point) point {
	return point{v.page.left + (p.X-v.world.XMin)*v.perUnit(), v.page.bottom - (p.Y-v.world.YMin)*v.perUnit()}
}

func (v viewport) ring(ring []geomgen.Point) []point {
	points := make([]point, len(ring))
	for i, p := range ring {
		points[i] = v.at(p)
	}
	return points
}

// box is a box on the page.
func (v viewport) box(b geomgen.Box) rect {
	low, high := v.at(geomgen.Point{X: b.XMin, Y: b.YMin}), v.at(geomgen.Point{X: b.XMax, Y: b.YMax})
	return rect{low.x, high.y, high.x, low.y}
}

// text is a label in the usual size and colour.
func (v viewport) text(text string, at point, to align) label {
	return label{text: text, at: at, size: textSize, align: to, ink: v.inks.text}
}

// encode draws the figure as PNG or SVG, by the end of the name of the file that it is for.
func (f figure) encode(name string) ([]byte, error) {
	letters, err := newTypeface(name)
	if err != nil {
		return nil, err
	}

	v := viewport{letters: letters, inks: f.theme.inks()}
	width, height := mapWidth, mapHeight
	if ratio := (f.world.YMax - f.world.YMin) / (f.world.XMax - f.world.XMin); ratio < mapHeight/mapWidth {
		height = max(mapWidth*ratio, leastHeight)
	} else {
		width = max(mapHeight/ratio, leastWidth)
	}

	v.world = widen(f.world, width/height)
	xTicks, yTicks := v.ticks(v.world.XMin, v.world.XMax, width), v.ticks(v.world.YMin, v.world.YMax, height)
	left, right := margin, margin
	for _, t := range yTicks {
		left = max(left, margin+tickLength+3+letters.width(t.text, textSize))
	}
	for _, t := range xTicks {
		half := letters.width(t.text, textSize) / 2
		right = max(right, margin/2+half-(v.world.XMax-t.value)/(v.world.XMax-v.world.XMin)*width)
	}

	top := margin
	for i := range f.title {
		top += sizeOfTitle(i) * lineHeight
	}

	v.page = rect{left, top + 5, left + width, top + 5 + height}
	below := v.page.bottom + tickLength + 2.1*textSize + margin
	strip := rect{v.page.left, below, v.page.right, below + f.footerHeight(v, width)}
	c, err := newCanvas(name, letters, v.inks.page, v.page.right+right, strip.bottom+margin)
	if err != nil {
		return nil, err
	}

	f.writeTitle(c, v)
	c.fill(v.inks.panel, v.page.ring())
	v.graticule(c, xTicks, yTicks)
	f.draw(c, v)
	v.axes(c, xTicks, yTicks)
	f.footer(c, v, strip)

	return c.encode()
}

func sizeOfTitle(i int) float64 {
	if i == 0 {
		return titleSize
	}
	return subtitleSize
}

// writeTitle writes the title above the map, from the left.
func (f figure) writeTitle(c canvas, v viewport) {
	y, ink := margin, v.inks.text
	for i, text := range f.title {
		size := sizeOfTitle(i)
		y += size * lineHeight
		at := point{v.page.left, y - 0.35*size}
		c.write(label{text: text, at: at, size: v.letters.fit(text, size, v.page.width()), ink: ink})
		ink = v.inks.subtext
	}
}

// widen returns a box around b whose width is this many times its height.
func widen(b geomgen.Box, ratio float64) geomgen.Box {
	w, h := b.XMax-b.XMin, b.YMax-b.YMin
	if w < ratio*h {
		more := (ratio*h - w) / 2
		b.XMin, b.XMax = b.XMin-more, b.XMax+more
	} else {
		more := (w/ratio - h) / 2
		b.YMin, b.YMax = b.YMin-more, b.YMax+more
	}

	return b
}

// roundLength returns the largest of 1, 2 and 5 times a power of ten up to most.
func roundLength(most float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(most)+1e-9)) // Log10 of 1000 is a bit less than 3
	for _, n := range []float64{5, 2} {
		if n*power <= most {
			return n * power
		}
	}

	return power
}
