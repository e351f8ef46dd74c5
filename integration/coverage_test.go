package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
)

// country is a country of testdata/countries.geojson, in a file of its own.
type country struct {
	name, file, geometry string
}

func countries(t *testing.T) []country {
	t.Helper()
	b, err := os.ReadFile("../testdata/countries.geojson")
	if err != nil {
		t.Fatal(err)
	}

	var all struct {
		Features []struct {
			Properties struct {
				Name string `json:"name"`
			} `json:"properties"`
			Geometry json.RawMessage `json:"geometry"`
		} `json:"features"`
	}
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}

	var list []country
	for _, f := range all.Features {
		c := country{f.Properties.Name, filepath.Join(t.TempDir(), "country.geojson"), string(f.Geometry)}
		if err := os.WriteFile(c.file, []byte(`{"type":"Feature","properties":null,"geometry":`+c.geometry+`}`), 0o600); err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}

	if len(list) < 10 {
		t.Fatalf("%d countries", len(list))
	}
	return list
}

func countryNamed(t *testing.T, name string) country {
	t.Helper()
	for _, c := range countries(t) {
		if c.name == name {
			return c
		}
	}
	t.Fatalf("no country is called %s", name)
	return country{}
}

// planRows reads the number of rows that plan printed.
func planRows(t *testing.T, out string) int64 {
	t.Helper()
	m := regexp.MustCompile(`(?m)^rows +([0-9,]+)$`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("plan printed no rows:\n%s", out)
	}

	n, err := strconv.ParseInt(strings.ReplaceAll(m[1], ",", ""), 10, 64)
	if err != nil {
		t.Fatal(err)
	}

	return n
}

// shapeArgs returns the flags for a grid.
func shapeArgs(g geomgen.Grid) []string {
	if g.Shape == geomgen.XYZ {
		return []string{"--shape", "xyz", "--zoom", fmt.Sprint(g.Zoom)}
	}

	args := []string{"--cell-size", fmt.Sprintf("%v,%v", g.DX, g.DY), "--origin", fmt.Sprintf("%v,%v", g.X0, g.Y0), "--srid", fmt.Sprint(g.SRID)}
	switch g.Shape {
	case geomgen.HexagonFlat:
		args = append(args, "--shape", "hexagon")
	case geomgen.HexagonPointy:
		args = append(args, "--shape", "hexagon", "--hexagon", "pointy")
	}

	if g.Rotate != 0 {
		args = append(args, "--rotate", fmt.Sprint(g.Rotate))
	}
	return args
}

// wktFile writes an area as EWKT.
func wktFile(t *testing.T, area []geomgen.Polygon, srid int32) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "SRID=%d;MULTIPOLYGON(", srid)
	for i, p := range area {
		for k, ring := range p {
			b.WriteString(map[bool]string{true: "", false: ","}[i == 0 && k == 0])
			if k == 0 {
				b.WriteString("(")
			}
			for n, q := range ring {
				fmt.Fprintf(&b, "%s%v %v", map[bool]string{true: "(", false: ","}[n == 0], q.X, q.Y)
			}
			b.WriteString(")")
		}
		b.WriteString(")")
	}

	b.WriteString(")")
	name := filepath.Join(t.TempDir(), "area.wkt")
	if err := os.WriteFile(name, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}

	return name
}

// compareCoverage loads the cells that an area selects, both whole with coverage and cut, and has PostGIS
// compare them.
func (s sandbox) compareCoverage(table string, g geomgen.Grid, area []geomgen.Polygon, args []string) {
	s.t.Helper()
	file := wktFile(s.t, area, g.SRID)
	aoi, a := areaEWKB(area, g.SRID), "st_geomfromewkb($1)"
	if g.Shape == geomgen.XYZ { // beyond the edge of the world it wraps around
		period := strconv.FormatFloat(2*geomgen.WorldBound, 'f', -1, 64)
		a = "st_union(array[" + a + ", st_translate(" + a + ", " + period + ", 0), st_translate(" + a + ", -" + period + ", 0)])"
	}

	whole := s.load(table, append(args, "--aoi", file, "--coverage")...)
	if r := cli(s.t, s.dsn, whole...); r.code == 2 && strings.Contains(r.stderr, "no cell") {
		return
	} else if r.code != 0 {
		s.t.Fatalf("%v: exit code %d\n%s", whole, r.code, r.stderr)
	}

	mustCLI(s.t, s.dsn, s.load(table+"_cut", append(args, "--aoi", file, "--coverage", "--clip")...)...)
	wrong := queryOne[int64](s.t, s.pool, `
		select count(*) from `+s.name(table)+` t, `+a+` a
		where coverage is null or abs(coverage - st_area(st_intersection(t.geom, a)) / st_area(t.geom)) > 1e-6
		   or st_covers(a, t.geom) <> (coverage = 1) and abs(coverage - 1) > 1e-6
		   or st_touches(a, t.geom) <> (coverage = 0) and coverage > 1e-9`, aoi)
	if wrong != 0 {
		s.t.Errorf("%s, %+v: the coverage of %d cells is not PostGIS's\narea %v", table, g, wrong, area)
	}

	bad := queryOne[string](s.t, s.pool, `
		select coalesce(string_agg(st_astext(c.geom) || ' is not ' || st_astext(st_intersection(t.geom, a)), '; '), '')
		from `+s.name(table)+` t join `+s.name(table+"_cut")+` c using (cell_id, col, row), `+a+` a
		where not st_isvalid(c.geom) or geometrytype(c.geom) <> 'MULTIPOLYGON' or st_srid(c.geom) <> st_srid(t.geom)
		   or c.coverage <> t.coverage or st_isempty(c.geom) <> (c.coverage = 0)
		   or c.coverage = 1 and st_covers(a, t.geom) and st_asbinary(st_geometryn(c.geom, 1)) <> st_asbinary(t.geom)
		   or st_area(st_symdifference(c.geom, st_collectionextract(st_intersection(t.geom, a), 3))) > 1e-9 * st_area(t.geom)`, aoi)
	if bad != "" {
		s.t.Errorf("%s, %+v: %s\narea %v", table, g, bad, area)
	}
	if n := queryOne[int64](s.t, s.pool, "select (select count(*) from "+s.name(table)+") - (select count(*) from "+s.name(table+"_cut")+")"); n != 0 {
		s.t.Errorf("%s: there are %d more whole cells than cut cells", table, n)
	}
}
