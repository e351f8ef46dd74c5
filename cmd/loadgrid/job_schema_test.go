package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v4"

	"github.com/loadgrid/loadgrid/internal/options"
)

// TestSchemaFile compares docs/job.schema.json with the table of options. -update writes it.
func TestSchemaFile(t *testing.T) {
	const name = "../../docs/job.schema.json"
	code, stdout, stderr := call(t.Context(), "job", "schema")
	if code != exitDone || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}

	if *update {
		if err := os.WriteFile(name, []byte(stdout), 0o644); err != nil {
			t.Fatal(err)
		}
	}

	file, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(file) != stdout {
		t.Errorf("%s is not what 'loadgrid job schema' prints: go test ./cmd/loadgrid -run TestSchemaFile -update", name)
	}

	for _, key := range append(names(new(options.Load).Table().In(options.Job)), "defaults", "jobs") {
		if n := len(regexp.MustCompile(`(?s)"`+key+`": \{.*?"description": "[^"]`).FindAllString(stdout, -1)); n == 0 {
			t.Errorf("%s has no description", key)
		}
	}
}

// The file of docs/jobs.md is right, and job check reports its mistake with the message that the page shows.
func TestJobFilePage(t *testing.T) {
	page, err := os.ReadFile("../../docs/jobs.md")
	if err != nil {
		t.Fatal(err)
	}

	m := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(string(page))
	if m == nil {
		t.Fatal("the page has no job file")
	}

	file := strings.ReplaceAll(m[1], "aoi: ", "aoi: "+mustAbs(t, "../../examples")+"/") // where the area is
	if code, stdout, stderr := call(t.Context(), "job", "check", writeJobs(t, file)); code != exitDone || !strings.HasSuffix(stdout, ": 2 jobs: eu_1km, hexagons\n") || !strings.Contains(string(page), "jobs.yaml: 2 jobs: eu_1km, hexagons") {
		t.Errorf("exit code %d, %s%s", code, stdout, stderr)
	}

	name := writeJobs(t, strings.Replace(m[1], "cell-size", "cell_size", 1))
	_, _, stderr := call(t.Context(), "job", "check", name)
	if said := strings.ReplaceAll(stderr, name, "jobs.yaml"); !strings.Contains(string(page), "\n"+said) {
		t.Errorf("the page does not have: %s", said)
	}
}

func names(table options.Table) (list []string) {
	for _, o := range table {
		list = append(list, o.Name)
	}
	return list
}

func mustAbs(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}

	return path
}

func TestCompletionOfJobFiles(t *testing.T) {
	if _, stdout, _ := call(t.Context(), cobra.ShellCompRequestCmd, "load", "--job", ""); !strings.Contains(stdout, "yaml\n") {
		t.Errorf("--job is completed with %q", stdout)
	}
}

// What an editor reports about the examples and the file of docs/jobs.md, with the schema that
// lies in the repository.
func TestSchemaFileFits(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	schema, err := compiler.Compile("../../docs/job.schema.json")
	if err != nil {
		t.Fatal(err)
	}

	names, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(names) != 3 {
		t.Fatalf("%v, %v", names, err)
	}

	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(text), "# yaml-language-server: $schema=../docs/job.schema.json\n") {
			t.Errorf("%s does not name its schema", name)
		}

		var doc any
		if err := yaml.Load(text, &doc); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if doc.(map[string]any)["colls"] = 1; schema.Validate(doc) == nil {
			t.Errorf("%s fits with a wrong key, too", name)
		}
	}
}
