package crs

// ellipsoidOf returns an ellipsoid by its PROJ name, or by the PROJ name of its datum.
func ellipsoidOf(ellps, datum string) (a, rf float64) {
	switch datum {
	case "WGS84":
		ellps = "WGS84"
	case "NAD83", "GGRS87", "":
	case "NAD27":
		ellps = "clrk66"
	case "potsdam", "hermannskogel":
		ellps = "bessel"
	case "carthage":
		ellps = "clrk80ign"
	case "ire65":
		ellps = "mod_airy"
	case "nzgd49":
		ellps = "intl"
	case "OSGB36":
		ellps = "airy"
	}

	for _, e := range [...]struct {
		name  string
		a, rf float64
	}{
		{"WGS84", 6378137, 298.257223563}, {"WGS72", 6378135, 298.26}, {"WGS66", 6378145, 298.25},
		{"GRS67", 6378160, 298.247167427}, {"bessel", 6377397.155, 299.1528128},
		{"bess_nam", 6377483.865, 299.1528128}, {"clrk66", 6378206.4, 294.9786982138982},
		{"clrk80", 6378249.145, 293.4663}, {"clrk80ign", 6378249.2, 293.4660212936269}, {"intl", 6378388, 297},
		{"airy", 6377563.396, 299.3249646}, {"mod_airy", 6377340.189, 299.3249646}, {"krass", 6378245, 298.3},
		{"aust_SA", 6378160, 298.25}, {"helmert", 6378200, 298.3}, {"evrstSS", 6377298.556, 300.8017},
		{"evrst30", 6377276.345, 300.8017}, {"evrst48", 6377304.063, 300.8017}, {"evrst56", 6377301.243, 300.8017},
		{"evrst69", 6377295.664, 300.8017}, {"hough", 6378270, 297}, {"IAU76", 6378140, 298.257},
		{"NWL9D", 6378145, 298.25}, {"APL4.9", 6378137, 298.25}, {"fschr60m", 6378155, 298.3}, {"fschr68", 6378150, 298.3},
		{"walbeck", 6376896, 302.78}, {"PZ90", 6378136, 298.25784}, {"GSK2011", 6378136.5, 298.2564151},
		{"SEasia", 6378155, 298.3}, {"WGS60", 6378165, 298.3}, {"new_intl", 6378157.5, 298.2496153900135}, {"fschr60", 6378166, 298.3}, {"sphere", 6370997, 0},
	} {
		if e.name == ellps {
			return e.a, e.rf
		}
	}

	return 6378137, 298.257222101 // GRS80
}

// primeMeridian returns a prime meridian by its PROJ name, in degrees east of Greenwich.
func primeMeridian(name string) float64 {
	switch name {
	case "lisbon":
		return -9.131906111111
	case "paris":
		return 2.337229166667
	case "bogota":
		return -74.080916666667
	case "madrid":
		return -3.687938888889
	case "rome":
		return 12.452333333333
	case "bern":
		return 7.439583333333
	case "jakarta":
		return 106.807719444444
	case "ferro":
		return -17.666666666667
	case "brussels":
		return 4.367975
	case "stockholm":
		return 18.058277777778
	case "athens":
		return 23.7163375
	case "oslo":
		return 10.722916666667
	case "copenhagen":
		return 12.57788
	}

	v, _ := angle(name)
	return v
}
