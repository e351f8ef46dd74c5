package integration

import (
	"context"
	"errors"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

// readCountry returns a country as an area in EPSG:4326.
func readCountry(t *testing.T, name string) (*loader.Area, country) {
	t.Helper()
	c := countryNamed(t, name)
	file, err := os.Open(c.file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	a, err := loader.ReadArea(file)
	if err != nil {
		t.Fatal(err)
	}

	return a, c
}

func readText(t *testing.T, text string) *loader.Area {
	t.Helper()
	a, err := loader.ReadArea(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// resolve resolves an area and fails the test if it cannot.
func (s sandbox) resolve(a *loader.Area, srid int32) *loader.Area {
	s.t.Helper()
	ready, err := loader.ResolveArea(context.Background(), s.pool, a, srid)
	if err != nil {
		s.t.Fatal(err)
	}

	if ready.SRID != srid || ready.Union {
		s.t.Errorf("the area is in SRID %d, union %v", ready.SRID, ready.Union)
	}
	if err := geomgen.CheckPolygons(ready.Polygons); err != nil {
		s.t.Error(err)
	}

	return ready
}

func corners(a *loader.Area) (n int) {
	for _, p := range a.Polygons {
		for _, ring := range p {
			n += len(ring)
		}
	}
	return n
}

// Three oracles that do not repeat loadgrid's own queries: the country transformed back matches the
// original, no segment is longer than requested, and in an equal-area CRS the country has its area on the
// spheroid.
func TestCountriesInAnotherCRS(t *testing.T) {
	s := newSandbox(t)
	for name, srid := range map[string]int32{
		"Norway": 3035, "Sweden": 3035, "France": 3035, "Luxembourg": 3035, "Switzerland": 3035, "Italy": 32632,
	} {
		a, c := readCountry(t, name)
		before := corners(a)
		ready := s.resolve(a, srid)
		if a.SRID != 4326 || corners(a) != before {
			t.Errorf("%s: ResolveArea changed the given area", name)
		}

		var off, longest, here, spheroid float64
		err := s.pool.QueryRow(context.Background(), `
			with g as (select st_setsrid(st_geomfromgeojson($2), 4326) was, st_transform(st_geomfromewkb($1), 4326) back)
			select st_area(st_symdifference(was, back)) / st_area(was),
			       (select max(length) from `+segmentsOf("back")+` e),
			       st_area(st_geomfromewkb($1)), st_area(st_segmentize(was, 0.01)::geography)
			from g`, ready.Marshal(), c.geometry).Scan(&off, &longest, &here, &spheroid)
		if err != nil {
			t.Fatal(err)
		}

		if off > 1e-7 {
			t.Errorf("%s: transformed back, %g of it is elsewhere", name, off)
		}
		if longest > 0.01+1e-9 {
			t.Errorf("%s: a segment is %g degrees long", name, longest)
		}
		if srid == 3035 && math.Abs(here/spheroid-1) > 1e-5 {
			t.Errorf("%s has %.0f m2, and on the spheroid %.0f", name, here, spheroid)
		}
	}
}

// Fiji is cut in two at the antimeridian, as RFC 7946 requires. If the grid's CRS has no cut there, the
// halves share an edge and become one polygon.
func TestAreaAcrossTheAntimeridian(t *testing.T) {
	s := newSandbox(t)
	a, c := readCountry(t, "Fiji")
	ready := s.resolve(a, 8859) // Equal Earth about 150 degrees east
	var parts int
	var here, spheroid float64
	err := s.pool.QueryRow(context.Background(), `
		select (select st_numgeometries(st_union(st_transform(st_segmentize(d.geom, 0.01), 8859))) from st_dump(g) d),
		       st_area(st_geomfromewkb($1)), st_area(st_segmentize(g, 0.01)::geography)
		from st_setsrid(st_geomfromgeojson($2), 4326) g`, ready.Marshal(), c.geometry).Scan(&parts, &here, &spheroid)
	if err != nil {
		t.Fatal(err)
	}

	if len(ready.Polygons) != parts || parts >= len(a.Polygons) {
		t.Errorf("%d polygons became %d, PostGIS's union has %d", len(a.Polygons), len(ready.Polygons), parts)
	}
	if math.Abs(here/spheroid-1) > 1e-5 {
		t.Errorf("it has %.0f m2, and on the spheroid %.0f", here, spheroid)
	}

	// Overlapping parts are different: nothing allows them.
	_, err = loader.ResolveArea(context.Background(), s.pool,
		readText(t, "SRID=4326;MULTIPOLYGON(((6 49,8 49,8 50,6 50,6 49)),((7 49,9 49,9 50,7 50,7 49)))"), 3035)
	s.checkParamError("parts that overlap", err, "aoi", "is not valid in EPSG:4326", "aoi-make-valid")
}

func TestSegmentizeOfAnArea(t *testing.T) {
	s := newSandbox(t)
	length := func(v float64) *float64 { return &v }
	count := func(segmentize *float64) int {
		a, _ := readCountry(t, "Luxembourg")
		a.Segmentize = segmentize
		return corners(s.resolve(a, 3035))
	}

	a, _ := readCountry(t, "Luxembourg")
	none, coarse, standard := count(length(0)), count(length(0.1)), count(nil)
	if none != corners(a) {
		t.Errorf("%d corners became %d without segments being cut", corners(a), none)
	}
	if coarse <= none || standard <= 2*coarse {
		t.Errorf("%d corners, %d with segments of 0.1 degrees, %d by default", none, coarse, standard)
	}
	if same := count(length(0.01)); same != standard {
		t.Errorf("%d corners with segments of 0.01 degrees, %d by default", same, standard)
	}

	// In metres the default is 1000; 100 km along each of four edges.
	square := "SRID=3035;POLYGON((4000000 3000000,4100000 3000000,4100000 3100000,4000000 3100000,4000000 3000000))"
	if n := corners(s.resolve(readText(t, square), 4326)); n != 401 {
		t.Errorf("a square of 100 km has %d corners", n)
	}

	a = readText(t, square)
	a.Segmentize = length(1e-6)
	_, err := loader.ResolveArea(context.Background(), s.pool, a, 4326)
	s.checkParamError("too many segments", err, "aoi", "aoi-segmentize")

	// Nothing is transformed, so no segment is cut.
	if n := corners(s.resolve(readText(t, square), 3035)); n != 5 {
		t.Errorf("in its own CRS the area has %d corners", n)
	}
}

// A bow tie is refused, both alone and among features. Repaired, it keeps both wings.
func TestMakeValidOfAnArea(t *testing.T) {
	s := newSandbox(t)
	const tie = "POLYGON((0 0,4 4,4 0,0 4,0 0))"
	const feature = `{"type":"Feature","geometry":{"type":"Polygon","coordinates":`

	features := `{"type":"FeatureCollection","features":[` + feature + `[[[0,0],[4,4],[4,0],[0,4],[0,0]]]}},` +
		feature + `[[[3,1],[8,1],[8,3],[3,3],[3,1]]]}}]}`
	for name, test := range map[string]struct {
		text string
		srid int32
		want string // what PostGIS makes of it
	}{
		"alone":          {tie, 0, "st_makevalid('" + tie + "'::geometry)"},
		"among features": {features, 4326, "st_union(st_makevalid('" + tie + "'::geometry), 'POLYGON((3 1,8 1,8 3,3 3,3 1))')"},
	} {
		job := loader.Job{Table: loader.Table{Name: "t"}, Grid: geomgen.Grid{DX: 1, DY: 1, SRID: test.srid}, Area: readText(t, test.text)}
		_, err := loader.PlanOn(context.Background(), s.pool, job)
		s.checkParamError(name, err, "aoi", "shell of polygon 1 crosses itself at 2 2", "aoi-make-valid")

		job.Area.MakeValid = true
		p, err := loader.PlanOn(context.Background(), s.pool, job)
		if err != nil {
			t.Fatal(err)
		}

		off := queryOne[float64](t, s.pool, "select st_area(st_symdifference(st_setsrid(st_geomfromewkb($1), 0), "+test.want+"))", p.Job.Area.Marshal())
		if off > 1e-12 {
			t.Errorf("%s: %g of it differs from PostGIS's", name, off)
		}
	}

	// A spike has no area, so nothing remains of it.
	spike := readText(t, "POLYGON((0 0,4 4,8 8,0 0))")
	spike.MakeValid = true
	_, err := loader.ResolveArea(context.Background(), s.pool, spike, 0)
	s.checkParamError("a spike", err, "aoi", "is empty")
}

// Features that overlap or share edges become one area.
func TestUnionOfFeatures(t *testing.T) {
	s := newSandbox(t)
	var features, geometries []string
	for _, name := range []string{"France", "Germany", "Luxembourg", "Switzerland", "Italy", "France"} {
		c := countryNamed(t, name)
		features = append(features, `{"type":"Feature","geometry":`+c.geometry+`}`)
		geometries = append(geometries, c.geometry)
	}

	a := readText(t, `{"type":"FeatureCollection","features":[`+strings.Join(features, ",")+"]}")
	ready := s.resolve(a, 4326)
	off := queryOne[float64](t, s.pool, `
		select st_area(st_symdifference(st_geomfromewkb($1), (select st_union(st_setsrid(st_geomfromgeojson(g), 4326)) from unnest($2::text[]) g)))`,
		ready.Marshal(), geometries)
	if off > 1e-9 {
		t.Errorf("%g square degrees differ from PostGIS's union", off)
	}
	if len(ready.Polygons) >= len(a.Polygons) {
		t.Errorf("%d polygons became %d", len(a.Polygons), len(ready.Polygons))
	}
}

// checkParamError checks that an error concerns a parameter and contains these words.
func (s sandbox) checkParamError(name string, err error, param string, words ...string) {
	s.t.Helper()
	var bad *geomgen.ParamError
	var badSQL *loader.SQLError
	if !(errors.As(err, &bad) && bad.Param == param || errors.As(err, &badSQL) && badSQL.Param == param) {
		s.t.Errorf("%s: error %v, want one of %s", name, err, param)
		return
	}

	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			s.t.Errorf("%s: want %q in: %v", name, w, err)
		}
	}
}
