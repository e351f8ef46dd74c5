package oracle

import (
	"math/big"

	"github.com/loadgrid/loadgrid/geomgen"
)

// Share returns the share of a cell, given by its corners in order, that lies in the area. Source
// of the clipping: I. Sutherland and G. Hodgman, Reentrant Polygon Clipping, CACM 17 (1974).
func (a *Area) Share(corners []geomgen.Point) *big.Rat {
	if a.beyond(corners) {
		return new(big.Rat)
	}

	cell := closed(corners)
	near := false
	a.eachSegment(func(p, q point) { near = near || !disjoint(cell, p, q) })
	if !near { // all of it, or nothing
		if a.containsPoint(cell[0]) {
			return big.NewRat(1, 1)
		}
		return new(big.Rat)
	}

	sum := new(big.Rat)
	for _, polygon := range a.polygons {
		for k, ring := range polygon {
			part := ringArea(cut(ring[:len(ring)-1], cell))
			if part.Abs(part); k == 0 {
				sum.Add(sum, part)
			} else {
				sum.Sub(sum, part)
			}
		}
	}

	whole := ringArea(cell[:len(cell)-1])
	return sum.Quo(sum, whole.Abs(whole))
}

// cut returns the part of a ring in a convex cell, whose pieces are joined by sides without width.
func cut(ring, cell []point) []point {
	for i := 1; i < len(cell) && len(ring) > 0; i++ {
		a, b := cell[i-1], cell[i]
		var kept []point
		for k, p := range ring {
			q := ring[(k+1)%len(ring)]
			tp, tq := height(a, b, p), height(a, b, q)
			if tp.Sign() >= 0 {
				kept = append(kept, p)
			}
			if tp.Sign()*tq.Sign() < 0 {
				kept = append(kept, along(p, q, new(big.Rat).Quo(tp, sub(tp, tq))))
			}
		}
		ring = kept
	}
	return ring
}

// height returns how far p lies left of the line from a to b, in an arbitrary unit.
func height(a, b, p point) *big.Rat {
	return sub(mul(sub(b.x, a.x), sub(p.y, a.y)), mul(sub(b.y, a.y), sub(p.x, a.x)))
}

// ringArea returns twice the area of a ring whose first point is not repeated.
func ringArea(ring []point) *big.Rat {
	sum := new(big.Rat)
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		sum.Add(sum, sub(mul(p.x, q.y), mul(q.x, p.y)))
	}
	return sum
}
