package integration

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/precheck"
	"github.com/loadgrid/loadgrid/loader"
	"github.com/loadgrid/loadgrid/loader/crs"
)

// refusedParam returns the parameter of a job to which an error refers, "" for no error.
func refusedParam(t *testing.T, err error) string {
	t.Helper()
	var param *geomgen.ParamError

	switch {
	case err == nil:
		return ""
	case !errors.As(err, &param):
		t.Fatal(err)
	}

	return param.Param
}

// For a CRS that plan knows, plan and load refuse the same jobs.
func TestPlanAndLoadKnowTheSameCRSs(t *testing.T) {
	s := newSandbox(t)
	known, refused := 0, 0

	for i, row := range s.referenceSystems() {
		chosen := row.SRID == 2056 || row.SRID == 2230 || row.SRID == 3035 || row.SRID == 4326 || row.SRID == 4807 || row.SRID == 4978
		if _, ok := crs.Known(row.SRID); !ok || i%20 != 0 && !chosen {
			continue
		}

		known++
		grid := geomgen.Grid{DX: 1000, DY: 1000, SRID: row.SRID}

		for _, code := range []geomgen.Code{geomgen.INSPIRE, geomgen.INSPIREShort, ""} {
			job := loader.Job{Table: loader.Table{Name: "g"}, Grid: grid, Cols: 2, Rows: 2, Code: code}
			_, err := loader.NewPlan(context.Background(), job)
			planned := refusedParam(t, err)

			_, err = precheck.CheckCRS(context.Background(), s.pool, "public", job)
			if loaded := refusedParam(t, err); loaded != planned {
				t.Errorf("EPSG:%d with code %q: plan refuses %q, load refuses %q (%s)", row.SRID, code, planned, loaded, row.Srtext)
			}

			if planned != "" {
				refused++
			}
		}
	}

	if known < 200 || refused < 20 {
		t.Errorf("%d CRSs were compared, and %d jobs refused", known, refused)
	}
}

// A foot or a kilometre is not a metre, for dump and plan as for load. For a CRS that only the server
// knows, plan reports what it could not check.
func TestCodesAreMadeOfMetres(t *testing.T) {
	s := newDatabaseSandbox(t)
	s.exec("insert into spatial_ref_sys (srid, proj4text) values (990003, '+proj=utm +zone=32 +units=km'), (990004, '+proj=utm +zone=32 +units=m')")

	grid := func(srid string) []string {
		return []string{"--cell-size", "1000", "--extent", "0,0,5000,5000", "--code", "inspire", "--srid", srid}
	}

	for _, srid := range []string{"4326", "4258", "4807", "2230"} {
		cli(t, s.dsn, append([]string{"plan"}, grid(srid)...)...).expect(t, 2, "--code inspire")
		cli(t, s.dsn, append([]string{"dump", "--out", os.DevNull}, grid(srid)...)...).expect(t, 2, "--code inspire")
		cli(t, s.dsn, s.load("g", grid(srid)...)...).expect(t, 2, "--code inspire")
	}

	for srid, code := range map[string]int{"990003": 2, "990004": 0} {
		if r := cli(t, s.dsn, append([]string{"plan"}, grid(srid)...)...); r.code != 0 || !strings.Contains(r.stdout, "the server checks") {
			t.Errorf("plan in EPSG:%s: exit code %d, %s%s", srid, r.code, r.stdout, r.stderr)
		}

		// A plan with a server queries it.
		asked := append([]string{"plan", "--aoi-sql", "select st_makeenvelope(0, 0, 3000, 3000, " + srid + ")"}, grid(srid)...)
		if r := cli(t, s.dsn, asked...); r.code != code || strings.Contains(r.stdout, "the server checks") {
			t.Errorf("plan with the server, in EPSG:%s: exit code %d, %s%s", srid, r.code, r.stdout, r.stderr)
		}

		if r := cli(t, s.dsn, s.load("g", grid(srid)...)...); r.code != code {
			t.Errorf("load in EPSG:%s: exit code %d, %s", srid, r.code, r.stderr)
		}
	}
}

// A segment has about the same length on the ground in each CRS. The same box in degrees selects the same
// cells, however the server describes the geographic CRS.
func TestSegmentsAreLengthsOnTheGround(t *testing.T) {
	s := newDatabaseSandbox(t)
	s.exec(`insert into spatial_ref_sys (srid, srtext, proj4text) values
		(990001, null, '+proj=latlong +datum=WGS84 +no_defs'),
		(990002, null, '+proj=lonlat +datum=WGS84 +no_defs'),
		(990003, (select srtext from spatial_ref_sys where srid = 4326), null),
		(990004, null, '+proj=utm +zone=33 +ellps=GRS80 +units=us-ft +no_defs'),
		(990005, null, '+proj=utm +zone=33 +ellps=GRS80 +units=km +no_defs')`)

	cells := func(text string) int64 {
		t.Helper()
		a := readText(t, text)
		a.Rule = geomgen.Intersects
		p, err := loader.PlanOn(context.Background(), s.pool, loader.Job{Table: loader.Table{Name: "g"}, Area: a,
			Grid: geomgen.Grid{DX: 10000, DY: 10000, SRID: 3035}})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}

		return p.Rows
	}

	const degrees = ";POLYGON((0 60,20 60,20 61,0 61,0 60))"
	for _, srid := range []string{"4326", "990001", "990002", "990003"} {
		if n := cells("SRID=" + srid + degrees); n != 1355 {
			t.Errorf("in EPSG:%s: %d cells, want 1355", srid, n)
		}
	}

	// 800 km along a parallel of the map, in metres, feet and kilometres.
	boxIn := func(srid, perUnit string) string {
		return queryOne[string](t, s.pool, "select 'SRID="+srid+";' || st_astext(st_scale(st_makeenvelope(100000, 6600000, 900000, 6700000), 1 / ("+perUnit+"), 1 / ("+perUnit+")))")
	}

	want := cells(boxIn("25833", "1.0"))
	for srid, perUnit := range map[string]string{"990004": "1200.0::float8 / 3937", "990005": "1000.0"} {
		if n := cells(boxIn(srid, perUnit)); n != want {
			t.Errorf("in EPSG:%s: %d cells, want %d", srid, n, want)
		}
	}
}

