package geomgen

// outline is the edge of an area as segments, with the area left of each of them:
// shells run counter-clockwise, holes clockwise.
type outline struct {
	segments []segment
	next     []int32 // the segment that follows in the ring
	rings    []ring
}

// ring says which segments a ring has, and what it was in the polygons.
type ring struct {
	first, end    int32 // segments from first to before end
	polygon, hole int   // as InvalidError counts them
}

// newOutline takes over the polygons' rings in the right direction, without points
// that repeat the one before. The polygons have rings of three places at least,
// as CheckPolygons sees to.
func newOutline(polygons []Polygon) outline {
	segments, rings := 0, 0
	for _, p := range polygons {
		rings += len(p)
		for _, points := range p {
			segments += len(points) - 1
		}
	}

	o := outline{segments: make([]segment, 0, segments), next: make([]int32, 0, segments), rings: make([]ring, 0, rings)}
	for i, p := range polygons {
		for k, points := range p {
			o.addRing(points, ring{polygon: i + 1, hole: k})
		}
	}

	return o
}

func (o *outline) addRing(points []Point, r ring) {
	if r.first, r.end = o.addSegments(points, r.hole > 0); r.end > r.first {
		o.rings = append(o.rings, r)
	}
}

// addSegments adds the segments of a ring, and returns the first one's number and that behind
// the last. Of those that follow each other in the ring, next counts on.
func (o *outline) addSegments(points []Point, hole bool) (first, end int32) {
	first = int32(len(o.segments))
	forward := Clockwise(points) == hole
	n := len(points)
	for i := 1; i < n; i++ {
		s := segment{points[i-1], points[i]}
		if !forward {
			s = segment{points[n-i], points[n-i-1]}
		}
		if s.a != s.b {
			o.segments = append(o.segments, s)
			o.next = append(o.next, int32(len(o.segments)))
		}
	}

	if end = int32(len(o.segments)); end > first {
		o.next[end-1] = first
	}
	return first, end
}

// Clockwise tells the direction of a closed ring that does not cross itself, exactly: by
// the turn at its lowest point, of the leftmost of them. Of a ring without an area the
// answer says nothing.
func Clockwise(points []Point) bool {
	points = points[:len(points)-1]
	low := 0
	for i, p := range points {
		if q := points[low]; p.Y < q.Y || p.Y == q.Y && p.X < q.X {
			low = i
		}
	}

	n := len(points)
	before, after := low, low
	for range n {
		if before = (before + n - 1) % n; points[before] != points[low] {
			break
		}
	}

	for range n {
		if after = (after + 1) % n; points[after] != points[low] {
			break
		}
	}

	return side(points[before], points[low], points[after]) < 0
}
