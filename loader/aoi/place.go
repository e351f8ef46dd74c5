package aoi

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/seam"
	"github.com/loadgrid/loadgrid/loader/crs"
)

// Place returns the area with its coordinates where the map of its CRS has them: what lies
// beyond the antimeridian, or another seam, comes round to the other side and is cut there;
// with Wrap, edges of more than 180 degrees take the short way. Coordinates within 1e-9
// degrees of the seam or a pole are taken for it. c is the area's CRS; where nothing is known
// of it, nothing happens. The error is a *geomgen.ParamError for latitudes and longitudes
// that cannot be and for edges that may mean either way, and an *geomgen.InvalidError for
// polygons that are not valid and would have to be cut. It ends with ctx, and with its cause.
func (a *Area) Place(ctx context.Context, c crs.CRS) (*Area, error) {
	s, ok := c.Seam()
	if !ok || a.ready {
		return a, nil
	}

	polygons, folded, err := a.placePolygons(ctx, a.Polygons, c, s)
	if err != nil {
		return nil, err
	}

	// Pieces of one feature that came round may meet those of another.
	placed := *a
	placed.Polygons, placed.Union = polygons, a.Union || folded

	return &placed, nil
}

// placePolygons is Place for some of the area's polygons, which are returned themselves where
// nothing changes. folded tells whether there are several now, and a piece came round the globe.
func (a *Area) placePolygons(ctx context.Context, polygons []geomgen.Polygon, c crs.CRS, s crs.Seam) (placed []geomgen.Polygon, folded bool, err error) {
	placed = polygons
	if c.Kind == crs.Geographic {
		f := seam.NewFrame(s, c.PerUnit)
		if err := a.checkLonLat(placed, c, f); err != nil {
			return nil, false, err
		}

		placed = f.Snap(placed)
		if a.Wrap {
			if placed, err = wrap(ctx, placed, f); err != nil {
				return nil, false, err
			}
		}
	}

	placed, folded, err = seam.Fold(ctx, placed, s)
	return placed, folded && len(placed) > 1, err
}

// CheckCoordinates refuses what Place refuses, before a server gets the polygons. It does
// not look whether they are valid.
func (a *Area) CheckCoordinates(c crs.CRS) error {
	s, ok := c.Seam()
	if !ok || a.ready || c.Kind != crs.Geographic {
		return nil
	}

	return a.checkLonLat(a.Polygons, c, seam.NewFrame(s, c.PerUnit))
}

// CheckPlaced refuses what Place would change of an area in a CRS that the server alone knows,
// so that the plan could not.
func (a *Area) CheckPlaced(ctx context.Context, c crs.CRS) error {
	placed, err := a.Place(ctx, c)
	if err != nil {
		return err
	}

	for i, p := range placed.Polygons {
		if len(placed.Polygons) != len(a.Polygons) || !slices.EqualFunc(p, a.Polygons[i], slices.Equal) {
			return BadArea("reaches beyond the antimeridian or a pole of EPSG:%d, which the server alone knows: give the area in a CRS that loadgrid knows too, such as EPSG:4326", c.SRID)
		}
	}

	return nil
}

// checkLonLat refuses, in some of the area's polygons, longitudes and latitudes that cannot be,
// and, without Wrap, edges that may go either way round the globe.
func (a *Area) checkLonLat(polygons []geomgen.Polygon, c crs.CRS, f seam.Frame) error {
	const cut = "cut it in two at 180 degrees, one part on each side (RFC 7946, 3.1.9), as ogr2ogr -wrapdateline does; or, if the short way is meant, say so with aoi-wrap"
	period, tolerance := f.Period(), seam.Tolerance*f.Period()

	for i, p := range polygons {
		for k, ring := range p {
			at := func(q geomgen.Point) string {
				return fmt.Sprintf("polygon %d, ring %d, at %s", i+1, k+1, feature.FormatPoint(q))
			}

			for n, q := range ring {
				switch {
				case math.Abs(q.Y) > f.YMax+tolerance:
					return BadArea("has a latitude beyond 90 degrees: %s: in EPSG:%d longitude comes first", at(q), c.SRID)
				case math.Abs(q.X) > period+tolerance:
					return BadArea("has a longitude beyond 360 degrees: %s", at(q))
				case n > 0 && !a.Wrap && f.LongWay(ring[n-1], q):
					return BadArea("crosses the antimeridian, or goes more than half round the earth in one segment: %s, from %s: %s; if the long way is meant, put a point in between",
						at(q), feature.FormatPoint(ring[n-1]), cut)
				}
			}
		}
	}

	return nil
}

// wrap takes the short way round the globe where an edge is longer than half of it.
func wrap(ctx context.Context, polygons []geomgen.Polygon, f seam.Frame) ([]geomgen.Polygon, error) {
	var wrapped []geomgen.Polygon
	for i, p := range polygons {
		pieces, err := f.ShortWay(ctx, p)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			return nil, BadArea("cannot be taken the short way round the earth, as aoi-wrap says: polygon %d: %w", i+1, err)
		}

		wrapped = append(wrapped, pieces...)
	}

	return wrapped, nil
}

// WithMapWarning adds a warning where the area reaches beyond the map of the grid's CRS in the
// north or south, at yMin and yMax in CRS units: no cells are made there.
func (a *Area) WithMapWarning(yMin, yMax float64) *Area {
	tolerance := seam.Tolerance * (yMax - yMin)

	for _, p := range a.Polygons {
		for _, q := range p[0] {
			if q.Y >= yMin-tolerance && q.Y <= yMax+tolerance {
				continue
			}

			warned := *a
			warned.Warnings = append(slices.Clone(a.Warnings), fmt.Sprintf(
				"the area of interest reaches beyond the map of the grid's CRS, which ends at y = %.0f in the south and %.0f in the north: no cells are made there", yMin, yMax))
			return &warned
		}
	}

	return a
}
