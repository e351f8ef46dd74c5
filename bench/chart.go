package main

import (
	"fmt"
	"image/color"
	"os"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

const (
	chartWidth  = 30 * vg.Centimeter
	barHeight   = 0.85 * vg.Centimeter
	panelMargin = 3 * vg.Centimeter // title, axis and its label
	margin      = 0.4 * vg.Centimeter
)

// draw draws arms that have been measured below one another, as PNG.
func (m *measurements) draw(file string) error {
	var shown []result
	height := vg.Length(0)
	for _, r := range m.Results {
		if r.drawn() {
			shown = append(shown, r)
			height += r.panelHeight()
		}
	}

	if len(shown) == 0 {
		return nil
	}

	canvas := vgimg.NewWith(vgimg.UseWH(chartWidth, height), vgimg.UseDPI(96))
	top := height
	for _, r := range shown {
		area := draw.Crop(draw.New(canvas), margin, -margin, top-r.panelHeight()+margin, top-height)
		r.panel().Draw(area)
		top -= r.panelHeight()
	}

	f, err := os.Create(file)
	if err != nil {
		return err
	}

	if _, err := (vgimg.PngCanvas{Canvas: canvas}).WriteTo(f); err != nil {
		f.Close()
		return fmt.Errorf("drawing %s: %w", file, err)
	}

	return f.Close()
}

// drawn tells whether an arm is in the chart, which would be too long with all of
// them: those on the server that people find, and one of the windows.
func (r result) drawn() bool {
	switch {
	case len(r.Contenders) < 2 || r.Server == tuned || strings.HasPrefix(r.ID, "tuning_"):
		return false
	case strings.HasPrefix(r.ID, "query_"):
		return strings.HasPrefix(r.ID, "query_window_100_")
	}
	return true
}

func (r result) panelHeight() vg.Length {
	return panelMargin + vg.Length(len(r.Contenders))*barHeight
}

// panel is the chart of an arm: a bar a contender, as long as its median.
func (r result) panel() *plot.Plot {
	p := plot.New()
	p.Title.Text = r.Title
	p.Title.TextStyle.Font.Size = vg.Points(13)
	p.X.Label.Text = "seconds: median, least to greatest"
	if strings.HasPrefix(r.ID, "query_") {
		p.X.Label.Text += ", of a query"
	}

	bars := bars{result: r}
	names := make([]string, len(r.Contenders))
	for i, c := range r.Contenders {
		// The first one on top.
		names[len(names)-1-i] = c.Name
		p.X.Max = max(p.X.Max, c.seconds().most)
	}

	p.Add(plotter.NewGrid(), bars)
	p.NominalY(names...)
	p.X.Min, p.X.Max = 0, p.X.Max*1.45 // room for what stands behind a bar
	p.Y.Min, p.Y.Max = -0.6, float64(len(names))-0.4

	return p
}

// bars draws the bars of an arm, and behind each its rows/s and ratio.
type bars struct{ result result }

// Plot implements plot.Plotter.
func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	reference := b.result.find(b.result.Reference).seconds().median
	style := p.X.Tick.Label
	style.XAlign, style.YAlign = draw.XLeft, draw.YCenter

	for i, t := range b.result.Contenders {
		s := t.seconds()
		mid := y(float64(len(b.result.Contenders) - 1 - i))
		half := barHeight * 0.3
		fill := color.NRGBA{R: 170, G: 170, B: 170, A: 255}
		if isLoadgrid(t.Name) {
			fill = color.NRGBA{R: 46, G: 125, B: 190, A: 255}
		}

		c.FillPolygon(fill, []vg.Point{
			{X: x(0), Y: mid - half}, {X: x(s.median), Y: mid - half}, {X: x(s.median), Y: mid + half}, {X: x(0), Y: mid + half},
		})
		line := draw.LineStyle{Color: color.Black, Width: vg.Points(1)}
		c.StrokeLine2(line, x(s.least), mid, x(s.most), mid)
		for _, end := range []float64{s.least, s.most} {
			c.StrokeLine2(line, x(end), mid-half/2, x(end), mid+half/2)
		}
		c.FillText(style, vg.Point{X: x(s.most) + vg.Points(5), Y: mid}, b.result.label(t, reference))
	}
}

// label is what stands behind a bar.
func (r result) label(t contenderTimes, reference float64) string {
	s := t.seconds().median
	if s == 0 {
		return ""
	}
	if strings.HasPrefix(r.ID, "query_") {
		return fmt.Sprintf("%.2f ms, %.0f pages", s*1000, t.stage("buffers").median)
	}

	label := fmt.Sprintf("%s s", digits(s))
	if r.ID == "growth" {
		return label
	}

	label += ", " + count(int64(float64(r.Cells)/s)) + " rows/s"
	if reference > 0 && t.Name != r.Reference {
		label += fmt.Sprintf(", x %.2f", reference/s)
	}

	return label
}

func isLoadgrid(name string) bool {
	return strings.Contains(name, "loadgrid") || strings.HasPrefix(name, "geomgen")
}
