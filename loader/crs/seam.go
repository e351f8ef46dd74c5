package crs

import (
	"math"
	"strings"
)

// cylinder describes a cylindrical projection along the equator: x = x0 + period/2π·λ for a longitude λ from the
// central meridian. y0 is y of the equator. All are in CRS units. Other projections have the zero value.
type cylinder struct {
	period, x0, y0 float64
}

// setCylinder sets the cylinder of projected CRSs whose ellipsoid and unit are known. The formulas come from J.
// P. Snyder, Map Projections: A Working Manual, USGS 1987.
func (c *CRS) setCylinder(parameter map[string]float64) {
	if c.Kind != Projected || c.SemiMajor == 0 || c.PerUnit == 0 || !cylindrical(c.Method) {
		return
	}

	k := 1.0
	if v, ok := parameter["scale_factor"]; ok && c.Method == "mercator_1sp" {
		k = v
	}

	sin, cos := math.Sincos(radians(parameter["standard_parallel_1"]))
	switch c.Method {
	case "mercator_2sp", "mercator_variant_c", "cylindrical_equal_area":
		k = cos / math.Sqrt(1-c.e2()*sin*sin)
	case "equirectangular", "popular_visualisation_pseudo_mercator":
		k = cos
	case "gall_stereographic":
		k = math.Sqrt2 / 2
	case "miller_cylindrical":
		k = c.authalic() / c.SemiMajor // as in PROJ
	}

	period := 2 * math.Pi * c.SemiMajor * k / c.PerUnit
	if !positive(period) {
		return
	}

	c.cylinder = cylinder{period, parameter["false_easting"], parameter["false_northing"]}
	if c.Method == "equirectangular" || c.Method == "mercator_variant_c" {
		origin, _ := c.northing(radians(parameter["latitude_of_origin"]))
		c.y0 -= origin
	}
}

func cylindrical(method string) bool {
	switch method {
	case "mercator_1sp", "mercator_2sp", "mercator_variant_c", "popular_visualisation_pseudo_mercator",
		"equirectangular", "cylindrical_equal_area", "miller_cylindrical", "gall_stereographic":
		return true
	}

	return false
}

// Seam returns where x wraps around in geographic CRSs and in cylindrical projections along the equator. ok is
// false for other CRSs.
func (c CRS) Seam() (s Seam, ok bool) {
	switch {
	case c.Kind == Geographic && c.PerUnit > 0:
		return Seam{X: (c.wrap - 180) / c.PerUnit, Period: 360 / c.PerUnit}, true
	case c.period > 0:
		return Seam{X: c.x0 - c.period/2, Period: c.period}, true
	}

	return Seam{}, false
}

// authalic returns the radius of the sphere with the same area as the ellipsoid.
func (c CRS) authalic() float64 {
	e := math.Sqrt(c.e2())
	if e == 0 {
		return c.SemiMajor
	}

	return c.SemiMajor * math.Sqrt((1+(1-e*e)*math.Atanh(e)/e)/2)
}

func radians(degrees float64) float64 { return degrees * math.Pi / 180 }

// e2 returns the square of the ellipsoid's eccentricity.
func (c CRS) e2() float64 {
	if c.InverseFlattening == 0 {
		return 0
	}
	f := 1 / c.InverseFlattening

	return f * (2 - f)
}

// Ends returns the lowest and the highest y of the map of a CRS that has a Seam. They are the poles. For Mercator
// projections, whose poles are infinitely far away, they are the edges of the usual square map, at 85.05 degrees
// with EPSG:3857. ok is false for other CRSs.
func (c CRS) Ends() (yMin, yMax float64, ok bool) {
	switch {
	case c.Kind == Geographic && c.PerUnit > 0:
		return -90 / c.PerUnit, 90 / c.PerUnit, true
	case c.period == 0:
		return 0, 0, false
	case c.Mercator():
		return c.y0 - c.period/2, c.y0 + c.period/2, true
	}

	pole, _ := c.northing(math.Pi / 2)
	return c.y0 - pole, c.y0 + pole, true
}

// Mercator reports whether the projection is a Mercator projection along the equator.
func (c CRS) Mercator() bool { return c.period > 0 && strings.Contains(c.Method, "mercator") }

// EndLatitude returns the latitude in degrees of the northern end of a Mercator map: see Ends.
func (c CRS) EndLatitude() float64 {
	_, yMax, _ := c.Ends()
	lat, _ := c.latitude(yMax)

	return lat * 180 / math.Pi
}
