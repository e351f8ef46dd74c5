package crs

import (
	"math"
	"strings"
	"testing"
)

const (
	wgs84 = `GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],` +
		`UNIT["degree",0.0174532925199433],AUTHORITY["EPSG","4326"]]`
	ntfParis = `GEOGCS["NTF (Paris)",DATUM["NTF",SPHEROID["Clarke 1880 (IGN)",6378249.2,293.466021293627]],` +
		`PRIMEM["Paris",2.33722917],UNIT["grad",0.01570796326794897],AUTHORITY["EPSG","4807"]]`
	etrs89 = `BASEGEOGCRS["ETRS89",ENSEMBLE["ETRS89 ensemble",MEMBER["ETRF2000"],ELLIPSOID["GRS 1980",6378137,298.257222101,` +
		`LENGTHUNIT["metre",1]],ENSEMBLEACCURACY[0.1]],ID["EPSG",4258]]`
	esri84 = `GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],` +
		`PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]`
	utm31 = `,PROJECTION["Transverse_Mercator"],PARAMETER["central_meridian",3],PARAMETER["scale_factor",0.9996],` +
		`PARAMETER["false_easting",500000],UNIT["metre",1]`
)

// The dialects that occur in practice, with the result for each.
func TestDialects(t *testing.T) {
	for name, c := range map[string]struct {
		srtext, proj4text string
		want              CRS
	}{
		"WKT 1": {srtext: wgs84, want: CRS{Name: "WGS 84", Kind: Geographic, Unit: "degree", PerUnit: 1, Base: 7}},
		"parentheses, lower case and space": {
			srtext: strings.NewReplacer("[", " ( ", "]", "\n)", "GEOGCS", "GeogCS").Replace(wgs84),
			want:   CRS{Name: "WGS 84", Kind: Geographic, Unit: "degree", PerUnit: 1, Base: 7},
		},
		"grads from Paris": {
			srtext: ntfParis,
			want:   CRS{Name: "NTF (Paris)", Kind: Geographic, Unit: "grad", PerUnit: 0.9, Base: 7, CentralMeridian: 2.33722917},
		},
		"Paris in grads": {
			srtext: strings.Replace(ntfParis, "2.33722917", "2.5969213", 1),
			want:   CRS{Name: "NTF (Paris)", Kind: Geographic, Unit: "grad", PerUnit: 0.9, Base: 7, CentralMeridian: 2.5969213 * 0.9},
		},
		"quotes in a name": {
			srtext: `LOCAL_CS["the ""old"" site, plan [1]",UNIT["Foot_US",0.3048006096012192]]`,
			want:   CRS{Name: `the "old" site, plan [1]`, Kind: Engineering, Unit: "US survey foot", PerUnit: 1200.0 / 3937},
		},
		"projected": {
			srtext: `PROJCS["UTM 31",` + wgs84 + utm31 + `]`,
			want:   CRS{Name: "UTM 31", Kind: Projected, Unit: "metre", PerUnit: 1, Base: 4326, Method: "transverse_mercator", CentralMeridian: 3},
		},
		"parameters in grads from Paris": {
			srtext: `PROJCS["Lambert Nord",` + ntfParis + `,PROJECTION["Lambert_Conformal_Conic_1SP"],PARAMETER["central_meridian",10],UNIT["metre",1]]`,
			want: CRS{Name: "Lambert Nord", Kind: Projected, Unit: "metre", PerUnit: 1, Base: 4807, Method: "lambert_conformal_conic_1sp",
				CentralMeridian: 11.33722917},
		},
		"compound": {
			srtext: `COMPD_CS["UTM 31 + height",PROJCS["UTM 31",` + wgs84 + utm31 + `],VERT_CS["height",VERT_DATUM["d",2005],UNIT["foot",0.3048]]]`,
			want: CRS{Name: "UTM 31 + height", Kind: Projected, Unit: "metre", PerUnit: 1, Base: 4326, Method: "transverse_mercator",
				CentralMeridian: 3},
		},
		"compound of longitudes": {
			srtext: `COMPD_CS["WGS 84 + height",` + wgs84 + `,VERT_CS["height",VERT_DATUM["d",2005],UNIT["metre",1]]]`,
			want:   CRS{Name: "WGS 84 + height", Kind: Geographic, Unit: "degree", PerUnit: 1, Base: 4326},
		},
		"geocentric": {
			srtext: `GEOCCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["metre",1]]`,
			want:   CRS{Name: "WGS 84", Kind: Geocentric, Unit: "metre", PerUnit: 1},
		},
		"heights alone": {srtext: `VERT_CS["height",VERT_DATUM["d",2005],UNIT["metre",1]]`},
		"WKT 2 with the unit in each axis": {
			srtext: `GEOGCRS["WGS 84",DATUM["World Geodetic System 1984",ELLIPSOID["WGS 84",6378137,298.257223563]],CS[ellipsoidal,2],` +
				`AXIS["latitude",north,ORDER[1],ANGLEUNIT["degree",0.0174532925199433]],AXIS["longitude",east,ANGLEUNIT["degree",0.0174532925199433]],ID["EPSG",4326]]`,
			want: CRS{Name: "WGS 84", Kind: Geographic, Unit: "degree", PerUnit: 1, Base: 7},
		},
		"WKT 2 geodetic": {
			srtext: `GEODCRS["x",DATUM["x",ELLIPSOID["x",6378137,0]],CS[ellipsoidal,2],AXIS["lat",north],AXIS["lon",east],ANGLEUNIT["grad",0.015707963267949]]`,
			want:   CRS{Name: "x", Kind: Geographic, Unit: "grad", PerUnit: 0.9, Base: 7},
		},
		"WKT 2 geocentric": {
			srtext: `GEODETICCRS["x",DATUM["x",ELLIPSOID["x",6378137,0]],CS[Cartesian,3],AXIS["(X)",geocentricX],LENGTHUNIT["metre",1]]`,
			want:   CRS{Name: "x", Kind: Geocentric, Unit: "metre", PerUnit: 1},
		},
		"WKT 2 projected": {
			srtext: `PROJCRS["LAEA Europe",` + etrs89 + `,CONVERSION["Europe",METHOD["Lambert Azimuthal Equal Area",ID["EPSG",9820]],` +
				`PARAMETER["Longitude of natural origin",10,ANGLEUNIT["degree",0.0174532925199433]],PARAMETER["False easting",4321000,LENGTHUNIT["metre",1]]],` +
				`CS[Cartesian,2],AXIS["northing (Y)",north,ORDER[1]],AXIS["easting (X)",east,ORDER[2]],LENGTHUNIT["metre",1],ID["EPSG",3035]]`,
			want: CRS{Name: "LAEA Europe", Kind: Projected, Unit: "metre", PerUnit: 1, Base: 4258, Method: "lambert_azimuthal_equal_area", CentralMeridian: 10},
		},
		"WKT 2 bound to another": {
			srtext: `BOUNDCRS[SOURCECRS[GEOGCRS["x",DATUM["x",ELLIPSOID["x",6378137,0]],CS[ellipsoidal,2],AXIS["lat",north],ANGLEUNIT["degree",0.01745329252]]],` +
				`TARGETCRS[ENGCRS["y",EDATUM["y"],CS[Cartesian,2],LENGTHUNIT["metre",1]]]]`,
			want: CRS{Name: "x", Kind: Geographic, Unit: "degree", PerUnit: 1, Base: 7},
		},
		"WKT 2 compound": {
			srtext: `COMPOUNDCRS["both",VERTCRS["h",VDATUM["h"],CS[vertical,1],LENGTHUNIT["metre",1]],ENGINEERINGCRS["site",EDATUM["s"],CS[Cartesian,2],` +
				`AXIS["x",east,LENGTHUNIT["kilometre",1000]]]]`,
			want: CRS{Name: "both", Kind: Engineering, Unit: "kilometre", PerUnit: 1000},
		},
		"WKT 2 derived from a projected one": {
			srtext: `DERIVEDPROJCRS["site",BASEPROJCRS["base",` + etrs89 + `,CONVERSION["c",METHOD["Transverse Mercator"]]],` +
				`DERIVINGCONVERSION["d",METHOD["Affine"]],CS[Cartesian,2],AXIS["x",east],LENGTHUNIT["foot",0.3048]]`,
			want: CRS{Name: "site", Kind: Projected, Unit: "foot", PerUnit: 0.3048, Base: 4258},
		},
		"WKT 2 with a turned pole": {
			srtext: `GEOGCRS["turned",BASEGEOGCRS["b",DATUM["d",ELLIPSOID["e",6371229,0]]],DERIVINGCONVERSION["p",METHOD["PROJ ob_tran o_proj=longlat"]],` +
				`CS[ellipsoidal,2],AXIS["lat",north],AXIS["lon",east],ANGLEUNIT["degree",0.0174532925199433]]`,
			want: CRS{Name: "turned", Kind: Geographic, Unit: "degree", PerUnit: 1, Base: 7},
		},
		"ESRI": {
			srtext: `PROJCS["WGS_1984_Web_Mercator_Auxiliary_Sphere",` + esri84 + `,PROJECTION["Mercator_Auxiliary_Sphere"],PARAMETER["False_Easting",0.0],` +
				`PARAMETER["Central_Meridian",0.0],PARAMETER["Standard_Parallel_1",0.0],PARAMETER["Auxiliary_Sphere_Type",0.0],UNIT["Foot_US",0.304800609601219]]`,
			want: CRS{Name: "WGS_1984_Web_Mercator_Auxiliary_Sphere", Kind: Projected, Unit: "US survey foot", PerUnit: 1200.0 / 3937,
				Method: "popular_visualisation_pseudo_mercator"},
		},
		"ESRI's compound": {
			srtext: esri84 + `,VERTCS["NAVD_1988",VDATUM["d"],PARAMETER["Direction",1.0],UNIT["Foot",0.3048]]`,
			want:   CRS{Name: "GCS_WGS_1984", Kind: Geographic, Unit: "degree", PerUnit: 1},
		},
		"ESRI's conic with two parallels": {
			srtext: `PROJCS["x",` + esri84 + `,PROJECTION["Lambert_Conformal_Conic"],PARAMETER["Standard_Parallel_1",1],PARAMETER["Standard_Parallel_2",2],UNIT["Meter",1.0]]`,
			want:   CRS{Name: "x", Kind: Projected, Unit: "metre", PerUnit: 1, Method: "lambert_conformal_conic_2sp"},
		},
		"longlat":       {proj4text: "+proj=longlat +datum=WGS84 +no_defs", want: CRS{Kind: Geographic, Unit: "degree", PerUnit: 1, Base: 7}},
		"latlong":       {proj4text: "+proj=latlong", want: CRS{Kind: Geographic, Unit: "degree", PerUnit: 1, Base: 7}},
		"lonlat":        {proj4text: "proj=lonlat", want: CRS{Kind: Geographic, Unit: "degree", PerUnit: 1, Base: 7}},
		"latlon, Paris": {proj4text: "+proj=latlon +pm=paris", want: CRS{Kind: Geographic, Unit: "degree", PerUnit: 1, Base: 7, CentralMeridian: 2.337229166667}},
		"geocent":       {proj4text: "+proj=geocent +units=km", want: CRS{Kind: Geocentric, Unit: "kilometre", PerUnit: 1000}},
		"UTM":           {proj4text: "+proj=utm +zone=60", want: CRS{Kind: Projected, Unit: "metre", PerUnit: 1, Method: "transverse_mercator", CentralMeridian: 177}},
		"to_meter": {
			proj4text: "+proj=tmerc +lon_0=7d26'22.5\"W +to_meter=1/4",
			want:      CRS{Kind: Projected, Unit: "unit of 0.25 m", PerUnit: 0.25, Method: "transverse_mercator", CentralMeridian: -7.439583333333333},
		},
		"a unit that only proj4text has": {
			srtext: `LOCAL_CS["x"]`, proj4text: "+proj=tmerc +units=ft", want: CRS{Name: "x", Kind: Engineering},
		},
		"a unit that srtext lacks": {
			srtext: `PROJCS["x",PROJECTION["Transverse_Mercator"]]`, proj4text: "+proj=tmerc +units=ft",
			want: CRS{Name: "x", Kind: Projected, Unit: "foot", PerUnit: 0.3048, Method: "transverse_mercator"},
		},
		"srtext is right": {
			srtext: wgs84, proj4text: "+proj=utm +zone=31 +units=m", want: CRS{Name: "WGS 84", Kind: Geographic, Unit: "degree", PerUnit: 1, Base: 7},
		},
		"srtext that ends early": {srtext: wgs84[:90], proj4text: "+proj=latlon", want: CRS{Kind: Geographic, Unit: "degree", PerUnit: 1, Base: 7}},
		"nothing":                {},
		"a pipeline":             {proj4text: "+proj=pipeline +step +proj=longlat"},
		"a unit of infinity":     {srtext: `LOCAL_CS["x",UNIT["metre",1e999]]`, want: CRS{Name: "x", Kind: Engineering}},
		"a unit of nothing":      {srtext: `LOCAL_CS["x",UNIT["metre",0]]`, want: CRS{Name: "x", Kind: Engineering}},
	} {
		got := Parse(7, c.srtext, c.proj4text)
		if math.Abs(got.CentralMeridian-c.want.CentralMeridian) > 1e-9 {
			t.Errorf("%s: central meridian %v, want %v", name, got.CentralMeridian, c.want.CentralMeridian)
		}

		// Tests of the ground check the ellipsoid and what follows from it.
		c.want.SRID = 7
		got.CentralMeridian, c.want.CentralMeridian = 0, 0
		got.SemiMajor, got.InverseFlattening, got.cylinder = 0, 0, cylinder{}
		if got != c.want {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, c.want)
		}
	}
}

