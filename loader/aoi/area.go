// Package aoi owns areas of interest: where their coordinates lie on a map, and what tells
// two of them apart.
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

// Area is an area of interest: polygons that select cells by a rule. Either
// Polygons or SQL is required; Read makes the former of a file.
type Area struct {
	// Rule says which cells it selects. Defaults to geomgen.Intersects.
	Rule geomgen.Rule `json:"rule"`
	// SRID names the CRS of Polygons, or of what SQL returns without an SRID: ReadAs sets
	// it. Defaults to 0: the grid's.
	SRID int32 `json:"srid"`
	// SQL is a query that returns polygons or multipolygons in one column; several
	// rows are their union. It runs in a read-only transaction, on a connection of
	// its own.
	SQL string `json:"sql,omitempty"`
	// SQLTimeout is how long SQL may take on the server, at least a millisecond, at
	// most 24 days. What is longer is a *ServerError. Defaults to DefaultSQLTimeout.
	SQLTimeout time.Duration `json:"sql_timeout,omitempty"`
	// Segmentize is the longest segment that is transformed as one, in units of the
	// area's CRS: what is straight there is not in the grid's. 0 leaves segments as
	// they are. Defaults to about 1 km on the ground: see SegmentLength.
	Segmentize *float64 `json:"segmentize,omitempty"`
	// MakeValid lets the server mend polygons that are not valid, by ST_MakeValid.
	// Defaults to false: they are an error.
	MakeValid bool `json:"make_valid,omitempty"`
	// Wrap says that an edge of more than 180 degrees of longitude means the short way
	// round the globe, across the antimeridian. Defaults to false: it is an error, since it
	// may mean either.
	Wrap bool `json:"wrap,omitempty"`
	// MaxPositions is how many positions the area may have, as it is read and as the server
	// gives it: one with more is an error. It is not part of what tells areas apart.
	// Defaults to DefaultMaxPositions.
	MaxPositions int64 `json:"max_positions,omitempty"`
	// Polygons are the area. In the ledger they stand beside the job.
	Polygons []geomgen.Polygon `json:"-"`
	// Layer has the features with polygons of their own, where ReadOptions ask for attributes. A
	// server, and the plan, make of it what they make of Polygons. In the ledger it stands beside
	// the job.
	Layer *Layer `json:"-"`
	// Union says that the polygons are several features', which may overlap: the
	// area is their union.
	Union bool `json:"-"`
	// Warnings say, for people, what of the input was left out.
	Warnings []string `json:"-"`

	ready bool // a server has made the polygons what they are to be
}

// Feature says which polygons of an area belong to a feature: those from First, which counts from 0,
// to End, which is the one behind the last; and its Values, in the order of ReadOptions.Attributes.
type Feature = feature.Feature

// Value is the value of an attribute: nil for none, bool, int64, float64, string, feature.Date or
// time.Time. Lists and objects of GeoJSON are strings of JSON.
type Value = feature.Value

// WGS84 is the SRID of WGS 84, whose coordinates have bounds.
const WGS84 = areafile.WGS84

// DefaultMaxPositions is how many positions an area may have when nobody says.
const DefaultMaxPositions = gather.DefaultMax

// BadArea returns a *geomgen.ParamError about the area of interest.
func BadArea(format string, args ...any) error { return feature.BadArea(format, args...) }

// CheckMaxPositions refuses a limit that is none.
func (a *Area) CheckMaxPositions() error {
	if a.MaxPositions < 0 {
		return &geomgen.ParamError{Param: "aoi-max-positions", Value: fmt.Sprint(a.MaxPositions), Reason: "must not be negative"}
	}
	return nil
}

// NeedsServer tells whether a server must make the area ready for a grid, and why.
func (a *Area) NeedsServer(srid int32) (need bool, why string) {
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

// CheckSRID refuses an area with a CRS for a grid without one.
func (a *Area) CheckSRID(srid int32) error {
	if a.SRID != 0 && srid == 0 {
		return &geomgen.ParamError{Param: "srid", Value: "0", Reason: fmt.Sprintf(
			"leaves the grid without a CRS, and the area of interest is in EPSG:%d: give the grid's", a.SRID)}
	}

	return nil
}

// Marshal returns the polygons as the EWKB of a MultiPolygon. It is the same for the
// same polygons, whatever their order and wherever their rings begin.
func (a *Area) Marshal() []byte {
	return marshal(a.SRID, canonical(a.Polygons))
}

// MarshalInOrder is Marshal with the polygons in their order.
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

// Unmarshal takes over what Marshal returned of an area that was ready.
func (a *Area) Unmarshal(b []byte) error {
	var c gather.Collector
	c.Max = math.MaxInt64 // whoever made it may have allowed more
	srid, err := c.WKB(b)
	if err != nil {
		return err
	}

	a.Polygons, err = c.Polygons()
	a.SRID, a.ready = srid, true

	return err
}

// Digest returns what tells areas apart in a fingerprint.
func (a *Area) Digest() string {
	sum := sha256.Sum256(a.Marshal())
	return hex.EncodeToString(sum[:])
}

// FeaturesDigest returns what tells the features of areas apart in a fingerprint, "" where none are
// known.
func (a *Area) FeaturesDigest() string {
	if a.Layer == nil {
		return ""
	}
	return a.Layer.Digest()
}

// UnmarshalLayer takes over what Layer.Marshal returned.
func (a *Area) UnmarshalLayer(b []byte) (err error) {
	a.Layer, err = unmarshalLayer(b)
	return err
}

// Ready tells whether a server has made the polygons what they are to be, or
// whether they come from the ledger, which keeps only such.
func (a *Area) Ready() bool { return a.ready }

// SetReady notes that the polygons are what they are to be.
func (a *Area) SetReady() { a.ready = true }
