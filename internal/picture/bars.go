package picture

import (
	"errors"
	"fmt"
)

// Panel is a chart of horizontal bars.
type Panel struct {
	Title string
	// Axis names what the lengths of the bars are.
	Axis string
	Bars []Bar
}

// Bar is a value with its range. Label is the text after it.
type Bar struct {
	Name, Label      string
	Value, Low, High float64
	// Strong bars have a colour, others are grey.
	Strong bool
}

const (
	chartWidth  = 664.0
	barHeight   = 13.5
	panelTitle  = 11.5
	labelGap    = 6.0
	panelHead   = panelTitle*lineHeight + 4
	panelAxis   = tickLength + 1.3*textSize
	panelBottom = 8.0
)

// SaveBars draws panels below one another into a file, as PNG or SVG by the end of its
// name.
func SaveBars(name string, theme Theme, panels []Panel) error {
	data, err := encodeBars(name, theme, panels)
	if err != nil {
		return fmt.Errorf("drawing %s: %w", name, err)
	}

	return Write(name, data)
}

func encodeBars(name string, theme Theme, panels []Panel) ([]byte, error) {
	letters, err := newTypeface(name)
	if err != nil {
		return nil, err
	}

	const longestName = chartWidth / 2
	left, height := 0.0, 2*margin-panelBottom
	for _, p := range panels {
		if len(p.Bars) == 0 {
			return nil, errors.New("a chart has no bars")
		}
		for _, b := range p.Bars {
			left = min(longestName, max(left, letters.width(b.Name, textSize)))
		}

		height += p.height()
	}

	v := viewport{letters: letters, inks: theme.inks()}
	c, err := newCanvas(name, letters, v.inks.page, chartWidth, height)
	if err != nil {
		return nil, err
	}

	top := margin
	for _, p := range panels {
		v.page = rect{left + margin + labelGap, top + panelHead, chartWidth - margin, 0}
		v.page.bottom = v.page.top + barHeight*float64(len(p.Bars))
		p.draw(c, v)
		top += p.height()
	}

	return c.encode()
}

func (p Panel) height() float64 {
	return panelHead + barHeight*float64(len(p.Bars)) + panelAxis + panelBottom
}

// longest is the value at the right end of the panel: each bar has room for its label behind it.
func (p Panel) longest(v viewport) float64 {
	longest := 0.0
	for _, b := range p.Bars {
		end, room := max(b.High, b.Value), v.page.width()-v.letters.width(b.Label, textSize)-labelGap-2
		longest = max(longest, end*v.page.width()/max(room, v.page.width()/4))
	}

	if longest == 0 {
		return 1
	}
	return longest
}

func (p Panel) draw(c canvas, v viewport) {
	v.world.XMax = p.longest(v)
	x := func(value float64) float64 { return v.page.left + value*v.perUnit() }
	axis := v.text(p.Axis, point{v.page.right, v.page.top - 6}, alignRight)
	axis.ink = v.inks.subtext
	c.write(axis)

	size := v.letters.fit(p.Title, panelTitle, v.page.right-margin-v.letters.width(p.Axis, textSize)-2*margin)
	c.write(label{text: p.Title, at: point{margin, v.page.top - 6}, size: size, ink: v.inks.text})
	c.fill(v.inks.panel, v.page.ring())

	faint, frame := line{color: v.inks.graticule, width: 0.7, crisp: true}, line{color: v.inks.frame, width: 0.7, crisp: true}
	for _, t := range v.ticks(0, v.world.XMax, v.page.width()) {
		if t.text == "" {
			continue
		}

		c.stroke(faint, point{x(t.value), v.page.top}, point{x(t.value), v.page.bottom})
		c.stroke(frame, point{x(t.value), v.page.bottom}, point{x(t.value), v.page.bottom + tickLength})
		if half := v.letters.width(t.text, textSize) / 2; x(t.value)+half <= chartWidth-margin/2 {
			tick := v.text(t.text, point{x(t.value), v.page.bottom + tickLength + 1.05*textSize}, alignCenter)
			tick.ink = v.inks.subtext
			c.write(tick)
		}
	}

	for i, b := range p.Bars {
		b.draw(c, v, x, v.page.top+(float64(i)+0.5)*barHeight)
	}
	c.stroke(frame, point{v.page.left, v.page.top}, point{v.page.left, v.page.bottom}, point{v.page.right, v.page.bottom})
}

// draw draws a bar around the height y; x returns where a value lies.
func (b Bar) draw(c canvas, v viewport, x func(float64) float64, y float64) {
	const half = 0.34 * barHeight
	fill := v.inks.bar
	if b.Strong {
		fill = v.inks.strongBar
	}

	c.fill(fill, rect{x(0), y - half, x(b.Value), y + half}.ring())
	if b.Low < b.High {
		reach := line{color: v.inks.text, width: 0.9}
		c.stroke(reach, point{x(b.Low), y}, point{x(b.High), y})
		for _, end := range []float64{b.Low, b.High} {
			c.stroke(reach, point{x(end), y - half/2}, point{x(end), y + half/2})
		}
	}

	name := v.letters.shorten(b.Name, textSize, x(0)-labelGap-margin)
	c.write(v.text(name, point{x(0) - labelGap, y + 0.35*textSize}, alignRight))
	c.write(v.text(b.Label, point{x(max(b.Value, b.High)) + labelGap, y + 0.35*textSize}, alignLeft))
}
