package crsmatch

import (
	"math"
	"strings"

	"github.com/loadgrid/loadgrid/internal/wkt"
	"github.com/loadgrid/loadgrid/loader/crs"
)

// kindOfParameter is the unit of a parameter: an angle, a length or a factor. An unknown parameter
// is compared as it is.
type kindOfParameter int

const (
	plain kindOfParameter = iota
	angle
	length
	factor
)

// parameterNames maps the names of parameters in WKT 1, in EPSG's terms and in ESRI's to the name
// that they have here.
func parameterNames() map[string]string {
	names := map[string]string{}
	for _, row := range [...]string{
		"longitude_of_center central_meridian longitude_of_centre longitude_of_origin longitude_of_natural_origin longitude_of_false_origin longitude_of_projection_centre longitude_of_projection_center straight_vertical_longitude_from_pole",
		"latitude_of_center latitude_of_origin latitude_of_centre latitude_of_natural_origin latitude_of_false_origin latitude_of_projection_centre latitude_of_projection_center",
		"standard_parallel_1 latitude_of_1st_standard_parallel latitude_of_standard_parallel standard_parallel",
		"standard_parallel_2 latitude_of_2nd_standard_parallel",
		"scale_factor scale_factor_at_natural_origin scale_factor_at_projection_centre scale_factor_on_initial_line scale_factor_on_pseudo_standard_parallel",
		"false_easting easting_at_false_origin easting_at_projection_centre",
		"false_northing northing_at_false_origin northing_at_projection_centre",
		"azimuth azimuth_of_initial_line azimuth_at_projection_centre co_latitude_of_cone_axis",
		"rectified_grid_angle angle_from_rectified_to_skew_grid xy_plane_rotation",
		"pseudo_standard_parallel_1 latitude_of_pseudo_standard_parallel",
	} {
		words := strings.Fields(row)
		for _, word := range words {
			names[word] = words[0]
		}
	}
	return names
}

func kindOf(parameter string) kindOfParameter {
	switch parameter {
	case "longitude_of_center", "latitude_of_center", "standard_parallel_1", "standard_parallel_2", "azimuth",
		"rectified_grid_angle", "pseudo_standard_parallel_1":
		return angle
	case "false_easting", "false_northing":
		return length
	case "scale_factor":
		return factor
	}
	return plain
}

// underscored converts a name to the style of WKT 1.
func underscored(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return strings.ContainsRune(" _()-", r)
	}), "_")
}

// readProjection reads the method and parameters of a projected CRS, and normalizes parameters that
// have several forms.
func (d *definition) readProjection(n wkt.Node, c crs.CRS) {
	where := n
	if conversion, ok := n.Find("CONVERSION"); ok {
		where = conversion
	}

	method, ok := where.Find("PROJECTION", "METHOD")
	if !ok {
		return
	}

	d.parameters = map[string]float64{}
	degrees := degreesPerUnit(n)
	names := parameterNames()

	for _, p := range where.Nodes {
		v, ok := p.Number(1)
		if p.Keyword != "PARAMETER" || !ok {
			continue
		}

		name := underscored(p.Name())
		if known := names[name]; known != "" {
			name = known
		}

		if _, twice := d.parameters[name]; twice {
			return // if two have the same meaning, it is unknown which counts
		}

		switch kindOf(name) {
		case angle:
			v *= unitOr(p, "ANGLEUNIT", degrees/(180/math.Pi)) * 180 / math.Pi
		case length:
			v *= unitOr(p, "LENGTHUNIT", c.PerUnit)
		}
		d.parameters[name] = v
	}

	d.method = exactMethod(underscored(method.Name()), c.Method)
	d.noAxes = axes(n) == 0
	d.settle(n)

	if turnedAxes(n) && d.method != "polar_stereographic" && d.method != "krovak" && !strings.Contains(d.method, "south_orientated") {
		d.method = ""
	}
}

// turnedAxes tells whether an axis runs south or west. In that case x and y differ from what most
// files have.
func turnedAxes(n wkt.Node) bool {
	for _, in := range n.Nodes {
		if in.Keyword == "AXIS" && len(in.Values) > 1 && (strings.EqualFold(in.Values[1], "south") || strings.EqualFold(in.Values[1], "west")) {
			return true
		}
	}
	return false
}

// degreesPerUnit returns the size in degrees of the angular unit of a projected CRS.
func degreesPerUnit(n wkt.Node) float64 {
	if base, ok := n.Find("GEOGCS", "BASEGEOGCRS", "BASEGEODCRS", "GEOGCRS", "GEODCRS"); ok {
		if radians := unitOr(base, "ANGLEUNIT", 0); radians > 0 {
			if degrees := radians * 180 / math.Pi; !near(degrees, 1, 1e-6) { // not just written with few digits
				return degrees
			}
		}
	}
	return 1
}

