package geomgen

import (
	"context"
	"errors"
)

// CheckEach is CheckPolygons for each polygon separately, whatever their positions relative to each other. The
// error names the first invalid one. For many small polygons, it takes far fewer steps.
func CheckEach(ctx context.Context, polygons []Polygon) error {
	for i, p := range polygons {
		if i%4096 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if len(p) == 1 && plainlySimple(p[0]) {
			continue
		}

		err := CheckPolygonsContext(ctx, polygons[i:i+1])
		var invalid *InvalidError
		if errors.As(err, &invalid) {
			invalid.Polygon = i + 1
		}
		if err != nil {
			return err
		}
	}

	return nil
}

// maxPlain is the most points of a ring whose segments are all compared with each other.
const maxPlain = 24

// plainlySimple reports whether a ring is short and closed, repeats no point, and has segments that meet only if
// they are consecutive. If it returns false, the ring may still be valid.
func plainlySimple(ring []Point) bool {
	if _, reason := RingFault(ring); reason != "" || len(ring) > maxPlain {
		return false
	}

	n := len(ring) - 1
	var boxes [maxPlain]Box
	for i := range n {
		a, b := ring[i], ring[i+1]
		before := ring[(i+n-1)%n]
		if a == b || side(before, a, b) == 0 && !opposite(a, before, b) {
			return false
		}
		boxes[i] = segment{a, b}.box()
	}

	for i := range n {
		for k := i + 2; k < n; k++ {
			if i == 0 && k == n-1 || !boxes[i].intersects(boxes[k]) {
				continue
			}
			if (segment{ring[i], ring[i+1]}).mayMeet(segment{ring[k], ring[k+1]}) {
				return false
			}
		}
	}

	return true
}

// mayMeet reports whether two segments may have a point in common. If it returns false, that is certain.
func (s segment) mayMeet(t segment) bool {
	return side(s.a, s.b, t.a)*side(s.a, s.b, t.b) <= 0 && side(t.a, t.b, s.a)*side(t.a, t.b, s.b) <= 0
}
