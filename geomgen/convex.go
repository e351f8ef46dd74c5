package geomgen

// maxCorners is the largest number of corners of a cell.
const maxCorners = 6

// convex is a cell by its corners, counter-clockwise.
type convex struct {
	corners [maxCorners]Point
	n       int
	box     Box
	isBox   bool // the cell is its box
}

func (l *lattice) convex(g Grid, c Cell) convex {
	v := convex{isBox: g.boxes()}
	v.n = len(l.appendCorners(v.corners[:0], g.Shape, c))
	p := v.corners[0]
	v.box = Box{p.X, p.Y, p.X, p.Y}
	for _, p := range v.corners[1:v.n] {
		v.box = v.box.union(Box{p.X, p.Y, p.X, p.Y})
	}
	return v
}

// intersects reports whether a segment has a point in common with the cell or its edge. Two convex shapes have
// none if all of one lies beyond a line along a side of the other.
func (v *convex) intersects(s segment) bool {
	if !v.box.intersects(s.box()) {
		return false
	}

	if !v.isBox {
		for i := range v.n {
			a, b := v.side(i)
			if side(a, b, s.a) < 0 && side(a, b, s.b) < 0 {
				return false
			}
		}
	}

	left, right := false, false
	for _, p := range v.corners[:v.n] {
		switch side(s.a, s.b, p) {
		case 0:
			return true // on the line, and no side of the cell is between
		case 1:
			left = true
		default:
			right = true
		}

		if left && right {
			return true
		}
	}

	return false
}

// crosses reports whether a segment has a point in common with the inside of the cell.
func (v *convex) crosses(s segment) bool {
	b := s.box()
	if b.XMax <= v.box.XMin || b.XMin >= v.box.XMax || b.YMax <= v.box.YMin || b.YMin >= v.box.YMax {
		return false
	}

	if !v.isBox {
		for i := range v.n {
			a, b := v.side(i)
			if side(a, b, s.a) <= 0 && side(a, b, s.b) <= 0 {
				return false
			}
		}
	}

	left, right := false, false
	for _, p := range v.corners[:v.n] {
		switch side(s.a, s.b, p) {
		case 1:
			left = true
		case -1:
			right = true
		}
		if left && right {
			return true
		}
	}

	return false
}

// containsPoint reports whether a point is inside the cell, not on its edge.
func (v *convex) containsPoint(p Point) bool {
	if v.isBox {
		return p.X > v.box.XMin && p.X < v.box.XMax && p.Y > v.box.YMin && p.Y < v.box.YMax
	}
	for i := range v.n {
		if a, b := v.side(i); side(a, b, p) <= 0 {
			return false
		}
	}
	return true
}

// side returns the ends of side i: from corner i to the next one.
func (v *convex) side(i int) (a, b Point) {
	return v.corners[i], v.corners[(i+1)%v.n]
}

// RingArea returns the area of a ring in square units of the CRS, which is positive if the ring is
// counter-clockwise. The ring may repeat its first point at the end, or not. The area is computed relative to the
// first point, so a small ring far from the origin loses no digits.
func RingArea(ring []Point) float64 {
	var sum float64
	o := ring[0]
	for i := 1; i+1 < len(ring); i++ {
		p, q := ring[i], ring[i+1]
		sum += float64((p.X-o.X)*(q.Y-o.Y)) - float64((p.Y-o.Y)*(q.X-o.X))
	}
	return sum / 2
}
