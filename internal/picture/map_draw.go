package picture

import (
	"image/color"
	"math"

	"github.com/loadgrid/loadgrid/geomgen"
)

func areaColor() color.Color { return color.NRGBA{R: 200, G: 30, B: 30, A: 255} }

func areaFill() color.Color { return color.NRGBA{R: 250, G: 226, B: 222, A: 255} }

func areaLine() line { return line{color: areaColor(), width: 1.2} }

func extentLine() line {
	return line{color: color.Black, width: 1, dashes: []float64{5, 3}}
}

func edgeColor() color.Color { return color.Gray{Y: 110} }

// draw draws area, pieces and extent.
func (m Map) draw(c canvas, v viewport) {
	for _, polygon := range m.Area {
		var rings [][]point
		for _, ring := range polygon {
			if inside := clipRing(v.ring(ring), v.page); len(inside) > 2 {
				rings = append(rings, inside)
			}
		}

		if len(rings) > 0 {
			c.fill(areaFill(), rings...)
		}
	}

	m.drawPieces(c, v)

	for _, polygon := range m.Area {
		for _, ring := range polygon {
			for _, part := range clipLine(v.ring(ring), v.page) {
				c.stroke(areaLine(), part...)
			}
		}
	}

	if m.Extent != nil {
		ring := v.box(*m.Extent)
		c.stroke(extentLine(), append(ring, ring[0])...)
	}
}

// drawPieces fills the pieces, points as dots as large as their number allows.
func (m Map) drawPieces(c canvas, v viewport) {
	apart := math.Sqrt(v.page.width() * v.page.height() / float64(len(m.Pieces)))
	radius := math.Max(0.7, math.Min(4, 0.2*apart))

	for _, piece := range m.Pieces {
		ring, fill := v.ring(piece.Ring), m.Categories.color(piece)
		switch {
		case len(ring) == 0:
			continue
		case len(ring) == 1:
			if m.Edges { // a pale dot would not be seen
				c.disc(edgeColor(), ring[0], radius+0.4)
			}

			c.disc(fill, ring[0], radius)
			continue
		}

		// A cell smaller than a dot is drawn as one.
		c.fill(fill, grow(ring))
		edge := line{color: edgeColor(), width: 0.3}
		if !m.Edges {
			edge = line{color: fill, width: 0.8} // no seam between neighbours
		}

		c.stroke(edge, append(ring, ring[0])...)
	}
}

// grow returns a ring, or a box around it where it is too thin to see.
func grow(ring []point) []point {
	r := boundsOf(ring)
	const least = 0.9
	if r.width() >= least && r.height() >= least {
		return ring
	}

	mid := point{(r.left + r.right) / 2, (r.top + r.bottom) / 2}
	w, h := max(r.width(), least)/2, max(r.height(), least)/2

	return rect{mid.x - w, mid.y - h, mid.x + w, mid.y + h}.ring()
}

func boundsOf(ring []point) rect {
	r := rect{ring[0].x, ring[0].y, ring[0].x, ring[0].y}
	for _, p := range ring {
		r = rect{min(r.left, p.x), min(r.top, p.y), max(r.right, p.x), max(r.bottom, p.y)}
	}
	return r
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

// sampleBox is the box around the cells of a sample.
func (s Sample) box() geomgen.Box {
	b := geomgen.Box{XMin: math.Inf(1), YMin: math.Inf(1), XMax: math.Inf(-1), YMax: math.Inf(-1)}
	for _, rings := range [][][]geomgen.Point{s.Cells, s.Others} {
		for _, ring := range rings {
			for _, p := range ring {
				b = geomgen.Box{XMin: math.Min(b.XMin, p.X), YMin: math.Min(b.YMin, p.Y), XMax: math.Max(b.XMax, p.X), YMax: math.Max(b.YMax, p.Y)}
			}
		}
	}

	return b
}
