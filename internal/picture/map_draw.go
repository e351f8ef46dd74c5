package picture

import (
	"iter"
	"math"

	"github.com/loadgrid/loadgrid/geomgen"
)

func (k inks) areaLine() line { return line{color: k.area, width: 1.1} }

func (k inks) extentLine() line {
	return line{color: k.text, width: 1, dashes: []float64{5, 3}}
}

// draw draws area, pieces and extent.
func (m Map) draw(c canvas, v viewport) {
	area := newDrawnArea(v, m.Area)
	for _, rings := range area.fills {
		if len(rings) > 0 {
			c.fill(v.inks.areaFill, rings...)
		}
	}

	m.drawPieces(c, v)

	for _, part := range area.lines {
		c.stroke(v.inks.areaLine(), part...)
	}
	if m.Extent != nil {
		ring := v.box(*m.Extent).ring()
		c.stroke(v.inks.extentLine(), append(ring, ring[0])...)
	}
}

// Lengths in points. Below leastOutlined, lines between cells hide the cells; below leastApart, dots make patterns of
// their own.
const (
	leastOutlined = 5.0
	leastApart    = 3.0
)

// drawPieces fills the pieces, and outlines them where they are large enough.
func (m Map) drawPieces(c canvas, v viewport) {
	apart := v.apart(m.Pieces)
	c.mosaic(v.page, m.tiles(v, apart))
	if !m.Edges || apart < leastOutlined {
		return
	}

	edge := line{color: v.inks.edge, width: max(0.3, min(0.8, 0.035*apart))}
	for _, piece := range m.Pieces {
		if ring := v.ring(piece.Ring); len(ring) > 1 {
			c.stroke(edge, append(ring, ring[0])...)
		}
	}
}

// apart is how far pieces are from their neighbours: the root of its share of the box around all of them.
func (v viewport) apart(pieces []Piece) float64 {
	if len(pieces) < 2 {
		return v.page.width()
	}

	all := rect{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, piece := range pieces {
		for _, p := range piece.Ring {
			at := v.at(p)
			all = rect{min(all.left, at.x), min(all.top, at.y), max(all.right, at.x), max(all.bottom, at.y)}
		}
	}

	return math.Sqrt(max(1, all.width()) * max(1, all.height()) / float64(len(pieces)))
}

// tiles returns the pieces as they are drawn, those that fill gaps first.
func (m Map) tiles(v viewport, apart float64) iter.Seq[tile] {
	return func(yield func(tile) bool) {
		var ring []point
		for _, behind := range []bool{true, false} {
			if behind && m.Gaps == 0 {
				continue
			}

			for _, piece := range m.Pieces {
				ring = ring[:0]
				for _, p := range piece.Ring {
					ring = append(ring, v.at(p))
				}
				if len(ring) == 0 {
					continue
				}

				t := tile{m.shape(ring, apart), m.Categories.color(v.inks, piece), behind}
				if behind {
					t.ring = enlarge(t.ring, m.Gaps)
				}
				if !yield(t) {
					return
				}
			}
		}
	}
}

// shape returns the ring of a piece as it is drawn. Points are dots as large as their number allows. If dots would
// touch, each point is a square that overlaps its neighbours.
func (m Map) shape(ring []point, apart float64) []point {
	switch {
	case len(ring) > 1:
		return grow(ring, max(0.8, min(2, apart/2)))
	case apart >= leastApart:
		return circle(ring[0], min(4, 0.3*apart))
	}

	half := max(0.5, 0.65*apart)
	return rect{ring[0].x - half, ring[0].y - half, ring[0].x + half, ring[0].y + half}.ring()
}

// enlarge returns a ring so many times as large about the middle of its box.
func enlarge(ring []point, times float64) []point {
	b := boundsOf(ring)
	mid := point{(b.left + b.right) / 2, (b.top + b.bottom) / 2}
	large := make([]point, len(ring))
	for i, p := range ring {
		large[i] = between(mid, p, times)
	}

	return large
}

// circle is a polygon that looks round in the size of a dot.
func circle(center point, radius float64) []point {
	const corners = 16
	ring := make([]point, corners)
	for i := range ring {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / corners)
		ring[i] = point{center.x + radius*cos, center.y + radius*sin}
	}

	return ring
}

// grow returns a ring, or a box around it where it is thinner than least and could hardly be seen.
func grow(ring []point, least float64) []point {
	r := boundsOf(ring)
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

// box is the box around the cells of a sample.
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
