package picture

import (
	"fmt"
	"image/color"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/loadgrid/loadgrid/geomgen"
)

// Map is a picture of cells and of what selects them.
type Map struct {
	Title string
	// Lines stand below the title, in smaller letters.
	Lines []string
	// SRID names the CRS, 0 for none: it is written down, with a scale bar.
	SRID int32
	// Pieces are filled, in their order.
	Pieces []Piece
	// Edges outlines each piece.
	Edges bool
	// Area is filled below the pieces and its edge drawn above them; Extent is a dashed
	// box. Either may be none.
	Area   []geomgen.Polygon
	Extent *geomgen.Box
	// Legend says what the colours are: at 0, at 1, and of what.
	Legend Legend
	// Sample is drawn larger, in a frame of its own. Nothing without cells.
	Sample Sample
}

// Piece is a filled ring, and where its colour lies on the scale, 0 to 1; NaN for
// none, which is grey.
type Piece struct {
	Ring  []geomgen.Point
	Value float64
}

// Legend explains the scale of colours. It is left out while Name is empty.
type Legend struct {
	Name, Low, High string
}

// Sample is some cells by their shapes: those that are selected, and others around
// them.
type Sample struct {
	Title         string
	Cells, Others [][]geomgen.Point
}

// CheckName refuses a name whose end is no format.
func CheckName(name string) error {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".png", ".svg":
		return nil
	}
	return &geomgen.ParamError{Param: "picture", Value: name, Reason: "must end in .png or .svg"}
}

// Save draws the map into a file, as PNG or SVG by the end of its name. One unit
// is as long in each direction.
func (m Map) Save(name string) error {
	if len(m.Pieces) == 0 {
		return fmt.Errorf("drawing %s: there are no cells to draw", name)
	}

	p := plot.New()
	p.Title.Text = strings.Join(append([]string{m.Title}, m.Lines...), "\n")
	p.Title.TextStyle.Font.Size = vg.Points(12)
	p.Title.Padding = vg.Points(8)
	p.X.Label.Text, p.Y.Label.Text = "x", "y"
	p.X.Tick.Marker, p.Y.Tick.Marker = plainTicks{}, plainTicks{}
	b := m.bounds()
	w, h := b.XMax-b.XMin, b.YMax-b.YMin
	p.X.Min, p.X.Max = b.XMin-0.03*w, b.XMax+0.03*w

	// Scale, legend and sample stand below the map, not on it.
	below := 0.13
	if len(m.Sample.Cells) > 0 {
		below = 0.27
	}

	p.Y.Min, p.Y.Max = b.YMin-0.03*h-below*math.Max(w, h), b.YMax+0.03*h
	const side = 24 * vg.Centimeter
	ratio := (p.Y.Max - p.Y.Min) / (p.X.Max - p.X.Min)
	width, height := vg.Length(side), vg.Length(side)

	if ratio < 1 {
		height = side*vg.Length(math.Max(ratio, 0.4)) + 3*vg.Centimeter
	} else {
		width = side*vg.Length(math.Max(1/ratio, 0.4)) + 3*vg.Centimeter
	}

	p.Add(mapPlotter{m})
	if long := p.Title.TextStyle.Width(p.Title.Text); long > 0.95*width { // two names of 63 letters are
		p.Title.TextStyle.Font.Size *= 0.95 * width / long
	}

	// The space that axes and title leave is known only now.
	square(p, p.DataCanvas(draw.New(vgimg.New(width, height))))
	if err := p.Save(width, height, name); err != nil {
		return fmt.Errorf("drawing %s: %w", name, err)
	}

	return nil
}

// plainTicks are the usual ticks, with coordinates as people write them.
type plainTicks struct{}

// Ticks implements plot.Ticker.
func (plainTicks) Ticks(low, high float64) []plot.Tick {
	ticks := plot.DefaultTicks{}.Ticks(low, high)
	for i := range ticks {
		if ticks[i].Label == "" {
			continue
		}

		digits := math.Max(0, 2-math.Floor(math.Log10(high-low))) // enough to tell them apart
		rounded := math.Round(ticks[i].Value*math.Pow(10, digits)) / math.Pow(10, digits)
		ticks[i].Label = strconv.FormatFloat(rounded, 'f', -1, 64)
	}

	return ticks
}

// square widens one axis so that a unit is as long in each direction.
func square(p *plot.Plot, c draw.Canvas) {
	size := c.Size()
	perX, perY := (p.X.Max-p.X.Min)/float64(size.X), (p.Y.Max-p.Y.Min)/float64(size.Y)
	if perX < perY {
		more := (perY - perX) * float64(size.X) / 2
		p.X.Min, p.X.Max = p.X.Min-more, p.X.Max+more

		return
	}

	more := (perX - perY) * float64(size.Y) / 2
	p.Y.Min, p.Y.Max = p.Y.Min-more, p.Y.Max+more
}

func (m Map) bounds() geomgen.Box {
	b := geomgen.Box{XMin: math.Inf(1), YMin: math.Inf(1), XMax: math.Inf(-1), YMax: math.Inf(-1)}
	add := func(p geomgen.Point) {
		b = geomgen.Box{XMin: math.Min(b.XMin, p.X), YMin: math.Min(b.YMin, p.Y), XMax: math.Max(b.XMax, p.X), YMax: math.Max(b.YMax, p.Y)}
	}

	for _, piece := range m.Pieces {
		for _, p := range piece.Ring {
			add(p)
		}
	}

	if m.Extent == nil {
		for _, polygon := range m.Area {
			for _, p := range polygon[0] {
				add(p)
			}
		}
	}

	if e := m.Extent; e != nil { // what of the area lies outside does not count
		add(geomgen.Point{X: e.XMin, Y: e.YMin})
		add(geomgen.Point{X: e.XMax, Y: e.YMax})
	}

	if b.XMin == b.XMax && b.YMin == b.YMax { // one point alone has no size to go by
		room := math.Max(0.5, 1e-6*math.Max(math.Abs(b.XMin), math.Abs(b.YMin)))
		b = geomgen.Box{XMin: b.XMin - room, YMin: b.YMin - room, XMax: b.XMax + room, YMax: b.YMax + room}
	}

	return b
}

// scale returns the colour of a value between 0 and 1: from pale yellow to dark
// blue, so that it reads in grey, too.
func scale(v float64) color.Color {
	if math.IsNaN(v) {
		return color.Gray{Y: 200}
	}

	stops := [...][3]float64{{255, 247, 188}, {199, 233, 180}, {65, 182, 196}, {34, 94, 168}, {8, 29, 88}}
	f := math.Max(0, math.Min(1, v)) * float64(len(stops)-1)
	i := min(int(f), len(stops)-2)
	f -= float64(i)
	mix := func(k int) uint8 { return uint8(stops[i][k]*(1-f) + stops[i+1][k]*f) }

	return color.NRGBA{R: mix(0), G: mix(1), B: mix(2), A: 255}
}