func TestDegreesAndMetres(t *testing.T) {
	if c := Parse(0, wgs84, ""); !c.Degrees() || c.Metres() {
		t.Error("WGS 84 is not in degrees")
	}
	if c := Parse(0, ntfParis, ""); c.Degrees() || c.Metres() {
		t.Error("grads are degrees or metres")
	}
	if c := Parse(0, "", "+proj=utm +zone=31"); c.Degrees() || !c.Metres() {
		t.Error("UTM is not in metres")
	}
	if (CRS{}).Degrees() || (CRS{}).Metres() {
		t.Error("nothing has a unit")
	}
}

// The same place, for each way to define where the map wraps around.
func TestSeamOfTexts(t *testing.T) {
	const world = 2 * math.Pi * 6378137
	for name, c := range map[string]struct {
		srtext, proj4text string
		want              Seam
	}{
		"degrees":          {srtext: wgs84, want: Seam{-180, 360}},
		"grads from Paris": {srtext: ntfParis, want: Seam{-200, 400}},
		"0 to 360":         {proj4text: "+proj=longlat +lon_wrap=180", want: Seam{0, 360}},
		"3857":             {proj4text: "+proj=merc +a=6378137 +b=6378137 +nadgrids=@null", want: Seam{-world / 2, world}},
		"webmerc":          {proj4text: "+proj=webmerc +lon_0=150", want: Seam{-world / 2, world}},
		"1SP in feet": {
			proj4text: "+proj=merc +k=0.5 +x_0=304.8 +units=ft +datum=WGS84",
			want:      Seam{1000 - world/4/0.3048, world / 2 / 0.3048},
		},
		"2SP on a sphere":     {proj4text: "+proj=merc +lat_ts=60 +R=1000", want: Seam{-500 * math.Pi, 1000 * math.Pi}},
		"equirectangular":     {proj4text: "+proj=eqc +lat_ts=60 +R=1000 +x_0=7", want: Seam{7 - 500*math.Pi, 1000 * math.Pi}},
		"equal area":          {proj4text: "+proj=cea +lat_ts=60 +R=1000", want: Seam{-500 * math.Pi, 1000 * math.Pi}},
		"Miller":              {proj4text: "+proj=mill +R=1000", want: Seam{-1000 * math.Pi, 2000 * math.Pi}},
		"Gall":                {proj4text: "+proj=gall +R=1000", want: Seam{-1000 * math.Pi / math.Sqrt2, 2000 * math.Pi / math.Sqrt2}},
		"ESRI's Plate Carree": {srtext: `PROJCS["x",` + esri84 + `,PROJECTION["Plate_Carree"],UNIT["Meter",1]]`, want: Seam{-world / 2, world}},
		"ESRI's Web Mercator": {srtext: `PROJCS["x",` + esri84 + `,PROJECTION["Mercator_Auxiliary_Sphere"],UNIT["Meter",1]]`, want: Seam{-world / 2, world}},
		"ESRI's Behrmann": {
			srtext: `PROJCS["x",GEOGCS["s",DATUM["s",SPHEROID["s",1000,0]],UNIT["Degree",0.0174532925199433]],PROJECTION["Behrmann"],UNIT["Meter",1]]`,
			want:   Seam{-500 * math.Sqrt(3) * math.Pi, 1000 * math.Sqrt(3) * math.Pi},
		},
		"WKT 2 with a false easting in kilometres": {
			srtext: `PROJCRS["x",` + etrs89 + `,CONVERSION["c",METHOD["Mercator (variant A)"],PARAMETER["Scale factor at natural origin",1,SCALEUNIT["unity",1]],` +
				`PARAMETER["False easting",2,LENGTHUNIT["kilometre",1000]]],CS[Cartesian,2],AXIS["E",east],LENGTHUNIT["metre",1]]`,
			want: Seam{2000 - world/2, world},
		},
		"transverse": {proj4text: "+proj=utm +zone=31"},
		"azimuthal":  {proj4text: "+proj=laea +lat_0=52"},
		"site":       {srtext: `LOCAL_CS["x",UNIT["metre",1]]`},
		"nothing":    {},
	} {
		got, ok := Parse(0, c.srtext, c.proj4text).Seam()
		if ok != (c.want != Seam{}) || math.Abs(got.X-c.want.X) > 1e-6 || math.Abs(got.Period-c.want.Period) > 1e-6 {
			t.Errorf("%s: %+v, %v; want %+v", name, got, ok, c.want)
		}
	}
}

