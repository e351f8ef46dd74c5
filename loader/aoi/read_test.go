package aoi

import (
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
)

// square returns a polygon with one ring, a by a.
func square(x, y, a float64) geomgen.Polygon {
	return geomgen.Polygon{{{X: x, Y: y}, {X: x + a, Y: y}, {X: x + a, Y: y + a}, {X: x, Y: y + a}, {X: x, Y: y}}}
}

const (
	ringText  = `[[0,0],[1,0],[1,1],[0,1],[0,0]]`
	otherRing = `[[5,5],[6,5],[6,6],[5,6],[5,5]]`
	polygonOf = `{"type":"Polygon","coordinates":[` + ringText + `]}`
	otherOf   = `{"type":"Polygon","coordinates":[` + otherRing + `]}`
	wktRing   = `(0 0,1 0,1 1,0 1,0 0)`
)

func featureOf(geometry string) string {
	return `{"type":"Feature","properties":{"a":[{"b":null}]},"geometry":` + geometry + `}`
}

func features(geometries ...string) string {
	for i, g := range geometries {
		geometries[i] = featureOf(g)
	}
	return `{"type":"FeatureCollection","features":[` + strings.Join(geometries, ",") + `]}`
}

func named(crs string) string {
	return `{"crs":{"type":"name","properties":{"name":"` + crs + `"}},"type":"Polygon","coordinates":[` + ringText + `]}`
}

func TestReadArea(t *testing.T) {
	one, two := []geomgen.Polygon{square(0, 0, 1)}, []geomgen.Polygon{square(0, 0, 1), square(5, 5, 1)}
	hole := geomgen.Polygon{square(0, 0, 9)[0], square(2, 2, 1)[0]}

	for _, test := range []struct {
		name, text string
		srid       int32
		want       []geomgen.Polygon
		union      bool
		warnings   int
	}{
		{"a polygon", polygonOf, 4326, one, false, 0},
		{"its type behind", `{"coordinates":[` + ringText + `],"type":"Polygon"}`, 4326, one, false, 0},
		{"members that are none of ours", `{"Type":3,"bbox":[0,0,1,1],"type":"Polygon","x":{"type":[1,"]"]},"coordinates":[` + ringText + `]}`, 4326, one, false, 0},
		{"a mark and white space around", "\xef\xbb\xbf \r\n\t" + polygonOf + " \n", 4326, one, false, 0},
		{"a hole", `{"type":"Polygon","coordinates":[[[0,0],[9,0],[9,9],[0,9],[0,0]],[[2,2],[3,2],[3,3],[2,3],[2,2]]]}`, 4326, []geomgen.Polygon{hole}, false, 0},
		{"a multipolygon", `{"type":"MultiPolygon","coordinates":[[` + ringText + `],[` + otherRing + `]]}`, 4326, two, false, 0},
		{"an empty one in it", `{"type":"MultiPolygon","coordinates":[[],[` + ringText + `]]}`, 4326, one, false, 0},
		{"a feature", featureOf(polygonOf), 4326, one, false, 0},
		{"features", features(polygonOf, otherOf), 4326, two, true, 0},
		{"a feature without a place", features("null", polygonOf), 4326, one, false, 0},
		{"a collection", `{"type":"GeometryCollection","geometries":[` + polygonOf + `,` + otherOf + `]}`, 4326, two, true, 0},
		{"a collection of one in another", featureOf(`{"geometries":[{"geometries":[` + polygonOf + `],"type":"GeometryCollection"}],"type":"GeometryCollection"}`), 4326, one, false, 0},
		{"heights", `{"type":"Polygon","coordinates":[[[0,0,7],[1,0,7],[1,1,8,9],[0,1],[0,0,7]]]}`, 4326, one, false, 1},
		{"equal points in a row", `{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,0],[1,1],[0,0]]]}`, 4326,
			[]geomgen.Polygon{{{{X: 0, Y: 0}, {X: 1, Y: 0}, {X: 1, Y: 0}, {X: 1, Y: 1}, {X: 0, Y: 0}}}}, false, 0},
		{"numbers of all kinds", `{"type":"Polygon","coordinates":[[[0e3,-0.0],[1.0,0],[10E-1,1],[0,1],[0,0]]]}`, 4326, one, false, 0},
		{"CRS84", named("urn:ogc:def:crs:OGC:1.3:CRS84"), 4326, one, false, 0},
		{"a short CRS", named("EPSG:3035"), 3035, one, false, 0},
		{"a URN", named("urn:ogc:def:crs:EPSG::3857"), 3857, one, false, 0},
		{"a URN with a version", named("urn:ogc:def:crs:EPSG:6.9:25832"), 25832, one, false, 0},
		{"a CRS of null", `{"crs":null,"type":"Polygon","coordinates":[` + ringText + `]}`, 4326, one, false, 0},
		{"a CRS behind the features", `{"type":"FeatureCollection","features":[` + featureOf(polygonOf) + `],"crs":{"type":"name","properties":{"name":"EPSG:3035"}}}`, 3035, one, false, 0},
		{"WKT", "POLYGON (" + wktRing + ")", 0, one, false, 0},
		{"small letters, lines and a mark", "\xef\xbb\xbf\n polygon\n(\n" + wktRing + "\n)\n", 0, one, false, 0},
		{"EWKT", "SRID=3035;POLYGON(" + wktRing + ")", 3035, one, false, 0},
		{"EWKT in small letters", "srid=3035; polygon(" + wktRing + ")", 3035, one, false, 0},
		{"WKT of several", "MULTIPOLYGON((" + wktRing + "),((5 5,6 5,6 6,5 6,5 5)))", 0, two, false, 0},
		{"WKT of a collection", "GEOMETRYCOLLECTION(POLYGON(" + wktRing + "),POLYGON((5 5,6 5,6 6,5 6,5 5)))", 0, two, true, 0},
		{"WKT with empty ones", "MULTIPOLYGON(EMPTY,(" + wktRing + "))", 0, one, false, 0},
		{"WKT with heights", "POLYGON Z((0 0 1,1 0 1,1 1 1,0 1 1,0 0 1))", 0, one, false, 1},
		{"WKT with measures", "POLYGON M((0 0 1,1 0 1,1 1 1,0 1 1,0 0 1))", 0, one, false, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, err := Read(strings.NewReader(test.text))
			if err != nil {
				t.Fatal(err)
			}

			if !reflect.DeepEqual(a.Polygons, test.want) || a.SRID != test.srid || a.Union != test.union || len(a.Warnings) != test.warnings {
				t.Errorf("got %+v", a)
			}
		})
	}
}

