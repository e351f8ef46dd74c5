package area

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/seam"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/crs"
)

// transform takes the area to the grid's CRS and adds points along its edges, because a line that
// is straight in one CRS is not straight in the other. If the map of the grid's CRS has a seam,
// transform takes the area to longitude and latitude first, cuts it there, and then puts it on the
// map.
func (r *resolver) transform(ctx context.Context, from, to crs.CRS) error {
	m, seamed := mapOf(to)
	if s, ok := from.Seam(); ok && from.Kind == crs.Geographic && !(seamed && m.globe == from.SRID) {
		// An area that spans the whole globe has two edges that are one edge on other maps.
		var err error
		if r.area.Polygons, err = seam.Halve(ctx, r.area.Polygons, s); err != nil {
			return err
		}
	}

	if !seamed {
		return r.transformWhole(ctx, from, to)
	}

	globe, crosses, err := r.onGlobe(ctx, from, m)
	if err != nil {
		return err
	}

	if !crosses && !m.beyondBand(globe) {
		if m.globe != to.SRID {
			return r.transformWhole(ctx, from, to)
		}

		r.area.Polygons, r.area.SRID = globe, to.SRID
		return nil
	}

	if r.area.Polygons, err = m.inBand(ctx, globe, to); err != nil {
		return err
	}

	r.area.SRID = m.globe
	if m.globe == to.SRID {
		return nil
	}

	return r.onMap(ctx, m, to)
}

// globeMap describes how the map of a CRS lies on the globe.
type globeMap struct {
	globe int32 // the SRID of the geographic CRS of the frame
	frame seam.Frame
	band  float64 // the latitude in degrees where the map is cut, 0 if it reaches the poles
}

// beyondEnd is how far beyond the end of a Mercator map the area is cut, in degrees. It is more
// than 0 so that cells at the end lie completely in the area, and the plan sees that the area
// extended further.
const beyondEnd = 0.01

// mapOf returns the map of a CRS. seamed is false if the meridian opposite the map's middle is not
// a seam, as with transverse and azimuthal projections, and if nothing is known about it.
func mapOf(c crs.CRS) (m globeMap, seamed bool) {
	if c.Kind == crs.Geographic {
		s, ok := c.Seam()
		return globeMap{globe: c.SRID, frame: seam.NewFrame(s, c.PerUnit)}, ok
	}

	_, cylindrical := c.Seam()
	if c.Kind != crs.Projected || !cylindrical && withoutSeam(c.Method) {
		return globeMap{}, false
	}

	m = globeMap{globe: aoi.WGS84, frame: seam.Around(c.CentralMeridian)}
	if base, ok := crs.Known(c.Base); ok && base.Degrees() && base.CentralMeridian == 0 {
		m.globe = c.Base
	}
	if c.Mercator() {
		m.band = c.EndLatitude() + beyondEnd
	}

	return m, true
}

// withoutSeam tells whether the map of a projection continues beyond the meridian opposite its
// middle, as transverse, oblique and azimuthal projections do. The names are those of WKT 1 and of
// PROJ.
func withoutSeam(method string) bool {
	return slices.ContainsFunc([]string{
		"transverse", "oblique", "azimuthal", "stereographic", "orthographic", "gnomonic", "perspective", "cassini", "krovak", "zealand",
		"laborde", "tunisia", "geostationary", "tcea", "laea", "aeqd", "ortho", "gnom", "somerc", "nzmg", "labrd", "nsper", "tpers", "geos", "cass",
	}, func(part string) bool { return strings.Contains(method, part) })
}

// onGlobe returns the area in longitude and latitude, cut at the seam of a map. crosses is false if
// nothing had to be cut.
func (r *resolver) onGlobe(ctx context.Context, from crs.CRS, m globeMap) (globe []geomgen.Polygon, crosses bool, err error) {
	if from.SRID == m.globe {
		return seam.Fold(ctx, r.area.Polygons, m.frame.Seam())
	}

	plane, globe, err := r.pairs(ctx, from, m.globe)
	if err != nil {
		return nil, false, err
	}

	if !slices.ContainsFunc(globe, func(p geomgen.Polygon) bool { return m.frame.Crosses(p) }) {
		return globe, false, nil
	}

	var cut []geomgen.Polygon
	for i := range globe {
		rings := make([][]geomgen.Point, len(globe[i]))
		for k := range rings {
			t := track{plane: plane[i][k], globe: globe[i][k]}
			if err := r.refine(ctx, &t, from.SRID, m); err != nil {
				return nil, false, err
			}

			rings[k] = t.leftward(k > 0)
		}

		pieces, err := seam.Cut(ctx, rings, m.frame)
		switch {
		case ctx.Err() != nil:
			return nil, false, context.Cause(ctx)
		case err != nil:
			return nil, false, aoi.BadArea("cannot be cut at the seam of the grid's CRS: polygon %d: %w", i+1, err)
		}

		cut = append(cut, pieces...)
	}

	return cut, true, nil
}

