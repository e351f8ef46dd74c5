package aoi

import (
	"fmt"
	"strconv"

	geom "github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/ewkb"

	"github.com/loadgrid/loadgrid/geomgen"
)

// PolygonReader gathers the polygons of geometries.
type PolygonReader struct {
	Polygons []geomgen.Polygon
	Parts    int    // how many geometries with polygons, which may overlap
	dropped  bool   // there were coordinates beside x and y
	Where    string // in which feature or row it is at work, for messages
}

// newArea returns what was collected.
func (c *PolygonReader) newArea(srid int32) *Area {
	a := &Area{SRID: srid, Polygons: c.Polygons, Union: c.Parts > 1}
	a.Warnings = c.Warnings()
	return a
}

// Warnings say, for people, what was left out.
func (c *PolygonReader) Warnings() []string {
	if !c.dropped {
		return nil
	}
	return []string{"the area of interest has coordinates beside x and y: they are dropped"}
}

// add adds the polygons of a geometry. What is none is an error.
func (c *PolygonReader) add(g geom.T) error {
	switch g := g.(type) {
	case *geom.Polygon:
		first := len(c.Polygons)
		c.addPolygon(g)

		return c.check(first)
	case *geom.MultiPolygon:
		first := len(c.Polygons)
		for i := range g.NumPolygons() {
			c.addPolygon(g.Polygon(i))
		}

		return c.check(first)
	case *geom.GeometryCollection:
		for _, part := range g.Geoms() {
			if err := c.add(part); err != nil {
				return err
			}
		}

		return nil
	case *geom.Point:
		return c.refuse("Point")
	case *geom.MultiPoint:
		return c.refuse("MultiPoint")
	case *geom.LineString:
		return c.refuse("LineString")
	case *geom.MultiLineString:
		return c.refuse("MultiLineString")
	}

	return c.refuse(fmt.Sprintf("%T", g))
}

// AddEWKB adds the polygons that the server, or Area.Marshal, has written.
func (c *PolygonReader) AddEWKB(b []byte) (srid int32, err error) {
	var g geom.T
	if err = checkEWKB(b); err == nil {
		g, err = ewkb.Unmarshal(b)
	}

	if err != nil {
		return 0, BadArea("cannot be read%s, from %d bytes of EWKB: %w", c.Where, len(b), err)
	}

	if srid = int32(g.SRID()); srid < 0 {
		return 0, BadArea("cannot be read%s: its SRID is %d", c.Where, srid)
	}

	return srid, c.add(g)
}

// refuse reports a geometry that is no polygon.
func (c *PolygonReader) refuse(kind string) error {
	return BadArea("holds a %s%s: an area of interest is made of polygons", kind, c.Where)
}

func (c *PolygonReader) addPolygon(g *geom.Polygon) {
	if g.NumLinearRings() == 0 {
		return // empty
	}

	c.dropped = c.dropped || g.Stride() > 2
	var p geomgen.Polygon

	for k := range g.NumLinearRings() {
		r := g.LinearRing(k)
		flat, stride := r.FlatCoords(), r.Stride()
		ring := make([]geomgen.Point, 0, r.NumCoords())

		for i := 0; i+1 < len(flat); i += stride {
			ring = append(ring, geomgen.Point{X: flat[i], Y: flat[i+1]})
		}

		p = append(p, ring)
	}

	c.Polygons = append(c.Polygons, p)
}

// check refuses rings that cannot be sent to a server. The polygons from the first
// on are one geometry's.
func (c *PolygonReader) check(first int) error {
	if len(c.Polygons) > first {
		c.Parts++
	}

	for i := first; i < len(c.Polygons); i++ {
		for k, ring := range c.Polygons[i] {
			if at, reason := geomgen.RingFault(ring); reason != "" {
				return BadArea("is not valid%s: %w", c.Where, &geomgen.InvalidError{Polygon: i + 1, Ring: k, At: at, Reason: reason})
			}
		}
	}

	return nil
}

// formatPoint writes a point's coordinates, never with an exponent.
func formatPoint(p geomgen.Point) string {
	return strconv.FormatFloat(p.X, 'f', -1, 64) + " " + strconv.FormatFloat(p.Y, 'f', -1, 64)
}
