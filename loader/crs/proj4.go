package crs

import (
	"math"
	"strings"
)

// proj4 holds the parameters of a PROJ string, without plus signs. A flag has the value "".
type proj4 map[string]string

// readProj4 reads a PROJ string. If a parameter occurs twice, the first one counts, as in PROJ.
func readProj4(text string) proj4 {
	p := proj4{}
	for _, word := range strings.Fields(text) {
		key, value, _ := strings.Cut(strings.TrimPrefix(word, "+"), "=")
		if _, twice := p[key]; !twice {
			p[key] = value
		}
	}

	return p
}

func (p proj4) has(key string) bool {
	_, ok := p[key]
	return ok
}

// number returns a number or an angle, or 0 if it is missing.
func (p proj4) number(key string) float64 {
	v, _ := angle(p[key])
	return v
}

// webMercator reports whether a string means the spherical Mercator projection of latitudes on an ellipsoid. The
// sphere must not change the latitudes then.
func (p proj4) webMercator() bool {
	return p["proj"] == "webmerc" || p["proj"] == "merc" && p["nadgrids"] == "@null"
}

// definition returns the definition in the string.
func (p proj4) definition() (d definition) {
	d.kind = p.kind()
	if d.kind == Unknown {
		return definition{}
	}

	d.own = true
	d.a, d.rf = p.ellipsoid()
	d.meridian = primeMeridian(p["pm"])

	if d.kind == Geographic {
		// PROJ supports no other unit for longlat.
		d.unit = unit{"degree", 1}
		d.wrap = p.number("lon_wrap")
		return d
	}

	d.unit = p.length()
	if d.kind == Projected {
		d.method = p.method()
		d.parameter = p.parameters(d.unit.per)
	}

	return d
}

func (p proj4) kind() Kind {
	name := p["proj"]
	if name == "ob_tran" && isLonLat(p["o_proj"]) {
		name = p["o_proj"]
	}

	switch {
	case name == "", name == "pipeline", name == "unitconvert", name == "axisswap", name == "noop":
		return Unknown
	case isLonLat(name):
		return Geographic
	case name == "geocent", name == "cart":
		return Geocentric
	}

	return Projected
}

// isLonLat recognizes PROJ's four names for no projection.
func isLonLat(name string) bool {
	return name == "longlat" || name == "latlong" || name == "lonlat" || name == "latlon"
}

// length returns the unit of x and y. PROJ looks at +units first.
func (p proj4) length() unit {
	if name, ok := p["units"]; ok {
		for _, u := range lengths() {
			if u.proj == name && name != "" {
				return u.unit
			}
		}
		return unit{}
	}

	if text, ok := p["to_meter"]; ok {
		numerator, denominator, fraction := strings.Cut(text, "/")
		v, _ := number(numerator)
		if fraction {
			by, _ := number(denominator)
			v /= by
		}
		return lengthOf("", v)
	}

	return lengths()[0].unit
}

// method returns the WKT 1 name of a PROJ projection.
func (p proj4) method() string {
	name := p["proj"]

	switch {
	case p.webMercator():
		return "popular_visualisation_pseudo_mercator"
	case name == "merc" && p.has("lat_ts"):
		return "mercator_2sp"
	case name == "lcc" && p.has("lat_2"):
		return "lambert_conformal_conic_2sp"
	case name == "stere" && math.Abs(p.number("lat_0")) == 90:
		return "polar_stereographic"
	case name == "tmerc" && p["axis"] == "wsu":
		return "transverse_mercator_south_orientated"
	}

	for _, known := range [...][2]string{
		{"merc", "mercator_1sp"}, {"lcc", "lambert_conformal_conic_1sp"}, {"tmerc", "transverse_mercator"},
		{"etmerc", "transverse_mercator"}, {"utm", "transverse_mercator"}, {"eqc", "equirectangular"},
		{"cea", "cylindrical_equal_area"}, {"mill", "miller_cylindrical"}, {"gall", "gall_stereographic"},
		{"laea", "lambert_azimuthal_equal_area"}, {"aea", "albers_conic_equal_area"}, {"stere", "stereographic"},
		{"sterea", "oblique_stereographic"}, {"cass", "cassini_soldner"}, {"poly", "polyconic"},
		{"omerc", "hotine_oblique_mercator"}, {"aeqd", "azimuthal_equidistant"}, {"sinu", "sinusoidal"},
		{"moll", "mollweide"}, {"robin", "robinson"},
	} {
		if known[0] == name {
			return known[1]
		}
	}

	return name
}

// parameters returns the parameters that this package uses. PROJ has false eastings in metres, whatever the unit.
func (p proj4) parameters(metres float64) map[string]float64 {
	to := map[string]float64{
		"central_meridian":    p.number("lon_0"),
		"latitude_of_origin":  p.number("lat_0"),
		"standard_parallel_1": p.number("lat_ts"),
	}

	if positive(metres) {
		to["false_easting"] = p.number("x_0") / metres
		to["false_northing"] = p.number("y_0") / metres
	}

	for _, key := range [...]string{"k", "k_0"} {
		if p.has(key) {
			to["scale_factor"] = p.number(key)
		}
	}

	if zone := p.number("zone"); p["proj"] == "utm" && zone >= 1 && zone <= 60 {
		to["central_meridian"] = 6*zone - 183
	}

	return to
}

// ellipsoid returns the semi-major axis and the inverse flattening, 0 for a sphere. Without an ellipsoid, PROJ
// uses GRS 80.
func (p proj4) ellipsoid() (a, rf float64) {
	if p.webMercator() {
		// The sphere is only for the map. The latitudes are on the ellipsoid of WGS 84.
		return 6378137, 298.257223563
	}
	if p.has("R") {
		return p.number("R"), 0
	}

	a, rf = ellipsoidOf(p["ellps"], p["datum"])
	if p.has("a") {
		a = p.number("a")
	}

	switch {
	case p.has("rf"):
		rf = p.number("rf")
	case p.has("f"):
		rf = inverse(p.number("f"))
	case p.has("es"):
		rf = inverse(1 - math.Sqrt(1-p.number("es")))
	case p.has("b") && a > 0:
		rf = inverse((a - p.number("b")) / a)
	}

	return a, rf
}

func inverse(f float64) float64 {
	if !positive(1 / f) {
		return 0
	}
	return 1 / f
}

// angle reads degrees, including PROJ's form in degrees, minutes and seconds: 7d26'22.5"W.
func angle(text string) (v float64, ok bool) {
	if v, ok = number(text); ok || text == "" {
		return v, ok
	}

	sign := 1.0
	switch text[len(text)-1] {
	case 'W', 'w', 'S', 's':
		sign = -1
		text = text[:len(text)-1]
	case 'E', 'e', 'N', 'n':
		text = text[:len(text)-1]
	}
	if strings.HasPrefix(text, "-") {
		sign, text = -sign, text[1:]
	}

	part := 1.0
	for _, mark := range [...]string{"d", "'", `"`} {
		before, after, _ := strings.Cut(text, mark)
		n, good := number(before)
		if !good {
			return 0, false
		}
		v += n / part
		if text, part = after, part*60; text == "" {
			return sign * v, true
		}
	}

	return 0, false
}
