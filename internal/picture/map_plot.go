package picture

import (
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/loadgrid/loadgrid/geomgen"
)

// mapPlotter draws a Map into the space between the axes.
type mapPlotter struct{ m Map }

func areaColor() color.Color { return color.NRGBA{R: 200, G: 30, B: 30, A: 255} }

func areaFill() color.Color { return color.NRGBA{R: 250, G: 226, B: 222, A: 255} }

// Plot implements plot.Plotter.
func (o mapPlotter) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	at := func(q geomgen.Point) vg.Point { return vg.Point{X: x(q.X), Y: y(q.Y)} }

	for _, polygon := range o.m.Area {
		fillPolygon(c, areaFill(), polygon, at)
	}

	o.pieces(c, at)
	edge := draw.LineStyle{Color: areaColor(), Width: vg.Points(1.2)}

	for _, polygon := range o.m.Area {
		for _, ring := range polygon {
			c.StrokeLines(edge, c.ClipLinesXY(polyline(ring, at))...)
		}
	}

	if e := o.m.Extent; e != nil {
		dashed := draw.LineStyle{Color: color.Black, Width: vg.Points(1), Dashes: []vg.Length{vg.Points(5), vg.Points(3)}}
		c.StrokeLines(dashed, polyline([]geomgen.Point{{X: e.XMin, Y: e.YMin}, {X: e.XMax, Y: e.YMin}, {X: e.XMax, Y: e.YMax}, {X: e.XMin, Y: e.YMax}, {X: e.XMin, Y: e.YMin}}, at))
	}

	style := p.X.Tick.Label
	style.Font.Size = vg.Points(10)
	style.XAlign, style.YAlign, style.Rotation = text.XLeft, text.YBottom, 0
	o.scaleBar(c, p, style)
	o.legend(c, style)
	o.sample(c, style)
}

// pieces fills the pieces, points as dots as large as their number allows.
func (o mapPlotter) pieces(c draw.Canvas, at func(geomgen.Point) vg.Point) {
	size := c.Size()
	dot := math.Sqrt(float64(size.X*size.Y) / float64(len(o.m.Pieces)))
	radius := vg.Length(math.Max(0.7, math.Min(4, 0.2*dot)))

	for _, piece := range o.m.Pieces {
		ring, fill := polyline(piece.Ring, at), scale(piece.Value)
		switch {
		case len(ring) == 0:
			continue
		case len(ring) == 1:
			c.DrawGlyph(draw.GlyphStyle{Color: fill, Radius: radius, Shape: draw.CircleGlyph{}}, ring[0])
			if o.m.Edges { // a pale dot would not be seen
				c.DrawGlyph(draw.GlyphStyle{Color: color.Gray{Y: 110}, Radius: radius, Shape: draw.RingGlyph{}}, ring[0])
			}

			continue
		}

		// A cell smaller than a dot is drawn as one.
		c.FillPolygon(fill, grow(ring))
		line := draw.LineStyle{Color: color.Gray{Y: 110}, Width: vg.Points(0.3)}
		if !o.m.Edges {
			line = draw.LineStyle{Color: fill, Width: vg.Points(0.8)} // no seam between neighbours
		}

		c.StrokeLines(line, append(ring, ring[0]))
	}
}

// fillPolygon fills a polygon but for its holes, as far as it lies on the canvas. The
// shell is made to turn one way and the holes the other, so that both rules of what
// is inside, that of PNG and that of SVG, agree.
func fillPolygon(c draw.Canvas, fill color.Color, polygon geomgen.Polygon, at func(geomgen.Point) vg.Point) {
	var path vg.Path
	for i, ring := range polygon {
		points := c.ClipPolygonXY(polyline(ring, at))
		if len(points) < 3 {
			continue
		}

		var twice vg.Length

		for k, q := range points {
			next := points[(k+1)%len(points)]
			twice += (q.X-points[0].X)*(next.Y-points[0].Y) - (next.X-points[0].X)*(q.Y-points[0].Y)
		}

		if (twice < 0) == (i == 0) {
			slices.Reverse(points)
		}

		path.Move(points[0])

		for _, q := range points[1:] {
			path.Line(q)
		}

		path.Close()
	}

	c.SetColor(fill)
	c.Fill(path)
}

