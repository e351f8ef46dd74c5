//go:build maps

package integration

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"

	"github.com/loadgrid/loadgrid/integration/pgtest"
)

// The decoder of docs/map reads tiles that were made by hand, good ones and broken ones, and those of PostGIS.
func TestTileDecoder(t *testing.T) {
	files := http.NewServeMux()
	files.Handle("/map/", http.StripPrefix("/map/", http.FileServer(http.Dir("../docs/map"))))
	files.Handle("/tests/", http.StripPrefix("/tests/", http.FileServer(http.Dir("maps"))))
	server := httptest.NewServer(files)
	t.Cleanup(server.Close)

	b := openBrowser(t, 400, 300)
	b.open(server.URL + "/tests/decoder.html")
	var ready bool
	if b.evaluate("window.testsAreReady === true", &ready); !ready {
		t.Fatalf("the page of tests does not load: %s", b.troubles)
	}

	var results struct {
		Count    int
		Failures []string
	}
	b.evaluate("runTests()", &results)
	for _, failure := range results.Failures {
		t.Error(failure)
	}
	if results.Count == 0 {
		t.Error("the page has no tests")
	}

	checkTilesOfPostGIS(t, b)
	b.checkQuiet(server.URL)
}

// tileSQL makes a tile of a row for each kind of geometry, and returns it, with what a decoder must find there.
const tileSQL = `
with shapes (id, kind, wkt) as (values
	(1::bigint, 'point', 'POINT(5 7)'),
	(2, 'point', 'MULTIPOINT(5 7,3 2)'),
	(3, 'line', 'LINESTRING(0 0,10 10,20 0)'),
	(4, 'line', 'MULTILINESTRING((0 0,10 10),(30 30,40 50,60 0))'),
	(5, 'polygon', 'POLYGON((0 0,100 0,100 100,0 100,0 0))'),
	(6, 'polygon', 'POLYGON((0 0,0 100,100 100,100 0,0 0),(10 10,10 20,20 20,20 10,10 10),(50 50,60 60,50 60,50 50))'),
	(7, 'polygon', 'MULTIPOLYGON(((0 0,100 0,100 100,0 100,0 0),(10 10,20 10,20 20,10 20,10 10)),((200 200,300 200,300 300,200 200)))'),
	(9007199254740993, 'polygon', 'POLYGON((4000 4000,5000 4000,5000 5000,4000 5000,4000 4000))')
), tile as (
	select id, st_asmvtgeom(wkt::geometry, 'BOX(0 0,4096 4096)'::box2d, 4096, 64) as geom, kind, 7::smallint as small, -8 as negative,
	       9007199254740991 as safe, 9007199254740993 as large, -9223372036854775807 as least, 0.1::real as single, 0.1::float8 as double,
	       id = 5 as flag, 'Zürich ☃ 𝄞' as text, null::text as absent
	from shapes
)
select encode(st_asmvt(tile, 'shapes', 4096, 'geom', 'id'), 'hex') as tile,
       json_agg(json_build_object(
         'id', case when id > 9007199254740991 then json_build_object('bigint', id::text) else to_json(id) end,
         'type', kind,
         'geometry', st_asgeojson(st_multi(geom))::json -> 'coordinates',
         'properties', json_build_object('kind', kind, 'small', small, 'negative', negative, 'safe', safe,
           'large', json_build_object('bigint', large::text), 'least', json_build_object('bigint', least::text),
           'single', single::float8, 'double', double, 'flag', flag, 'text', text)) order by id)::text as features
from tile`

func checkTilesOfPostGIS(t *testing.T, b *browser) {
	t.Helper()
	var tile, wanted string
	if err := pgtest.Pool(t).QueryRow(t.Context(), tileSQL).Scan(&tile, &wanted); err != nil {
		t.Fatal(err)
	}

	var decoded string
	b.evaluate("decodeHex("+quote(tile)+")", &decoded)
	var got struct {
		Shapes struct {
			Extent   int
			Features []any
		}
	}
	var want []any
	if err := json.Unmarshal([]byte(decoded), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(wanted), &want); err != nil {
		t.Fatal(err)
	}

	if got.Shapes.Extent != 4096 || len(got.Shapes.Features) != len(want) {
		t.Fatalf("the decoder finds %d features with extent %d, want %d with 4096", len(got.Shapes.Features), got.Shapes.Extent, len(want))
	}
	for i := range want {
		if !reflect.DeepEqual(got.Shapes.Features[i], want[i]) {
			t.Errorf("feature %d is\n%v\nPostGIS has\n%v", i, got.Shapes.Features[i], want[i])
		}
	}

	var failures []string
	b.evaluate("decodeChanged("+quote(tile)+")", &failures)
	for _, failure := range failures {
		t.Errorf("a changed tile: %s", failure)
	}
}
