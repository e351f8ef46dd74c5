package picture

import (
	"image/color"
	"math"
	"strconv"

	"github.com/loadgrid/loadgrid/geomgen"
)

// figure is a map in a frame with a scale on two sides. A unit is as long in each
// direction.
type figure struct {
	// title stands above the map, its first line in larger letters.
	title []string
	// world is what the map shows at least, in CRS units.
	world geomgen.Box
	// draw draws into the map.
	draw func(canvas, viewport)
	// footer draws into the strip of footerHeight points below the map.
	footer       func(c canvas, v viewport, strip rect)
	footerHeight float64
}

// Lengths in points, and sizes of letters.
const (
	mapSide      = 620.0 // the longer one of the map's sides
	leastSide    = 250.0
	margin       = 12.0
	tickLength   = 5.0
	titleSize    = 13.0
	subtitleSize = 11.0
	textSize     = 10.0
	lineHeight   = 1.35 // of the size of its letters
)

// viewport is where on the page a part of the world is.
type viewport struct {
	world   geomgen.Box
	page    rect
	letters typeface
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

// box is a box as a ring.
func (v viewport) box(b geomgen.Box) []point {
	return v.ring([]geomgen.Point{{X: b.XMin, Y: b.YMin}, {X: b.XMax, Y: b.YMin}, {X: b.XMax, Y: b.YMax}, {X: b.XMin, Y: b.YMax}})
}

// encode draws the figure as PNG or SVG, by the end of the name of the file that it is for.
func (f figure) encode(name string) ([]byte, error) {
	letters, err := newTypeface()
	if err != nil {
		return nil, err
	}

	v := viewport{letters: letters}
	width, height := mapSide, mapSide
	if ratio := (f.world.YMax - f.world.YMin) / (f.world.XMax - f.world.XMin); ratio < 1 {
		height = max(mapSide*ratio, leastSide)
	} else {
		width = max(mapSide/ratio, 1.6*leastSide) // the footer needs some
	}

	v.world = widen(f.world, width/height)
	xTicks, yTicks := v.ticks(v.world.XMin, v.world.XMax, width), v.ticks(v.world.YMin, v.world.YMax, height)
	left := margin + tickLength + 4
	for _, t := range yTicks {
		left = max(left, margin+tickLength+4+letters.width(t.text, textSize))
	}

	top := margin + textSize*lineHeight // the y above the scale
	for i := range f.title {
		top += sizeOfTitle(i) * lineHeight
	}

	v.page = rect{left, top, left + width, top + height}
	below := v.page.bottom + tickLength + 2*textSize*lineHeight
	strip := rect{v.page.left, below, v.page.right, below + f.footerHeight}
	c, err := newCanvas(name, letters, v.page.right+2*margin, strip.bottom+margin)
	if err != nil {
		return nil, err
	}

	f.writeTitle(c, v)
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

// writeTitle writes the title in the middle above the map.
func (f figure) writeTitle(c canvas, v viewport) {
	y := margin
	for i, text := range f.title {
		size := sizeOfTitle(i)
		y += size * lineHeight
		at := point{(v.page.left + v.page.right) / 2, y - 0.35*size}
		c.write(label{text: text, at: at, size: v.letters.fit(text, size, v.page.width()), align: alignCenter})
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

// tick is a mark on a scale; small ones have no text.
type tick struct {
	value float64
	text  string
}

// ticks returns the marks of a scale of this many points: at round numbers, about five
// of them with text.
func (v viewport) ticks(low, high, points float64) (ticks []tick) {
	step := roundLength((high - low) / 4)
	for points < 1.5*v.widestNumber(low, high, step)*(high-low)/step && step < high-low {
		step = roundLength(step * 2.5) // 1, 2, 5, 10
	}

	const parts = 5
	const rounding = 1e-9 // of a step
	first := math.Ceil(low/step*parts - rounding)
	for n := range int((high-low)/step*parts) + 2 {
		i := first + float64(n)
		t := tick{value: i * step / parts}
		if t.value > high+rounding*step {
			break
		}

		if math.Mod(i, parts) == 0 {
			t.value = i / parts * step
			t.text = writeNumber(t.value, step)
		}

		ticks = append(ticks, t)
	}

	return ticks
}

// writeNumber writes a multiple of step, with the digits that tell it from others.
func writeNumber(f, step float64) string {
	digits := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	return strconv.FormatFloat(f+0, 'f', digits, 64) // + 0: no minus zero
}

func (v viewport) widestNumber(low, high, step float64) float64 {
	return max(v.letters.width(writeNumber(low, step), textSize), v.letters.width(writeNumber(high, step), textSize))
}

// axes draws the frame of the map and its scales.
func (v viewport) axes(c canvas, xTicks, yTicks []tick) {
	gray := line{color: color.Gray{Y: 120}, width: 0.8}
	length := func(t tick) float64 {
		if t.text == "" {
			return tickLength / 2
		}
		return tickLength
	}

	for _, t := range xTicks {
		x := v.at(geomgen.Point{X: t.value}).x
		c.stroke(gray, point{x, v.page.bottom}, point{x, v.page.bottom + length(t)})
		c.write(label{text: t.text, at: point{x, v.page.bottom + tickLength + textSize}, size: textSize, align: alignCenter})
	}

	for _, t := range yTicks {
		y := v.at(geomgen.Point{Y: t.value}).y
		c.stroke(gray, point{v.page.left, y}, point{v.page.left - length(t), y})
		c.write(label{text: t.text, at: point{v.page.left - tickLength - 3, y + 0.35*textSize}, size: textSize, align: alignRight})
	}

	ring := v.page.ring()
	c.stroke(gray, append(ring, ring[0], ring[1])...) // once more around the corner, which else is open
	c.write(label{text: "x", at: point{(v.page.left + v.page.right) / 2, v.page.bottom + tickLength + 2.2*textSize}, size: textSize, align: alignCenter})
	c.write(label{text: "y", at: point{v.page.left, v.page.top - 0.5*textSize}, size: textSize, align: alignCenter})
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
