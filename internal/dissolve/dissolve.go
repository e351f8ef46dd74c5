// Package dissolve owns the union of polygons that share their borders exactly, as parcels and
// districts do. It computes no new points, so nothing is rounded.
package dissolve

import (
	"context"
	"errors"
	"math"

	"github.com/loadgrid/loadgrid/geomgen"
)

// Union returns the union of polygons whose interiors have no point in common. It removes borders
// that two polygons share: where both have the same segments, and where one has corners exactly on
// a segment of the other. Each remaining segment is a segment of a polygon, or the part of one
// between two corners, so the union is exact. Removed borders may leave corners in the middle of a
// straight line. The result is valid according to geomgen.CheckPolygons. Polygons that share no
// border are returned unchanged.
//
// ok is false if polygons overlap or cross, however slightly: Union cannot unite them. A gap
// between polygons is a hole. The error is a *geomgen.InvalidError if a polygon is invalid by
// itself, or the cause of ctx, which stops the work early.
//
// With n positions Union takes about n log n steps. It needs at most 40 bytes per position if
// neighbours have the same corners, otherwise 80. The check of the result needs more: see
// geomgen.CheckPolygons.
//
// The idea: a polygon is the area around which its edge winds once, with the area on the left. The
// sum of all edges winds around each place as often as there are polygons there. Two segments in
// opposite directions add nothing to that sum. If the remaining segments wind around no place
// twice, they are the edge of valid polygons.
func Union(ctx context.Context, polygons []geomgen.Polygon) (union []geomgen.Polygon, ok bool, err error) {
	if err := geomgen.CheckEach(ctx, polygons); err != nil {
		return nil, false, err
	}

	if union, ok, err = unite(ctx, polygons); !ok || err != nil {
		return nil, false, err
	}

	err = geomgen.CheckPolygonsContext(ctx, union)
	if errors.As(err, new(*geomgen.InvalidError)) {
		return nil, false, nil
	}
	return union, err == nil, err
}

// unite is Union without checks of the input and the result.
func unite(ctx context.Context, polygons []geomgen.Polygon) (union []geomgen.Polygon, ok bool, err error) {
	g, shared, ok, err := border(ctx, polygons)
	switch {
	case !ok || err != nil:
		return nil, false, err
	case !shared:
		return polygons, true, nil
	}

	rings, ok := g.rings()
	if !ok {
		return nil, false, nil
	}
	return assemble(ctx, rings)
}

// border returns the graph of the polygons' segments that are on the edge of their union, and
// whether it removed others. ok is false if polygons certainly overlap.
func border(ctx context.Context, polygons []geomgen.Polygon) (g *graph, shared, ok bool, err error) {
	e, ok := newEdges(polygons)
	if !ok || ctx.Err() != nil {
		return nil, false, false, context.Cause(ctx)
	}

	fell, ok := e.cancel()
	if !ok || ctx.Err() != nil {
		return nil, false, false, context.Cause(ctx)
	}

	g = newGraph(e)
	cut, err := g.split(ctx)
	if err != nil || !cut {
		return g, fell, true, err
	}

	n := len(g.edges)
	ok = g.cancel()
	return g, fell || len(g.edges) < n, ok, nil
}

// maxPositions is the maximum number of positions.
const maxPositions = math.MaxInt32

// assemble combines rings into polygons: shells run counter-clockwise, holes clockwise.
func assemble(ctx context.Context, rings [][]geomgen.Point) (union []geomgen.Polygon, ok bool, err error) {
	shells := make([]bool, len(rings))
	holes := 0
	for i, r := range rings {
		if shells[i] = !geomgen.Clockwise(r); !shells[i] {
			holes++
		}
	}

	around := []int(nil)
	if holes > 0 {
		if around, err = geomgen.ShellsAround(ctx, rings); err != nil {
			return nil, false, err
		}
	}

	at := make([]int, len(rings)) // for each shell, the index of its polygon
	for i, r := range rings {
		if shells[i] {
			at[i] = len(union)
			union = append(union, geomgen.Polygon{r})
		}
	}

	for i, r := range rings {
		if shells[i] {
			continue
		}

		shell := around[i]
		if shell < 0 || !shells[shell] {
			return nil, false, nil
		}
		union[at[shell]] = append(union[at[shell]], r)
	}

	return union, len(union) > 0, nil
}
