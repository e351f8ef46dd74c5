package geopackage

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/condition"
	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/featurefile"
	"github.com/loadgrid/loadgrid/internal/featuretest"
)

// file reads a file of testdata. GDAL 3.6 made them from featuretest/areas.geojson, and some from
// single features, and SQLite made them small:
//
//	ogr2ogr -f GPKG areas.gpkg areas.geojson -nln areas -lco SPATIAL_INDEX=NO
//	sqlite3 areas.gpkg 'pragma page_size=512; vacuum;'
func file(t testing.TB, name string) []byte {
	t.Helper()

	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// changed returns a file after running SQL on it.
func changed(t testing.TB, name, statements string) []byte {
	t.Helper()

	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, file(t, name), 0o600); err != nil {
		t.Fatal(err)
	}

	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}

	if _, err := db.ExecContext(t.Context(), statements); err != nil {
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

func readFile(t testing.TB, b []byte, o featurefile.Options) (featurefile.Result, *featuretest.Recorder, error) {
	t.Helper()

	var to featuretest.Recorder
	result, err := Read(t.Context(), bytes.NewReader(b), int64(len(b)), o, &to)
	return result, &to, err
}

var attributes = []string{"seen", "name", "code", "share", "day", "fid"}

// want returns the values of the attributes, by code.
func want() map[any][]feature.Value {
	return map[any][]feature.Value{
		int64(7):   {time.Date(2024, 2, 29, 13, 14, 15, 0, time.UTC), "Küstenbäche", int64(7), 0.25, feature.Date{Year: 2024, Month: 2, Day: 29}, int64(1)},
		int64(-12): {nil, "Ödland", int64(-12), 1.5, nil, int64(2)},
		nil:        {time.Date(1999, 12, 31, 23, 59, 59, 5e8, time.UTC), nil, nil, nil, feature.Date{Year: 1999, Month: 12, Day: 31}, int64(3)},
	}
}

func checkAreas(t *testing.T, to *featuretest.Recorder) {
	t.Helper()

	if len(to.Features) != 3 || to.Drops {
		t.Fatalf("%d features, dropped %v", len(to.Features), to.Drops)
	}

	for _, f := range to.Features {
		code := f.Values[2]
		if !reflect.DeepEqual(featuretest.Normal(f.Polygons), featuretest.Areas()[code]) {
			t.Errorf("code %v: %v", code, f.Polygons)
		}

		if !reflect.DeepEqual(f.Values, want()[code]) {
			t.Errorf("code %v: %#v", code, f.Values)
		}
	}
}

func TestAreas(t *testing.T) {
	result, to, err := readFile(t, file(t, "areas.gpkg"), featurefile.Options{Attributes: attributes})
	if err != nil {
		t.Fatal(err)
	}

	checkAreas(t, to)
	if c := result.CRS; c.Organization != "EPSG" || c.Code != "3035" || !strings.HasPrefix(c.WKT, `PROJCS["ETRS89-extended / LAEA Europe"`) {
		t.Errorf("CRS %+v", c)
	}

	result.CRS = featurefile.CRS{}
	if want := (featurefile.Result{Layer: "areas", Layers: []string{"areas"}, Attributes: []string{"fid", "name", "code", "share", "day", "seen"}, Features: 3}); !reflect.DeepEqual(result, want) {
		t.Errorf("%+v", result)
	}
}

func TestLayers(t *testing.T) {
	two := file(t, "two.gpkg")

	result, to, err := readFile(t, two, featurefile.Options{Layer: "areas", Attributes: attributes})
	if err != nil || !reflect.DeepEqual(result.Layers, []string{"areas", "heights"}) {
		t.Fatalf("%+v, %v", result, err)
	}
	checkAreas(t, to)

	result, to, err = readFile(t, two, featurefile.Options{Layer: "heights", Attributes: []string{"h"}})
	want := []geomgen.Polygon{{{{X: 1, Y: 2}, {X: 3, Y: 2}, {X: 3, Y: 4}, {X: 1, Y: 2}}}}
	if err != nil || !to.Drops || len(to.Features) != 1 || !reflect.DeepEqual(to.Features[0].Polygons, want) || to.Features[0].Values[0] != int64(1) || result.CRS.Code != "4979" {
		t.Errorf("%+v, %+v, %v", result, to, err)
	}

	if _, _, err := readFile(t, two, featurefile.Options{}); err == nil || !strings.Contains(err.Error(), `choose one with aoi-layer: "areas", "heights"`) {
		t.Error(err)
	}
}

func TestCountry(t *testing.T) {
	_, to, err := readFile(t, file(t, "country.gpkg"), featurefile.Options{Attributes: []string{"iso_a3"}})
	if err != nil || len(to.Features) != 1 || len(to.Features[0].Polygons) != 3 || to.Features[0].Values[0] != "FRA" {
		t.Fatalf("%+v, %v", to.Features, err)
	}
}

// SQLite evaluates a condition if it means the same in SQL. Otherwise the sink gets all rows.
func TestWhere(t *testing.T) {
	areas := changed(t, "areas.gpkg", `
		alter table areas add column loose TEXT collate nocase;
		update areas set loose = 'a' || code;
		create index by_code on areas (code)`)

	for where, want := range map[string]int64{
		`code > 0`:                             1,
		`code <= 1e3`:                          2,
		`code <> 1 and (code > 0 or code < 0)`: 2,
		`name is null or share > 1`:            2,
		`not (name = 'Ödland')`:                1,
		`name in ('Ödland', 'x')`:              1,
		`name = 'x' or name = '''; drop --'`:   0,
		`loose = 'A7'`:                         0,
		`loose = 'a7'`:                         1,
		`code in (7, -12) and share is null`:   0,
		`code in (7, 'x')`:                     3, // which is an error
		`name = 7`:                             3,
		`name < 'M'`:                           3, // compares text by its order
		`day = '2024-02-29'`:                   3, // a date
		`name = 'x' and day is null`:           3,
		`seen is null`:                         3,
		`code = 9007199254740993`:              3,
	} {
		o := featurefile.Options{Attributes: []string{"name", "code", "share", "day", "seen", "loose"}, Where: parse(t, where)}
		result, to, err := readFile(t, areas, o)
		if err != nil || result.Features != want || int64(len(to.Features)) != want || result.PassedOver != map[bool]int64{true: 3}[want == 0] {
			t.Errorf("%s: %+v, %v", where, result, err)
		}
		if want == 2 && strings.HasPrefix(where, "code") && to.Features[0].Values[1] != int64(7) {
			t.Errorf("%s: the features are in the order of an index", where)
		}
	}

	// The number of a feature differs from its number in the file.
	bad := changed(t, "areas.gpkg", "update areas set geom = x'00' where code = -12")
	o := featurefile.Options{Attributes: []string{"code"}, Where: parse(t, "code < 0")}
	if _, _, err := readFile(t, bad, o); err == nil || !strings.Contains(err.Error(), "in feature 1 of those that aoi-where selects") {
		t.Error(err)
	}
}

func parse(t *testing.T, where string) *condition.Condition {
	t.Helper()
	c, err := condition.Parse(where)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A column can hold values of any type, whatever its declared type.
func TestValues(t *testing.T) {
	b := changed(t, "areas.gpkg", `
		alter table areas add column good BOOLEAN;
		alter table areas add column doc BLOB;
		alter table areas add column half FLOAT;
		update areas set good = fid = 1, half = 3, day = '2024-02-30' where fid < 3;
		update areas set doc = x'00ff', code = 'many' where fid = 2;
		update areas set name = cast(x'ff' as text) where fid = 3;`)

	_, to, err := readFile(t, b, featurefile.Options{Attributes: []string{"good", "half", "code", "fid"}, Where: parse(t, "fid < 3")})
	if err != nil || len(to.Features) != 2 || !reflect.DeepEqual(to.Features[0].Values, []feature.Value{true, 3.0, int64(7), int64(1)}) ||
		!reflect.DeepEqual(to.Features[1].Values, []feature.Value{false, 3.0, "many", int64(2)}) {
		t.Errorf("%+v, %v", to.Features, err)
	}

	for name, want := range map[string]string{"doc": "it is binary", "day": "is not an ISO 8601 date", "name": "is not UTF-8"} {
		if _, _, err := readFile(t, b, featurefile.Options{Attributes: []string{name}}); !errors.As(err, new(*geomgen.ParamError)) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRefused(t *testing.T) {
	areas := file(t, "areas.gpkg")
	set := func(statements string) []byte { return changed(t, "areas.gpkg", statements) }

	for _, test := range []struct {
		name string
		b    []byte
		o    featurefile.Options
		want string
	}{
		{"nothing", nil, featurefile.Options{}, "not a GeoPackage: it has no table gpkg_contents"},
		{"no database", []byte(strings.Repeat("x", 4096)), featurefile.Options{}, "file is not a database"},
		{"half", areas[:len(areas)/2], featurefile.Options{}, "is a GeoPackage that"},
		{"without its tables", set("drop table gpkg_geometry_columns"), featurefile.Options{}, "it has no table gpkg_geometry_columns"},
		{"a view of its tables", set("alter table gpkg_contents rename to x; create view gpkg_contents as select * from x"), featurefile.Options{}, "it has no table gpkg_contents"},
		{"no layers", set("delete from gpkg_contents"), featurefile.Options{}, "has no layer with geometries"},
		{"other layer", areas, featurefile.Options{Layer: "x"}, `aoi-layer x: the area of interest has no such layer: it has "areas"`},
		{"other attribute", areas, featurefile.Options{Attributes: []string{"geom"}}, `has no attribute "geom": it has "fid", "name"`},
		{"a layer without its table", set("drop table areas"), featurefile.Options{}, `whose layer "areas" has no column "geom"`},
		{"a layer without its CRS", set("pragma foreign_keys=off; delete from gpkg_spatial_ref_sys where srs_id = 3035"), featurefile.Options{}, "does not define, with srs_id 3035"},
		{"lines", file(t, "lines.gpkg"), featurefile.Options{}, "LineString"},
		{"no geometry", set("update areas set geom = 'POINT(1 2)' where fid = 2"), featurefile.Options{}, "cannot be read, in feature 2 of the GeoPackage: it is string"},
		{"short", set("update areas set geom = x'475000'"), featurefile.Options{}, "does not begin with the magic bytes"},
		{"other version", set("update areas set geom = cast(x'475001' || substr(geom, 4) as blob)"), featurefile.Options{}, "does not begin with the magic bytes"},
		{"extended", set("update areas set geom = cast(x'47500021' || substr(geom, 5) as blob)"), featurefile.Options{}, "a geometry of an extended type, in feature 1"},
		{"other envelope", set("update areas set geom = cast(x'4750000b' || substr(geom, 5) as blob)"), featurefile.Options{}, "envelope of the unknown type 5"},
		{"half an envelope", set("update areas set geom = cast(substr(geom, 1, 20) as blob)"), featurefile.Options{}, "it has 20 bytes"},
		{"other CRS", set("update areas set geom = cast(substr(geom, 1, 4) || x'e6100000' || substr(geom, 9) as blob)"), featurefile.Options{}, "it has srs_id 4326, but its layer has 3035"},
	} {
		_, _, err := readFile(t, test.b, test.o)
		if err == nil || !strings.Contains(err.Error(), test.want) || !errors.As(err, new(*geomgen.ParamError)) && test.name != "lines" {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// Views are layers, too, unless they do more than select.
func TestViews(t *testing.T) {
	view := func(text string) []byte {
		return changed(t, "areas.gpkg", `
			create virtual table words using fts5(word);
			create virtual table box using rtree(id, a, b);
			insert into gpkg_contents (table_name, data_type, identifier, srs_id) values ('v', 'features', 'v', 3035);
			insert into gpkg_geometry_columns values ('v', 'geom', 'GEOMETRY', 3035, 0, 0);
			create view v as `+text)
	}

	o := featurefile.Options{Layer: "v", Attributes: attributes}
	_, to, err := readFile(t, view("select * from areas order by name"), o)
	if err != nil {
		t.Fatal(err)
	}
	checkAreas(t, to)

	start := time.Now()
	for text, want := range map[string]string{
		"with recursive n(i) as (select 1 union all select i + 1 from n) select areas.* from areas, n": "not authorized",
		"select areas.*, word from areas, words":                                                       "access to words",
		"select areas.*, a from areas, box":                                                            "access to box",
		"select fid, geom, name, code, share, day, load_extension(name) as seen from areas":            "aoi (the area)",
		"select areas.*, printf('%*c', 2000000000, 'x') as long from areas":                            "too big",
		"select areas.*, p.name as x from areas, pragma_database_list p":                               "aoi (the area)",
		"select * from v": "circularly defined",
		"select p.name from pragma_table_xinfo('areas') p": "aoi (the area)",
	} {
		o := featurefile.Options{Layer: "v"}
		if strings.Contains(text, "long") {
			o.Attributes = []string{"long"}
		}
		if strings.Contains(text, "load_extension") {
			o.Attributes = []string{"seen"}
		}

		result, _, err := readFile(t, view(text), o)
		if !errors.As(err, new(*geomgen.ParamError)) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v", text, result, err)
		}
	}

	if took := time.Since(start); took > time.Minute {
		t.Errorf("took %v", took)
	}
}

// Sorting has no more memory than the cache.
func TestViewThatNeedsMemory(t *testing.T) {
	b := changed(t, "areas.gpkg", `
		insert into gpkg_contents (table_name, data_type, identifier, srs_id) values ('v', 'features', 'v', 3035);
		insert into gpkg_geometry_columns values ('v', 'geom', 'GEOMETRY', 3035, 0, 0);
		create table many(t text);
		insert into many with recursive n(i) as (select 1 union all select i + 1 from n where i < 100) select printf('%0500d', i) from n;
		create view v as select distinct geom, a.t || b.t || c.t as t from areas, many a, many b, many c order by t desc`)

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, to, err := readFile(t, b, featurefile.Options{Layer: "v"})
	runtime.ReadMemStats(&after)

	if !errors.As(err, new(*geomgen.ParamError)) || !strings.Contains(err.Error(), "needs more memory than it gets") {
		t.Errorf("%d features, %v", len(to.Features), err)
	}
}

// view returns a file with a view v, which can join the table many, with 1,000 rows.
func view(t *testing.T, text string) []byte {
	t.Helper()
	return changed(t, "areas.gpkg", `
		insert into gpkg_contents (table_name, data_type, identifier, srs_id) values ('v', 'features', 'v', 3035);
		insert into gpkg_geometry_columns values ('v', 'geom', 'GEOMETRY', 3035, 0, 0);
		create table many(i, geom);
		insert into many with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000) select i, null from n;
		create view v as `+text)
}

// Read gives up on a view that would take years, whether it returns rows or not.
func TestViewThatDoesNotEnd(t *testing.T) {
	for name, text := range map[string]string{
		"without rows":             "select a.geom from many a, many b, many c, many d, many e where a.i + b.i + c.i + d.i + e.i < 0",
		"of rows without polygons": "select null as geom from many a, many b, many c, many d, many e",
		"behind its first row":     behindFirstRow,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := view(t, text)

			start := time.Now()
			_, err := readWithin(t.Context(), bytes.NewReader(b), int64(len(b)), featurefile.Options{Layer: "v"}, &discard{}, 100*time.Millisecond)
			if took := time.Since(start); !errors.As(err, new(*geomgen.ParamError)) || !strings.Contains(err.Error(), `view "v" takes longer than 100ms`) || took > viewTime {
				t.Errorf("after %v: %v", took, err)
			}
		})
	}
}

// behindFirstRow is a view with one row, and then a join that takes years without another one.
const behindFirstRow = `select geom from areas where fid = 1 union all
	select a.geom from many a, many b, many c, many d, many e where a.i + b.i + c.i + d.i + e.i < 0`

// discard is a sink that keeps nothing.
type discard struct{ featuretest.Recorder }

func (*discard) EndFeature([]feature.Value) error { return nil }

// firstRow is a sink that records that it got a row.
type firstRow struct {
	featuretest.Recorder
	note func()
}

func (f *firstRow) EndFeature([]feature.Value) error {
	f.note()
	return nil
}

// The end of the context interrupts a view that is busy after its first row.
func TestEndedBehindFirstRow(t *testing.T) {
	b := view(t, behindFirstRow)
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())

	start := time.Now()
	to := &firstRow{note: func() { time.AfterFunc(100*time.Millisecond, func() { cancel(why) }) }} // SQLite is busy by then
	_, err := Read(ctx, bytes.NewReader(b), int64(len(b)), featurefile.Options{Layer: "v"}, to)
	if took := time.Since(start); !errors.Is(err, why) || took > viewTime {
		t.Errorf("after %v: %v", took, err)
	}
}

// Finding the layers of a file does not take a step for each pair of names.
func TestManyNamesOfLayers(t *testing.T) {
	b := changed(t, "areas.gpkg", `
		with recursive n(i) as (select 1 union all select i + 1 from n where i < 60000)
		insert into gpkg_contents (table_name, data_type, identifier, srs_id) select 'Contents' || i, 'features', i, 3035 from n;
		with recursive n(i) as (select 1 union all select i + 1 from n where i < 60000)
		insert into gpkg_geometry_columns select 'columns' || i, 'geom', 'GEOMETRY', 3035, 0, 0 from n`)

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // one step for each pair would take minutes
	defer cancel()

	result, err := Read(ctx, bytes.NewReader(b), int64(len(b)), featurefile.Options{}, &featuretest.Recorder{})
	if err != nil || len(result.Layers) != 1 {
		t.Errorf("%d layers, %v", len(result.Layers), err)
	}
}

// A view that takes longer than the context.
func TestEnded(t *testing.T) {
	b := changed(t, "areas.gpkg", `
		insert into gpkg_contents (table_name, data_type, identifier, srs_id) values ('v', 'features', 'v', 3035);
		insert into gpkg_geometry_columns values ('v', 'geom', 'GEOMETRY', 3035, 0, 0);
		create view v as select a1.geom from areas a1, areas a2, areas a3, areas a4, areas a5, areas a6, areas a7, areas a8, areas a9,
			areas a10, areas a11, areas a12, areas a13, areas a14, areas a15, areas a16, areas a17, areas a18, areas a19, areas a20,
			areas a21, areas a22, areas a23, areas a24, areas a25, areas a26, areas a27, areas a28, areas a29, areas a30
			where a1.code > a30.code + 100`)

	why := errors.New("enough")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, why)
	defer cancel()

	if _, err := Read(ctx, bytes.NewReader(b), int64(len(b)), featurefile.Options{Layer: "v"}, &featuretest.Recorder{}); !errors.Is(err, why) {
		t.Error(err)
	}
}

func TestWriteAheadLog(t *testing.T) {
	b := file(t, "areas.gpkg")

	for size, refused := range map[int64]bool{-1: false, 0: false, 32: false, 4152: true} {
		o := featurefile.Options{Sibling: func(suffix string) (io.ReaderAt, int64, error) {
			if suffix != "-wal" || size < 0 {
				return nil, 0, fs.ErrNotExist
			}
			return bytes.NewReader(make([]byte, size)), size, nil
		}}

		_, err := Read(t.Context(), bytes.NewReader(b), int64(len(b)), o, &featuretest.Recorder{})
		if (err != nil) != refused {
			t.Errorf("a log of %d bytes: %v", size, err)
		}
	}

	// A file in write-ahead log mode that contains all changes.
	log := bytes.Clone(b)
	log[18], log[19] = 2, 2
	if result, _, err := readFile(t, log, featurefile.Options{}); err != nil || result.Features != 3 {
		t.Errorf("%+v, %v", result, err)
	}
}

// broken fails to read after a number of bytes.
type broken struct {
	b   []byte
	err error
}

func (r broken) ReadAt(b []byte, at int64) (int, error) {
	if at > 8192 {
		return 0, r.err
	}
	return bytes.NewReader(r.b).ReadAt(b, at)
}

func TestFileFails(t *testing.T) {
	why := errors.New("a bad disk")
	b := file(t, "areas.gpkg")
	if _, err := Read(t.Context(), broken{b, why}, int64(len(b)), featurefile.Options{}, &featuretest.Recorder{}); !errors.Is(err, why) {
		t.Error(err)
	}
}

func TestSinkFails(t *testing.T) {
	to := featuretest.Recorder{Err: errors.New("full")}
	b := file(t, "areas.gpkg")
	if _, err := Read(t.Context(), bytes.NewReader(b), int64(len(b)), featurefile.Options{}, &to); !errors.Is(err, to.Err) || len(to.Features) != 1 {
		t.Errorf("%v after %d features", err, len(to.Features))
	}
}

// A panic of SQLite is an error of the file, and other panics are passed on.
func TestPanics(t *testing.T) {
	var d database
	_, err := d.guarded(func() (featurefile.Result, error) { panic("out of bounds") })
	if !errors.As(err, new(*geomgen.ParamError)) || !errors.Is(err, errFailed) || !strings.Contains(err.Error(), "is a damaged GeoPackage: out of bounds") {
		t.Error(err)
	}

	defer func() {
		if p := recover(); p != "mine" {
			t.Errorf("%v", p)
		}
	}()

	b := file(t, "areas.gpkg")
	_, err = Read(t.Context(), bytes.NewReader(b), int64(len(b)), featurefile.Options{}, &panics{})
	t.Errorf("no panic, %v", err)
}

// panics is a sink that panics.
type panics struct{ featuretest.Recorder }

func (*panics) EndFeature([]feature.Value) error { panic("mine") }

// Concurrent reads do not disturb each other, and leave nothing behind.
func TestManyAtOnce(t *testing.T) {
	b := file(t, "areas.gpkg")
	for i := range 8 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()

			for range 5 {
				_, to, err := readFile(t, b, featurefile.Options{Attributes: attributes})
				if err != nil {
					t.Fatal(err)
				}
				checkAreas(t, to)
			}
		})
	}
}

func TestForgedSizesAllocateLittle(t *testing.T) {
	areas := file(t, "areas.gpkg")
	for at := 0; at+4 <= len(areas); at += 61 {
		b := bytes.Clone(areas)
		binary.BigEndian.PutUint32(b[at:], 0x7fffffff)

		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, _ = readFile(t, b, featurefile.Options{Attributes: attributes})
		runtime.ReadMemStats(&after)

		if n := after.TotalAlloc - before.TotalAlloc; n > 4<<20 {
			t.Fatalf("at byte %d: %d bytes were allocated", at, n)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"areas.gpkg", "two.gpkg", "lines.gpkg"} {
		f.Add(file(f, name))
	}

	f.Fuzz(func(t *testing.T, b []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()

		var to featuretest.Recorder
		result, err := Read(ctx, bytes.NewReader(b), int64(len(b)), featurefile.Options{Layer: "areas"}, &to)
		if errors.Is(err, errFailed) {
			t.Fatal(err)
		}

		if err == nil && result.Features != int64(len(to.Features)) {
			t.Fatalf("%d features of %d", len(to.Features), result.Features)
		}
	})
}
