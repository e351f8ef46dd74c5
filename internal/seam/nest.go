package seam

import (
	"cmp"
	"context"
	"slices"

	"github.com/loadgrid/loadgrid/geomgen"
)

// polygons combines rings into polygons: each shell with the holes that lie in it.
func (c *cutter) polygons(ctx context.Context) ([]geomgen.Polygon, error) {
	var rings [][]geomgen.Point
	for _, ring := range c.rings {
		if ring = closed(ring); len(ring) >= 4 && geomgen.RingArea(ring) != 0 {
			rings = append(rings, ring)
		}
	}

	around, err := geomgen.ShellsAround(ctx, rings)
	if err != nil {
		return nil, err
	}

	polygons, of := shellsOf(rings)
	world := geomgen.Polygon{c.frame.ring()}
	for i, ring := range rings {
		switch {
		case of[i] >= 0: // a shell
		case around[i] >= 0:
			p := &polygons[of[around[i]]]
			*p = append(*p, ring)
		case len(c.chains) > 0:
			return nil, errOrder
		default: // the area surrounds it and covers the rest of the globe
			world = append(world, ring)
		}
	}

	if len(world) > 1 {
		polygons = append(polygons, world)
	}

	return polygons, nil
}

// shellsOf returns a polygon for each shell, the smallest first, and for each ring the index of its
// own polygon, -1 for holes.
func shellsOf(rings [][]geomgen.Point) (polygons []geomgen.Polygon, of []int) {
	var shells []int
	of = make([]int, len(rings))
	areas := make([]float64, len(rings))
	for i, ring := range rings {
		of[i], areas[i] = -1, geomgen.RingArea(ring)
		if areas[i] > 0 {
			shells = append(shells, i)
		}
	}

	slices.SortStableFunc(shells, func(i, k int) int { return cmp.Compare(areas[i], areas[k]) })
	for n, i := range shells {
		of[i] = n
		polygons = append(polygons, geomgen.Polygon{rings[i]})
	}

	return polygons, of
}

// ring returns the frame's edge, counter-clockwise.
func (f Frame) ring() []geomgen.Point {
	return []geomgen.Point{{X: f.XMin, Y: f.YMin}, {X: f.XMax, Y: f.YMin}, {X: f.XMax, Y: f.YMax}, {X: f.XMin, Y: f.YMax}, {X: f.XMin, Y: f.YMin}}
}

// closed returns a ring without repeated points, closed by its first point.
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
