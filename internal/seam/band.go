package seam

import (
	"context"
	"slices"

	"github.com/loadgrid/loadgrid/geomgen"
)

// Band returns the parts of polygons that lie between two parallels, limit degrees north and south.
// Each polygon must be valid by itself and lie in the frame. Band ends with ctx.
func Band(ctx context.Context, polygons []geomgen.Polygon, f Frame, limit float64) ([]geomgen.Polygon, error) {
	g := geomgen.Grid{X0: f.XMin - f.Period(), DX: 3 * f.Period(), Y0: -limit, DY: 2 * limit}

	var inside []geomgen.Polygon
	for i, p := range polygons {
		m, err := geomgen.NewMaskContext(ctx, g, []geomgen.Polygon{p}, geomgen.Intersects)
		if err != nil {
			return nil, numbered(err, i+1)
		}

		part, err := geomgen.NewClipper(m).ClipContext(ctx, geomgen.Cell{})
		if err != nil {
			return nil, err
		}

		if part.Share > 0 && len(part.Rings) == 0 {
			inside = append(inside, p)
			continue
		}

		for _, piece := range polygonsOf(part) {
			inside = append(inside, clone(piece))
		}
	}

	return inside, nil
}

// clone returns a deep copy of a polygon.
func clone(p geomgen.Polygon) geomgen.Polygon {
	own := make(geomgen.Polygon, len(p))
	for k, ring := range p {
		own[k] = slices.Clone(ring)
	}

	return own
}
