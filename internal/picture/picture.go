// Package picture draws what lies in a grid's table: where the cells are, and in
// which order.
package picture

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/palette"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

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

	p := plot.New()
	p.Title.Text = o.Title
	p.Title.TextStyle.Font.Size = vg.Points(14)
	p.Title.Padding = vg.Points(10)
	p.X.Label.Text, p.Y.Label.Text = "x", "y"
	p.Add(orderPlotter{o})
	frame, err := plotter.NewLine(corners(o.Extent))
	if err != nil {
		return fmt.Errorf("drawing the extent: %w", err)
	}

	frame.Width, frame.Color = vg.Points(1.5), color.Black
	p.Add(frame)
	p.Legend.Add("extent", frame)
	p.Legend.Add("order of cell_id, from blue to red", lineKey{})
	p.Legend.Left = true
	p.Legend.Padding = vg.Points(3)
	p.Legend.ThumbnailWidth = vg.Points(60)
	p.Legend.XOffs, p.Legend.YOffs = vg.Points(14), vg.Points(6)

	// The legend stands below the cells, not on them.
	width, height := o.Extent.XMax-o.Extent.XMin, o.Extent.YMax-o.Extent.YMin
	p.X.Min, p.X.Max = o.Extent.XMin-0.02*width, o.Extent.XMax+0.02*width
	p.Y.Min, p.Y.Max = o.Extent.YMin-0.12*height, o.Extent.YMax+0.02*height
	const side = 24 * vg.Centimeter
	w, h := vg.Length(side), vg.Length(side)

	if ratio := height / width; ratio < 1 {
		h = side*vg.Length(math.Max(ratio, 0.25)) + 3*vg.Centimeter
	} else {
		w = side*vg.Length(math.Max(1/ratio, 0.25)) + 3*vg.Centimeter
	}

	if err := p.Save(w, h, name); err != nil {
		return fmt.Errorf("drawing %s: %w", name, err)
	}

	return nil
}

func corners(b geomgen.Box) plotter.XYs {
	return plotter.XYs{
		{X: b.XMin, Y: b.YMin}, {X: b.XMax, Y: b.YMin}, {X: b.XMax, Y: b.YMax}, {X: b.XMin, Y: b.YMax}, {X: b.XMin, Y: b.YMin},
	}
}

// orderPlotter fills the blocks with colours along the order, and draws the
// line that joins their centres.
type orderPlotter struct{ order Order }

// Plot implements plot.Plotter.
func (o orderPlotter) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	blocks := o.order.Blocks
	colors := rainbow(len(blocks))

	for i, b := range blocks {
		c.FillPolygon(pale(colors[i]), []vg.Point{
			{X: x(b.XMin), Y: y(b.YMin)}, {X: x(b.XMax), Y: y(b.YMin)}, {X: x(b.XMax), Y: y(b.YMax)}, {X: x(b.XMin), Y: y(b.YMax)},
		})
	}

	centre := func(b geomgen.Box) vg.Point {
		return vg.Point{X: x((b.XMin + b.XMax) / 2), Y: y((b.YMin + b.YMax) / 2)}
	}

	for i := 1; i < len(blocks); i++ {
		style := draw.LineStyle{Color: colors[i], Width: vg.Points(1.8)}
		c.StrokeLines(style, []vg.Point{centre(blocks[i-1]), centre(blocks[i])})
	}
}

// lineKey is the sample of the curve in the legend.
type lineKey struct{}

// Thumbnail implements plot.Thumbnailer.
func (lineKey) Thumbnail(c *draw.Canvas) {
	const steps = 24
	colors := rainbow(steps)
	mid := (c.Min.Y + c.Max.Y) / 2

	for i := range steps {
		from := c.Min.X + (c.Max.X-c.Min.X)*vg.Length(i)/steps
		to := c.Min.X + (c.Max.X-c.Min.X)*vg.Length(i+1)/steps
		c.StrokeLines(draw.LineStyle{Color: colors[i], Width: vg.Points(2)}, []vg.Point{{X: from, Y: mid}, {X: to, Y: mid}})
	}
}

// rainbow returns n colours from blue to red.
func rainbow(n int) []color.Color {
	if n < 2 {
		return []color.Color{palette.HSVA{H: 0.66, S: 1, V: 0.85, A: 1}}
	}

	colors := make([]color.Color, n)

	for i := range colors {
		h := 0.66 * (1 - float64(i)/float64(n-1))
		colors[i] = palette.HSVA{H: h, S: 1, V: 0.85, A: 1}
	}

	return colors
}

func pale(c color.Color) color.Color {
	r, g, b, _ := c.RGBA()
	mix := func(v uint32) uint8 { return uint8((v>>8 + 3*255) / 4) }
	return color.NRGBA{R: mix(r), G: mix(g), B: mix(b), A: 255}
}
