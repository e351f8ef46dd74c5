package picture

import (
	"fmt"
	"image/color"
	"math"

	"github.com/loadgrid/loadgrid/geomgen"
)

// Order is a picture of the order of a table's cells.
type Order struct {
	Title string
	// Extent is the box around all cells, in CRS units.
	Extent geomgen.Box
	// Blocks are the boxes of blocks of cells, in CRS units, in the order of
	// cell_id. The colour tells that order, and a line joins their centres.
	Blocks []geomgen.Box
}

// Save draws the picture into a file, as PNG or SVG by the end of its name.
func (o Order) Save(name string) error {
	if len(o.Blocks) == 0 {
		return fmt.Errorf("drawing %s: there are no cells to draw", name)
	}

	room := 0.02 * math.Max(o.Extent.XMax-o.Extent.XMin, o.Extent.YMax-o.Extent.YMin)
	f := figure{
		title:        []string{o.Title},
		world:        geomgen.Box{XMin: o.Extent.XMin - room, YMin: o.Extent.YMin - room, XMax: o.Extent.XMax + room, YMax: o.Extent.YMax + room},
		draw:         o.draw,
		footer:       o.footer,
		footerHeight: 2 * keyHeight,
	}

	data, err := f.encode(name)
	if err != nil {
		return fmt.Errorf("drawing %s: %w", name, err)
	}

	return Write(name, data)
}

func frameLine() line { return line{color: color.Black, width: 1.5} }

// draw fills the blocks with colours along the order, and draws the line that joins
// their centres.
func (o Order) draw(c canvas, v viewport) {
	colors := rainbow(len(o.Blocks))
	for i, b := range o.Blocks {
		c.fill(pale(colors[i]), v.box(b))
	}

	center := func(b geomgen.Box) point {
		return v.at(geomgen.Point{X: (b.XMin + b.XMax) / 2, Y: (b.YMin + b.YMax) / 2})
	}
	for i := 1; i < len(o.Blocks); i++ {
		c.stroke(line{color: colors[i], width: 1.8}, center(o.Blocks[i-1]), center(o.Blocks[i]))
	}

	ring := v.box(o.Extent)
	c.stroke(frameLine(), append(ring, ring[0], ring[1])...)
}

func (o Order) footer(c canvas, _ viewport, strip rect) {
	drawKeys(c, []key{
		{"extent", func(c canvas, at rect) {
			y := (at.top + at.bottom) / 2
			c.stroke(frameLine(), point{at.left, y}, point{at.right, y})
		}},
		{"order of cell_id, from blue to red", drawRainbow},
	}, strip)
}

// drawRainbow is the sample of the curve.
func drawRainbow(c canvas, at rect) {
	colors := rainbow(24)
	step := at.width() / float64(len(colors))
	y := (at.top + at.bottom) / 2

	for i, hue := range colors {
		c.stroke(line{color: hue, width: 2}, point{at.left + float64(i)*step, y}, point{at.left + float64(i+1)*step, y})
	}
}

// rainbow returns n colours from blue to red.
func rainbow(n int) []color.Color {
	colors := make([]color.Color, n)
	for i := range colors {
		at := 0.0
		if n > 1 {
			at = float64(i) / float64(n-1)
		}

		colors[i] = hue(0.66 * (1 - at))
	}

	return colors
}

// hue returns a strong colour: red is 0, green a third, blue two thirds.
func hue(h float64) color.Color {
	const value = 0.85
	channel := func(peak float64) uint8 { // full up to a sixth from its peak, none beyond a third
		distance := math.Abs(h - peak)
		distance = math.Min(distance, 1-distance)
		return uint8(255 * value * math.Max(0, math.Min(1, 2-6*distance)))
	}

	return color.NRGBA{R: channel(0), G: channel(1.0 / 3), B: channel(2.0 / 3), A: 255}
}

func pale(c color.Color) color.Color {
	r, g, b, _ := c.RGBA()
	mix := func(v uint32) uint8 { return uint8((v>>8 + 3*255) / 4) }
	return color.NRGBA{R: mix(r), G: mix(g), B: mix(b), A: 255}
}
