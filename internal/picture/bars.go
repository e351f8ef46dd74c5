package picture

import (
	"errors"
	"fmt"
	"image/color"
)

// Panel is a chart of horizontal bars.
type Panel struct {
	Title string
	// Axis says what the lengths are.
	Axis string
	Bars []Bar
}

// Bar is a value with its range. Label stands behind it.
type Bar struct {
	Name, Label      string
	Value, Low, High float64
	// Strong bars have a colour, others are grey.
	Strong bool
}

const (
	chartWidth = 850.0
	barHeight  = 24.0
	plotLabel  = 0.45 // room for labels, as a share of the longest bar
)

// SaveBars draws panels below one another into a file, as PNG or SVG by the end of its
// name.
func SaveBars(name string, panels []Panel) error {
	data, err := encodeBars(name, panels)
	if err != nil {
		return fmt.Errorf("drawing %s: %w", name, err)
	}

	return Write(name, data)
}

func encodeBars(name string, panels []Panel) ([]byte, error) {
	letters, err := newTypeface()
	if err != nil {
		return nil, err
	}

	left, height := 0.0, margin
	for _, p := range panels {
		if len(p.Bars) == 0 {
			return nil, errors.New("a chart has no bars")
		}
		for _, b := range p.Bars {
			left = max(left, letters.width(b.Name, textSize))
		}

		height += p.height()
	}

	c, err := newCanvas(name, letters, chartWidth, height)
	if err != nil {
		return nil, err
	}

	top := margin
	for _, p := range panels {
		page := rect{left + 2*margin, top + titleSize*lineHeight + 4, chartWidth - 2*margin, 0}
		page.bottom = page.top + barHeight*float64(len(p.Bars))
		p.draw(c, viewport{page: page, letters: letters})
		top += p.height()
	}

	return c.encode()
}

func (p Panel) height() float64 {
	return titleSize*lineHeight + barHeight*float64(len(p.Bars)) + tickLength + 4*textSize*lineHeight
}

func (p Panel) draw(c canvas, v viewport) {
	longest := 0.0
	for _, b := range p.Bars {
		longest = max(longest, b.High, b.Value)
	}
	if longest == 0 {
		longest = 1
	}

	v.world.XMax = longest * (1 + plotLabel)
	x := func(value float64) float64 { return v.page.left + value*v.perUnit() }
	size := v.letters.fit(p.Title, titleSize, v.page.right-margin)
	c.write(label{text: p.Title, at: point{margin, v.page.top - 8}, size: size})
	gray := line{color: color.Gray{Y: 120}, width: 0.8}

	for _, t := range v.ticks(0, v.world.XMax, v.page.width()) {
		length := tickLength / 2
		if t.text != "" {
			c.stroke(line{color: color.Gray{Y: 215}, width: 0.6}, point{x(t.value), v.page.top}, point{x(t.value), v.page.bottom})
			length = tickLength
		}

		c.stroke(gray, point{x(t.value), v.page.bottom}, point{x(t.value), v.page.bottom + length})
		c.write(label{text: t.text, at: point{x(t.value), v.page.bottom + tickLength + textSize}, size: textSize, align: alignCenter})
	}

	c.stroke(gray, point{v.page.left, v.page.top}, point{v.page.left, v.page.bottom}, point{v.page.right, v.page.bottom})
	c.write(label{text: p.Axis, at: point{(v.page.left + v.page.right) / 2, v.page.bottom + tickLength + 2.3*textSize}, size: textSize, align: alignCenter})

	for i, b := range p.Bars {
		b.draw(c, x, v.page.top+(float64(i)+0.5)*barHeight)
	}
}

// draw draws a bar around the height y; x returns where a value lies.
func (b Bar) draw(c canvas, x func(float64) float64, y float64) {
	const half = 0.3 * barHeight
	fill := color.Color(color.Gray{Y: 170})
	if b.Strong {
		fill = color.NRGBA{R: 46, G: 125, B: 190, A: 255}
	}

	c.fill(fill, rect{x(0), y - half, x(b.Value), y + half}.ring())
	reach := line{color: color.Black, width: 1}
	c.stroke(reach, point{x(b.Low), y}, point{x(b.High), y})

	for _, end := range []float64{b.Low, b.High} {
		c.stroke(reach, point{x(end), y - half/2}, point{x(end), y + half/2})
	}

	c.write(label{text: b.Name, at: point{x(0) - 8, y + 0.35*textSize}, size: textSize, align: alignRight})
	c.write(label{text: b.Label, at: point{x(max(b.Value, b.High)) + 6, y + 0.35*textSize}, size: textSize})
}