func TestReadAreaRefuses(t *testing.T) {
	ring := func(points string) string {
		return `{"type":"Polygon","coordinates":[` + ringText + `,[` + points + `]]}`
	}
	collection := `{"type":"GeometryCollection","geometries":[`

	for _, test := range []struct {
		name, text string
		words      []string
	}{
		{"nothing", "", []string{"is empty"}},
		{"white space", " \n", []string{"is empty"}},
		{"no features", features(), []string{"is empty"}},
		{"features without a place", features("null", "null"), []string{"is empty"}},
		{"a feature without geometry", `{"type":"Feature"}`, []string{"is empty"}},
		{"an empty polygon", `{"type":"Polygon","coordinates":[]}`, []string{"is empty"}},
		{"an empty ring alone", `{"type":"Polygon","coordinates":[[]]}`, []string{"is empty"}},
		{"an empty collection", collection + `]}`, []string{"is empty"}},
		{"an empty polygon in WKT", "POLYGON EMPTY", []string{"is empty"}},
		{"an empty collection in WKT", "GEOMETRYCOLLECTION EMPTY", []string{"is empty"}},

		{"a line", `{"type":"LineString","coordinates":[[0,0],[1,1]]}`, []string{"holds a LineString: an area of interest is made of polygons"}},
		{"a point among features", features(polygonOf, `{"type":"Point","coordinates":[0,0]}`), []string{"holds a Point, in feature 2"}},
		{"an empty line", `{"type":"MultiLineString","coordinates":[]}`, []string{"holds a MultiLineString"}},
		{"closed lines", features(`{"coordinates":[` + ringText + `],"type":"MultiLineString"}`), []string{"holds a MultiLineString, in feature 1"}},
		{"a line in a collection", features(collection + polygonOf + `,{"type":"MultiPoint","coordinates":[[0,0]]}]}`), []string{"holds a MultiPoint, in feature 1"}},
		{"a line in WKT", "LINESTRING(0 0,1 1)", []string{"holds a LineString"}},
		{"points in WKT", "GEOMETRYCOLLECTION(POLYGON(" + wktRing + "),MULTIPOINT(0 0,1 1))", []string{"holds a MultiPoint"}},

		{"an open hole", features(polygonOf, ring(`[2,3],[4000000,3],[4,5],[0.5,7.25]`)), []string{"in feature 2", "hole 1 of polygon 2", "begins at 2 3 and ends at 0.5 7.25"}},
		{"three points", ring(`[2,3],[4,3],[2,3]`), []string{"hole 1 of polygon 1 has fewer than four points at 2 3"}},
		{"a ring without points", `{"type":"Polygon","coordinates":[` + ringText + `,[]]}`, []string{"a ring has no points", "near byte 68"}},
		{"an open shell in WKT", "POLYGON((0 0,1 0,\n1 1,0 1.5))", []string{"polygon ring not closed at line 2, pos 9"}},
		{"an open hole in WKT", "SRID=3035;MULTIPOLYGON((" + wktRing + "),EMPTY,\n(" + wktRing + ",(1 1 ,-2 1, 2 2,4321000 2), (7 7)))", []string{"polygon ring not closed at line 2, pos 48 after SRID=3035;"}},
		{"an open shell in a collection", "GEOMETRYCOLLECTION(POLYGON(" + wktRing + "),POLYGON((0 0,1 0,1 1,0 1)))", []string{"polygon ring not closed at line 1, pos 74"}},
		{"three points in WKT", "POLYGON(" + wktRing + ",(0 0,1 0,0 0))", []string{"polygon ring doesn't have enough points at line 1, pos 42"}},

		{"a null for a number", ring(`[null,0]`), []string{"found <nil>, expected a coordinate", "near byte"}},
		{"a string for a number", ring(`["0",0]`), []string{"found 0, expected a coordinate"}},
		{"a number too large", ring(`[1e400,0]`), []string{"1e400", "near byte 72"}},
		{"NaN", ring(`[NaN,0]`), []string{"found NaN or Infinity, expected a coordinate", "near byte"}},
		{"one number", ring(`[1]`), []string{"fewer than two numbers"}},
		{"no numbers", ring(`[1,1],[]`), []string{"fewer than two numbers"}},
		{"uneven", `{"type":"Polygon","coordinates":[` + ringText + `,[[[1,1]]]]}`, []string{"unevenly"}},
		{"a number among positions", ring(`[1,1],2`), []string{"mixes numbers and arrays"}},
		{"too flat", `{"type":"MultiPolygon","coordinates":[` + ringText + `]}`, []string{"the coordinates of a MultiPolygon are nested 3 deep, not 4"}},
		{"too deep", `{"type":"Polygon","coordinates":[[` + ringText + `]]}`, []string{"the coordinates of a Polygon are nested 4 deep, not 3"}},
		{"much too deep", `{"type":"Polygon","coordinates":` + strings.Repeat("[", 1e6), []string{"found [, expected a coordinate"}},
		{"infinite in WKT", "POLYGON((0 0,1e999 0,1 1,0 0))", []string{"invalid number at line 1, pos 13"}},
		{"NaN in WKT", "POLYGON((0 0,NaN 0,1 1,0 0))", []string{"at line 1, pos"}},

		{"no JSON", "{\n\"type\": Polygon}", []string{"invalid character 'P'", "near byte"}},
		{"cut off", polygonOf[:40], []string{"ends too early", "near byte 39"}},
		{"cut off, behind a mark", "\xef\xbb\xbf  " + polygonOf[:40], []string{"ends too early", "near byte 44"}},
		{"something behind", polygonOf + "}", []string{"more text follows its end"}},
		{"a second document that is none", polygonOf + "\n" + `["a"]`, []string{"more text follows its end"}},
		{"a second document cut off", polygonOf + "\n" + polygonOf[:40], []string{"ends too early"}},
		{"a line in the second document", polygonOf + "\n" + featureOf(`{"type":"Point","coordinates":[0,0]}`), []string{"holds a Point, in feature 2"}},
		{"something behind WKT", "POLYGON(" + wktRing + ") x", []string{"line 1"}},
		{"a second WKT", "POLYGON(" + wktRing + ");POLYGON(" + wktRing + ")", []string{"invalid character at line 1, pos 30"}},
		{"a zero byte", "POLYGON(" + wktRing + ")\x00 x", []string{"zero byte", "byte 31"}},
		{"not closed WKT", "POLYGON(" + wktRing, []string{"line 1"}},
		{"KML", "<kml >", []string{"seems to be KML", "ogr2ogr -f GeoJSONSeq /vsistdout/ FILE | loadgrid ... --aoi -", "aoi-ogr"}},
		{"an array", "[" + polygonOf + "]", []string{"seems to be a JSON array"}},

		{"no type", `{"coordinates":[` + ringText + `]}`, []string{"has no type"}},
		{"a type that is none", `{"type":"Topologies","arcs":[]}`, []string{`type is "Topologies"`}},
		{"a type in small letters", `{"type":"polygon","coordinates":[` + ringText + `]}`, []string{`type is "polygon"`}},
		{"a type of another kind", `{"type":5}`, []string{"near byte"}},
		{"no coordinates", `{"type":"Polygon"}`, []string{"a Polygon has no coordinates"}},
		{"coordinates of null", `{"type":"Polygon","coordinates":null}`, []string{"found <nil>, expected ["}},
		{"a geometry among features", `{"type":"FeatureCollection","features":[` + polygonOf + `]}`, []string{"in feature 1", "a Polygon is not allowed here"}},
		{"a feature in a feature", featureOf(featureOf(polygonOf)), []string{"a Feature is not allowed here"}},
		{"a feature of null", `{"type":"FeatureCollection","features":[null]}`, []string{"found <nil>, expected an object"}},
		{"features that are none", `{"type":"FeatureCollection","features":{}}`, []string{"found {, expected ["}},
		{"a polygon with a geometry", `{"type":"Polygon","geometry":` + polygonOf + `}`, []string{"a Polygon has no coordinates"}},
		{"two in one", `{"type":"Polygon","coordinates":[],"geometry":null}`, []string{"has both coordinates and geometry"}},
		{"collections without end", strings.Repeat(collection+`{"type":"GeometryCollection","geometries":[`, 1e5), []string{"nested more than 32 deep"}},
		{"collections without end in WKT", strings.Repeat("GEOMETRYCOLLECTION(", 1e6), []string{"nested more than 32 deep"}},

		{"a CRS by its title", named("ETRS89 / LAEA Europe"), []string{`names a CRS that loadgrid does not understand, "ETRS89 / LAEA Europe"`, "EPSG:3035"}},
		{"CRS 0", named("EPSG:0"), []string{"does not understand"}},
		{"a CRS too large", named("EPSG:4294967297"), []string{"does not understand"}},
		{"a linked CRS", `{"crs":{"type":"link","properties":{"href":"x"}},"type":"Polygon","coordinates":[]}`, []string{"does not understand"}},
		{"a CRS that is none", `{"crs":"EPSG:3035","type":"Polygon","coordinates":[]}`, []string{"near byte"}},
		{"two CRSs", `{"type":"FeatureCollection","features":[` + featureOf(named("EPSG:3035")) + `,` + featureOf(named("EPSG:3857")) + `]}`, []string{"EPSG:3035", "EPSG:3857", "in feature 2"}},
		{"an SRID that is none", "SRID=x;POLYGON(" + wktRing + ")", []string{"cannot be read as EWKT"}},
		{"a negative SRID", "SRID=-1;POLYGON(" + wktRing + ")", []string{"cannot be read as EWKT"}},
		{"an SRID alone", "SRID=4326", []string{"cannot be read as EWKT"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, err := Read(strings.NewReader(test.text))
			checkParam(t, err, "aoi", test.words...)
			if a != nil {
				t.Errorf("got %+v beside the error", a)
			}
		})
	}
}

