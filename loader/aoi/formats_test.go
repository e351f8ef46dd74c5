package aoi

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
)

// goldenFeatures are the features of the files golden.* in testdata/formats. A script wrote those files
// independently of this package.
func goldenFeatures() ([]geomgen.Polygon, []Feature) {
	ring := func(numbers ...float64) []geomgen.Point {
		var ring []geomgen.Point
		for i := 0; i < len(numbers); i += 2 {
			ring = append(ring, geomgen.Point{X: numbers[i], Y: numbers[i+1]})
		}
		return ring
	}

	polygons := []geomgen.Polygon{
		{ring(10, 45, 12, 45, 12, 47, 10, 47, 10, 45), ring(10.5, 45.5, 10.5, 46, 11, 46, 11, 45.5, 10.5, 45.5)},
		{ring(13, 45, 14, 45, 14, 46, 13.123456789012345, 46.1, 13, 45)},
		{ring(-20.5, -30, -19, -30, -19, -29.25, -20.5, -30)},
		{ring(100, 0, 101, 0, 101, 1, 100, 1, 100, 0)},
	}

	return polygons, []Feature{
		{First: 0, End: 2, Values: []Value{"Zürich-Süd", int64(443037), 0.25, int64(9007199254740993), `it's "quoted", 100 %`}},
		{First: 2, End: 3, Values: []Value{"Ærøskøbing 丸", nil, -1e-7, int64(-1), nil}},
		{First: 3, End: 4, Values: []Value{"", int64(0), 3.0, nil, "line\nbreak"}},
	}
}