// beyondBand tells whether polygons reach beyond the latitudes where the map is cut.
func (m globeMap) beyondBand(polygons []geomgen.Polygon) bool {
	if m.band == 0 {
		return false
	}

	return slices.ContainsFunc(polygons, func(p geomgen.Polygon) bool {
		return slices.ContainsFunc(p[0], func(q geomgen.Point) bool { return math.Abs(q.Y) > m.band })
	})
}

// inBand cuts off what lies beyond the map in the north and south. The plan warns about it.
func (m globeMap) inBand(ctx context.Context, globe []geomgen.Polygon, to crs.CRS) ([]geomgen.Polygon, error) {
	if !m.beyondBand(globe) {
		return globe, nil
	}

	inside, err := seam.Band(ctx, globe, m.frame, m.band)
	if err == nil && len(inside) == 0 {
		err = aoi.BadArea("lies beyond %.2f degrees north or south, where the map of EPSG:%d ends", m.band, to.SRID)
	}

	return inside, err
}

// onMap transforms the area from the globe to the grid's CRS. Each piece lies on one side of the
// seam, and must stay there. For the transformation its edge is therefore moved 1e-9 degrees away
// from the seam: PROJ may put a point on the seam itself on the other side.
func (r *resolver) onMap(ctx context.Context, m globeMap, to crs.CRS) error {
	const inset, back = 1e-9, 1e-3 // degrees; metres

	eachPoint(r.area.Polygons, func(p *geomgen.Point) {
		p.X = max(m.frame.XMin+inset, min(m.frame.XMax-inset, p.X))
	})

	globe, ok := crs.Known(m.globe)
	if !ok {
		globe = crs.CRS{SRID: m.globe, Kind: crs.Geographic, PerUnit: 1}
	}
	if err := r.transformWhole(ctx, globe, to); err != nil {
		return err
	}

	if s, ok := to.Seam(); ok {
		eachPoint(r.area.Polygons, func(p *geomgen.Point) {
			for _, x := range [...]float64{s.X, s.X + s.Period} {
				if math.Abs(p.X-x)*to.PerUnit < back {
					p.X = x
				}
			}
		})
	}

	return nil
}

// eachPoint calls do for each point.
func eachPoint(polygons []geomgen.Polygon, do func(*geomgen.Point)) {
	for _, p := range polygons {
		for _, ring := range p {
			for i := range ring {
				do(&ring[i])
			}
		}
	}
}

// transformWhole has the server transform the area as it is.
func (r *resolver) transformWhole(ctx context.Context, from, to crs.CRS) error {
	plane, there, err := r.pairs(ctx, from, to.SRID)
	if err != nil {
		return err
	}

	if err := checkTorn(plane, there, from, to); err != nil {
		return err
	}

	r.area.Polygons, r.area.SRID = there, to.SRID
	return nil
}

// pairs returns the area with added points, in its own CRS and in another one, point by point.
func (r *resolver) pairs(ctx context.Context, from crs.CRS, to int32) (plane, there []geomgen.Polygon, err error) {
	g := r.fn("st_geomfromewkb") + "($1::bytea)"
	if length := r.area.SegmentLength(from); length > 0 {
		g = r.fn("st_segmentize") + "(" + g + ", $3::float8)"
	} else {
		g = "(select " + g + " where $3::float8 = 0)"
	}

	what := fmt.Sprintf("transform the area from EPSG:%d to EPSG:%d", from.SRID, to)
	sql := "select " + r.fn("st_asewkb") + "(g), " + r.fn("st_asewkb") + "(" + r.fn("st_transform") + "(g, $2::integer)) from (select " + g + " as g) s"

	var a, b []byte
	if err := r.queryOne(ctx, what, sql, []any{r.marshal(), to, r.area.SegmentLength(from)}, &a, &b); err != nil {
		return nil, nil, err
	}

	if plane, _, err = r.read(what, a); err != nil {
		return nil, nil, err
	}

	there, _, err = r.read(what, b)
	return plane, there, err
}

// marshal encodes the area's polygons for the server.
func (r *resolver) marshal() []byte {
	if r.inOrder {
		return r.area.MarshalInOrder()
	}
	return r.area.Marshal()
}

// checkTorn refuses an area that the map of the grid's CRS tears apart: one of its segments is more
// than 1000 km long on the map, and more than a hundred times as long as it really is.
func checkTorn(plane, there []geomgen.Polygon, from, to crs.CRS) error {
	if to.Kind != crs.Projected || to.PerUnit == 0 {
		return nil
	}

	for i, p := range plane {
		for k, ring := range p {
			for n := 1; n < len(ring); n++ {
				mx, my, ok := from.Ground(ring[n].X, ring[n].Y)
				if !ok {
					return nil
				}

				a, b := there[i][k][n-1], there[i][k][n]
				on := math.Hypot(b.X-a.X, b.Y-a.Y) * to.PerUnit
				if ground := math.Hypot((ring[n].X-ring[n-1].X)*mx, (ring[n].Y-ring[n-1].Y)*my); on > 1e6 && on > 100*ground {
					return aoi.BadArea("reaches outside the area where EPSG:%d is usable: its map is torn near %g %g of EPSG:%d", to.SRID, ring[n].X, ring[n].Y, from.SRID)
				}
			}
		}
	}

	return nil
}