// checkParam fails unless err is about a parameter and contains the words.
func checkParam(t *testing.T, err error, param string, words ...string) {
	t.Helper()
	var bad *geomgen.ParamError
	if !errors.As(err, &bad) || bad.Param != param {
		t.Fatalf("got %v, want an error about %s", err, param)
	}

	for _, w := range words {
		if !strings.Contains(bad.Reason, w) {
			t.Errorf("want %q in: %s", w, bad.Reason)
		}
	}

	if strings.Contains(bad.Reason, "\n") || len(bad.Reason) > 600 {
		t.Errorf("not one line for people: %q", bad.Reason)
	}
}

// A file that cannot be read is not a wrong job.
func TestReadAreaReportsTheReader(t *testing.T) {
	broken := errors.New("the disk is broken")
	for _, text := range []string{"", polygonOf[:20], "POLYGON"} {
		_, err := Read(io.MultiReader(strings.NewReader(text), brokenReader{broken}))
		var param *geomgen.ParamError
		if !errors.Is(err, broken) || errors.As(err, &param) {
			t.Errorf("after %q: got %v", text, err)
		}
	}
}

type brokenReader struct{ err error }

func (r brokenReader) Read([]byte) (int, error) { return 0, r.err }

func TestReadCountries(t *testing.T) {
	f, err := os.Open("../../testdata/countries.geojson")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	a, err := Read(f)
	if err != nil {
		t.Fatal(err)
	}

	if a.SRID != 4326 || !a.Union || len(a.Polygons) < 10 {
		t.Errorf("SRID %d, union %v, %d polygons", a.SRID, a.Union, len(a.Polygons))
	}

	if err := a.CheckCoordinates(degrees(4326)); err != nil {
		t.Error(err)
	}
}
