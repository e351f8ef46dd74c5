package crs

import (
	"math"
	"strings"

	"github.com/loadgrid/loadgrid/internal/wkt"
)

// definition is the content of a text before it becomes a CRS.
type definition struct {
	name      string
	kind      Kind
	unit      unit
	base      int32   // EPSG code of the geographic CRS; 0 if it has none
	own       bool    // base belongs to the whole CRS, not to a part
	meridian  float64 // prime meridian, in degrees east of Greenwich
	a, rf     float64
	method    string
	parameter map[string]float64 // in degrees, in CRS units, or a factor
	wrap      float64            // middle of the longitudes, if a text moves it
}

// Keywords of the kinds in WKT 1 and WKT 2.
func kindOf(keyword string) Kind {
	switch keyword {
	case "GEOGCS", "GEOGCRS", "GEOGRAPHICCRS", "BASEGEOGCRS", "GEODCRS", "GEODETICCRS", "BASEGEODCRS":
		return Geographic
	case "PROJCS", "PROJCRS", "PROJECTEDCRS", "DERIVEDPROJCRS", "BASEPROJCRS":
		return Projected
	case "GEOCCS":
		return Geocentric
	case "LOCAL_CS", "ENGCRS", "ENGINEERINGCRS":
		return Engineering
	}

	return Unknown
}

// readDefinition reads WKT. ok is false if the text is not WKT, or its kind is not supported, such as heights.
func readDefinition(srtext string) (d definition, ok bool) {
	nodes, ok := wkt.Read(srtext)
	if !ok {
		return definition{}, false
	}

	n := nodes[0]
	d.own = len(nodes) == 1
	d.horizontal(n)

	if n.Keyword == "COMPD_CS" || n.Keyword == "COMPOUNDCRS" {
		d.name = n.Name()
	}

	return d, d.kind != Unknown
}

// horizontal looks for the part that defines x and y, in a compound CRS and in one that a transformation binds to
// another.
func (d *definition) horizontal(n wkt.Node) {
	switch n.Keyword {
	case "COMPD_CS", "COMPOUNDCRS", "SOURCECRS":
		d.own = d.own && n.Keyword == "SOURCECRS"
		for _, in := range n.Nodes {
			if d.horizontal(in); d.kind != Unknown {
				return
			}
		}

	case "BOUNDCRS":
		if source, ok := n.Find("SOURCECRS"); ok {
			d.horizontal(source)
		}

	default:
		d.simple(n)
	}
}

func (d *definition) simple(n wkt.Node) {
	d.kind = kindOf(n.Keyword)
	d.name = n.Name()

	if cs, ok := n.Find("CS"); ok && d.kind == Geographic && strings.EqualFold(cs.Name(), "Cartesian") {
		d.kind = Geocentric
	}

	switch d.kind {
	case Geographic:
		d.unit = unitOf(n, angleOf)
		d.geodetic(n, d.unit)
	case Projected:
		d.unit = unitOf(n, lengthOf)
		d.projected(n)
	case Geocentric:
		d.unit = unitOf(n, lengthOf)
		d.geodetic(n, unit{"degree", 1})
		d.base = 0
	case Engineering:
		d.unit = unitOf(n, lengthOf)
	}
}

// geodetic reads datum, prime meridian and code. angle is the unit of a prime meridian without a unit.
func (d *definition) geodetic(n wkt.Node, angle unit) {
	d.base = n.EPSG()

	// A derived CRS, such as one with a rotated pole, has the datum of its base.
	from := n
	if base, ok := n.Find("BASEGEOGCRS", "BASEGEODCRS"); ok {
		from = base
	}

	datum, _ := from.Find("DATUM", "ENSEMBLE", "GEODETICDATUM", "TRF")
	if e, ok := datum.Find("SPHEROID", "ELLIPSOID"); ok {
		d.a, _ = e.Number(1)
		d.rf, _ = e.Number(2)
		if u := unitOf(e, lengthOf); u.per > 0 {
			d.a *= u.per
		}
	}

	if p, ok := from.Find("PRIMEM", "PRIMEMERIDIAN"); ok {
		v, _ := p.Number(1)
		d.meridian = v
		if u := unitOf(p, angleOf); u.per > 0 {
			d.meridian = v * u.per
		} else if v == 2.5969213 && angle.per == 0.9 {
			// This follows the text of WKT 1. GDAL and ESRI write degrees whatever the unit.
			d.meridian = v * angle.per
		}
	}
}

