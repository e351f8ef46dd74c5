package geomgen

import (
	"errors"
	"math"
	"testing"
)

func TestRingFault(t *testing.T) {
	inf := math.Inf(1)
	square := []Point{{0, 0}, {1, 0}, {1, 1}, {0, 1}, {0, 0}}
	for _, c := range []struct {
		name   string
		ring   []Point
		at     Point
		reason string
	}{
		{"a square", square, Point{}, ""},
		{"two places alone", []Point{{0, 0}, {1, 0}, {1, 0}, {0, 0}}, Point{}, ""},
		{"no points", nil, Point{}, "has no points"},
		{"an infinite coordinate", []Point{{0, 0}, {1, inf}, {0, 0}}, Point{1, inf}, "has a coordinate that is not finite"},
		{"an open ring", []Point{{1e-7, 2e21}, {1, 0}, {1, 1}, {0, 1.5}}, Point{0, 1.5},
			"is not closed: it begins at 0.0000001 2000000000000000000000 and ends"},
		{"three points", []Point{{2, 3}, {4, 3}, {2, 3}}, Point{2, 3}, "has fewer than four points"},
		{"one point", []Point{{2, 3}}, Point{2, 3}, "has fewer than four points"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if at, reason := RingFault(c.ring); at != c.at || reason != c.reason {
				t.Errorf("got %q at %v, not %q at %v", reason, at, c.reason, c.at)
			}
		})
	}
}

func TestRingFaultNaN(t *testing.T) {
	at, reason := RingFault([]Point{{0, 0}, {math.NaN(), 1}, {1, 1}, {0, 0}})
	if reason != "has a coordinate that is not finite" || !math.IsNaN(at.X) {
		t.Errorf("got %q at %v", reason, at)
	}
}

// A ring with enough points may still be in only two places.
func TestCheckPolygonsCollapsed(t *testing.T) {
	err := CheckPolygons([]Polygon{{{{0, 0}, {1, 0}, {1, 0}, {0, 0}}}})
	var invalid *InvalidError
	if !errors.As(err, &invalid) || invalid.Reason != "has fewer than three places" {
		t.Errorf("got %v", err)
	}
}