// Lengths from the manuals: a degree at the equator, at 45 N and at a pole of WGS 84.
func TestGroundOfDegrees(t *testing.T) {
	c := Parse(4326, wgs84, "")
	for _, w := range []struct{ lat, mx, my float64 }{
		{0, 111319.491, 110574.276}, {45, 78846.835, 111131.778}, {-45, 78846.835, 111131.778}, {90, 0, 111693.98},
	} {
		mx, my, ok := c.Ground(190, w.lat)
		if !ok || math.Abs(mx-w.mx) > 0.01 || math.Abs(my-w.my) > 0.01 {
			t.Errorf("%v N: %v, %v, %v; want %+v", w.lat, mx, my, ok, w)
		}
	}

	for _, y := range []float64{90.5, -91, math.NaN(), math.Inf(1)} {
		if mx, my, ok := c.Ground(0, y); ok {
			t.Errorf("latitude %v has a ground of %v, %v", y, mx, my)
		}
	}
}

func TestGroundOfOthers(t *testing.T) {
	mx, my, ok := Parse(0, "", "+proj=utm +zone=31 +units=ft").Ground(500000, 0)
	if !ok || mx != 0.3048 || my != 0.3048 {
		t.Errorf("UTM in feet: %v, %v, %v", mx, my, ok)
	}
	if _, _, ok := (CRS{}).Ground(0, 0); ok {
		t.Error("nothing has a ground")
	}
	if _, _, ok := Parse(0, "", "+proj=eqc +R=1000").Ground(0, 2000); ok {
		t.Error("an equirectangular map has a place beyond its pole")
	}
}

