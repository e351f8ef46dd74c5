// Package aoi owns areas of interest: reading them, placing their coordinates on a map, and telling them apart.
package aoi

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"time"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/areafile"
	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/gather"
)

// Area is an area of interest: polygons that select cells by a rule. It needs either Polygons or SQL. Read
// returns Polygons from a file.
type Area struct {
	// Rule is how the area selects cells. Defaults to geomgen.Intersects.
	Rule geomgen.Rule `json:"rule"`
	// SRID is the CRS of Polygons, or of geometries that SQL returns without an SRID. ReadAs sets it. Defaults to
	// 0, the grid's CRS.
	SRID int32 `json:"srid"`
	// SQL is a query that returns polygons or multipolygons in one column. The area is the union of all rows. The
	// query runs in a read-only transaction, on a connection of its own.
	SQL string `json:"sql,omitempty"`
	// SQLTimeout limits SQL on the server, from a millisecond to 24 days. A query that takes longer is a
	// *ServerError. Defaults to DefaultSQLTimeout.
	SQLTimeout time.Duration `json:"sql_timeout,omitempty"`
	// Segmentize is the longest segment that is transformed without adding points, in units of the area's CRS. A
	// line that is straight in that CRS may be curved in the grid's. 0 adds no points. Defaults to about 1 km on
	// the ground: see SegmentLength.
	Segmentize *float64 `json:"segmentize,omitempty"`
	// MakeValid lets the server repair invalid polygons with ST_MakeValid. Defaults to false, which makes them an
	// error.
	MakeValid bool `json:"make_valid,omitempty"`
	// Wrap makes an edge of more than 180 degrees of longitude take the short way round the globe, across the
	// antimeridian. Defaults to false, which makes such an edge an error, because it may mean either way.
	Wrap bool `json:"wrap,omitempty"`
	// MaxPositions limits the number of positions of the area, both as read and as the server returns it. An area
	// with more is an error. The limit is not part of the area's digest. Defaults to DefaultMaxPositions.
	MaxPositions int64 `json:"max_positions,omitempty"`
	// Polygons are the area. The ledger stores them separately from the job.
	Polygons []geomgen.Polygon `json:"-"`
	// Layer has the features with their own polygons, if ReadOptions ask for attributes. A server and the plan
	// transform them in the same way as Polygons. The ledger stores them separately from the job.
	Layer *Layer `json:"-"`
	// Union is true if the polygons belong to several features, which may overlap: the area is their union.
	Union bool `json:"-"`
	// Warnings describe, for people, what was left out of the input.
	Warnings []string `json:"-"`

	ready bool // a server has prepared the polygons
}

// Feature is the part of an area that belongs to one feature: the polygons from index First up to, and excluding,
// End, and its Values, in the order of ReadOptions.Attributes.
type Feature = feature.Feature

// Value is the value of an attribute: nil for NULL, or a bool, int64, float64, string, feature.Date or time.Time.
// Lists and objects in GeoJSON become strings of JSON.
type Value = feature.Value

// WGS84 is the SRID of WGS 84, whose coordinates are limited.
const WGS84 = areafile.WGS84

// DefaultMaxPositions is the default limit for the positions of an area.
const DefaultMaxPositions = gather.DefaultMax

// BadArea returns a *geomgen.ParamError about the area of interest.
func BadArea(format string, args ...any) error { return feature.BadArea(format, args...) }

// CheckMaxPositions refuses an impossible limit.
func (a *Area) CheckMaxPositions() error {
	if a.MaxPositions < 0 {
		return &geomgen.ParamError{Param: "aoi-max-positions", Value: fmt.Sprint(a.MaxPositions), Reason: "must not be negative"}
	}
	return nil
}

// NeedsServer reports whether a server must prepare the area for a grid, and why.
func (a *Area) NeedsServer(srid int32) (need bool, why string) {
	switch {
	case a.ready:
		return false, ""
	case a.SQL != "":
		return true, "it is a query"
	case a.SRID != 0 && a.SRID != srid && srid != 0:
		return true, fmt.Sprintf("it is in EPSG:%d and the grid is in EPSG:%d", a.SRID, srid)
	}

	return false, ""
}

// CheckSRID refuses an area with a CRS for a grid without one.
func (a *Area) CheckSRID(srid int32) error {
	if a.SRID != 0 && srid == 0 {
		return &geomgen.ParamError{Param: "srid", Value: "0", Reason: fmt.Sprintf(
			"leaves the grid without a CRS, but the area of interest is in EPSG:%d: set the grid's SRID", a.SRID)}
	}

	return nil
}

// Marshal returns the polygons as the EWKB of a MultiPolygon. The result does not depend on the order of the
// polygons, nor on where their rings begin.
func (a *Area) Marshal() []byte {
	return marshal(a.SRID, canonical(a.Polygons))
}

// MarshalInOrder is Marshal, but keeps the order of the polygons.
func (a *Area) MarshalInOrder() []byte { return marshal(a.SRID, a.Polygons) }

func marshal(srid int32, polygons []geomgen.Polygon) []byte {
	return appendPolygons(make([]byte, 0, polygonsSize(srid, polygons)), srid, polygons)
}

// appendPolygons appends polygons as the EWKB of a MultiPolygon.
func appendPolygons(b []byte, srid int32, polygons []geomgen.Polygon) []byte {
	b = geomgen.AppendMultiPolygonHeader(b, srid, len(polygons))
	for _, p := range polygons {
		b = geomgen.AppendPolygon(b, p)
	}
	return b
}

// polygonsSize returns how many bytes appendPolygons appends.
func polygonsSize(srid int32, polygons []geomgen.Polygon) int {
	const head, number, position = 1 + 4, 4, 16
	n := head + number
	if srid != 0 {
		n += number
	}

	for _, p := range polygons {
		n += head + number
		for _, ring := range p {
			n += number + position*len(ring)
		}
	}
	return n
}

// Unmarshal reads what Marshal returned for an area that was ready.
func (a *Area) Unmarshal(b []byte) error {
	var c gather.Collector
	c.Max = math.MaxInt64 // the area may have had a higher limit
	srid, err := c.WKB(b)
	if err != nil {
		return err
	}

	a.Polygons, err = c.Polygons()
	a.SRID, a.ready = srid, true

	return err
}

// Digest returns what identifies the area in a fingerprint.
func (a *Area) Digest() string {
	sum := sha256.Sum256(a.Marshal())
	return hex.EncodeToString(sum[:])
}

// FeaturesDigest returns what identifies the area's features in a fingerprint, or "" if they are unknown.
func (a *Area) FeaturesDigest() string {
	if a.Layer == nil {
		return ""
	}
	return a.Layer.Digest()
}

// UnmarshalLayer reads what Layer.Marshal returned.
func (a *Area) UnmarshalLayer(b []byte) (err error) {
	a.Layer, err = unmarshalLayer(b)
	return err
}

// Ready reports whether the polygons are final: a server has prepared them, or they come from the ledger, which
// stores only final ones.
func (a *Area) Ready() bool { return a.ready }

// SetReady marks the polygons as final.
func (a *Area) SetReady() { a.ready = true }