func polyline(ring []geomgen.Point, at func(geomgen.Point) vg.Point) []vg.Point {
	points := make([]vg.Point, len(ring), len(ring)+1)
	for i, q := range ring {
		points[i] = at(q)
	}
	return points
}

// grow returns a ring, or a box around it where it is too thin to see.
func grow(ring []vg.Point) []vg.Point {
	lo, hi := ring[0], ring[0]
	for _, q := range ring {
		lo = vg.Point{X: min(lo.X, q.X), Y: min(lo.Y, q.Y)}
		hi = vg.Point{X: max(hi.X, q.X), Y: max(hi.Y, q.Y)}
	}

	const least = 0.9
	if hi.X-lo.X >= least && hi.Y-lo.Y >= least {
		return ring
	}

	mid := vg.Point{X: (lo.X + hi.X) / 2, Y: (lo.Y + hi.Y) / 2}
	w, h := max(hi.X-lo.X, least)/2, max(hi.Y-lo.Y, least)/2

	return []vg.Point{{X: mid.X - w, Y: mid.Y - h}, {X: mid.X + w, Y: mid.Y - h}, {X: mid.X + w, Y: mid.Y + h}, {X: mid.X - w, Y: mid.Y + h}}
}

// scaleBar draws a bar of a round length, and names the CRS, at the lower right.
func (o mapPlotter) scaleBar(c draw.Canvas, p *plot.Plot, style text.Style) {
	perPoint := (p.X.Max - p.X.Min) / float64(c.Size().X)
	length := roundLength((p.X.Max - p.X.Min) / 5)
	right, low := c.Max.X-vg.Points(14), c.Min.Y+vg.Points(26)
	left := right - vg.Length(length/perPoint)
	line := draw.LineStyle{Color: color.Black, Width: vg.Points(1.5)}
	c.StrokeLines(line, []vg.Point{{X: left, Y: low + vg.Points(4)}, {X: left, Y: low}, {X: right, Y: low}, {X: right, Y: low + vg.Points(4)}})
	style.XAlign = text.XRight
	c.FillText(style, vg.Point{X: right, Y: low + vg.Points(6)}, LengthText(length, o.m.SRID))
	crs := "no CRS"
	if o.m.SRID != 0 {
		crs = "EPSG:" + strconv.Itoa(int(o.m.SRID))
	}

	c.FillText(style, vg.Point{X: right, Y: low - vg.Points(16)}, crs)
}

// roundLength returns the largest of 1, 2 and 5 times a power of ten up to most.
func roundLength(most float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(most)))
	for _, n := range []float64{5, 2} {
		if n*power <= most {
			return n * power
		}
	}

	return power
}

// LengthText writes a length with its unit, as far as the CRS is one that is known
// to be in degrees or in metres.
func LengthText(length float64, srid int32) string {
	number := func(f float64) string {
		if f >= 1e-6 && f < 1e15 {
			return strconv.FormatFloat(f, 'f', -1, 64)
		}

		return strconv.FormatFloat(f, 'g', -1, 64)
	}

	utm := srid >= 32601 && srid <= 32660 || srid >= 32701 && srid <= 32760 || srid >= 25828 && srid <= 25838

	switch {
	case srid == 4326 || srid == 4258 || srid == 4269:
		return number(length) + unit("degree", length)
	case (srid == 3035 || srid == 3857 || srid == 2154 || utm) && length >= 1000:
		return number(length/1000) + " km"
	case srid == 3035 || srid == 3857 || srid == 2154 || utm:
		return number(length) + " m"
	}

	return number(length) + unit("unit", length)
}

func unit(word string, length float64) string {
	if length == 1 {
		return " " + word
	}
	return " " + word + "s"
}