// FuzzParse checks that no text makes Parse fail, and that its results are within their ranges.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		wgs84, ntfParis, `PROJCS["UTM 31",` + wgs84 + utm31 + `]`, `PROJCRS["x",` + etrs89 + `,CONVERSION["c",METHOD["Mercator (variant B)"],` +
			`PARAMETER["Latitude of 1st standard parallel",89.9]],LENGTHUNIT["metre",1]]`, strings.Repeat("A[", 1000), `GEOGCS["`, `X["a""b",1e400]`,
		`COMPD_CS["x",` + wgs84 + `,VERT_CS["h",UNIT["m",1]]]`, `BOUNDCRS[SOURCECRS[` + wgs84 + `]]`,
	} {
		f.Add(s, "+proj=merc +lat_ts=90 +a=1e308 +units=ft", 1.0, 2.0)
		f.Add(s, "+proj=longlat +pm=1e30 +rf=0.1", -1e300, 90.0)
	}

	f.Fuzz(func(t *testing.T, srtext, proj4text string, x, y float64) {
		c := Parse(3857, srtext, proj4text)

		if c.PerUnit < 0 || math.IsInf(c.PerUnit, 0) || c.PerUnit != c.PerUnit || (c.Unit == "") != (c.PerUnit == 0) {
			t.Errorf("%q has %v per unit", c.Unit, c.PerUnit)
		}
		if !(math.Abs(c.CentralMeridian) <= 180) {
			t.Errorf("central meridian %v", c.CentralMeridian)
		}
		if s, ok := c.Seam(); ok && !(s.Period > 0 && !math.IsInf(s.Period, 0) && !math.IsInf(s.X, 0) && s.X == s.X) {
			t.Errorf("seam %+v", s)
		}
		if mx, my, ok := c.Ground(x, y); ok && !(mx >= 0 && my > 0) {
			t.Errorf("at %v, %v: %v, %v of %+v", x, y, mx, my, c)
		}
	})
}

