package shapefile

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
)

// ringError reports an error in a ring.
type ringError struct {
	ring   int // from 1
	at     geomgen.Point
	reason string
}

func (e *ringError) Error() string { return e.reason }

// explainRing adds the feature to an error about a ring.
func (r *reader) explainRing(err error) error {
	var bad *ringError
	if !errors.As(err, &bad) {
		return err
	}

	return feature.BadArea("is not valid%s: ring %d %s, at %v %v", r.where(), bad.ring, bad.reason, bad.at.X, bad.at.Y)
}

// assemble combines rings into polygons. It returns for each polygon the index of its shell, and
// those of its holes. A ring is a hole if an odd number of other rings surround it. According to
// the format, shells run clockwise and holes counter-clockwise, but many files differ, and the
// places of the rings are enough. Shells and holes are in the order of the rings.
func assemble(ctx context.Context, rings [][]geomgen.Point) (polygons [][]int, err error) {
	for i, ring := range rings {
		if at, reason := geomgen.RingFault(ring); reason != "" {
			return nil, &ringError{i + 1, at, reason}
		}
	}

	around, err := innermostAround(ctx, rings)
	if err != nil {
		return nil, err
	}

	hole := odd(around)
	at := make([]int, len(rings)) // for each shell, the index of its polygon
	for i := range rings {
		if !hole[i] {
			at[i] = len(polygons)
			polygons = append(polygons, []int{i})
		}
	}

	for i := range rings {
		if hole[i] {
			shell := at[around[i]]
			polygons[shell] = append(polygons[shell], i)
		}
	}

	return polygons, nil
}

// innermostAround returns the innermost ring around each ring, -1 for none. Rings that cross are
// invalid and are refused later; for these it returns any result.
func innermostAround(ctx context.Context, rings [][]geomgen.Point) ([]int, error) {
	// If all rings are shells, the innermost shell is the innermost ring.
	area := make([]float64, len(rings))
	for i, ring := range rings {
		area[i] = geomgen.RingArea(ring)
	}

	turn(rings, area)
	around, err := geomgen.ShellsAround(ctx, rings)
	turn(rings, area)

	if err != nil {
		return nil, err
	}

	boxes := make([]box, len(rings))
	for i, ring := range rings {
		boxes[i] = boxOf(ring)
	}

	for i, a := range around {
		if a < 0 || a == i || !boxes[a].contains(boxes[i]) || math.Abs(area[a]) < math.Abs(area[i]) {
			around[i] = -1
		}
	}

	return around, nil
}

// turn reverses the rings with a negative area.
func turn(rings [][]geomgen.Point, area []float64) {
	for i, ring := range rings {
		if area[i] < 0 {
			slices.Reverse(ring)
		}
	}
}

// odd tells for each ring whether an odd number of rings surround it.
func odd(around []int) []bool {
	const unknown, atWork, even, uneven = 0, 1, 2, 3

	state := make([]uint8, len(around))
	var path []int

	for i := range around {
		at := i
		for path = path[:0]; at >= 0 && state[at] == unknown; at = around[at] {
			state[at] = atWork
			path = append(path, at)
		}

		// What follows the end of the path: nothing, a ring with a known result, or a ring of the
		// path itself, which only happens with rings that cross.
		last := uint8(uneven)
		switch {
		case at >= 0 && state[at] == atWork:
			around[path[len(path)-1]] = -1
		case at >= 0:
			last = state[at]
		}

		for _, ring := range slices.Backward(path) {
			last = even + uneven - last
			state[ring] = last
		}
	}

	hole := make([]bool, len(around))
	for i, s := range state {
		hole[i] = s == uneven
	}
	return hole
}

// box is the extent of a ring.
type box struct{ xMin, yMin, xMax, yMax float64 }

func boxOf(ring []geomgen.Point) box {
	b := box{ring[0].X, ring[0].Y, ring[0].X, ring[0].Y}
	for _, p := range ring {
		b.xMin, b.xMax = min(b.xMin, p.X), max(b.xMax, p.X)
		b.yMin, b.yMax = min(b.yMin, p.Y), max(b.yMax, p.Y)
	}
	return b
}

func (b box) contains(c box) bool {
	return b.xMin <= c.xMin && b.yMin <= c.yMin && b.xMax >= c.xMax && b.yMax >= c.yMax
}
