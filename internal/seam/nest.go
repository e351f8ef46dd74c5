package seam

import (
	"context"
	"slices"

	"github.com/loadgrid/loadgrid/geomgen"
)

// polygons puts rings together: each shell with the holes that lie in it.
func (c *cutter) polygons(_ context.Context) ([]geomgen.Polygon, error) {
	var shells, holes [][]geomgen.Point
	for _, ring := range c.rings {
		switch ring = closed(ring); {
		case len(ring) < 4:
		case geomgen.RingArea(ring) > 0:
			shells = append(shells, ring)
		case geomgen.RingArea(ring) < 0:
			holes = append(holes, ring)
		}
	}

	slices.SortFunc(shells, func(a, b []geomgen.Point) int {
		if geomgen.RingArea(a) < geomgen.RingArea(b) {
			return -1
		}
		return 1
	})

	polygons := make([]geomgen.Polygon, len(shells))
	for i, s := range shells {
		polygons[i] = geomgen.Polygon{s}
	}

	world := geomgen.Polygon{c.frame.ring()}
	for _, h := range holes {
		i := slices.IndexFunc(shells, func(s []geomgen.Point) bool { return around(s, h) })

		switch {
		case i >= 0:
			polygons[i] = append(polygons[i], h)
		case len(c.chains) > 0:
			return nil, errOrder
		default: // the area goes round it, and all round the globe
			world = append(world, h)
		}
	}

	if len(world) > 1 {
		polygons = append(polygons, world)
	}

	return polygons, nil
}

// ring returns the frame's edge, counter-clockwise.
func (f Frame) ring() []geomgen.Point {
	return []geomgen.Point{{X: f.XMin, Y: f.YMin}, {X: f.XMax, Y: f.YMin}, {X: f.XMax, Y: f.YMax}, {X: f.XMin, Y: f.YMax}, {X: f.XMin, Y: f.YMin}}
}

// closed returns a ring without repeated points, and with its first one at its end.
func closed(ring []geomgen.Point) []geomgen.Point {
	ring = slices.Compact(ring)
	for len(ring) > 1 && ring[0] == ring[len(ring)-1] {
		ring = ring[:len(ring)-1]
	}

	if len(ring) == 0 {
		return nil
	}

	return append(ring, ring[0])
}

// around tells whether a hole lies in a shell. They may touch in points, so most of the
// hole's points decide.
func around(shell, hole []geomgen.Point) bool {
	inside := 0
	for i := 1; i < len(hole); i++ {
		middle := geomgen.Point{X: hole[i-1].X/2 + hole[i].X/2, Y: hole[i-1].Y/2 + hole[i].Y/2}
		if contains(shell, middle) {
			inside++
		}
	}

	return 2*inside > len(hole)-1
}

// contains tells whether a point lies in a closed ring, by the segments that a ray to the
// right crosses.
func contains(ring []geomgen.Point, p geomgen.Point) bool {
	inside := false
	for i := 1; i < len(ring); i++ {
		a, b := ring[i-1], ring[i]
		if (a.Y > p.Y) != (b.Y > p.Y) && p.X < a.X+(p.Y-a.Y)/(b.Y-a.Y)*(b.X-a.X) {
			inside = !inside
		}
	}

	return inside
}
