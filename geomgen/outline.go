package geomgen

// outline is the edge of an area as segments, with the area to the left of each: shells are counter-clockwise,
// holes clockwise.
type outline struct {
	segments []segment
	next     []int32 // the next segment in the ring
	rings    []ring
}

// ring is the segments of a ring, and its position in the polygons.
type ring struct {
	first, end    int32 // segments from first up to, and excluding, end
	polygon, hole int   // as InvalidError counts them
}

// newOutline takes over the polygons' rings in the right direction, without points that repeat the previous one.
// The rings must have at least three places, which CheckPolygons ensures.
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

// addSegments adds the segments of a ring with consecutive indexes. It returns the index of the first one and the
// index after the last one.
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

// Clockwise reports the exact direction of a closed ring that does not cross itself. It looks at the turn at the
// lowest point, the leftmost if there are several. For a ring without an area, the result is undefined.
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
