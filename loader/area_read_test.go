package loader

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
)

const square4 = `[[[0,0],[4,0],[4,4],[0,4],[0,0]]]`

func TestReadArea(t *testing.T) {
	polygon := `{"type":"Polygon","coordinates":` + square4 + `}`
	for name, test := range map[string]struct {
		text     string
		srid     int32
		polygons int
		union    bool
		warnings int
	}{
		"geometry":          {polygon, 4326, 1, false, 0},
		"multi":             {`{"type":"MultiPolygon","coordinates":[` + square4 + `,[[[9,9],[8,9],[8,8],[9,9]]]]}`, 4326, 2, false, 0},
		"feature":           {`{"type":"Feature","properties":{"a":[1,{"b":2}]},"geometry":` + polygon + `}`, 4326, 1, false, 0},
		"collection":        {`{"features":[{"geometry":` + polygon + `},{"geometry":null},{"geometry":` + polygon + `}],"type":"FeatureCollection"}`, 4326, 2, true, 0},
		"geometries":        {`{"type":"GeometryCollection","geometries":[` + polygon + `,` + polygon + `]}`, 4326, 2, false, 0},
		"with a hole":       {`{"type":"Polygon","coordinates":[[[0,0],[4,0],[4,4],[0,4],[0,0]],[[1,1],[2,1],[2,2],[1,1]]]}`, 4326, 1, false, 0},
		"crs behind":        {`{"type":"Polygon","coordinates":` + square4 + `,"crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::3035"}}}`, 3035, 1, false, 0},
		"crs with version":  {`{"crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG:6.18:25832"}},"type":"Polygon","coordinates":` + square4 + `}`, 25832, 1, false, 0},
		"short crs":         {`{"crs":{"type":"name","properties":{"name":"EPSG:3857"}},"type":"Polygon","coordinates":` + square4 + `}`, 3857, 1, false, 0},
		"CRS84":             {`{"crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:OGC:1.3:CRS84"}},"type":"Polygon","coordinates":` + square4 + `}`, 4326, 1, false, 0},
		"WKT":               {"  polygon((0 0,4 0,4 4,0 0))\n", 0, 1, false, 0},
		"EWKT":              {"SRID=3035;MULTIPOLYGON(((0 0,4 0,4 4,0 0)),((9 9,8 9,8 8,9 9)))", 3035, 2, false, 0},
		"byte order mark":   {"\xef\xbb\xbf" + polygon, 4326, 1, false, 0},
		"height":            {`{"type":"Polygon","coordinates":[[[0,0,1],[4,0,2],[4,4,3],[0,0,1]]]}`, 4326, 1, false, 1},
		"WKT with height":   {"POLYGON Z((0 0 1,4 0 1,4 4 1,0 0 1))", 0, 1, false, 1},
		"WKT collection":    {"GEOMETRYCOLLECTION(POLYGON((0 0,4 0,4 4,0 0)),MULTIPOLYGON(((9 9,8 9,8 8,9 9))))", 0, 2, false, 0},
		"whole world":       {`{"type":"Polygon","coordinates":[[[-180,-90],[180,-90],[180,90],[-180,90],[-180,-90]]]}`, 4326, 1, false, 0},
		"an empty and more": {"MULTIPOLYGON(EMPTY,((0 0,4 0,4 4,0 0)))", 0, 1, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := ReadArea(strings.NewReader(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if a.SRID != test.srid || len(a.Polygons) != test.polygons || a.Union != test.union || len(a.Warnings) != test.warnings {
				t.Errorf("SRID %d, %d polygons, union %v, warnings %q", a.SRID, len(a.Polygons), a.Union, a.Warnings)
			}
			if err := a.check(4326); err != nil {
				t.Error(err)
			}
			var back Area
			if err := back.unmarshal(a.Marshal()); err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(back.Polygons) != fmt.Sprint(a.Polygons) || back.SRID != a.SRID {
				t.Errorf("through the ledger it becomes %v", back)
			}
		})
	}
}

func TestBadAreas(t *testing.T) {
	polygon := func(coordinates string) string { return `{"type":"Polygon","coordinates":` + coordinates + `}` }
	for name, test := range map[string]struct{ text, want string }{
		"cut off":              {`{"type":"Polygon","coordinates":[[[0,0],[1,0`, "near byte"},
		"bad JSON":             {polygon(`[[[0,0],[1,0],x]]`), "invalid character 'x'"},
		"unclosed":             {polygon(`[[[0,0],[4,0],[4,4],[0,4]]]`), "shell of polygon 1 is not closed: its last point is not its first at 0 4"},
		"unclosed hole":        {polygon(`[[[0,0],[9,0],[9,9],[0,0]],[[1,1],[2,1],[2,2],[1,2]]]`), "hole 1 of polygon 1 is not closed"},
		"unclosed WKT":         {"POLYGON((0 0,4 0,4 4,0 4))", "polygon ring not closed at line 1"},
		"three points":         {polygon(`[[[0,0],[4,0],[0,0]]]`), "has fewer than four points at 0 0"},
		"NaN":                  {"POLYGON((0 0,4 0,4 NaN,0 0))", "line 1, pos 19"},
		"infinite":             {polygon(`[[[0,0],[4,0],[4,1e999],[0,0]]]`), "1e999"},
		"infinite WKT":         {"POLYGON((0 0,4 0,4 1e999,0 0))", "invalid number"},
		"longitude 999":        {polygon(`[[[0,0],[999,0],[4,4],[0,0]]]`), "longitude beyond 180 degrees: polygon 1, ring 1, at 999 0"},
		"latitude 91":          {polygon(`[[[0,0],[4,91],[4,4],[0,0]]]`), "longitude comes first"},
		"antimeridian":         {polygon(`[[[170,0],[-170,0],[-170,10],[170,10],[170,0]]]`), "crosses the antimeridian"},
		"beyond antimeridian":  {polygon(`[[[170,0],[190,0],[190,10],[170,10],[170,0]]]`), "RFC 7946"},
		"line":                 {`{"type":"LineString","coordinates":[[0,0],[4,0]]}`, "holds a LineString: an area of interest is made of polygons"},
		"point among features": {`{"type":"FeatureCollection","features":[{"geometry":` + polygon(square4) + `},{"geometry":{"type":"Point","coordinates":[0,0]}}]}`, "in feature 2 holds a Point"},
		"WKT point":            {"POINT(1 2)", "holds a Point"},
		"nothing":              {" \n", "is empty: there is nothing in it"},
		"no feature":           {`{"type":"FeatureCollection","features":[]}`, "is empty"},
		"empty polygon":        {"POLYGON EMPTY", "is empty"},
		"no GeoJSON":           {`{"foo":1}`, "no member type"},
		"no text":              {"hello", "neither GeoJSON, which begins with {, nor WKT"},
		"bad EWKT":             {"SRID=x;POLYGON((0 0,4 0,4 4,0 0))", "SRID=3035;POLYGON"},
		"something behind":     {polygon(square4) + "{}", "something behind the end"},
		"unknown CRS":          {`{"crs":{"type":"name","properties":{"name":"my own"}},"type":"Polygon","coordinates":` + square4 + `}`, `"my own"`},
		"linked CRS":           {`{"crs":{"type":"link","properties":{"href":"x"}},"type":"Polygon","coordinates":` + square4 + `}`, "CRS that is not understood"},
		"unknown type":         {`{"type":"Circle","coordinates":[0,0]}`, "Circle"},
		"one number a point":   {polygon(`[[[0],[4],[4],[0]]]`), "GeoJSON that can be used"},
		"an array":             {`{"type":"FeatureCollection","features":7}`, "[ is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := ReadArea(strings.NewReader(test.text))
			if err == nil {
				err = a.check(4326)
			}
			var param *geomgen.ParamError
			if !errors.As(err, &param) || param.Param != "aoi" || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one of aoi with %q", err, test.want)
			}
		})
	}
}