// The northern ends of maps: the pole, or the edge of a Mercator square.
func TestEnds(t *testing.T) {
	for srid, want := range map[int32]float64{4326: 90, 4807: 100, 3857: 20037508.342789244, 3395: 20037508.342789244, 6933: 7342230.136498678, 4087: 10018754.171394622} {
		c, _ := Known(srid)
		low, high, ok := c.Ends()
		if !ok || math.Abs(high-want) > 1e-8*want || low != -high {
			t.Errorf("EPSG:%d ends at %v and %v, want %v", srid, low, high, want)
		}
	}

	for srid, want := range map[int32]float64{3857: 85.0511287798066, 3395: 85.0840590501105} { // atan(sinh(pi)); proj -I of half the equator
		if c, _ := Known(srid); math.Abs(c.EndLatitude()-want) > 1e-9 {
			t.Errorf("EPSG:%d ends at %v degrees", srid, c.EndLatitude())
		}
	}

	if c, _ := Known(3035); c.Mercator() {
		t.Error("EPSG:3035 is none of Mercator's")
	}
	if c, _ := Known(32633); c.Mercator() {
		t.Error("EPSG:32633 lies along a meridian")
	}
	if _, _, ok := (CRS{}).Ends(); ok {
		t.Error("the ends of nothing are known")
	}
}