// unitOr returns the size of the unit that a node names.
func unitOr(n wkt.Node, keyword string, otherwise float64) float64 {
	if u, ok := n.Find(keyword, "UNIT"); ok {
		if v, ok := u.Number(1); ok && v > 0 {
			if keyword == "ANGLEUNIT" && near(v*180/math.Pi, 1, 1e-6) {
				return math.Pi / 180
			}
			return v
		}
	}
	return otherwise
}

// exactMethod returns the one name of a method, or "" if the texts leave open which of several
// projections they mean. known is the name in loader/crs, which covers similar methods, too.
func exactMethod(own, known string) string {
	switch {
	case strings.Contains(own, "spherical"), known == "orthographic", known == "equirectangular", known == "krovak" && own != "krovak" && own != "krovak_north_orientated":
		return ""
	case known == "azimuthal_equidistant":
		return own
	}
	return known
}

// settle normalizes parameters that have several equivalent forms.
func (d *definition) settle(n wkt.Node) {
	p := d.parameters

	switch d.method {
	case "lambert_conformal_conic_1sp":
		if sp, ok := p["standard_parallel_1"]; ok && near(sp, p["latitude_of_center"], angleWithin) {
			delete(p, "standard_parallel_1")
		}
	case "lambert_conformal_conic_2sp", "albers_conic_equal_area", "equidistant_conic":
		a, b := p["standard_parallel_1"], p["standard_parallel_2"]
		p["standard_parallel_1"], p["standard_parallel_2"] = max(a, b), min(a, b)
	case "polar_stereographic":
		d.settlePolar(n)
	case "mercator_2sp":
		if near(p["standard_parallel_1"], 0, angleWithin) {
			d.method = "mercator_1sp"
			delete(p, "standard_parallel_1")
		}
	case "hotine_oblique_mercator", "hotine_oblique_mercator_azimuth_center":
		if _, ok := p["rectified_grid_angle"]; !ok {
			p["rectified_grid_angle"] = p["azimuth"]
		}
	case "krovak":
		d.settleKrovak(n)
	}

	for name, v := range p {
		switch kind := kindOf(name); {
		case kind == factor && near(v, 1, factorWithin), kind != factor && v == 0:
			delete(p, name)
		case kind == angle:
			p[name] = math.Remainder(v, 360)
		}
	}
}

// settlePolar gives the latitude of true scale one name. In CRSs with north first, x in PostGIS
// differs from x in files.
func (d *definition) settlePolar(n wkt.Node) {
	if sp, ok := d.parameters["standard_parallel_1"]; ok {
		d.parameters["latitude_of_center"] = sp
		delete(d.parameters, "standard_parallel_1")
	}

	if strings.Contains(n.Name(), "(N,E)") || strings.Contains(n.Name(), "(N-E)") {
		d.method = ""
	}
}

// settleKrovak distinguishes Krovak's projection with axes that run south and west from the one
// with axes that run east and north, by the axes or by ESRI's rotation.
func (d *definition) settleKrovak(n wkt.Node) {
	p := d.parameters
	x, esri := p["x_scale"]
	turn := p["rectified_grid_angle"]

	method := ""
	if axis, ok := n.Find("AXIS"); ok && len(axis.Values) > 1 {
		switch strings.ToUpper(axis.Values[1]) {
		case "EAST":
			method = "krovak_north_orientated"
		case "SOUTH":
			method = "krovak"
		}
	}

	conversion, _ := n.Find("CONVERSION")
	if m, ok := conversion.Find("METHOD"); ok {
		method = underscored(m.Name())
	}

	switch {
	case esri && x == -1 && p["y_scale"] == 1 && turn == 90:
		method = "krovak_north_orientated"
	case esri && x == 1 && p["y_scale"] == 1 && turn == 0:
		method = "krovak"
	}

	d.method = method
	for _, name := range [...]string{"x_scale", "y_scale", "rectified_grid_angle"} {
		delete(p, name)
	}
}

// sameParameters compares parameters. A missing one is 0, or 1 for a factor.
func sameParameters(a, b map[string]float64) bool {
	for _, one := range [...]map[string]float64{a, b} {
		for name := range one {
			within := map[kindOfParameter]float64{plain: factorWithin, angle: angleWithin, length: lengthWithin, factor: factorWithin}[kindOf(name)]
			if !near(valueOf(a, name), valueOf(b, name), within) {
				return false
			}
		}
	}
	return true
}

func valueOf(parameters map[string]float64, name string) float64 {
	v, ok := parameters[name]
	if !ok && kindOf(name) == factor {
		return 1
	}
	return v
}
