package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
	"github.com/loadgrid/loadgrid/loader/plan"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}

	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	if got != string(want) {
		t.Errorf("got\n%s\nwant, in %s (go test -update writes it)\n%s", got, path, want)
	}
}

func TestPlan(t *testing.T) {
	clearEnv(t)
	t.Setenv("LOADGRID_DSN", unusedServer(t))
	for _, tt := range []struct {
		golden string
		args   []string
	}{
		{"plan_story.txt", []string{"--cell-size", "1", "--cols", "1000", "--rows", "800"}},
		{"plan_eu.txt", []string{"--cell-size", "1000", "--srid", "3035", "--extent", "900000,900000,7400000,5500000"}},
		{"plan_one_cell.txt", []string{"--cell-size", "0.1,0.2", "--srid", "4326", "--origin", "-180,-90",
			"--extent", "-0.05,-0.05,-0.01,-0.01", "--streams", "8", "--set", "year:integer=2026"}},
		{"plan_area.txt", []string{"--cell-size", "0.1", "--srid", "4326", "--aoi", "../../testdata/luxembourg.wkt", "--aoi-rule", "centroid", "--coverage", "--code-index=false"}},
		{"plan_hexagon.txt", []string{"--shape", "hexagon", "--hexagon", "pointy", "--cell-size", "50", "--srid", "25832", "--origin", "500000,5500000", "--rotate", "15", "--cols", "40", "--rows", "30", "--geometry", "point"}},
		{"plan_tiles.txt", []string{"--shape", "xyz", "--zoom", "9", "--code", "quadkey"}},
		{"plan_codes.txt", []string{"--cell-size", "1000", "--srid", "3035", "--extent", "4000000,3000000,4100000,3050000", "--code", "inspire", "--code-order", "en"}},
		{"plan_degrees.txt", []string{"--cell-size", "0.1", "--srid", "4326", "--extent", "10,44,11,46"}},
		{"plan_hexagon_degrees.txt", []string{"--shape", "hexagon", "--cell-size", "0.1", "--srid", "4326", "--extent", "10,44,11,46"}},
		{"plan_feet.txt", []string{"--cell-size", "5000,2500", "--srid", "2230", "--extent", "6000000,1800000,6500000,2200000"}},
		{"plan_unknown_crs.txt", []string{"--cell-size", "1000", "--srid", "990001", "--extent", "0,0,5000,5000", "--code", "inspire"}},
		{"plan_distributed.txt", []string{"--cell-size", "1000", "--srid", "3035", "--extent", "900000,900000,7400000,5500000", "--distribute", "hash:8", "--distribute-by", "parent:6"}},
		{"plan_distributed_open.txt", []string{"--cell-size", "1", "--cols", "1000", "--rows", "800", "--distribute", "hash"}},
		{"plan_distributed_beside.txt", []string{"--cell-size", "1", "--cols", "1000", "--rows", "800", "--distribute", "hash", "--colocate-with", "stats.points"}},
		{"plan_table.txt", []string{"--cell-size", "1", "--cols", "3", "--rows", "2", "--table", "stats.grid", "--if-exists", "replace"}},
	} {
		t.Run(tt.golden, func(t *testing.T) {
			code, stdout, stderr := call(t.Context(), append([]string{"plan"}, tt.args...)...)
			if code != exitDone || stderr != "" {
				t.Fatalf("exit code %d, stderr %q", code, stderr)
			}

			golden(t, tt.golden, stdout)
		})
	}
}

// The maximum number of cells, drawn in blocks.
func TestPictureOfTheLargestPlan(t *testing.T) {
	clearEnv(t)
	name := filepath.Join(t.TempDir(), "all.png")
	code, _, stderr := call(t.Context(), "plan", "--cell-size", "1", "--extent", "-1073741824,-1073741824,1073741824,1073741824", "--picture", name)
	if info, err := os.Stat(name); code != exitDone || err != nil || info.Size() == 0 {
		t.Errorf("exit code %d, %v, %s", code, err, stderr)
	}
}

// A plan with more cells than can be counted quickly says that it is an estimate, also in the picture.
func TestPlanOfTooManyCells(t *testing.T) {
	clearEnv(t)
	t.Chdir(t.TempDir())
	jobs := writeJobs(t, "table: g\ncell-size: 1e-6\nrotate: 30\nextent: [0, 0, 500, 500]\n")
	for _, args := range [][]string{
		{"plan", "--cell-size", "1e-6", "--rotate", "30", "--extent", "0,0,500,500", "--picture", "a.svg"},
		{"plan", "--table", "g", "--if-exists", "append", "--dsn", unusedServer(t), "--shape", "hexagon", "--cell-size", "1e-6", "--extent", "0,0,500,500"},
		{"plan", "--job", jobs},
		{"job", "check", jobs},
	} {
		code, stdout, stderr := call(t.Context(), args...)
		if code != exitDone || stderr != "" || args[0] == "plan" && !strings.Contains(stdout, "an estimate: between ") {
			t.Errorf("%v: exit code %d, %s%s", args, code, stdout, stderr)
		}
	}
}

// If the time depends on the age of the server, plan says which server it assumes.
func TestPlanSaysWhatServerItMeans(t *testing.T) {
	sorts, inserts := plan.Server{SortsGiST: true, MarksCopied: true}, plan.Server{}
	for _, test := range []struct {
		index  loader.Index
		server *plan.Server
		want   string
	}{
		{loader.IndexGiST, nil, "an older server builds GiST without sorting"},
		{loader.IndexBoth, &inserts, "this server builds GiST without sorting"},
		{loader.IndexGiST, &sorts, ""},
		{loader.IndexBRIN, nil, ""},
		{loader.IndexNone, &inserts, ""},
	} {
		p, err := loader.NewPlan(t.Context(), loader.Job{Table: loader.Table{Name: "grid"}, Grid: geomgen.Grid{DX: 1, DY: 1}, Cols: 10, Rows: 10, Index: test.index})
		if err != nil {
			t.Fatal(err)
		}
		if test.server != nil {
			p = p.WithServer(*test.server)
		}
		if got := describeServer(p); !strings.Contains(got, test.want) || test.want == "" && got != "" {
			t.Errorf("%s, %+v: %q, want %q", test.index, test.server, got, test.want)
		}
	}
}
