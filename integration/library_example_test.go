package integration

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The example program of the library builds, and loads what it describes, also a second time.
func TestLibraryExample(t *testing.T) {
	s := newDatabaseSandbox(t)
	program := filepath.Join(t.TempDir(), "library")
	if out, err := exec.Command("go", "build", "-o", program, "../examples/library").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}

	for run := range 2 {
		cmd := exec.CommandContext(t.Context(), program)
		cmd.Env = append(os.Environ(), "LOADGRID_DSN="+s.dsn)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("run %d: %v: %s", run+1, err, out)
		}
	}

	var rows, published int64
	var area float64
	var extent bool
	err := s.pool.QueryRow(context.Background(), `
		select count(*), sum(st_area(geom)), st_equals(st_setsrid(st_extent(geom), 3035), st_makeenvelope(4030000, 2935000, 4050000, 2955000, 3035)),
			(select count(*) from loadgrid.runs where state = 'published' and job_name = 'example')
		from public.example_grid`).Scan(&rows, &area, &extent, &published)
	if err != nil || rows != 80*80 || area != 20_000*20_000 || !extent || published != 2 {
		t.Errorf("%d rows of %v square metres, the extent is right: %v, %d runs, %v", rows, area, extent, published, err)
	}
}
