package aoi

import (
	"os"
	"strings"
	"testing"
)

// withCRS returns a polygon with a member crs.
func withCRS(crs string) string {
	return `{"crs":` + crs + `,"type":"Polygon","coordinates":[` + ringText + `]}`
}

func linked(href string) string {
	return withCRS(`{"type":"link","properties":{"href":"` + href + `","type":"ogcwkt"}}`)
}

func TestCRSMembers(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		srid int32
	}{
		"a draft's code":            {withCRS(`{"type":"EPSG","properties":{"code":3035}}`), 3035},
		"a draft's code as text":    {withCRS(`{"type":"EPSG","properties":{"code":"3035"}}`), 3035},
		"a name":                    {named("EPSG:3035"), 3035},
		"small letters":             {named("epsg:3035"), 3035},
		"a URN":                     {named("urn:ogc:def:crs:EPSG::3035"), 3035},
		"a URN with a version":      {named("urn:ogc:def:crs:EPSG:6.18:3035"), 3035},
		"a URN of old":              {named("urn:x-ogc:def:crs:EPSG:3035"), 3035},
		"a URI":                     {named("http://www.opengis.net/def/crs/EPSG/0/3035"), 3035},
		"a URI with a version":      {named("https://www.opengis.net/def/crs/EPSG/9.9.1/3035"), 3035},
		"a URI of GML":              {named("http://www.opengis.net/gml/srs/epsg.xml#3035"), 3035},
		"a safe CURIE":              {named("[EPSG:3035]"), 3035},
		"longitude first":           {named("urn:ogc:def:crs:OGC:1.3:CRS84"), 4326},
		"longitude first, no digit": {named("urn:ogc:def:crs:OGC::CRS84"), 4326},
		"longitude first as a URI":  {named("http://www.opengis.net/def/crs/OGC/1.3/CRS84"), 4326},
		"with heights":              {named("http://www.opengis.net/def/crs/OGC/0/CRS84h"), 4326},
		"of WMS":                    {named("CRS:84"), 4326},
		"NAD83":                     {named("urn:ogc:def:crs:OGC:1.3:CRS83"), 4269},
		"NAD27":                     {named("OGC:CRS27"), 4267},
		"a link":                    {linked("http://spatialreference.org/ref/epsg/3035/ogcwkt/"), 3035},
		"a link without an end":     {linked("https://spatialreference.org/ref/epsg/3035"), 3035},
		"a link to a file":          {linked("https://epsg.io/3035.wkt"), 3035},
		"a link to a page":          {linked("http://epsg.io/3035"), 3035},
		"a link to the OGC":         {linked("http://www.opengis.net/def/crs/EPSG/0/3035"), 3035},
		"null":                      {withCRS("null"), 4326},
	} {
		a, err := Read(strings.NewReader(test.text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if a.SRID != test.srid {
			t.Errorf("%s: SRID %d, want %d", name, a.SRID, test.srid)
		}
	}
}

// Only the user can tell what CRS these are in.
func TestCRSMembersThatSayNothing(t *testing.T) {
	for _, text := range []string{
		linked("http://spatialreference.org/ref/epsg/wgs-84/"), linked("http://spatialreference.org/ref/esri/102013/"),
		linked("https://example.com/3035"), linked("https://epsg.io/30350000000"), linked("data.crs"), linked("ftp://epsg.io/3035"),
		named("urn:ogc:def:crs:IGNF::LAMB93"), named("ETRS89 / LAEA Europe"), named("OGC:CRS85"),
		withCRS(`{"type":"EPSG","properties":{"code":0}}`), withCRS(`{"type":"EPSG","properties":{"code":true}}`),
		withCRS(`{"type":"name","properties":null}`), withCRS(`{"type":"name"}`), withCRS(`{}`),
	} {
		_, err := Read(strings.NewReader(text))
		checkParam(t, err, "aoi", "aoi-srid")

		if a, err := ReadAs(strings.NewReader(text), 25832); err != nil || a.SRID != 25832 {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// The user may name a CRS that the text does not name, but not another one.
func TestReadAs(t *testing.T) {
	for name, test := range map[string]struct {
		text        string
		given, want int32 // 0: they conflict
	}{
		"WKT":                         {"POLYGON(" + wktRing + ")", 3035, 3035},
		"EWKT of none":                {"SRID=0;POLYGON(" + wktRing + ")", 3035, 3035},
		"EWKT":                        {"SRID=3035;POLYGON(" + wktRing + ")", 3035, 3035},
		"EWKT of another":             {"SRID=25832;POLYGON(" + wktRing + ")", 3035, 0},
		"GeoJSON":                     {polygonOf, 3035, 3035},
		"GeoJSON of null":             {withCRS("null"), 3035, 3035},
		"GeoJSON with a CRS":          {named("EPSG:3035"), 3035, 3035},
		"GeoJSON of another":          {named("EPSG:25832"), 3035, 0},
		"GeoJSON with CRS84":          {named("OGC:1.3:CRS84"), 4326, 4326},
		"GeoJSON with CRS84, or 3035": {named("OGC:1.3:CRS84"), 3035, 0},
	} {
		a, err := ReadAs(strings.NewReader(test.text), test.given)

		switch {
		case test.want == 0:
			checkParam(t, err, "aoi-srid")
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case a.SRID != test.want:
			t.Errorf("%s: SRID %d, want %d", name, a.SRID, test.want)
		}
	}

	_, err := ReadAs(strings.NewReader(polygonOf), -1)
	checkParam(t, err, "aoi-srid", "negative")
}

// GeoJSON without crs is in degrees. Coordinates that cannot be degrees are refused.
func TestGeoJSONThatCannotBeDegrees(t *testing.T) {
	file := func(name string) string {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}

		return string(b)
	}

	metres := file("proj_nocrs.geojson")
	_, err := Read(strings.NewReader(metres))
	checkParam(t, err, "aoi", "cannot be degrees", "4040000 2950000", "aoi-srid")

	if a, err := ReadAs(strings.NewReader(metres), 3035); err != nil || a.SRID != 3035 {
		t.Errorf("in EPSG:3035: %v", err)
	}

	for _, name := range []string{"crs_old_epsg.geojson", "crs_http___www_opengis_net_def_crs_EPSG_0_3035.geojson"} {
		if a, err := Read(strings.NewReader(file(name))); err != nil || a.SRID != 3035 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// JSON-FG has the same geometry in place as in geometry, which is in EPSG:4326. A place alone is refused: its
// axes may be in another order.
func TestJSONFG(t *testing.T) {
	b, err := os.ReadFile("testdata/jsonfg.json")
	if err != nil {
		t.Fatal(err)
	}

	place := `"place":{"type":"Prism","coordinates":[{"x":[1]}]}`
	behind := `{"type":"Feature","geometry":null,` + place + `}`
	before := `{"type":"Feature",` + place + `,"geometry":null}`
	without := `{"type":"Feature",` + place + `}`

	for _, text := range []string{string(b), behind, before, without} {
		_, err := Read(strings.NewReader(text))
		checkParam(t, err, "aoi", "JSON-FG", "geometry")
	}

	for _, text := range []string{
		`{"type":"Feature","coordRefSys":"[EPSG:3035]",` + place + `,"geometry":` + polygonOf + `}`,
		`{"type":"Feature","geometry":` + polygonOf + `,` + place + `,"coordRefSys":"[EPSG:3035]"}`,
		`{"type":"Feature","geometry":` + polygonOf + `,"place" :  null}`,
	} {
		if a, err := Read(strings.NewReader(text)); err != nil || a.SRID != 4326 || len(a.Polygons) != 1 {
			t.Errorf("%s: %v", text, err)
		}
	}
}
