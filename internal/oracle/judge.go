// Package oracle decides with exact fractions which cells an area selects, and makes polygons that
// are worth testing. It is for tests: slow, and as simple as possible.
package oracle

import (
	"math/big"

	"github.com/loadgrid/loadgrid/geomgen"
)

// Area is a list of polygons with fractions as coordinates.
type Area struct {
	polygons [][][]point
	bounds   []geomgen.Box // of each polygon
}

type point struct{ x, y *big.Rat }

func rat(f float64) *big.Rat { return new(big.Rat).SetFloat64(f) }

func exact(p geomgen.Point) point { return point{rat(p.X), rat(p.Y)} }

// NewArea takes over valid polygons.
func NewArea(polygons []geomgen.Polygon) *Area {
	a := new(Area)
	for _, p := range polygons {
		var rings [][]point
		for _, r := range p {
			var ring []point
			for _, q := range r {
				ring = append(ring, exact(q))
			}

			rings = append(rings, ring)
		}

		a.polygons, a.bounds = append(a.polygons, rings), append(a.bounds, p.Bounds())
	}

	return a
}

// ContainsPoint tells whether a point lies in the area or on its edge.
func (a *Area) ContainsPoint(p geomgen.Point) bool { return a.containsPoint(exact(p)) }

func (a *Area) containsPoint(p point) bool {
	for _, polygon := range a.polygons {
		inside := false
		for _, ring := range polygon {
			for i := 1; i < len(ring); i++ {
				a, b := ring[i-1], ring[i]
				if onSegment(a, b, p) {
					return true
				}

				if (a.y.Cmp(p.y) > 0) != (b.y.Cmp(p.y) > 0) && (turn(a, b, p) > 0) == (b.y.Cmp(a.y) > 0) {
					inside = !inside
				}
			}
		}

		if inside {
			return true
		}
	}

	return false
}

// Intersects tells whether a cell, given by its corners in order, has a point in common with the
// area.
func (a *Area) Intersects(corners []geomgen.Point) bool {
	cell := closed(corners)
	for _, p := range cell {
		if a.containsPoint(p) {
			return true
		}
	}

	met := false
	a.eachSegment(func(p, q point) {
		if disjoint(cell, p, q) {
			return
		}

		met = met || inConvex(cell, p, false)

		for i := 1; i < len(cell); i++ {
			met = met || cross(cell[i-1], cell[i], p, q)
		}
	})

	return met
}

// beyond tells whether a cell, given by its corners, lies completely on one side of each polygon.
func (a *Area) beyond(corners []geomgen.Point) bool {
	c := geomgen.Polygon{corners}.Bounds()
	for _, b := range a.bounds {
		if c.XMin <= b.XMax && c.XMax >= b.XMin && c.YMin <= b.YMax && c.YMax >= b.YMin {
			return false
		}
	}
	return true
}

// Selects tells whether the area selects a cell of a grid by a rule.
func (a *Area) Selects(g geomgen.Grid, c geomgen.Cell, rule geomgen.Rule) bool {
	if a.beyond(g.AppendCorners(nil, c)) {
		return false
	}

	switch rule {
	case geomgen.Intersects:
		return a.Intersects(g.AppendCorners(nil, c))
	case geomgen.Within:
		return a.Covers(g.AppendCorners(nil, c))
	case geomgen.Overlaps:
		return a.Overlaps(g.AppendCorners(nil, c))
	}
	return a.ContainsPoint(g.Centre(c))
}

// Overlaps tells whether the interiors of a cell and of the area have a point in common.
func (a *Area) Overlaps(corners []geomgen.Point) bool {
	cell := closed(corners)
	if a.edgeCrosses(cell) {
		return true
	}

	// No edge is inside the cell, so its interior is in the area completely or not at all. The
	// midpoint of two corners that are not neighbours is in the interior.
	return a.containsPoint(along(cell[0], cell[2], big.NewRat(1, 2)))
}

// edgeCrosses tells whether the area's edge runs through the interior of a cell.
func (a *Area) edgeCrosses(cell []point) bool {
	crosses := false
	a.eachSegment(func(p, q point) {
		if crosses || disjoint(cell, p, q) {
			return
		}

		cuts := []*big.Rat{new(big.Rat), big.NewRat(1, 1)}

		for i := 1; i < len(cell); i++ {
			cuts = append(cuts, intersections(p, q, cell[i-1], cell[i])...)
		}

		sortRats(cuts)

		for k := 1; k < len(cuts); k++ {
			crosses = crosses || inConvex(cell, along(p, q, between(cuts[k-1], cuts[k])), true)
		}
	})

	return crosses
}

