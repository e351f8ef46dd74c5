package loader

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"

	geom "github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/ewkb"

	"github.com/loadgrid/loadgrid/geomgen"
)

// Area is an area of interest: polygons that select cells by a rule. Either
// Polygons or SQL is required; ReadArea makes the former of a file.
type Area struct {
	// Rule says which cells it selects. Defaults to geomgen.Intersects.
	Rule geomgen.Rule `json:"rule"`
	// SRID names the CRS of Polygons. Defaults to 0: the grid's.
	SRID int32 `json:"srid"`
	// SQL is a query that returns polygons or multipolygons in one column; several
	// rows are their union. It runs in a read-only transaction.
	SQL string `json:"sql,omitempty"`
	// Segmentize is the longest segment that is transformed as one, in units of the
	// area's CRS: what is straight there is not in the grid's. 0 leaves segments as
	// they are. Defaults to 0.01 where the units are degrees, and to 1000 elsewhere.
	Segmentize *float64 `json:"segmentize,omitempty"`
	// MakeValid lets the server mend polygons that are not valid, by ST_MakeValid.
	// Defaults to false: they are an error.
	MakeValid bool `json:"make_valid,omitempty"`
	// Polygons are the area. In the ledger they stand beside the job.
	Polygons []geomgen.Polygon `json:"-"`
	// Union says that the polygons are several features', which may overlap: the
	// area is their union.
	Union bool `json:"-"`
	// Warnings say, for people, what of the input was left out.
	Warnings []string `json:"-"`

	ready bool // a server has made the polygons what they are to be
}

// lonLat is the SRID of WGS 84, whose coordinates have bounds.
const lonLat = 4326

func badArea(format string, args ...any) error {
	return &geomgen.ParamError{Param: "aoi", Value: "(the area)", Reason: fmt.Errorf(format, args...).Error()}
}

// needsServer tells whether a server must make the area ready for a grid, and why.
func (a *Area) needsServer(srid int32) (need bool, why string) {
	switch {
	case a.ready:
		return false, ""
	case a.SQL != "":
		return true, "it is a query"
	case a.SRID != 0 && a.SRID != srid && srid != 0:
		return true, fmt.Sprintf("it is in EPSG:%d and the grid in EPSG:%d", a.SRID, srid)
	}
	return false, ""
}

// check refuses coordinates that cannot be: before the server gets them.
func (a *Area) check(srid int32) error {
	if a.SRID != 0 && srid == 0 {
		return &geomgen.ParamError{Param: "srid", Value: "0", Reason: fmt.Sprintf(
			"leaves the grid without a CRS, and the area of interest is in EPSG:%d: give the grid's", a.SRID)}
	}
	if a.SRID == lonLat || a.SRID == 0 && srid == lonLat {
		return checkLonLat(a.Polygons)
	}
	return nil
}

// Marshal returns the polygons as the EWKB of a MultiPolygon.
func (a *Area) Marshal() []byte {
	b := geomgen.AppendMultiPolygonHeader(nil, a.SRID, len(a.Polygons))
	for _, p := range a.Polygons {
		b = geomgen.AppendPolygon(b, p)
	}
	return b
}

// unmarshal takes over what Marshal returned of an area that was ready.
func (a *Area) unmarshal(b []byte) error {
	polygons, srid, _, err := decodeEWKB(b)
	if err != nil {
		return err
	}
	a.Polygons, a.SRID, a.ready = polygons, srid, true
	return nil
}

// decodeEWKB reads polygons that the server, or Marshal, has written.
func decodeEWKB(b []byte) (polygons []geomgen.Polygon, srid int32, flat bool, err error) {
	g, err := ewkb.Unmarshal(b)
	if err != nil {
		return nil, 0, false, badArea("cannot be read from %d bytes of EWKB, an area of interest is made of polygons: %w", len(b), err)
	}
	var c collector
	err = c.add(g)
	return c.polygons, int32(g.SRID()), !c.dropped, err
}

// digest returns what tells areas apart in a fingerprint, "" for none.
func (a *Area) digest() string {
	if a == nil {
		return ""
	}
	sum := sha256.Sum256(a.Marshal())
	return hex.EncodeToString(sum[:])
}

