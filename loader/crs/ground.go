package crs

import "math"

// Ground returns the lengths in metres of a unit of x and a unit of y on the ground at x, y, which are in CRS
// units. ok is false if they are unknown, and off the map. For geographic CRSs, and for Mercator and other
// cylindrical projections, they follow from the ellipsoid. Other projections have a scale close to 1 in their
// domain, so both are PerUnit. At a pole, a unit of x may be 0 m.
func (c CRS) Ground(x, y float64) (mx, my float64, ok bool) {
	if math.IsNaN(x+y) || c.Kind == Unknown || c.PerUnit == 0 {
		return 0, 0, false
	}

	mx, my = c.PerUnit, c.PerUnit

	switch {
	case c.Kind == Geographic:
		lat := radians(y * c.PerUnit)
		if c.SemiMajor == 0 || math.Abs(lat) > math.Pi/2 {
			return 0, 0, false
		}
		mx, my = c.radii(lat)
		mx, my = mx*radians(c.PerUnit), my*radians(c.PerUnit)

	case c.period > 0:
		lat, ok := c.latitude(y)
		if !ok {
			return 0, 0, false
		}
		mx, my = c.radii(lat)
		_, slope := c.northing(lat)
		mx, my = mx*2*math.Pi/c.period, my/slope
	}

	// An absurd ellipsoid or parameter can give any result.
	if ok = mx >= 0 && positive(mx+my) && my > 0; !ok {
		return 0, 0, false
	}
	return mx, my, true
}

// radii returns the lengths in metres of a radian of longitude and a radian of latitude.
func (c CRS) radii(lat float64) (mx, my float64) {
	sin, cos := math.Sincos(lat)
	w2 := 1 - c.e2()*sin*sin
	w := math.Sqrt(w2)

	return max(0, c.SemiMajor*cos/w), c.SemiMajor * (1 - c.e2()) / (w2 * w)
}

// northing returns the distance of a latitude from the equator on the map of a cylindrical projection, in CRS
// units, and its derivative by the latitude. setCylinder names the source of the formulas. PROJ has the
// projections of Gall and Miller and the equirectangular one only on a sphere.
func (c CRS) northing(lat float64) (y, slope float64) {
	sin, cos := math.Sincos(lat)
	scale := c.SemiMajor / c.PerUnit
	e2 := c.e2()
	e := math.Sqrt(e2)
	w2 := 1 - e2*sin*sin

	switch c.Method {
	case "equirectangular":
		y, slope = lat, 1

	case "miller_cylindrical":
		scale = c.period / (2 * math.Pi)
		y, slope = 1.25*math.Asinh(math.Tan(0.8*lat)), 1/math.Cos(0.8*lat)

	case "gall_stereographic":
		half := math.Cos(lat / 2)
		y, slope = (1+math.Sqrt2/2)*math.Tan(lat/2), (1+math.Sqrt2/2)/(2*half*half)

	case "popular_visualisation_pseudo_mercator":
		scale = c.period / (2 * math.Pi)
		y, slope = math.Atanh(sin), 1/cos

	case "cylindrical_equal_area":
		scale *= scale * 2 * math.Pi / c.period
		y, slope = sin, (1-e2)*cos/(w2*w2)
		if e > 0 {
			y = (1 - e2) / 2 * (sin/w2 + math.Atanh(e*sin)/e)
		}

	default: // Mercator
		scale = c.period / (2 * math.Pi)
		y, slope = math.Atanh(sin)-e*math.Atanh(e*sin), (1-e2)/(w2*cos)
	}

	return scale * y, scale * slope
}

// latitude inverts northing by bisection: the functions are monotone, and it is rarely called. ok is false beyond
// the poles.
func (c CRS) latitude(y float64) (lat float64, ok bool) {
	y -= c.y0
	low, high := -math.Pi/2, math.Pi/2

	if south, _ := c.northing(low); y < south {
		return 0, false
	}
	if north, _ := c.northing(high); y > north {
		return 0, false
	}

	for range 60 {
		lat = (low + high) / 2
		if at, _ := c.northing(lat); at < y {
			low = lat
		} else {
			high = lat
		}
	}

	return lat, true
}