// If geometries do not name their CRS, the user can name it.
func TestAreaWithoutSRID(t *testing.T) {
	s := newSandbox(t)
	plan := func(args ...string) result {
		return cli(t, s.dsn, append([]string{"plan", "--srid", "3035", "--cell-size", "10000"}, args...)...)
	}

	const inDegrees = "select st_geomfromtext('POLYGON((10 45,11 45,11 46,10 46,10 45))'"
	rows := func(r result) string {
		t.Helper()
		for line := range strings.Lines(r.stdout) {
			if n, ok := strings.CutPrefix(line, "rows"); ok {
				return strings.TrimSpace(n)
			}
		}

		t.Fatalf("no rows: exit code %d, %s", r.code, r.stderr)
		return ""
	}

	want := rows(plan("--aoi-sql", inDegrees+", 4326)"))
	file := filepath.Join(t.TempDir(), "box.wkt")
	if err := os.WriteFile(file, []byte("POLYGON((10 45,11 45,11 46,10 46,10 45))"), 0o600); err != nil {
		t.Fatal(err)
	}

	for name, args := range map[string][]string{
		"a query":                    {"--aoi-sql", inDegrees + ")", "--aoi-srid", "4326"},
		"a query that says the same": {"--aoi-sql", inDegrees + ", 4326)", "--aoi-srid", "EPSG:4326"},
		"a file":                     {"--aoi", file, "--aoi-srid", "4326"},
	} {
		if got := rows(plan(args...)); got != want {
			t.Errorf("%s: %s cells, want %s", name, got, want)
		}
	}

	plan("--aoi-sql", inDegrees+", 4326)", "--aoi-srid", "4258").expect(t, 2, "--aoi-srid 4258", "EPSG:4326")
	plan("--aoi-sql", inDegrees+")", "--aoi-srid", "-1").expect(t, 2, "--aoi-srid -1")
}

// A warning comes before the load, in each command.
func TestUnitWarnings(t *testing.T) {
	s := newSandbox(t)
	args := []string{"--srid", "4326", "--cell-size", "1000", "--extent", "-10,35,30,70"}

	for name, words := range map[string][]string{"plan": {"plan"}, "dump": {"dump", "--out", os.DevNull}} {
		if r := cli(t, s.dsn, append(words, args...)...); r.code != 0 || !strings.HasPrefix(r.stderr, "warning: a cell of 1000 x 1000 degrees") {
			t.Errorf("%s: exit code %d, %s", name, r.code, r.stderr)
		}
	}

	r := cli(t, s.dsn, s.load("metres", append(args, "--log-format", "json")...)...)
	if w := r.warnings(t); r.code != 0 || len(w) != 1 || !strings.Contains(w[0], "are these metres?") {
		t.Errorf("load: exit code %d, %q", r.code, w)
	}

	folder := t.TempDir()
	if r := cli(t, s.dsn, "preview", "--table", s.schema+".metres", "--out", filepath.Join(folder, "a.png")); r.code != 0 || !strings.HasPrefix(r.stderr, "warning:") {
		t.Errorf("preview: exit code %d, %s", r.code, r.stderr)
	}

	jobs := filepath.Join(folder, "jobs.yaml")
	if err := os.WriteFile(jobs, []byte("jobs: [{table: a, srid: 4326, cell-size: 1000, extent: [-10, 35, 30, 70]}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	for _, command := range [][]string{{"plan", "--job", jobs}, {"job", "check", jobs}} {
		if r := cli(t, s.dsn, command...); r.code != 0 || !strings.Contains(r.stderr, "warning:") {
			t.Errorf("%v: exit code %d, %s", command, r.code, r.stderr)
		}
	}

	// Nothing is wrong here.
	r = cli(t, s.dsn, s.load("degrees", "--srid", "4326", "--cell-size", "0.5", "--extent", "-10,35,30,70", "--log-format", "json")...)
	if w := r.warnings(t); r.code != 0 || len(w) != 0 {
		t.Errorf("load: exit code %d, %q", r.code, w)
	}
}

// A preview does not need the privilege to read the server's table of CRSs.
func TestPreviewWithoutReferenceSystems(t *testing.T) {
	s := newDatabaseSandbox(t)
	role := "painter_of_" + queryOne[string](t, s.pool, "select current_database()")
	password := newPassword()
	s.exec("create role " + role + " login password '" + password + "'")
	t.Cleanup(func() { s.exec("drop owned by " + role + "; drop role " + role) })

	mustCLI(t, s.dsn, s.load("g", "--cell-size", "1000", "--srid", "2056", "--extent", "2600000,1200000,2610000,1210000")...)
	s.exec("revoke select on spatial_ref_sys from public; grant select on g to " + role)

	dsn := changeDSN(t, s.dsn, func(u *url.URL, _ url.Values) { u.User = url.UserPassword(role, password) })
	name := filepath.Join(t.TempDir(), "g.svg")
	mustCLI(t, dsn, "preview", "--table", "public.g", "--out", name)

	if b, err := os.ReadFile(name); err != nil || !strings.Contains(string(b), ">2 km<") {
		t.Errorf("the picture has no bar of 2 km: %v", err)
	}
}
