package areafile

import (
	"strconv"

	"github.com/loadgrid/loadgrid/geomgen"
)

// PolygonReader gathers the polygons of geometries.
type PolygonReader struct {
	Parts   int    // how many geometries with polygons, which may overlap
	Where   string // in which feature or row it is at work, for messages
	dropped bool   // there were coordinates beside x and y
	gatherer
}

// file returns what was collected.
func (c *PolygonReader) file(srid int32) *File {
	f := &File{SRID: srid, Polygons: c.take(), Union: c.Parts > 1}
	f.Warnings = c.Warnings()
	return f
}

// Polygons returns the polygons, once: the reader has none afterwards. The error is a
// *geomgen.ParamError where there were more positions than Max.
func (c *PolygonReader) Polygons() ([]geomgen.Polygon, error) {
	if c.over() {
		return nil, c.limitError()
	}
	return c.take(), nil
}

// Warnings say, for people, what was left out.
func (c *PolygonReader) Warnings() []string {
	if !c.dropped {
		return nil
	}
	return []string{"the area of interest has coordinates beside x and y: they are dropped"}
}

// refuse reports a geometry that is no polygon.
func (c *PolygonReader) refuse(kind string) error {
	return BadArea("holds a %s%s: an area of interest is made of polygons", kind, c.Where)
}

// check refuses rings that cannot be sent to a server. The polygons from the first
// on are one geometry's.
func (c *PolygonReader) check(first int) error {
	if c.polygons.n > first {
		c.Parts++
	}

	for i := first; i < c.polygons.n; i++ {
		for k, ring := range c.polygons.at(i) {
			if at, reason := geomgen.RingFault(ring); reason != "" {
				return BadArea("is not valid%s: %w", c.Where, &geomgen.InvalidError{Polygon: i + 1, Ring: k, At: at, Reason: reason})
			}
		}
	}

	return nil
}

// FormatPoint writes a point's coordinates, never with an exponent.
func FormatPoint(p geomgen.Point) string {
	return strconv.FormatFloat(p.X, 'f', -1, 64) + " " + strconv.FormatFloat(p.Y, 'f', -1, 64)
}