// legend explains lines and colours, at the lower left.
func (o mapPlotter) legend(c draw.Canvas, style text.Style) {
	left, low := c.Min.X+vg.Points(14), c.Min.Y+vg.Points(10)
	if o.m.Legend.Name != "" {
		const width, height = 120, 9
		for i := range width {
			v := float64(i) / (width - 1)
			x0 := left + vg.Points(float64(i))
			// Each reaches to the end, so that there are no seams.
			c.FillPolygon(scale(v), []vg.Point{{X: x0, Y: low}, {X: left + width, Y: low}, {X: left + width, Y: low + height}, {X: x0, Y: low + height}})
		}

		c.FillText(style, vg.Point{X: left, Y: low + vg.Points(12)}, o.m.Legend.Low)
		end := style
		end.XAlign = text.XRight
		c.FillText(end, vg.Point{X: left + width, Y: low + vg.Points(12)}, o.m.Legend.High)
		c.FillText(style, vg.Point{X: left + width + vg.Points(8), Y: low - vg.Points(2)}, o.m.Legend.Name)
		low += vg.Points(30)
	}

	key := func(line draw.LineStyle, name string) {
		c.StrokeLines(line, []vg.Point{{X: left, Y: low + vg.Points(4)}, {X: left + vg.Points(26), Y: low + vg.Points(4)}})
		c.FillText(style, vg.Point{X: left + vg.Points(32), Y: low - vg.Points(2)}, name)
		left += vg.Points(140)
	}

	if len(o.m.Area) > 0 {
		c.FillPolygon(areaFill(), []vg.Point{{X: left, Y: low}, {X: left + vg.Points(26), Y: low}, {X: left + vg.Points(26), Y: low + vg.Points(4)}, {X: left, Y: low + vg.Points(4)}})
		key(draw.LineStyle{Color: areaColor(), Width: vg.Points(1.2)}, "area of interest")
	}

	if o.m.Extent != nil {
		key(draw.LineStyle{Color: color.Black, Width: vg.Points(1), Dashes: []vg.Length{vg.Points(5), vg.Points(3)}}, "extent")
	}

	if slices.ContainsFunc(o.m.Pieces, func(p Piece) bool { return math.IsNaN(p.Value) }) {
		key(draw.LineStyle{Color: scale(math.NaN()), Width: vg.Points(8)}, "no value")
	}
}

// sample draws some cells in a frame below the map, in the middle.
func (o mapPlotter) sample(c draw.Canvas, style text.Style) {
	if len(o.m.Sample.Cells) == 0 {
		return
	}

	var b geomgen.Box

	for i, ring := range append(o.m.Sample.Cells, o.m.Sample.Others...) {
		for k, q := range ring {
			if i == 0 && k == 0 {
				b = geomgen.Box{XMin: q.X, YMin: q.Y, XMax: q.X, YMax: q.Y}
			}

			b = geomgen.Box{XMin: math.Min(b.XMin, q.X), YMin: math.Min(b.YMin, q.Y), XMax: math.Max(b.XMax, q.X), YMax: math.Max(b.YMax, q.Y)}
		}
	}

	const side, pad = 92, 6
	factor := side / math.Max(b.XMax-b.XMin, b.YMax-b.YMin)
	w, h := vg.Length((b.XMax-b.XMin)*factor), vg.Length((b.YMax-b.YMin)*factor)
	style.XAlign, style.YAlign = text.XCenter, text.YTop
	style.Font.Size = vg.Points(9)
	wide := max(w, style.Width(o.m.Sample.Title))
	corner := vg.Point{X: (c.Min.X+c.Max.X)/2 - wide/2 - pad, Y: c.Min.Y + 6}
	top, right := corner.Y+h+2*pad+13, corner.X+wide+2*pad
	frame := []vg.Point{corner, {X: right, Y: corner.Y}, {X: right, Y: top}, {X: corner.X, Y: top}}
	c.FillPolygon(color.White, frame)
	c.StrokeLines(draw.LineStyle{Color: color.Gray{Y: 90}, Width: vg.Points(0.8)}, append(frame, frame[0]))
	at := func(q geomgen.Point) vg.Point {
		return vg.Point{X: corner.X + pad + (wide-w)/2 + vg.Length((q.X-b.XMin)*factor), Y: corner.Y + pad + vg.Length((q.Y-b.YMin)*factor)}
	}
	line := draw.LineStyle{Color: color.Gray{Y: 90}, Width: vg.Points(0.7)}

	for _, ring := range o.m.Sample.Others {
		points := polyline(ring, at)
		c.StrokeLines(draw.LineStyle{Color: color.Gray{Y: 200}, Width: vg.Points(0.5)}, append(points, points[0]))
	}

	for _, ring := range o.m.Sample.Cells {
		points := polyline(ring, at)
		c.FillPolygon(scale(0.25), points)
		c.StrokeLines(line, append(points, points[0]))
	}

	c.FillText(style, vg.Point{X: (corner.X + right) / 2, Y: top - 3}, o.m.Sample.Title)
}
