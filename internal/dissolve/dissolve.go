// Package dissolve owns the union of polygons that share their borders exactly, as parcels
// and districts do. It computes no point, so that nothing is rounded.
package dissolve

import (
	"context"
	"errors"
	"math"

	"github.com/loadgrid/loadgrid/geomgen"
)

// Union returns the union of polygons whose insides have no point in common. Borders that two
// of them share fall out: where both have the same segments, and where one has corners
// exactly on a segment of the other. Each segment that is left is one of theirs, or the part
// of one between two corners, so that the union is exact; corners in the middle of a straight
// line may be left of borders that fell out. The result is valid as geomgen.CheckPolygons has
// it. Polygons that share no border are the result themselves.
//
// ok is false where polygons overlap or cross, by however little: then there is no union here.
// A gap between polygons is a hole. The error is a *geomgen.InvalidError where a polygon is
// not valid by itself, or the cause of ctx, which ends the work early.
//
// With n positions it takes some n log n steps, and 40 bytes a position at most where
// neighbours have the same corners, 80 elsewhere. The result's check comes on top of that:
// see geomgen.CheckPolygons.
//
// Source of the idea: each polygon is where its edge winds round once, with the area on the
// left. The sum of all edges winds round each place as often as there are polygons there. Two
// segments of opposite directions add nothing to that, and what is left winds round no place
// twice if it is the edge of valid polygons.
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

// unite is Union without checks of what is given and of what comes out.
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

// border returns the graph of those segments of the polygons that are on the edge of their
// union, and whether others fell out; ok is false where it is certain that polygons overlap.
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

// maxPositions is how many positions there is room for.
const maxPositions = math.MaxInt32

// assemble puts rings together to polygons: shells run counter-clockwise, holes clockwise.
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

	at := make([]int, len(rings)) // of a shell, the place of its polygon
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
