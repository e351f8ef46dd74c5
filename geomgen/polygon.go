package geomgen

import (
	"fmt"
	"math"
)

// Polygon is a shell and its holes. Each ring has four points or more, the last
// of them equal to the first, in either direction.
type Polygon [][]Point

// Bounds returns the box around a polygon's shell, in CRS units.
func (p Polygon) Bounds() Box {
	b := Box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, q := range p[0] {
		b = b.union(Box{q.X, q.Y, q.X, q.Y})
	}

	return b
}

// Rule says which cells an area of interest selects.
type Rule string

// The rules. An area is closed: what only touches its edge is in it, but by Overlaps.
const (
	Intersects Rule = "intersects" // a cell that has a point in common with the area
	Within     Rule = "within"     // a cell that lies in the area, whole
	Centroid   Rule = "centroid"   // a cell whose centre lies in the area
	Overlaps   Rule = "overlaps"   // a cell whose inside has a point in common with the inside of the area: the rule of an extent
)

// InvalidError reports polygons that are not valid by OGC 06-103r4, 6.1.11: by
// which ring, and where.
type InvalidError struct {
	Polygon int // from 1
	Ring    int // 0 for the shell, else the number of the hole from 1
	At      Point
	Reason  string // what is wrong with the ring there
	Feature int    // of a Layer: from 1; else 0
}

func (e *InvalidError) Error() string {
	ring := "the shell"
	if e.Ring > 0 {
		ring = fmt.Sprintf("hole %d", e.Ring)
	}

	of := ""
	if e.Feature > 0 {
		of = fmt.Sprintf(" of feature %d", e.Feature)
	}

	return fmt.Sprintf("%s of polygon %d%s %s at %s %s", ring, e.Polygon, of, e.Reason, number(e.At.X), number(e.At.Y))
}
