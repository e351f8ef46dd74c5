package picture

import (
	"math"

	"github.com/loadgrid/loadgrid/geomgen"
)

// tick is a mark on a scale; small ones have no text.
type tick struct {
	value float64
	text  string
}

// ticks returns the marks of a scale of this many points: at round numbers, about five
// of them with text. A range that is too small or too large for arithmetic has none.
func (v viewport) ticks(low, high, points float64) (ticks []tick) {
	const smallest = 1e-300 // near the least number, a step may be 0
	if !(high-low >= smallest && high-low <= math.MaxFloat64) {
		return nil
	}

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

func (v viewport) widestNumber(low, high, step float64) float64 {
	return max(v.letters.width(writeNumber(low, step), textSize), v.letters.width(writeNumber(high, step), textSize))
}

// graticule draws a line across the map at each tick with a text.
func (v viewport) graticule(c canvas, xTicks, yTicks []tick) {
	faint := line{color: v.inks.graticule, width: 0.7, crisp: true}
	for _, t := range xTicks {
		if x := v.at(geomgen.Point{X: t.value}).x; t.text != "" {
			c.stroke(faint, point{x, v.page.top}, point{x, v.page.bottom})
		}
	}

	for _, t := range yTicks {
		if y := v.at(geomgen.Point{Y: t.value}).y; t.text != "" {
			c.stroke(faint, point{v.page.left, y}, point{v.page.right, y})
		}
	}
}

// axes draws the frame of the map and its scales.
func (v viewport) axes(c canvas, xTicks, yTicks []tick) {
	frame := line{color: v.inks.frame, width: 0.7, crisp: true}
	length := func(t tick) float64 {
		if t.text == "" {
			return tickLength / 2
		}
		return tickLength
	}

	for _, t := range xTicks {
		x := v.at(geomgen.Point{X: t.value}).x
		c.stroke(frame, point{x, v.page.bottom}, point{x, v.page.bottom + length(t)})
		c.write(v.text(t.text, point{x, v.page.bottom + tickLength + 1.1*textSize}, alignCenter))
	}

	for _, t := range yTicks {
		y := v.at(geomgen.Point{Y: t.value}).y
		c.stroke(frame, point{v.page.left, y}, point{v.page.left - length(t), y})
		c.write(v.text(t.text, point{v.page.left - tickLength - 3, y + 0.35*textSize}, alignRight))
	}

	c.stroke(frame, v.page.outline()...)
}
