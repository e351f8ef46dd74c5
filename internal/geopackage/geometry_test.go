package geopackage

import (
	"bufio"
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/featurefile"
	"github.com/loadgrid/loadgrid/internal/featuretest"
)

// round returns a polygon of n positions plus the closing one.
func round(n int) geomgen.Polygon {
	ring := make([]geomgen.Point, 0, n+1)
	for i := range n {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		ring = append(ring, geomgen.Point{X: 4e6 + 1e5*cos, Y: 3e6 + 1e5*sin})
	}
	return geomgen.Polygon{append(ring, ring[0])}
}

// withGeometry returns areas.gpkg after running SQL, whose parameter is a geometry with this WKB.
func withGeometry(t *testing.T, statements string, wkb []byte) []byte {
	t.Helper()

	path := filepath.Join(t.TempDir(), "long.gpkg")
	if err := os.WriteFile(path, file(t, "areas.gpkg"), 0o600); err != nil {
		t.Fatal(err)
	}

	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}

	blob := append([]byte{'G', 'P', 0, 1, 0xdb, 0x0b, 0, 0}, wkb...) // without an envelope, in EPSG:3035
	if _, err := db.ExecContext(t.Context(), statements, sql.Named("geom", blob)); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const viewLayer = `
	insert into gpkg_contents (table_name, data_type, identifier, srs_id) values ('v', 'features', 'v', 3035);
	insert into gpkg_geometry_columns values ('v', 'geom', 'GEOMETRY', 3035, 0, 0);`

// Reading a geometry in chunks gives the same result as reading it as a whole.
func TestLongGeometries(t *testing.T) {
	want := round(maxWhole/16 + 12345)
	wkb := geomgen.AppendPolygon(nil, want)

	for name, test := range map[string]struct {
		statements, layer string
		chunks            bool
	}{
		"a table":               {"update areas set geom = @geom where fid = 2", "areas", true},
		"with a column rowid":   {"create table v(fid integer primary key, code int, RowID text, geom blob); insert into v select fid, code, 'x', case when fid = 2 then @geom else geom end from areas;" + viewLayer, "v", true},
		"a view":                {"update areas set geom = @geom where fid = 2; create view v as select * from areas;" + viewLayer, "v", false},
		"a table without rowid": {"create table v(fid integer primary key, code int, geom blob) without rowid; insert into v select fid, code, case when fid = 2 then @geom else geom end from areas;" + viewLayer, "v", false},
		"a computed geometry":   {"create table v(fid integer primary key, code int, x blob, geom blob as (x)); insert into v select fid, code, case when fid = 2 then @geom else geom end from areas;" + viewLayer, "v", false},
	} {
		b := withGeometry(t, test.statements, wkb)

		var to countingRecorder
		_, err := Read(t.Context(), bytes.NewReader(b), int64(len(b)), featurefile.Options{Layer: test.layer, Attributes: []string{"code"}}, &to)
		if err != nil || len(to.Features) != 3 || to.streams != map[bool]int{true: 1}[test.chunks] {
			t.Errorf("%s: %d features, %d in chunks, %v", name, len(to.Features), to.streams, err)
			continue
		}

		for i, f := range to.Features {
			polygons := featuretest.Areas()[f.Values[0]]
			if i == 1 {
				polygons = featuretest.Normal([]geomgen.Polygon{want})
			}
			if !reflect.DeepEqual(featuretest.Normal(f.Polygons), polygons) {
				t.Errorf("%s: feature %d differs", name, i)
			}
		}
	}
}

// countingRecorder counts the geometries that arrive as streams.
type countingRecorder struct {
	featuretest.Recorder
	streams int
}

func (r *countingRecorder) ReadWKB(from *bufio.Reader) (int32, error) {
	r.streams++
	return r.Recorder.ReadWKB(from)
}

func TestLongValuesRefused(t *testing.T) {
	for name, test := range map[string]struct {
		statements string
		o          featurefile.Options
		want       string
	}{
		"more positions than allowed": {"update areas set geom = zeroblob(10000000) where fid = 2", featurefile.Options{Layer: "areas", MaxPositions: 100_000},
			"in feature 2 of the GeoPackage: it has 10000000 bytes, which is more than the 100000 positions that aoi-max-positions allows"},
		"no header": {"update areas set geom = zeroblob(10000000) where fid = 2", featurefile.Options{Layer: "areas"}, "in feature 2 of the GeoPackage: it does not begin with the magic bytes"},
		"text":      {"update areas set geom = cast(zeroblob(10000000) as text) where fid = 2", featurefile.Options{Layer: "areas"}, "in feature 2 of the GeoPackage: it is string"},
		"a geometry of a view": {"update areas set geom = zeroblob(68000000) where fid = 2; create view v as select * from areas;" + viewLayer, featurefile.Options{Layer: "v"},
			"it has 68000000 bytes, but at most 67108864 are allowed in a view"},
		"an attribute": {"update areas set name = replace(hex(zeroblob(8500000)), '0', 'a') where fid = 2", featurefile.Options{Layer: "areas", Attributes: []string{"name"}},
			`in feature 2 of the GeoPackage: attribute "name": it is binary or longer than 16777216 bytes`},
	} {
		b := changed(t, "areas.gpkg", test.statements)

		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := readFile(t, b, test.o)
		runtime.ReadMemStats(&after)

		if !errors.As(err, new(*geomgen.ParamError)) || !strings.Contains(fmt.Sprint(err), test.want) {
			t.Errorf("%s: %.300v", name, err)
		}
		if n := after.TotalAlloc - before.TotalAlloc; name != "text" && n > 4<<20 {
			t.Errorf("%s: %d bytes were allocated", name, n)
		}
	}
}
