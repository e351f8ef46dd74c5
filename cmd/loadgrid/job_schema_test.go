package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v4"

	"github.com/loadgrid/loadgrid/internal/jobfile"
)

// flagsOutsideFiles are flags of load that are no keys of job files, and why.
func flagsOutsideFiles() map[string]string {
	return map[string]string{
		"job":        "names the file",
		"only":       "chooses among the file's jobs",
		"keep-going": "is about all of the file's jobs",
		"help":       "is for people",
	}
}

// keysWithoutFlag are keys that are no flags.
func keysWithoutFlag() map[string]string {
	return map[string]string{"name": "tells several jobs apart", "password": "would be shown in the list of processes"}
}

func TestKeysAreTheFlagsOfLoad(t *testing.T) {
	cmd := newLoadCommand()
	cmd.InitDefaultHelpFlag()
	keys := jobfile.Keys()
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if _, not := flagsOutsideFiles()[f.Name]; not == slices.Contains(keys, f.Name) {
			t.Errorf("--%s: a key is %v", f.Name, !not)
		}
	})

	for _, key := range keys {
		_, not := keysWithoutFlag()[key]
		flag := cmd.Flags().Lookup(key)
		if not == (flag != nil) {
			t.Errorf("key %s is a flag: %v", key, flag != nil)
		}
		if flag == nil {
			continue
		}

		// The choices are those that the help names.
		var named []string
		if m := regexp.MustCompile("`([a-z-]+(?:\\|[a-z-]+)+)`").FindStringSubmatch(flag.Usage); m != nil {
			named = strings.Split(m[1], "|")
		}
		if choices := jobfile.Choices(key); !slices.Equal(choices, named) {
			t.Errorf("key %s may be %q, and its flag %q", key, choices, named)
		}
	}

	for name := range flagsOutsideFiles() {
		if cmd.Flags().Lookup(name) == nil {
			t.Errorf("--%s is no flag", name)
		}
	}
}

// TestSchemaFile keeps docs/job.schema.json what the types give. -update writes it.
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

	for _, key := range append(jobfile.Keys(), "defaults", "jobs") {
		if n := len(regexp.MustCompile(`(?s)"`+key+`": \{.*?"description": "[^"]`).FindAllString(stdout, -1)); n == 0 {
			t.Errorf("%s has no description", key)
		}
	}
}

// The README's file is right, and the mistake that it shows is what is said of it.
func TestJobFileOfTheREADME(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}

	m := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(string(readme))
	if m == nil {
		t.Fatal("the README has no job file")
	}

	file := strings.ReplaceAll(m[1], "aoi: ", "aoi: "+mustAbs(t, "../../examples")+"/") // where the area is
	if code, stdout, stderr := call(t.Context(), "job", "check", writeJobs(t, file)); code != exitDone || !strings.HasSuffix(stdout, ": 2 jobs: eu_1km, hexagons\n") || !strings.Contains(string(readme), "jobs.yaml: 2 jobs: eu_1km, hexagons") {
		t.Errorf("exit code %d, %s%s", code, stdout, stderr)
	}

	name := writeJobs(t, strings.Replace(m[1], "cell-size", "cell_size", 1))
	_, _, stderr := call(t.Context(), "job", "check", name)
	if said := strings.ReplaceAll(stderr, name, "jobs.yaml"); !strings.Contains(string(readme), "\n"+said) {
		t.Errorf("the README does not have: %s", said)
	}
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

// What an editor is told of the examples and of the README's file, with the schema that
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
