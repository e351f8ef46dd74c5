// Package crs owns what is known of a coordinate reference system: its kind, its unit, its
// domain, and where its coordinates come round to where they began. It reads definitions
// that others fetch, and has a table of those that PostGIS knows.
package crs

// Kind says what the coordinates of a CRS are.
type Kind string

// The kinds of CRSs. Compound ones are of the kind of their horizontal part.
const (
	Unknown     Kind = ""
	Geographic  Kind = "geographic"  // longitude and latitude
	Projected   Kind = "projected"   // easting and northing, lengths on a map
	Geocentric  Kind = "geocentric"  // X, Y, Z from the middle of the earth
	Engineering Kind = "engineering" // a local plane that is tied to nothing
)

// CRS is what is known of a coordinate reference system. What is not known is zero.
type CRS struct {
	SRID int32  // as in spatial_ref_sys; 0 for none
	Name string // as in its definition, such as "ETRS89-extended / LAEA Europe"
	Kind Kind
	// Unit is the unit of x and y by its name in the singular, lower case: metre, degree,
	// grad, foot, US survey foot, kilometre. Of a rare one, its name as in the definition.
	Unit string
	// PerUnit is how many degrees a unit of a geographic CRS has, and how many metres one of
	// the others.
	PerUnit float64
	// Base is the SRID of the geographic CRS that a projected one is made of; of a geographic
	// one its own.
	Base int32
	// Method is the projection method of a projected CRS by its name in WKT 1, lower case,
	// with underscores, such as transverse_mercator.
	Method string
	// CentralMeridian is where the projection has the middle of its map, in degrees east of
	// Greenwich, -180 to 180; of a geographic CRS its prime meridian.
	CentralMeridian float64
	// SemiMajor is the ellipsoid's larger half axis in metres, and InverseFlattening its
	// inverse flattening, 0 for a sphere.
	SemiMajor, InverseFlattening float64
	// Domain is where the CRS is meant to be used. Defaults to nil, which is not known.
	Domain *Domain

	wrap float64 // the longitude in the middle of a geographic CRS that does not begin at -180
	cylinder
}

// Domain is a box of longitudes and latitudes in degrees of WGS 84, and the box around it
// in CRS units, which is rounded outwards by up to a thousandth of its size. A domain that
// crosses the antimeridian has West > East. One that crosses the seam of its CRS has XMax
// beyond the map, so that XMin < XMax holds for all. XMin to YMax are all zero where no box is
// known: PROJ knows no way from WGS 84 to some old CRSs and to those of other planets.
type Domain struct {
	West, South, East, North float64
	XMin, YMin, XMax, YMax   float64
}

// Seam is where x comes round to where it began, as at the antimeridian: x and x + Period
// are one place. The map runs from X to X + Period.
type Seam struct {
	X, Period float64 // in CRS units
}

// Parse reads a row of spatial_ref_sys. It never fails: what it does not understand, it
// leaves zero. srtext is WKT 1, WKT 2 or ESRI's dialect; proj4text is the second witness,
// for what srtext does not say. Where the two differ, srtext is right, as for PostGIS.
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

// Degrees tells whether the coordinates are longitude and latitude in degrees.
func (c CRS) Degrees() bool { return c.Kind == Geographic && c.PerUnit == 1 }

// Metres tells whether the unit of the coordinates is the metre.
func (c CRS) Metres() bool { return c.Kind != Geographic && c.PerUnit == 1 }
