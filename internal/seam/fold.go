package seam

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/crs"
)

// Fold brings polygons whose x leaves the map back onto it by whole periods, cut at the seam: 190
// degrees east become 170 west. The polygons lie in a plane. Each must be valid by itself,
// otherwise the error is a *geomgen.InvalidError. Pieces of polygons wider than the map overlap and
// must be united. If nothing was beyond the seam, changed is false, and the result is the polygons
// themselves. Fold ends with ctx.
func Fold(ctx context.Context, polygons []geomgen.Polygon, s crs.Seam) (folded []geomgen.Polygon, changed bool, err error) {
	for i, p := range polygons {
		box := p.Bounds()
		first := int32(math.Floor((box.XMin - s.X) / s.Period))
		last := max(first, int32(math.Ceil((box.XMax-s.X)/s.Period))-1)

		if first == 0 && last == 0 {
			if changed {
				folded = append(folded, p)
			}
			continue
		}

		if !changed {
			folded, changed = slices.Clone(polygons[:i]), true
		}
		if first == last {
			folded = append(folded, shift(p, s, first))
			continue
		}

		pieces, err := strips(ctx, p, box, s, first, last, func(piece geomgen.Polygon, strip int32) geomgen.Polygon { return shift(piece, s, strip) })
		if err != nil {
			return nil, false, numbered(err, i+1)
		}
		folded = append(folded, pieces...)
	}

	if !changed {
		return polygons, false, nil
	}
	return folded, true, nil
}

// Halve cuts polygons that reach from seam to seam in two along the middle of the map. Each polygon
// must be valid by itself and lie on the map. Halve ends with ctx.
func Halve(ctx context.Context, polygons []geomgen.Polygon, s crs.Seam) ([]geomgen.Polygon, error) {
	var halved []geomgen.Polygon
	for i, p := range polygons {
		box := p.Bounds()
		if box.XMin > s.X || box.XMax < s.X+s.Period {
			halved = append(halved, p)
			continue
		}

		half := crs.Seam{X: s.X, Period: s.Period / 2}
		pieces, err := strips(ctx, p, box, half, 0, 1, func(piece geomgen.Polygon, _ int32) geomgen.Polygon { return clone(piece) })
		if err != nil {
			return nil, numbered(err, i+1)
		}

		halved = append(halved, pieces...)
	}

	return halved, nil
}

// strips cuts a polygon at each seam that runs through it. The strips between seams are the cells
// of a grid, so that the pieces on both sides of a seam have the same points on it. place turns a
// piece, which belongs to the clipper, into a polygon that belongs to the caller.
func strips(ctx context.Context, p geomgen.Polygon, box geomgen.Box, s crs.Seam, first, last int32, place func(piece geomgen.Polygon, strip int32) geomgen.Polygon) ([]geomgen.Polygon, error) {
	height := box.YMax - box.YMin
	g := geomgen.Grid{X0: s.X, DX: s.Period, Y0: box.YMin - height, DY: 3 * height}

	m, err := geomgen.NewMaskContext(ctx, g, []geomgen.Polygon{p}, geomgen.Intersects)
	if err != nil {
		return nil, err
	}

	c := geomgen.NewClipper(m)
	var pieces []geomgen.Polygon

	for col := first; col <= last; col++ {
		part, err := c.ClipContext(ctx, geomgen.Cell{Col: col})
		if err != nil {
			return nil, err
		}

		for _, piece := range polygonsOf(part) {
			pieces = append(pieces, place(piece, col))
		}
	}

	return pieces, nil
}

// polygonsOf returns the polygons of a part. The clipper overwrites them at its next use.
func polygonsOf(part geomgen.Part) []geomgen.Polygon {
	polygons := make([]geomgen.Polygon, len(part.Shells))
	for i, from := range part.Shells {
		to := len(part.Rings)
		if i+1 < len(part.Shells) {
			to = part.Shells[i+1]
		}

		polygons[i] = part.Rings[from:to]
	}

	return polygons
}

// numbered sets the polygon number of an error.
func numbered(err error, polygon int) error {
	var invalid *geomgen.InvalidError
	if errors.As(err, &invalid) {
		invalid.Polygon = polygon
	}

	return err
}

// shift moves a polygon of a strip to its place on the map.
func shift(p geomgen.Polygon, s crs.Seam, strip int32) geomgen.Polygon {
	shifted := make(geomgen.Polygon, len(p))
	for k, ring := range p {
		shifted[k] = make([]geomgen.Point, len(ring))
		for i, q := range ring {
			x := q.X - float64(float64(strip)*s.Period)
			shifted[k][i] = geomgen.Point{X: max(s.X, min(s.X+s.Period, x)), Y: q.Y}
		}
	}

	return shifted
}
