package picture

// A shape may reach far beyond the map, further than a canvas can count: what is
// outside is cut off first.

// clipRing returns the part of a ring inside r (Sutherland and Hodgman, 1974). Parts
// may be joined along the edge of r.
func clipRing(ring []point, r rect) []point {
	for _, side := range []func(point) float64{ // how far inside
		func(p point) float64 { return p.x - r.left }, func(p point) float64 { return r.right - p.x },
		func(p point) float64 { return p.y - r.top }, func(p point) float64 { return r.bottom - p.y },
	} {
		var kept []point
		for i, p := range ring {
			next := ring[(i+1)%len(ring)]
			a, b := side(p), side(next)
			if a >= 0 {
				kept = append(kept, p)
			}
			if a > 0 != (b > 0) && a != b {
				kept = append(kept, between(p, next, a/(a-b)))
			}
		}

		ring = kept
	}

	return ring
}

// clipLine returns the parts of a line inside r.
func clipLine(points []point, r rect) (parts [][]point) {
	for i := 1; i < len(points); i++ {
		from, to, ok := clipSegment(points[i-1], points[i], r)
		if !ok {
			continue
		}

		if n := len(parts); n > 0 && from == points[i-1] && parts[n-1][len(parts[n-1])-1] == from {
			parts[n-1] = append(parts[n-1], to)
		} else {
			parts = append(parts, []point{from, to})
		}
	}

	return parts
}

// clipSegment returns the part of a segment inside r (Liang and Barsky, 1984).
func clipSegment(from, to point, r rect) (_, _ point, ok bool) {
	start, end := 0.0, 1.0
	for _, side := range [][2]float64{
		{from.x - r.left, from.x - to.x}, {r.right - from.x, to.x - from.x},
		{from.y - r.top, from.y - to.y}, {r.bottom - from.y, to.y - from.y},
	} {
		inside, outward := side[0], side[1]
		switch {
		case outward == 0 && inside < 0:
			return from, to, false
		case outward < 0:
			start = max(start, inside/outward)
		case outward > 0:
			end = min(end, inside/outward)
		}
	}

	if start > end {
		return from, to, false
	}

	a, b := from, to
	if start > 0 {
		a = between(from, to, start)
	}
	if end < 1 {
		b = between(from, to, end)
	}
	return a, b, true
}

func between(p, q point, share float64) point {
	return point{p.x + share*(q.x-p.x), p.y + share*(q.y-p.y)}
}
