package crs

import (
	"slices"
	"strings"
)

// underscored converts a name to the style of WKT 1: lower case, with underscores.
func underscored(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return r == ' ' || r == '_' || r == '(' || r == ')' || r == '-'
	}), "_")
}

// methodOf returns the WKT 1 name of a projection method from WKT 1, WKT 2 (EPSG) or ESRI. A method without such
// a name keeps its own. Two ESRI methods equal other methods, depending on a parameter.
func methodOf(name string, parameter map[string]float64) string {
	switch name = underscored(name); name {
	case "lambert_conformal_conic":
		if _, two := parameter["standard_parallel_2"]; two {
			return "lambert_conformal_conic_2sp"
		}
		return "lambert_conformal_conic_1sp"

	case "behrmann":
		parameter["standard_parallel_1"] = 30
		return "cylindrical_equal_area"
	}

	for method, names := range map[string]string{
		"lambert_conformal_conic_1sp":            "lambert_conic_conformal_1sp",
		"lambert_conformal_conic_2sp":            "lambert_conic_conformal_2sp",
		"lambert_conformal_conic_2sp_belgium":    "lambert_conic_conformal_2sp_belgium",
		"transverse_mercator":                    "gauss_kruger",
		"albers_conic_equal_area":                "albers_equal_area albers",
		"polar_stereographic":                    "polar_stereographic_variant_a polar_stereographic_variant_b stereographic_north_pole stereographic_south_pole",
		"oblique_stereographic":                  "double_stereographic",
		"hotine_oblique_mercator":                "hotine_oblique_mercator_variant_a hotine_oblique_mercator_azimuth_natural_origin rectified_skew_orthomorphic_natural_origin",
		"hotine_oblique_mercator_azimuth_center": "hotine_oblique_mercator_variant_b rectified_skew_orthomorphic_center",
		"mercator_1sp":                           "mercator_variant_a mercator_1sp_spherical mercator_spherical",
		"mercator_2sp":                           "mercator_variant_b mercator",
		"popular_visualisation_pseudo_mercator":  "mercator_auxiliary_sphere",
		"equirectangular":                        "equidistant_cylindrical equidistant_cylindrical_spherical plate_carree",
		"cylindrical_equal_area":                 "lambert_cylindrical_equal_area lambert_cylindrical_equal_area_spherical",
		"lambert_azimuthal_equal_area":           "lambert_azimuthal_equal_area_spherical",
		"azimuthal_equidistant":                  "modified_azimuthal_equidistant",
		"polyconic":                              "american_polyconic",
		"cassini_soldner":                        "cassini",
		"krovak":                                 "krovak_north_orientated",
	} {
		if slices.Contains(strings.Fields(names), name) {
			return method
		}
	}

	return name
}

// parameterOf returns one name for each parameter that this package uses. WKT 1, EPSG and ESRI have many names
// for them.
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
