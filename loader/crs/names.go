package crs

import "strings"

// underscored turns a name into that of WKT 1: lower case, with underscores.
func underscored(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return r == ' ' || r == '_' || r == '(' || r == ')' || r == '-'
	}), "_")
}

// methodOf returns the name that WKT 1 has for a projection method of WKT 1, WKT 2 (EPSG)
// or ESRI. A method that has none is called what its definition calls it.
func methodOf(name string) string {
	switch name = underscored(name); name {
	case "lambert_conic_conformal_1sp":
		return "lambert_conformal_conic_1sp"
	case "lambert_conic_conformal_2sp", "lambert_conformal_conic":
		return "lambert_conformal_conic_2sp"
	case "lambert_conic_conformal_2sp_belgium":
		return "lambert_conformal_conic_2sp_belgium"
	case "transverse_mercator_south_orientated", "gauss_kruger":
		if name == "gauss_kruger" {
			return "transverse_mercator"
		}
	case "albers_equal_area", "albers":
		return "albers_conic_equal_area"
	case "polar_stereographic_variant_a", "polar_stereographic_variant_b", "stereographic_north_pole", "stereographic_south_pole":
		return "polar_stereographic"
	case "hotine_oblique_mercator_variant_a":
		return "hotine_oblique_mercator"
	case "hotine_oblique_mercator_variant_b":
		return "hotine_oblique_mercator_azimuth_center"
	case "mercator_variant_a":
		return "mercator_1sp"
	case "mercator_variant_b", "mercator":
		return "mercator_2sp"
	case "mercator_auxiliary_sphere":
		return "popular_visualisation_pseudo_mercator"
	case "equidistant_cylindrical", "equidistant_cylindrical_spherical", "plate_carree":
		return "equirectangular"
	case "lambert_cylindrical_equal_area", "lambert_cylindrical_equal_area_spherical":
		return "cylindrical_equal_area"
	case "lambert_azimuthal_equal_area_spherical":
		return "lambert_azimuthal_equal_area"
	case "american_polyconic":
		return "polyconic"
	case "cassini":
		return "cassini_soldner"
	case "krovak_north_orientated":
		return "krovak"
	}

	return name
}

// parameterOf returns one name for each parameter that matters here, of the many names that
// WKT 1, EPSG and ESRI have.
func parameterOf(name string) string {
	switch name = underscored(name); name {
	case "longitude_of_center", "longitude_of_centre", "longitude_of_origin", "longitude_of_natural_origin",
		"longitude_of_false_origin", "longitude_of_projection_centre", "longitude_of_projection_center",
		"straight_vertical_longitude_from_pole":
		return "central_meridian"
	case "latitude_of_center", "latitude_of_centre", "latitude_of_natural_origin", "latitude_of_false_origin",
		"latitude_of_projection_centre":
		return "latitude_of_origin"
	case "latitude_of_1st_standard_parallel", "latitude_of_standard_parallel", "standard_parallel":
		return "standard_parallel_1"
	case "scale_factor_at_natural_origin", "scale_factor_at_projection_centre", "scale_factor_on_initial_line":
		return "scale_factor"
	case "easting_at_false_origin", "easting_at_projection_centre":
		return "false_easting"
	case "northing_at_false_origin", "northing_at_projection_centre":
		return "false_northing"
	}

	return name
}