func (a *Area) rule() geomgen.Rule {
	if a == nil {
		return ""
	}
	return a.Rule
}

// collector gathers the polygons of geometries.
type collector struct {
	polygons []geomgen.Polygon
	dropped  bool // there were coordinates beside x and y
}

// add adds the polygons of a geometry. What is none is an error.
func (c *collector) add(g geom.T) error {
	switch g := g.(type) {
	case *geom.Polygon:
		return c.addPolygon(g)
	case *geom.MultiPolygon:
		for i := range g.NumPolygons() {
			if err := c.addPolygon(g.Polygon(i)); err != nil {
				return err
			}
		}
		return nil
	case *geom.GeometryCollection:
		for _, part := range g.Geoms() {
			if err := c.add(part); err != nil {
				return err
			}
		}
		return nil
	}
	return badArea("holds a %s: an area of interest is made of polygons", geometryName(g))
}

func geometryName(g geom.T) string {
	switch g.(type) {
	case *geom.Point:
		return "Point"
	case *geom.MultiPoint:
		return "MultiPoint"
	case *geom.LineString:
		return "LineString"
	case *geom.MultiLineString:
		return "MultiLineString"
	}
	return fmt.Sprintf("%T", g)
}

func (c *collector) addPolygon(g *geom.Polygon) error {
	if g.NumLinearRings() == 0 {
		return nil // empty
	}
	c.dropped = c.dropped || g.Layout().Stride() > 2
	var p geomgen.Polygon
	for k := range g.NumLinearRings() {
		ring, err := c.ring(g.LinearRing(k), k)
		if err != nil {
			return err
		}
		p = append(p, ring)
	}
	c.polygons = append(c.polygons, p)
	return nil
}

// ring takes a ring over, if it is one that can be sent to a server.
func (c *collector) ring(g *geom.LinearRing, hole int) ([]geomgen.Point, error) {
	flat, stride := g.FlatCoords(), g.Stride()
	ring := make([]geomgen.Point, 0, g.NumCoords())
	fault := func(p geomgen.Point, reason string) error {
		return badArea("is not valid: %w", &geomgen.InvalidError{Polygon: len(c.polygons) + 1, Ring: hole, At: p, Reason: reason})
	}
	for i := 0; i+1 < len(flat); i += stride {
		p := geomgen.Point{X: flat[i], Y: flat[i+1]}
		if bad := p.X - p.X + p.Y - p.Y; bad != 0 {
			return nil, fault(p, "has a coordinate that is not finite")
		}
		ring = append(ring, p)
	}
	switch n := len(ring); {
	case n == 0:
		return nil, fault(geomgen.Point{}, "has no points")
	case ring[0] != ring[n-1]:
		return nil, fault(ring[n-1], "is not closed: its last point is not its first")
	case n < 4:
		return nil, fault(ring[0], "has fewer than four points")
	}
	return ring, nil
}

// checkLonLat refuses degrees that are none, and edges that go the long way round
// the earth.
func checkLonLat(polygons []geomgen.Polygon) error {
	const cut = "cut it in two at 180 degrees, one part on each side (RFC 7946, 3.1.9), as ogr2ogr -wrapdateline does"
	for i, p := range polygons {
		for k, ring := range p {
			at := func(q geomgen.Point) string {
				return fmt.Sprintf("polygon %d, ring %d, at %g %g", i+1, k+1, q.X, q.Y)
			}
			for n, q := range ring {
				switch {
				case math.Abs(q.Y) > 90:
					return badArea("has a latitude beyond 90 degrees: %s: in EPSG:4326 longitude comes first", at(q))
				case math.Abs(q.X) > 360:
					return badArea("has a longitude beyond 180 degrees: %s", at(q))
				case math.Abs(q.X) > 180:
					return badArea("crosses the antimeridian: %s: %s", at(q), cut)
				case n == 0:
					continue
				}
				// From edge to edge of the world goes a polygon that has a pole in it.
				if d := math.Abs(q.X - ring[n-1].X); d > 180 && d < 360 {
					return badArea("crosses the antimeridian, or goes more than half round the earth in one segment: %s, from %g %g: %s; if the long way is meant, put a point in between",
						at(q), ring[n-1].X, ring[n-1].Y, cut)
				}
			}
		}
	}
	return nil
}
