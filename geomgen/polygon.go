package geomgen

import (
	"fmt"
	"math"
)

// Polygon is a shell and its holes. Each ring has at least four points, and the last one equals the first. Rings
// may have either direction.
type Polygon [][]Point

// Bounds returns the box around a polygon's shell, in CRS units.
func (p Polygon) Bounds() Box {
	b := Box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, q := range p[0] {
		b = b.union(Box{q.X, q.Y, q.X, q.Y})
	}

	return b
}

// Rule chooses the cells that an area of interest selects.
type Rule string

// Values of Rule. An area includes its edge, so a cell that only touches the edge is selected, except by
// Overlaps.
const (
	Intersects Rule = "intersects" // a cell that has a point in common with the area
	Within     Rule = "within"     // a cell that is completely in the area
	Centroid   Rule = "centroid"   // a cell whose centre is in the area
	Overlaps   Rule = "overlaps"   // a cell whose inside has a point in common with the inside of the area, as for an extent
)

// InvalidError reports polygons that are not valid according to OGC 06-103r4, 6.1.11, with the ring and the
// position.
type InvalidError struct {
	Polygon int // from 1
	Ring    int // 0 for the shell, otherwise the number of the hole, from 1
	At      Point
	Reason  string // what is wrong with the ring there
	Feature int    // in a Layer, from 1; otherwise 0
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