func (d *definition) projected(n wkt.Node) {
	from := n
	if base, ok := n.Find("BASEPROJCRS"); ok {
		from = base
	}

	angle := unit{"degree", 1}
	if base, ok := from.Find("GEOGCS", "BASEGEOGCRS", "BASEGEODCRS", "GEOGCRS", "GEODCRS"); ok {
		if u := unitOf(base, angleOf); u.per > 0 {
			angle = u
		}
		d.geodetic(base, angle)
	}
	d.own = false

	// A projected CRS that is derived from another one has no projection of its own: only the derivation defines
	// x.
	if n.Keyword == "DERIVEDPROJCRS" {
		return
	}

	where := n
	if conversion, ok := n.Find("CONVERSION"); ok {
		where = conversion
	}

	d.parameter = map[string]float64{}
	for _, p := range where.Nodes {
		if p.Keyword == "PARAMETER" {
			d.read(p, angle)
		}
	}

	method, _ := where.Find("PROJECTION", "METHOD")
	d.method = methodOf(method.Name(), d.parameter)

	if e, ok := n.Find("EXTENSION"); ok && strings.EqualFold(e.Name(), "PROJ4") && len(e.Values) > 1 {
		d.extend(readProj4(e.Values[1]))
	}
}

// read stores a parameter of a projection: in degrees, in units of the CRS, or as a factor.
func (d *definition) read(p wkt.Node, angle unit) {
	name := parameterOf(p.Name())
	v, ok := p.Number(1)
	if !ok {
		return
	}

	switch name {
	case "central_meridian", "latitude_of_origin", "standard_parallel_1":
		if u := unitOf(p, angleOf); u.per > 0 {
			angle = u
		}
		v *= angle.per

	case "false_easting", "false_northing":
		if u := unitOf(p, lengthOf); u.per > 0 && d.unit.per > 0 {
			v *= u.per / d.unit.per
		}
	}

	// A projection may have two parameters with the same meaning: the first one counts.
	if _, twice := d.parameter[name]; !twice {
		d.parameter[name] = v
	}
}

// extend adds what GDAL writes next to WKT that cannot express it: WKT 1 has no name for the spherical Mercator
// projection of latitudes on an ellipsoid.
func (d *definition) extend(p proj4) {
	if p.webMercator() {
		d.method = "popular_visualisation_pseudo_mercator"
	}
}

// unitOf returns the unit of a node, which may be only in its axes.
func unitOf(n wkt.Node, of func(name string, per float64) unit) unit {
	if u, ok := n.Find("UNIT", "LENGTHUNIT", "ANGLEUNIT"); ok {
		per, _ := u.Number(1)
		return of(u.Name(), per)
	}

	for _, in := range n.Nodes {
		if in.Keyword == "AXIS" || in.Keyword == "CS" {
			if u := unitOf(in, of); u.per > 0 {
				return u
			}
		}
	}

	return unit{}
}

// crs returns the CRS of the definition.
func (d definition) crs(srid int32) CRS {
	c := CRS{
		SRID: srid, Name: d.name, Kind: d.kind, Unit: d.unit.name, PerUnit: d.unit.per,
		Base: d.base, Method: d.method, CentralMeridian: east(d.meridian + d.parameter["central_meridian"]),
	}

	if c.Kind == Geographic && d.own && srid != 0 {
		c.Base = srid
	}
	if positive(d.a) && (d.rf == 0 || d.rf > 2) { // Saturn has 10
		c.SemiMajor, c.InverseFlattening = d.a, d.rf
	}

	c.wrap = d.wrap
	c.setCylinder(d.parameter)

	return c
}

// east normalizes a longitude to -180 to 180.
func east(degrees float64) float64 {
	if degrees >= -180 && degrees <= 180 {
		return degrees
	}
	return math.Remainder(degrees, 360)
}
