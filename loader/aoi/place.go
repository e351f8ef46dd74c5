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

// Place returns the area with its coordinates inside the map of its CRS. A part beyond the antimeridian, or
// another seam, wraps around to the other side, and the area is cut there. With Wrap, edges of more than 180
// degrees take the short way. Coordinates within 1e-9 degrees of the seam or a pole are moved onto it. c is the
// area's CRS. If c is unknown, the area stays unchanged.
//
// The error is a *geomgen.ParamError for impossible latitudes and longitudes, and for edges that may mean either
// way. It is a *geomgen.InvalidError for invalid polygons that would have to be cut. If ctx ends, the error is
// its cause.
func (a *Area) Place(ctx context.Context, c crs.CRS) (*Area, error) {
	s, ok := c.Seam()
	if !ok || a.ready {
		return a, nil
	}

	polygons, folded, err := a.placePolygons(ctx, a.Polygons, c, s)
	if err != nil {
		return nil, err
	}

	// Wrapped pieces of one feature may meet pieces of another.
	placed := *a
	placed.Polygons, placed.Union = polygons, a.Union || folded

	return &placed, nil
}

// placePolygons is Place for some of the area's polygons. It returns the same slice if nothing changes. folded
// reports whether there are now several polygons and one of them wrapped around the globe.
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

// CheckCoordinates refuses what Place refuses, before a server gets the polygons. It does not check whether they
// are valid.
func (a *Area) CheckCoordinates(c crs.CRS) error {
	s, ok := c.Seam()
	if !ok || a.ready || c.Kind != crs.Geographic {
		return nil
	}

	return a.checkLonLat(a.Polygons, c, seam.NewFrame(s, c.PerUnit))
}

// CheckPlaced refuses an area that Place would change, in a CRS that only the server knows, because the plan
// could not place it.
func (a *Area) CheckPlaced(ctx context.Context, c crs.CRS) error {
	placed, err := a.Place(ctx, c)
	if err != nil {
		return err
	}

	for i, p := range placed.Polygons {
		if len(placed.Polygons) != len(a.Polygons) || !slices.EqualFunc(p, a.Polygons[i], slices.Equal) {
			return BadArea("reaches beyond the antimeridian or a pole of EPSG:%d, which only the server knows: give the area in a CRS that loadgrid also knows, such as EPSG:4326", c.SRID)
		}
	}

	return nil
}

// checkLonLat refuses impossible longitudes and latitudes in some of the area's polygons. Without Wrap, it also
// refuses edges that may go either way round the globe.
func (a *Area) checkLonLat(polygons []geomgen.Polygon, c crs.CRS, f seam.Frame) error {
	const cut = "cut it in two at 180 degrees, with one part on each side (RFC 7946, 3.1.9), as ogr2ogr -wrapdateline does; or set aoi-wrap if you mean the short way"
	period, tolerance := f.Period(), seam.Tolerance*f.Period()

	for i, p := range polygons {
		for k, ring := range p {
			at := func(q geomgen.Point) string {
				return fmt.Sprintf("polygon %d, ring %d, at %s", i+1, k+1, feature.FormatPoint(q))
			}

			for n, q := range ring {
				switch {
				case math.Abs(q.Y) > f.YMax+tolerance:
					return BadArea("has a latitude beyond 90 degrees: %s: in EPSG:%d, longitude comes first", at(q), c.SRID)
				case math.Abs(q.X) > period+tolerance:
					return BadArea("has a longitude beyond 360 degrees: %s", at(q))
				case n > 0 && !a.Wrap && f.LongWay(ring[n-1], q):
					return BadArea("crosses the antimeridian, or goes more than half round the earth in one segment: %s, from %s: %s; if you mean the long way, add a point in between",
						at(q), feature.FormatPoint(ring[n-1]), cut)
				}
			}
		}
	}

	return nil
}

// wrap makes an edge longer than half the globe take the short way.
func wrap(ctx context.Context, polygons []geomgen.Polygon, f seam.Frame) ([]geomgen.Polygon, error) {
	var wrapped []geomgen.Polygon
	for i, p := range polygons {
		pieces, err := f.ShortWay(ctx, p)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			return nil, BadArea("cannot take the short way round the earth, which aoi-wrap asks for: polygon %d: %w", i+1, err)
		}

		wrapped = append(wrapped, pieces...)
	}

	return wrapped, nil
}

// WithMapWarning adds a warning if the area reaches beyond the map of the grid's CRS in the north or south. yMin
// and yMax are the ends of the map in CRS units. There are no cells beyond them.
func (a *Area) WithMapWarning(yMin, yMax float64) *Area {
	tolerance := seam.Tolerance * (yMax - yMin)

	for _, p := range a.Polygons {
		for _, q := range p[0] {
			if q.Y >= yMin-tolerance && q.Y <= yMax+tolerance {
				continue
			}

			warned := *a
			warned.Warnings = append(slices.Clone(a.Warnings), fmt.Sprintf(
				"the area of interest reaches beyond the map of the grid's CRS, which ends at y = %.0f in the south and %.0f in the north: there are no cells beyond", yMin, yMax))
			return &warned
		}
	}

	return a
}
