// Package crs describes coordinate reference systems: their kind, unit and domain, and where their coordinates
// wrap around. It parses definitions, and has a table of the CRSs that PostGIS knows.
package crs

// Kind is the kind of a CRS's coordinates.
type Kind string

// Values of Kind. A compound CRS has the kind of its horizontal part.
const (
	Unknown     Kind = ""
	Geographic  Kind = "geographic"  // longitude and latitude
	Projected   Kind = "projected"   // easting and northing, lengths on a map
	Geocentric  Kind = "geocentric"  // X, Y, Z from the centre of the earth
	Engineering Kind = "engineering" // a local plane without a position on the earth
)

// CRS describes a coordinate reference system. Unknown fields are zero.
type CRS struct {
	SRID int32  // as in spatial_ref_sys; 0 for none
	Name string // as in its definition, such as "ETRS89-extended / LAEA Europe"
	Kind Kind
	// Unit is the name of the unit of x and y, in the singular and in lower case: metre, degree, grad, foot, US
	// survey foot, kilometre. A rare unit has the name in its definition.
	Unit string
	// PerUnit is the length of a unit: in degrees for a geographic CRS, in metres for the others.
	PerUnit float64
	// Base is the SRID of the geographic CRS that a projected CRS is based on. A geographic CRS has its own SRID.
	Base int32
	// Method is the projection method of a projected CRS: its name in WKT 1, in lower case, with underscores,
	// such as transverse_mercator.
	Method string
	// CentralMeridian is the longitude in the middle of the map, in degrees east of Greenwich, -180 to 180. For a
	// geographic CRS, it is the prime meridian.
	CentralMeridian float64
	// SemiMajor is the semi-major axis of the ellipsoid in metres. InverseFlattening is its inverse flattening,
	// or 0 for a sphere.
	SemiMajor, InverseFlattening float64
	// Domain is the area where the CRS is meant to be used. It is nil if unknown.
	Domain *Domain

	wrap float64 // longitude in the middle of a geographic CRS that does not begin at -180
	cylinder
}

// Domain is a box of longitudes and latitudes in degrees of WGS 84, and the box around it in CRS units. That box
// is rounded outwards by up to a thousandth of its size. A domain that crosses the antimeridian has West > East.
// A domain that crosses the seam of its CRS has XMax beyond the map, so that XMin < XMax always holds. If the box
// is unknown, XMin to YMax are all zero: PROJ cannot transform WGS 84 to some old CRSs, nor to other planets.
type Domain struct {
	West, South, East, North float64
	XMin, YMin, XMax, YMax   float64
}

// Seam is where x wraps around, as at the antimeridian: x and x + Period are the same place. The map extends from
// X to X + Period.
type Seam struct {
	X, Period float64 // in CRS units
}

// Parse reads a row of spatial_ref_sys. It never fails: fields that it cannot determine stay zero. srtext is WKT
// 1, WKT 2 or ESRI's dialect. proj4text adds what srtext lacks. If the two differ, srtext takes precedence, as in
// PostGIS.
func Parse(srid int32, srtext, proj4text string) CRS {
	second := readProj4(proj4text).definition()

	d, ok := readDefinition(srtext)
	if !ok {
		return second.crs(srid)
	}

	if d.kind == second.kind && d.unit.per == 0 {
		d.unit = second.unit
	}
	if d.a == 0 {
		d.a, d.rf = second.a, second.rf
	}

	return d.crs(srid)
}

// Degrees reports whether the coordinates are longitude and latitude in degrees.
func (c CRS) Degrees() bool { return c.Kind == Geographic && c.PerUnit == 1 }

// Metres reports whether the unit of the coordinates is the metre.
func (c CRS) Metres() bool { return c.Kind != Geographic && c.PerUnit == 1 }
