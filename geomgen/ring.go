package geomgen

import "strconv"

// RingFault returns the first fault of a ring and its position. reason is "" if there is none. A ring must have
// finite coordinates and at least four points, and its last point must equal its first. RingFault does not check
// the shape; CheckPolygons does. The reason is the predicate of a sentence about the ring, which ends with the
// position, as in InvalidError.
func RingFault(ring []Point) (at Point, reason string) {
	for _, p := range ring {
		if !finite(p.X) || !finite(p.Y) {
			return p, "has a coordinate that is not finite"
		}
	}

	switch n := len(ring); {
	case n == 0:
		return Point{}, "has no points"
	case ring[0] != ring[n-1]:
		return ring[n-1], "is not closed: it begins at " + decimal(ring[0]) + " and ends"
	case n < 4:
		return ring[0], "has fewer than four points"
	}

	return Point{}, ""
}

// ringCollapse returns the position of a ring whose points are in fewer than three places, and why it has no
// area. reason is "" for other rings. The ring must not have a RingFault.
func ringCollapse(ring []Point) (at Point, reason string) {
	places := 1
	for i := 1; i < len(ring)-1; i++ {
		if ring[i] != ring[i-1] {
			places++
		}
	}

	if places < 3 {
		return ring[0], "has fewer than three places"
	}
	return Point{}, ""
}

// decimal formats a point's coordinates without an exponent.
func decimal(p Point) string {
	return strconv.FormatFloat(p.X, 'f', -1, 64) + " " + strconv.FormatFloat(p.Y, 'f', -1, 64)
}
