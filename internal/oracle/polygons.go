package oracle

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"

	"github.com/loadgrid/loadgrid/geomgen"
)

func sortRats(list []*big.Rat) {
	slices.SortFunc(list, func(a, b *big.Rat) int { return a.Cmp(b) })
}

// Case is a decision that is easy to get wrong.
type Case struct {
	Grid geomgen.Grid      `json:"grid"`
	Cell geomgen.Cell      `json:"cell"`
	Rule geomgen.Rule      `json:"rule"`
	Want bool              `json:"want"` // according to exact fractions
	Area []geomgen.Polygon `json:"area"`
}

// Polygons returns valid polygons near cell (0, 0) of a grid, a few cells across: stars with and
// without holes, several of them, slivers, larger and smaller than a cell. Degenerate polygons have
// corners on corners, sides and centres of cells, and corners in the middle of straight runs.
func Polygons(rng *rand.Rand, g geomgen.Grid, degenerate bool) []geomgen.Polygon {
	for {
		m := maker{rng, g, degenerate}
		var polygons []geomgen.Polygon

		switch rng.IntN(6) {
		case 0: // a sliver
			polygons = []geomgen.Polygon{{m.sliver()}}
		case 1: // smaller than a cell
			polygons = []geomgen.Polygon{{m.star(rng.Float64()*6-3, rng.Float64()*6-3, 0.05, 0.6, 3+rng.IntN(4))}}
		case 2: // several
			for i := range 2 + rng.IntN(3) {
				polygons = append(polygons, geomgen.Polygon{m.star(float64(4*i)-5, rng.Float64()*4-2, 0.5, 2, 4+rng.IntN(6))})
			}

		case 3, 4: // with a hole or two
			shell := m.star(0, 0, 3, 6, 5+rng.IntN(9))
			p := geomgen.Polygon{shell}

			for i := range 1 + rng.IntN(2) {
				p = append(p, m.star(float64(i)*2-1, rng.Float64()*2-1, 0.2, 1, 3+rng.IntN(5)))
			}

			polygons = []geomgen.Polygon{p}
			if rng.IntN(2) == 0 { // and an island in the hole's place next to it
				polygons = append(polygons, geomgen.Polygon{m.star(12, 0, 0.3, 2, 5)})
			}
		default:
			polygons = []geomgen.Polygon{{m.star(rng.Float64()*4-2, rng.Float64()*4-2, 1, 7, 4+rng.IntN(16))}}
		}

		if geomgen.CheckPolygons(polygons) == nil {
			return polygons
		}
	}
}

type maker struct {
	rng        *rand.Rand
	grid       geomgen.Grid
	degenerate bool
}

// star returns a ring around a place given in cells.
func (m maker) star(x, y, least, most float64, n int) []geomgen.Point {
	angles := make([]float64, n)
	for i := range angles {
		angles[i] = m.rng.Float64() * 2 * math.Pi
	}

	slices.Sort(angles)
	var ring []geomgen.Point

	for _, a := range angles {
		r := least + m.rng.Float64()*(most-least)
		ring = append(ring, m.place(x+r*math.Cos(a), y+r*math.Sin(a)))
	}

	return m.finish(ring)
}

func (m maker) sliver() []geomgen.Point {
	x, y, a := m.rng.Float64()*4-2, m.rng.Float64()*4-2, m.rng.Float64()*2*math.Pi
	long, thin := 1+m.rng.Float64()*6, m.rng.Float64()*0.05
	tip := m.place(x+long*math.Cos(a), y+long*math.Sin(a))
	p := m.place(x, y)
	q := geomgen.Point{X: p.X + thin*m.grid.DX*m.rng.Float64(), Y: p.Y + thin*m.grid.DY}

	return m.finish([]geomgen.Point{p, tip, q})
}

// place returns the place as it is or, for degenerate polygons, the nearest corner, middle of a
// side or centre of a cell.
func (m maker) place(x, y float64) geomgen.Point {
	if !m.degenerate {
		c := m.grid.Centre(geomgen.Cell{})
		return geomgen.Point{X: c.X + x*m.grid.DX, Y: c.Y + y*m.grid.DY}
	}

	cell := geomgen.Cell{Col: int32(math.Floor(x)), Row: int32(math.Floor(y))}
	corners := m.grid.AppendCorners(nil, cell)
	i := m.rng.IntN(len(corners))
	p, q := corners[i], corners[(i+1)%len(corners)]

	switch m.rng.IntN(6) {
	case 0:
		return geomgen.Point{X: p.X/2 + q.X/2, Y: p.Y/2 + q.Y/2}
	case 1:
		return m.grid.Centre(cell)
	}

	return p
}

// finish closes a ring, sometimes with points in the middle of its sides, and sometimes reversed.
func (m maker) finish(ring []geomgen.Point) []geomgen.Point {
	var out []geomgen.Point
	for i, p := range ring {
		out = append(out, p)
		if q := ring[(i+1)%len(ring)]; m.degenerate && m.rng.IntN(3) == 0 {
			out = append(out, geomgen.Point{X: p.X/2 + q.X/2, Y: p.Y/2 + q.Y/2})
		}
	}

	if m.rng.IntN(2) == 0 {
		slices.Reverse(out)
	}

	return append(out, out[0])
}