// Covers tells whether a cell lies completely in the area.
func (a *Area) Covers(corners []geomgen.Point) bool {
	cell := closed(corners)
	// If the area's edge runs through the cell, the area is only on one side of it.
	if a.edgeCrosses(cell) {
		return false
	}

	// Between the points where the area's edge meets the cell's edge, the cell's edge is either in
	// the area or not.
	for i := 1; i < len(cell); i++ {
		cuts := []*big.Rat{new(big.Rat), big.NewRat(1, 1)}
		a.eachSegment(func(p, q point) {
			if !disjoint(cell, p, q) {
				cuts = append(cuts, intersections(cell[i-1], cell[i], p, q)...)
			}
		})

		sortRats(cuts)

		for k := 1; k < len(cuts); k++ {
			if !a.containsPoint(along(cell[i-1], cell[i], between(cuts[k-1], cuts[k]))) {
				return false
			}
		}
	}

	return true
}

// disjoint tells whether a segment lies beyond all corners of a cell on one side.
func disjoint(cell []point, p, q point) bool {
	sides := [4]bool{true, true, true, true}
	for _, c := range cell {
		sides[0] = sides[0] && p.x.Cmp(c.x) < 0 && q.x.Cmp(c.x) < 0
		sides[1] = sides[1] && p.x.Cmp(c.x) > 0 && q.x.Cmp(c.x) > 0
		sides[2] = sides[2] && p.y.Cmp(c.y) < 0 && q.y.Cmp(c.y) < 0
		sides[3] = sides[3] && p.y.Cmp(c.y) > 0 && q.y.Cmp(c.y) > 0
	}

	return sides[0] || sides[1] || sides[2] || sides[3]
}

// eachSegment calls do for each segment that has a length.
func (a *Area) eachSegment(do func(p, q point)) {
	for _, polygon := range a.polygons {
		for _, ring := range polygon {
			for i := 1; i < len(ring); i++ {
				if p, q := ring[i-1], ring[i]; p.x.Cmp(q.x) != 0 || p.y.Cmp(q.y) != 0 {
					do(p, q)
				}
			}
		}
	}
}

func closed(corners []geomgen.Point) []point {
	var ring []point
	for _, c := range corners {
		ring = append(ring, exact(c))
	}
	return append(ring, ring[0])
}

func sub(a, b *big.Rat) *big.Rat { return new(big.Rat).Sub(a, b) }
func mul(a, b *big.Rat) *big.Rat { return new(big.Rat).Mul(a, b) }

// turn is positive if p lies left of the line from a to b.
func turn(a, b, p point) int {
	return mul(sub(b.x, a.x), sub(p.y, a.y)).Cmp(mul(sub(b.y, a.y), sub(p.x, a.x)))
}

// onSegment tells whether p lies on the segment from a to b.
func onSegment(a, b, p point) bool {
	within := func(u, v, w *big.Rat) bool { return u.Cmp(w)*v.Cmp(w) <= 0 }
	return within(a.y, b.y, p.y) && within(a.x, b.x, p.x) && turn(a, b, p) == 0
}

// cross tells whether two segments have a point in common.
func cross(a, b, p, q point) bool {
	return turn(a, b, p)*turn(a, b, q) < 0 && turn(p, q, a)*turn(p, q, b) < 0 ||
		onSegment(a, b, p) || onSegment(a, b, q) || onSegment(p, q, a) || onSegment(p, q, b)
}

// inConvex tells whether p lies in a convex ring that runs counter-clockwise. On the edge it is
// true only if strictly is false.
func inConvex(ring []point, p point, strictly bool) bool {
	for i := 1; i < len(ring); i++ {
		if t := turn(ring[i-1], ring[i], p); t < 0 || strictly && t == 0 {
			return false
		}
	}

	return true
}

// intersections returns how far along the segment from a to b it meets the segment from p to q.
func intersections(a, b, p, q point) []*big.Rat {
	var list []*big.Rat
	for _, r := range []point{p, q} {
		if onSegment(a, b, r) {
			t := sub(r.x, a.x)
			d := sub(b.x, a.x)
			if d.Sign() == 0 {
				t, d = sub(r.y, a.y), sub(b.y, a.y)
			}

			list = append(list, t.Quo(t, d))
		}
	}

	if turn(p, q, a)*turn(p, q, b) < 0 && turn(a, b, p)*turn(a, b, q) < 0 {
		da := sub(mul(sub(q.x, p.x), sub(a.y, p.y)), mul(sub(q.y, p.y), sub(a.x, p.x)))
		db := sub(mul(sub(q.x, p.x), sub(b.y, p.y)), mul(sub(q.y, p.y), sub(b.x, p.x)))
		list = append(list, new(big.Rat).Quo(da, sub(da, db)))
	}

	return list
}

// between returns the fraction halfway between two others.
func between(t, u *big.Rat) *big.Rat {
	mid := new(big.Rat).Add(t, u)
	return mid.Mul(mid, big.NewRat(1, 2))
}

func along(a, b point, t *big.Rat) point {
	return point{
		new(big.Rat).Add(a.x, mul(sub(b.x, a.x), t)),
		new(big.Rat).Add(a.y, mul(sub(b.y, a.y), t)),
	}
}
