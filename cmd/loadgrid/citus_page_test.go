package main

import (
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/internal/mdblocks"
)

// TestCitusPage checks docs/citus.md, as far as possible without a cluster: it plans the loads and
// checks the job files.
func TestCitusPage(t *testing.T) {
	clearEnv(t)
	t.Setenv("LOADGRID_DSN", unusedServer(t))
	blocks, err := mdblocks.Read("../../docs/citus.md")
	if err != nil {
		t.Fatal(err)
	}

	loads, files := 0, 0
	for _, b := range blocks {
		if b.Language == "yaml" && strings.Contains(b.Text, "cell-size") {
			files++
			if code, _, stderr := call(t.Context(), "plan", "--job", writeJobs(t, b.Text)); code != exitDone || stderr != "" {
				t.Errorf("%s: exit code %d, %s", b.Name(), code, stderr)
			}
		}

		for _, args := range examples(strings.ReplaceAll(b.Text, "$ loadgrid", "loadgrid")) {
			if b.Language != "console" || len(args) == 0 || args[0] != "load" {
				continue
			}

			loads++
			if code, stdout, stderr := call(t.Context(), append([]string{"plan"}, args[1:]...)...); code != exitDone || stderr != "" || !strings.Contains(stdout, "shards") {
				t.Errorf("%s: exit code %d, %s%s", b.Name(), code, stdout, stderr)
			}
		}
	}

	if loads < 2 || files < 1 {
		t.Errorf("%d loads and %d job files were tried, want 2 and 1 at least", loads, files)
	}
}
