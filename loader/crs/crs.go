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
	// grad, foot, US survey foot, kilometre.
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
}

// Domain is a box of longitudes and latitudes in degrees of WGS 84, and the box around it
// in CRS units. A domain that crosses the antimeridian has West > East.
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
// for what srtext does not say.
func Parse(srid int32, srtext, proj4text string) CRS { return CRS{SRID: srid} }

// Known returns what the table has of a CRS.
func Known(srid int32) (c CRS, ok bool) { return CRS{}, false }

// Degrees tells whether the coordinates are longitude and latitude in degrees.
func (c CRS) Degrees() bool { return c.Kind == Geographic && c.PerUnit == 1 }

// Metres tells whether the unit of the coordinates is the metre.
func (c CRS) Metres() bool { return c.Kind != Geographic && c.PerUnit == 1 }

// Seam returns where x comes round, of geographic CRSs and of those with a cylindrical
// projection along the equator; ok is false for the others.
func (c CRS) Seam() (s Seam, ok bool) { return Seam{}, false }

// Ground returns how many metres on the ground a unit of x and one of y are at a place, in
// CRS units; ok is false where that is not known. Of geographic CRSs, and of Mercator's and
// other cylindrical projections, it follows from the ellipsoid; of other projections, whose
// scale differs little from 1 in their domain, it is PerUnit.
func (c CRS) Ground(x, y float64) (mx, my float64, ok bool) { return 0, 0, false }
