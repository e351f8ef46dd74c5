package job_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/loader"
	"github.com/loadgrid/loadgrid/loader/job"
)

// goldenFile has one entry per line. Existing entries never change: ledgers contain such jobs and fingerprints,
// and a newer program must resume their runs.
const goldenFile = "testdata/jobs.golden.jsonl"

// goldenUpdate is the environment variable that rewrites the file. Use it to add entries.
const goldenUpdate = "LOADGRID_UPDATE_GOLDEN"

// goldenEntry is what the ledger stores of a job.
type goldenEntry struct {
	Name        string          `json:"name"`
	Fingerprint string          `json:"fingerprint"`
	AOI         string          `json:"aoi,omitempty"`      // EWKB in hexadecimal
	Features    string          `json:"features,omitempty"` // what Layer.Marshal returns, in hexadecimal
	Job         json.RawMessage `json:"job"`
}

// TestJobsAreAsInOldLedgers compares jobs made in Go with the ones recorded when the format was frozen.
func TestJobsAreAsInOldLedgers(t *testing.T) {
	var entries []goldenEntry
	for _, g := range goldenJobs(t) {
		entries = append(entries, entryOf(t, g.name, g.job))
	}

	if os.Getenv(goldenUpdate) != "" {
		writeGolden(t, entries)
	}

	want := readGolden(t)
	if len(want) != len(entries) {
		t.Fatalf("%s has %d entries, the test has %d: %s=1 writes those that are new", goldenFile, len(want), len(entries), goldenUpdate)
	}

	for i, got := range entries {
		t.Run(got.Name, func(t *testing.T) {
			compareEntries(t, got, want[i])
		})
	}
}

// TestJobsFromOldLedgersAreTheSame reads jobs from ledger rows, and writes and plans them again.
func TestJobsFromOldLedgersAreTheSame(t *testing.T) {
	for _, want := range readGolden(t) {
		t.Run(want.Name, func(t *testing.T) {
			var job loader.Job
			if err := json.Unmarshal(want.Job, &job); err != nil {
				t.Fatal(err)
			}

			if b, err := json.Marshal(job); err != nil || !bytes.Equal(b, want.Job) {
				t.Errorf("it is written again as\n%s, %v, want\n%s", b, err, want.Job)
			}

			if job.Area != nil {
				ewkb, err := hex.DecodeString(want.AOI)
				if err != nil {
					t.Fatal(err)
				}

				if err := job.Area.Unmarshal(ewkb); err != nil {
					t.Fatal(err)
				}
			}

			if want.Features != "" {
				b, err := hex.DecodeString(want.Features)
				if err != nil {
					t.Fatal(err)
				}

				if err := job.Area.UnmarshalLayer(b); err != nil {
					t.Fatal(err)
				}
			}

			compareEntries(t, entryOf(t, want.Name, job), want)
		})
	}
}

// TestGoldenJobsHaveAllOptions fails if an option has only its default value in all entries.
func TestGoldenJobsHaveAllOptions(t *testing.T) {
	entries := readGolden(t)
	if len(entries) == 0 || entries[0].Name != "defaults" {
		t.Fatalf("the first entry of %s is not the one with the defaults", goldenFile)
	}

	var all []map[string]string

	for _, e := range entries {
		all = append(all, valuesOf(t, e.Job))
	}

	for _, path := range jsonPaths(reflect.TypeFor[loader.Job](), "") {
		other := func(values map[string]string) bool { v, ok := values[path]; return ok && v != all[0][path] }
		if !slices.ContainsFunc(all, other) {
			t.Errorf("no entry has another %s than the default: add one to goldenJobs, and run with %s=1", path, goldenUpdate)
		}
	}
}

// TestGoldenJobsHaveAllTypes fails if a type of a constant column is missing in all entries.
func TestGoldenJobsHaveAllTypes(t *testing.T) {
	seen := make(map[string]bool)
	for _, e := range readGolden(t) {
		var job loader.Job
		if err := json.Unmarshal(e.Job, &job); err != nil {
			t.Fatal(err)
		}

		for _, c := range job.Set {
			seen[c.Type] = true
		}
	}

	for _, name := range append(job.ConstantTypes(), "") {
		if !seen[name] {
			t.Errorf("no entry sets a column of type %q", name)
		}
	}
}

// entryOf plans a job and returns what the ledger stores of it.
func entryOf(t *testing.T, name string, job loader.Job) goldenEntry {
	t.Helper()
	p, err := loader.NewPlan(t.Context(), job)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}

	e := goldenEntry{Name: name, Fingerprint: p.Job.Fingerprint(p.Cells)}
	if e.Job, err = json.Marshal(p.Job); err != nil {
		t.Fatalf("%s: %v", name, err)
	}

	if p.Job.Area != nil {
		e.AOI = hex.EncodeToString(p.Job.Area.Marshal())
		if p.Job.Area.Layer != nil {
			e.Features = hex.EncodeToString(p.Job.Area.Layer.Marshal(p.Job.Area.SRID))
		}
	}

	return e
}

func compareEntries(t *testing.T, got, want goldenEntry) {
	t.Helper()
	if got.Name != want.Name {
		t.Fatalf("the entry is %q, want %q", got.Name, want.Name)
	}

	if !bytes.Equal(got.Job, want.Job) {
		t.Errorf("the job is\n%s, want\n%s", got.Job, want.Job)
	}

	if got.AOI != want.AOI {
		t.Errorf("the area is\n%s, want\n%s", got.AOI, want.AOI)
	}

	if got.Features != want.Features {
		t.Errorf("the features are\n%s, want\n%s", got.Features, want.Features)
	}

	if got.Fingerprint != want.Fingerprint {
		t.Errorf("the fingerprint is %s, want %s", got.Fingerprint, want.Fingerprint)
	}
}

func readGolden(t *testing.T) []goldenEntry {
	t.Helper()
	b, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}

	var entries []goldenEntry

	for line := range strings.Lines(string(b)) {
		var e goldenEntry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("line %d of %s: %v", len(entries)+1, goldenFile, err)
		}

		entries = append(entries, e)
	}

	return entries
}

func writeGolden(t *testing.T, entries []goldenEntry) {
	t.Helper()
	var b bytes.Buffer

	for _, e := range entries {
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}

		b.Write(append(line, '\n'))
	}

	if err := os.WriteFile(goldenFile, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// jsonPaths returns the paths of all values in the JSON of a type, as in grid.x0. The elements of a list share
// the path of the list.
func jsonPaths(t reflect.Type, path string) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}

	if t.Kind() != reflect.Struct {
		return []string{path}
	}

	var paths []string

	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case !f.IsExported() || name == "-":
			continue
		case name == "":
			name = f.Name
		}

		if path != "" {
			name = path + "." + name
		}

		paths = append(paths, jsonPaths(f.Type, name)...)
	}

	return paths
}

// valuesOf returns the values of a JSON document by path. The elements of a list share the path of the list; the
// last one wins.
func valuesOf(t *testing.T, document []byte) map[string]string {
	t.Helper()
	values := make(map[string]string)
	var walk func(b []byte, path string)
	walk = func(b []byte, path string) {
		var object map[string]json.RawMessage
		var list []json.RawMessage

		switch {
		case json.Unmarshal(b, &object) == nil:
			for name, v := range object {
				walk(v, strings.TrimPrefix(path+"."+name, "."))
			}
		case json.Unmarshal(b, &list) == nil:
			for _, v := range list {
				walk(v, path)
			}
		default:
			values[path] = string(b)
		}
	}

	walk(document, "")

	return values
}
