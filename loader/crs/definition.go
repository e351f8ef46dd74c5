package crs

import (
	"math"
	"strconv"
	"strings"
)

// definition is what a text says of a CRS, before it is one.
type definition struct {
	name      string
	kind      Kind
	unit      unit
	base      int32   // EPSG's code of the geographic CRS; 0 where it has none
	own       bool    // base is that of the whole, not of a part
	meridian  float64 // prime meridian, in degrees east of Greenwich
	a, rf     float64
	method    string
	parameter map[string]float64 // in degrees, in CRS units, or a factor
	wrap      float64            // the middle of the longitudes, where a text moves it
}

// The keywords of the kinds, in WKT 1 and WKT 2.
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

// readDefinition reads WKT; ok is false where it is none, or of no kind that is known here,
// such as heights.
func readDefinition(srtext string) (d definition, ok bool) {
	nodes, ok := readWKT(srtext)
	if !ok {
		return definition{}, false
	}

	n := nodes[0]
	d.own = len(nodes) == 1
	d.horizontal(n)

	if n.keyword == "COMPD_CS" || n.keyword == "COMPOUNDCRS" {
		d.name = n.name()
	}

	return d, d.kind != Unknown
}

// horizontal looks for what says where x and y are: in a compound CRS and in one that is
// bound to another by a transformation, it is a part.
func (d *definition) horizontal(n node) {
	switch n.keyword {
	case "COMPD_CS", "COMPOUNDCRS", "SOURCECRS":
		d.own = d.own && n.keyword == "SOURCECRS"
		for _, in := range n.nodes {
			if d.horizontal(in); d.kind != Unknown {
				return
			}
		}

	case "BOUNDCRS":
		if source, ok := n.find("SOURCECRS"); ok {
			d.horizontal(source)
		}

	default:
		d.simple(n)
	}
}

func (d *definition) simple(n node) {
	d.kind = kindOf(n.keyword)
	d.name = n.name()

	if cs, ok := n.find("CS"); ok && d.kind == Geographic && strings.EqualFold(cs.name(), "Cartesian") {
		d.kind = Geocentric
	}

	switch d.kind {
	case Geographic:
		d.unit = n.unit(angleOf)
		d.geodetic(n, d.unit)
	case Projected:
		d.unit = n.unit(lengthOf)
		d.projected(n)
	case Geocentric:
		d.unit = n.unit(lengthOf)
		d.geodetic(n, unit{"degree", 1})
		d.base = 0
	case Engineering:
		d.unit = n.unit(lengthOf)
	}
}

// geodetic reads datum, prime meridian and code. angle is the unit of the prime meridian
// that names none.
func (d *definition) geodetic(n node, angle unit) {
	d.base = n.epsg()

	// A derived one, such as one with a turned pole, has the datum of its base.
	from := n
	if base, ok := n.find("BASEGEOGCRS", "BASEGEODCRS"); ok {
		from = base
	}

	datum, _ := from.find("DATUM", "ENSEMBLE", "GEODETICDATUM", "TRF")
	if e, ok := datum.find("SPHEROID", "ELLIPSOID"); ok {
		d.a, _ = e.number(1)
		d.rf, _ = e.number(2)
		if u := e.unit(lengthOf); u.per > 0 {
			d.a *= u.per
		}
	}

	if p, ok := from.find("PRIMEM", "PRIMEMERIDIAN"); ok {
		v, _ := p.number(1)
		d.meridian = v
		if u := p.unit(angleOf); u.per > 0 {
			d.meridian = v * u.per
		} else if v == 2.5969213 && angle.per == 0.9 {
			// WKT 1 by its letter. GDAL and ESRI write degrees whatever the unit.
			d.meridian = v * angle.per
		}
	}
}

func (d *definition) projected(n node) {
	from := n
	if base, ok := n.find("BASEPROJCRS"); ok {
		from = base
	}

	angle := unit{"degree", 1}
	if base, ok := from.find("GEOGCS", "BASEGEOGCRS", "BASEGEODCRS", "GEOGCRS", "GEODCRS"); ok {
		if u := base.unit(angleOf); u.per > 0 {
			angle = u
		}
		d.geodetic(base, angle)
	}
	d.own = false

	// A projected CRS that is derived from another has no projection of its own: what its
	// x means, only the derivation says.
	if n.keyword == "DERIVEDPROJCRS" {
		return
	}

	where := n
	if conversion, ok := n.find("CONVERSION"); ok {
		where = conversion
	}

	d.parameter = map[string]float64{}
	for _, p := range where.nodes {
		if p.keyword == "PARAMETER" {
			d.read(p, angle)
		}
	}

	method, _ := where.find("PROJECTION", "METHOD")
	d.method = methodOf(method.name(), d.parameter)

	if e, ok := n.find("EXTENSION"); ok && strings.EqualFold(e.name(), "PROJ4") && len(e.values) > 1 {
		d.extend(readProj4(e.values[1]))
	}
}

// read takes a parameter of a projection, in degrees, in units of the CRS, or a factor.
func (d *definition) read(p node, angle unit) {
	name := parameterOf(p.name())
	v, ok := p.number(1)
	if !ok {
		return
	}

	switch name {
	case "central_meridian", "latitude_of_origin", "standard_parallel_1":
		if u := p.unit(angleOf); u.per > 0 {
			angle = u
		}
		v *= angle.per

	case "false_easting", "false_northing":
		if u := p.unit(lengthOf); u.per > 0 && d.unit.per > 0 {
			v *= u.per / d.unit.per
		}
	}

	// A projection may have two parameters of one sense: the first one counts.
	if _, twice := d.parameter[name]; !twice {
		d.parameter[name] = v
	}
}

// extend adds what GDAL writes beside a WKT that cannot say it: WKT 1 has no word for the
// spherical Mercator projection of an ellipsoid's latitudes.
func (d *definition) extend(p proj4) {
	if p.webMercator() {
		d.method = "popular_visualisation_pseudo_mercator"
	}
}

// unit returns the unit of a node, which may be in its axes only.
func (n node) unit(of func(name string, per float64) unit) unit {
	if u, ok := n.find("UNIT", "LENGTHUNIT", "ANGLEUNIT"); ok {
		per, _ := u.number(1)
		return of(u.name(), per)
	}

	for _, in := range n.nodes {
		if in.keyword == "AXIS" || in.keyword == "CS" {
			if u := in.unit(of); u.per > 0 {
				return u
			}
		}
	}

	return unit{}
}

// epsg returns the code that EPSG has for what a node defines, 0 for none.
func (n node) epsg() int32 {
	id, ok := n.find("AUTHORITY", "ID")
	if !ok || len(id.values) < 2 || !strings.EqualFold(id.name(), "EPSG") {
		return 0
	}

	code, err := strconv.ParseInt(strings.TrimSpace(id.values[1]), 10, 32)
	if err != nil || code < 0 {
		return 0
	}
	return int32(code)
}

// crs makes the CRS.
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

// east brings a longitude between -180 and 180.
func east(degrees float64) float64 {
	if degrees >= -180 && degrees <= 180 {
		return degrees
	}
	return math.Remainder(degrees, 360)
}