// What cannot be right is refused by the plan, with the ring and the place.
func TestPlanOfBadAreas(t *testing.T) {
	job := func(text string, srid int32) Job {
		a, err := ReadArea(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return Job{Table: Table{Name: "t"}, Grid: geomgen.Grid{DX: 1, DY: 1, SRID: srid}, Area: a}
	}
	for name, test := range map[string]struct {
		job    Job
		change func(*Job)
		want   string
		server bool
	}{
		"bow tie":       {job: job("POLYGON((0 0,4 4,4 0,0 4,0 0))", 0), want: "shell of polygon 1 crosses itself at 2 2: mend it, or let the server do so with aoi-make-valid"},
		"to be mended":  {job: job("POLYGON((0 0,4 4,4 0,0 4,0 0))", 0), change: func(j *Job) { j.Area.MakeValid = true }, want: "crosses itself", server: true},
		"another CRS":   {job: job("SRID=4326;POLYGON((0 0,4 4,4 0,0 0))", 3035), want: "EPSG:4326 and the grid in EPSG:3035", server: true},
		"no CRS":        {job: job("SRID=4326;POLYGON((0 0,4 4,4 0,0 0))", 0), want: "--srid 0: leaves the grid without a CRS"},
		"a query":       {job: Job{Table: Table{Name: "t"}, Grid: geomgen.Grid{DX: 1, DY: 1}, Area: &Area{SQL: "select 1"}}, want: "it is a query", server: true},
		"no cell":       {job: job("POLYGON((0.1 0.1,0.2 0.1,0.2 0.2,0.1 0.1))", 0), change: func(j *Job) { j.Area.Rule = geomgen.Within }, want: "no cell lies in the area"},
		"outside":       {job: job("POLYGON((0.1 0.1,0.2 0.1,0.2 0.2,0.1 0.1))", 0), change: func(j *Job) { j.Extent = &geomgen.Box{XMin: 5, YMin: 5, XMax: 9, YMax: 9} }, want: "no cell meets the area and the extent"},
		"unknown rule":  {job: job("POLYGON((0 0,4 4,4 0,0 0))", 0), change: func(j *Job) { j.Area.Rule = "touches" }, want: "intersects, within or centroid"},
		"turned codes":  {job: job("POLYGON((0 0,4 4,4 0,0 0))", 3035), change: func(j *Job) { j.Grid.Rotate, j.Code = 10, geomgen.INSPIRE }, want: "contradicts rotate 10"},
		"column code":   {job: job("POLYGON((0 0,4 4,4 0,0 0))", 3035), change: func(j *Job) { j.Code, j.GeomColumn = geomgen.INSPIRE, "code" }, want: "taken by the cell's code"},
		"column taken":  {job: job("POLYGON((0 0,4 4,4 0,0 0))", 0), change: func(j *Job) { j.Coverage, j.IDColumn = true, "coverage" }, want: "taken by the coverage"},
		"cut points":    {job: job("POLYGON((0 0,4 4,4 0,0 0))", 0), change: func(j *Job) { j.Clip, j.Geometry = true, geomgen.AsPoint }, want: "a point is not cut"},
		"code parts":    {job: job("POLYGON((0 0,9 9,9 0,0 0))", 3035), change: func(j *Job) { j.Code, j.CodeIndex, j.Partitions = geomgen.INSPIRE, true, 2 }, want: "contradicts partitions"},
		"coverage bare": {job: Job{Table: Table{Name: "t"}, Grid: geomgen.Grid{DX: 1, DY: 1}, Cols: 3, Rows: 3, Coverage: true}, want: "--coverage true: needs an area of interest"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.change != nil {
				test.change(&test.job)
			}
			_, err := NewPlan(t.Context(), test.job)
			var param *geomgen.ParamError
			var needs *NeedsServerError
			if err == nil || !strings.Contains("--"+err.Error(), test.want) || errors.As(err, &needs) != test.server || errors.As(err, &param) == test.server {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

// A reader of too much stops at the limit, and says what to do.
func TestReadAreaStopsAtItsLimit(t *testing.T) {
	endless := strings.NewReader(strings.Repeat(" ", 10) + "POLYGON((" + strings.Repeat("0 0,", 1000))
	_, err := readArea(endless, 100)
	if err == nil || !strings.Contains(err.Error(), "more than 100 bytes") || !strings.Contains(err.Error(), "aoi-sql") {
		t.Errorf("error %v", err)
	}
	if n := endless.Len(); n < 3500 {
		t.Errorf("%d bytes were left", n)
	}
}

// A file of 100 MB is read within a small multiple of its size.
func TestReadLargeArea(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "*.geojson")
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(file)
	fmt.Fprint(w, `{"type":"Polygon","coordinates":[[`)
	const corners = 2_600_000
	for i := range corners {
		a := 2 * math.Pi * float64(i) / corners
		fmt.Fprintf(w, "[%.15f,%.15f],", 50*math.Cos(a), 50*math.Sin(a))
	}
	fmt.Fprintf(w, "[%.15f,%.15f]]]}", 50.0, 0.0)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	size, err := file.Seek(0, io.SeekCurrent)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	a, err := ReadArea(file)
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := len(a.Polygons[0][0]); n != corners+1 {
		t.Errorf("%d corners", n)
	}
	if size < 90e6 {
		t.Errorf("the file has only %d bytes", size)
	}
	times := float64(after.Sys-before.Sys) / float64(size)
	t.Logf("%d MB took %.1f times as much memory", size/1e6, times)
	if times > 12 {
		t.Errorf("a file of %d MB took %.1f times as much memory", size/1e6, times)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

func FuzzReadArea(f *testing.F) {
	for _, s := range []string{
		`{"type":"Polygon","coordinates":` + square4 + `}`, "SRID=3035;POLYGON((0 0,4 0,4 4,0 0))", "GEOMETRYCOLLECTION(POLYGON((0 0,4 0,4 4,0 0)))",
		`{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"MultiPolygon","coordinates":[` + square4 + `]}}]}`,
		`{"type":"Polygon","coordinates":[[[0,0,1],[4,0,2],[4,4,3],[0,0,1]]],"crs":null}`, "{}", "\xef\xbb\xbf{", `{"geometry":null}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ReadArea(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, p := range a.Polygons {
			for _, ring := range p {
				if len(ring) < 4 || ring[0] != ring[len(ring)-1] {
					t.Fatalf("ring %v", ring)
				}
				for _, q := range ring {
					if math.IsNaN(q.X+q.Y) || math.IsInf(q.X+q.Y, 0) && !(math.Abs(q.X) > 1e300 || math.Abs(q.Y) > 1e300) {
						t.Fatalf("point %v", q)
					}
				}
			}
		}
		if _, err := NewPlan(t.Context(), Job{Table: Table{Name: "t"}, Grid: geomgen.Grid{DX: 1e300, DY: 1e300, SRID: a.SRID}, Area: a}); err != nil {
			var param *geomgen.ParamError
			var needs *NeedsServerError
			if !errors.As(err, &param) && !errors.As(err, &needs) {
				t.Fatal(err)
			}
		}
	})
}