// All formats give the same polygons, and the same values if they have any.
func TestFormatsGiveTheSame(t *testing.T) {
	polygons, features := goldenFeatures()
	names := []string{"name", "pop", "share", "big", "note"}

	for _, test := range []struct {
		file   string
		srid   int32
		values bool
	}{
		{"golden.geojson", 4326, true},
		{"golden.bom.geojson", 4326, true},
		{"golden.geojsonl", 4326, true},
		{"golden.geojsons", 4326, true},
		{"golden.wkt", 0, false},
		{"golden.ewkt", 4326, false},
		{"golden.wkb", 0, false},
		{"golden.ewkb", 4326, false},
		{"golden.hex.txt", 4326, false},
		{"golden.psql.txt", 0, false},
	} {
		t.Run(test.file, func(t *testing.T) {
			b := readFile(t, "formats/"+test.file)

			// A file with random access, and a stream of short pieces.
			for _, r := range []io.Reader{bytes.NewReader(b), shortReader{bytes.NewReader(b)}} {
				o := ReadOptions{}
				if test.values {
					o.Attributes = names
				}

				a, err := ReadWith(t.Context(), r, o)
				if err != nil {
					t.Fatal(err)
				}

				if !reflect.DeepEqual(a.Polygons, polygons) || a.SRID != test.srid || !a.Union || a.Warnings != nil {
					t.Errorf("got %+v", a)
				}

				if test.values && !reflect.DeepEqual(featuresOf(a), features) || !test.values && a.Layer != nil {
					t.Errorf("got the features %#v", featuresOf(a))
				}
			}

			if test.values {
				return
			}

			_, err := ReadWith(t.Context(), bytes.NewReader(b), ReadOptions{Attributes: []string{"name"}})
			checkParam(t, err, "attribute", "has no attributes")
			_, err = ReadWith(t.Context(), bytes.NewReader(b), ReadOptions{Where: "name is null"})
			checkParam(t, err, "aoi-where", "has no attributes")
		})
	}
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// shortReader returns few bytes at a time.
type shortReader struct{ r io.Reader }

func (r shortReader) Read(b []byte) (int, error) { return r.r.Read(b[:min(len(b), 3)]) }

// Input that users have sent.
func TestCases(t *testing.T) {
	one, two := square(10, 45, 1), square(20, 45, 1)

	for _, test := range []struct {
		file  string
		srid  int32
		want  []geomgen.Polygon
		words []string // in the error
	}{
		{"big_prop.geojson", 4326, []geomgen.Polygon{one}, nil},
		{"nan_prop.geojson", 4326, []geomgen.Polygon{one}, nil},
		{"nd.geojsonl", 4326, []geomgen.Polygon{one, two}, nil},
		{"two_lines.ewkt", 4326, []geomgen.Polygon{one, two}, nil},
		{"ewkb_hex.txt", 4326, []geomgen.Polygon{one}, nil},
		{"utf16.geojson", 0, nil, []string{"UTF-16", "iconv -f UTF-16 -t UTF-8"}},
		{"gz.geojson.gz", 4326, []geomgen.Polygon{one}, nil},
		{"a.kml", 0, nil, []string{"seems to be KML", "ogr2ogr -f GeoJSONSeq /vsistdout/ FILE | loadgrid ... --aoi -"}},
	} {
		t.Run(test.file, func(t *testing.T) {
			a, err := Read(bytes.NewReader(readFile(t, "cases/"+test.file)))
			if test.words != nil {
				checkParam(t, err, "aoi", test.words...)
				return
			}

			if err != nil {
				t.Fatal(err)
			}

			if !reflect.DeepEqual(a.Polygons, test.want) || a.SRID != test.srid || a.Union != (len(test.want) > 1) {
				t.Errorf("got %+v", a)
			}
		})
	}
}

// A number that is too large, and NaN, in an attribute that is used.
func TestNumbersThatSomebodyReads(t *testing.T) {
	_, err := ReadWith(t.Context(), bytes.NewReader(readFile(t, "cases/big_prop.geojson")), ReadOptions{Attributes: []string{"pop"}})
	checkParam(t, err, "attribute", "1e400", "too large")

	a, err := ReadWith(t.Context(), bytes.NewReader(readFile(t, "cases/nan_prop.geojson")), ReadOptions{Attributes: []string{"x", "pop"}})
	if err != nil {
		t.Fatal(err)
	}

	values := a.Layer.Features[0].Values
	if f, ok := values[1].(float64); !ok || !math.IsNaN(f) || values[0] != int64(1) {
		t.Errorf("got %v", values)
	}
}

// Content decides what can be read. The error for anything else names the format and what to do.
func TestForeignFormats(t *testing.T) {
	utf16 := func(text string, order ...int) string {
		var b strings.Builder
		for _, r := range text {
			pair := [2]byte{byte(r), byte(r >> 8)}
			b.Write([]byte{pair[order[0]], pair[order[1]]})
		}
		return b.String()
	}

	for _, test := range []struct {
		name, text string
		words      []string
	}{
		{"UTF-8 with a mark", "\ufeff" + polygonOf, nil},
		{"little UTF-16", utf16("\ufeff"+polygonOf, 0, 1), []string{"UTF-16", "iconv"}},
		{"big UTF-16", utf16("\ufeff"+polygonOf, 1, 0), []string{"UTF-16", "iconv"}},
		{"little UTF-16 without a mark", utf16(polygonOf, 0, 1), []string{"UTF-16", "iconv"}},
		{"big UTF-16 without a mark", utf16("POLYGON(("+wktRing+"))", 1, 0), []string{"UTF-16", "iconv"}},
		{"GML", `<?xml version="1.0"?><FeatureCollection xmlns:gml="http://www.opengis.net/gml/3.2">`, []string{"seems to be GML", "ogr2ogr"}},
		{"XML", `<?xml version="1.0"?><x/>`, []string{"seems to be XML"}},
		{"HTML", "<!DOCTYPE html><html></html>", []string{"seems to be HTML"}},
		{"CSV", "name,wkt\nFrance,\"POLYGON((0 0))\"\n", []string{"seems to be CSV"}},
		{"CSV of polygons", "polygon,srid\n", []string{"seems to be CSV"}},
		{"CSV of SRIDs", "srid,polygon\n", []string{"seems to be CSV"}},
		{"CSV of one line", "name;geom", []string{"seems to be CSV"}},
		{"TopoJSON", `{"type":"Topology","objects":{},"arcs":[]}`, []string{"seems to be TopoJSON"}},
		{"TopoJSON behind something", `{"bbox": 1, "type" : "Topology","arcs":[]}`, []string{"seems to be TopoJSON"}},
		{"JSON of Esri", `{"displayFieldName":"","geometryType":"esriGeometryPolygon","features":[]}`, []string{"seems to be JSON of Esri"}},
		{"PDF", "%PDF-1.7\n%\xe2\xe3", []string{"seems to be PDF"}},
		{"Parquet", "PAR1\x15\x04", []string{"seems to be Parquet"}},
		{"NetCDF", "\x89HDF\r\n\x1a\n", []string{"seems to be HDF5 or NetCDF"}},
		{"DXF", "  0\nSECTION\n  2\nHEADER\n", []string{"seems to be DXF"}},
		{"MIF", "VERSION   300\nCharset \"Neutral\"\n", []string{"seems to be MapInfo MIF"}},
		{"something", "hello", []string{`begins with "hello"`, "so it is not GeoJSON, WKT, EWKT, WKB, EWKB, Shapefile, GeoPackage or FlatGeobuf", "ogr2ogr"}},
		{"bytes", "\x03\x00\x07", []string{`begins with "\x03\x00\a"`}},
		{"curves", "CURVEPOLYGON(CIRCULARSTRING(0 0,1 1,0 0))", []string{"holds a CURVEPOLYGON", "ST_CurveToLine"}},
		{"triangles", "TIN Z(((0 0 0,0 0 1,0 1 0,0 0 0)))", []string{"holds a TIN"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Read(strings.NewReader(test.text))
			if test.words == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			checkParam(t, err, "aoi", test.words...)
		})
	}
}

// Several geometries in a text, and what may separate them.
func TestReadSeveral(t *testing.T) {
	wkt := "POLYGON(" + wktRing + ")"
	hex := strings.ToUpper(hex.EncodeToString(geomgen.AppendPolygon(nil, square(0, 0, 1))))

	for _, test := range []struct {
		name, text string
		polygons   int
		words      []string // in the error
	}{
		{"documents without anything between", featureOf(polygonOf) + featureOf(otherOf), 2, nil},
		{"geometries", polygonOf + "\r\n\n" + otherOf + "\n", 2, nil},
		{"collections", features(polygonOf, otherOf) + features(polygonOf), 3, nil},
		{"a text sequence", "\x1e" + polygonOf + "\n\x1e" + otherOf + "\n\x1e", 2, nil},
		{"records without lines", "\x1e\x1e" + polygonOf + "\x1e" + otherOf, 2, nil},
		{"features without geometry", featureOf("null") + featureOf(polygonOf), 1, nil},
		{"CRSs that agree", named("EPSG:3035") + named("urn:ogc:def:crs:EPSG::3035"), 2, nil},
		{"CRSs that differ", named("EPSG:3035") + named("EPSG:25832"), 0, []string{"EPSG:25832", "EPSG:3035", "in feature 2"}},
		{"a record that is cut off", "\x1e" + polygonOf + "\n\x1e" + polygonOf[:30], 0, []string{"ends too early"}},
		{"a record separator in a text", `{"type":"Polygon","x":"` + "\x1e" + `","coordinates":[` + ringText + `]}`, 0, []string{"invalid character"}},
		{"an open ring in the second", polygonOf + strings.Replace(otherOf, "[6,6]", "[6,6],[7,7],[8,8]]", 1), 0, []string{"near byte"}},

		{"WKT in lines", wkt + "\n" + wkt, 2, nil},
		{"blank lines", "\n\n" + wkt + " \r\n \r\n\t" + wkt + "\n\n", 2, nil},
		{"lines within a geometry", strings.ReplaceAll(wkt, ",", "\n,") + "\n" + wkt, 2, nil},
		{"an SRID behind none", wkt + "\nSRID=3035;" + wkt, 0, []string{"no CRS", "line 2", "EPSG:3035"}},
		{"SRIDs that differ", "SRID=4326;" + wkt + "\n\nSRID=3035;" + wkt, 0, []string{"EPSG:4326", "line 3", "EPSG:3035", "one CRS"}},
		{"two in a line", wkt + " " + wkt, 0, []string{"line 1, pos"}},
		{"a point in line 2", wkt + "\nPOINT(0 0)", 0, []string{"holds a Point, in line 2"}},
		{"a fault in line 3", wkt + "\n" + wkt + "\nPOLYGON((0 0,1 0,1 1,0 5))", 0, []string{"not closed at line 3, pos 24"}},

		{"hex in lines", hex + "\n" + hex, 2, nil},
		{"hex in small letters with psql's mark", ` \x` + strings.ToLower(hex) + " \r\n\r\n " + `\x` + hex, 2, nil},
		{"an odd digit", hex[:len(hex)-1] + "\n", 0, []string{"odd number", "line 1"}},
		{"digits that are missing", hex + "\n" + hex[:40], 0, []string{"in line 2", "declares more than its bytes"}},
		{"digits behind", hex + "00", 0, []string{"after the end of the geometry in line 1"}},
		{"something behind", hex + " x", 0, []string{`'x' after the geometry in line 1`}},
		{"no digit", hex[:30] + "g", 0, []string{`'g' among the hexadecimal digits`, "line 1, character 31"}},
		{"lines that are WKT", hex + "\n" + wkt, 0, []string{"'P' among", "line 2, character 1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, err := Read(strings.NewReader(test.text))
			switch {
			case test.words != nil:
				checkParam(t, err, "aoi", test.words...)
			case err != nil:
				t.Error(err)
			case len(a.Polygons) != test.polygons || a.Union != (test.polygons > 1):
				t.Errorf("got %+v", a)
			}
		})
	}
}

// WKB in the forms of OGC and ISO, with and without heights and measures.
func TestReadWKB(t *testing.T) {
	b := readFile(t, "formats/golden.ewkb")
	if _, err := Read(bytes.NewReader(append(bytes.Clone(b), '\n'))); err == nil {
		t.Error("a line break is read as a geometry")
	} else {
		checkParam(t, err, "aoi", "in geometry 4", "byte order is 10")
	}

	_, err := Read(bytes.NewReader(append(bytes.Clone(b), readFile(t, "formats/golden.wkb")...)))
	checkParam(t, err, "aoi", "SRID 4326", "in geometry 4", "SRID 0")

	for n := range len(b) - 1 {
		if _, err := Read(bytes.NewReader(b[:n])); err == nil && n > 0 {
			whole := n == 283 || n == 364 // between two geometries
			if !whole {
				t.Errorf("%d of %d bytes were read", n, len(b))
			}
		} else {
			checkParam(t, err, "aoi")
		}
	}
}

// All formats return the reader's error.
func TestEachFormatReportsTheReader(t *testing.T) {
	files, err := filepath.Glob("testdata/formats/golden.*")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}

	broken := errors.New("the disk is broken")
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}

		// Beyond the part that is read at once.
		b = bytes.Repeat(b, 1+(1<<17)/len(b))
		_, err = Read(io.MultiReader(bytes.NewReader(b[:1<<17]), brokenReader{broken}))
		var param *geomgen.ParamError
		if name != "testdata/formats/golden.bom.geojson" && (!errors.Is(err, broken) || errors.As(err, &param)) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
