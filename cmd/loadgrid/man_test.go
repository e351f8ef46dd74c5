package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// writeMan returns the pages that loadgrid man writes, by the name of the file.
func writeMan(t *testing.T) (dir string, pages map[string]string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "man1")
	if code, stdout, stderr := call(t.Context(), "man", dir); code != exitDone || stdout+stderr != "" {
		t.Fatalf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}

	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}

	pages = make(map[string]string)
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		pages[file.Name()] = string(text)
	}
	return dir, pages
}

// Every command in the help has a page with its flags, and there are no other pages.
func TestEveryCommandHasAManualPage(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1795980705")
	_, pages := writeMan(t)

	seen := 0
	everyCommand(newRootCommand(), func(c *cobra.Command) {
		listed := !c.Hidden && c.Name() != "help"
		name := strings.ReplaceAll(c.CommandPath(), " ", "-") + ".1"
		page, ok := pages[name]
		delete(pages, name)
		if ok != listed {
			t.Errorf("%s: page %t, want %t", name, ok, listed)
		}
		if !listed {
			return
		}

		seen++
		if !strings.Contains(page, ` "2026\-11\-29" `) {
			t.Errorf("%s does not have the date of SOURCE_DATE_EPOCH", name)
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(page, escape("--"+f.Name)) {
				t.Errorf("%s does not have --%s", name, f.Name)
			}
		})
	})

	for name := range pages {
		t.Errorf("%s is the page of no command", name)
	}
	if seen < 18 {
		t.Errorf("%d commands seen", seen)
	}
}

// man shows the pages without warnings, and all characters as typed.
func TestManShowsThePages(t *testing.T) {
	man, err := exec.LookPath("man")
	if err != nil {
		t.Skip("NOT TESTED: there is no man to show the manual pages with")
	}

	dir, pages := writeMan(t)
	for name := range pages {
		show := exec.Command(man, "--warnings", "--local-file", filepath.Join(dir, name))
		show.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "MANWIDTH=80", "MANPAGER=cat", "MAN_KEEP_FORMATTING=")
		var stdout, stderr bytes.Buffer
		show.Stdout, show.Stderr = &stdout, &stderr
		if err := show.Run(); err != nil || stderr.Len() > 0 {
			t.Errorf("%s: %v\n%s", name, err, stderr.String())
		}
		pages[name] = stdout.String()
	}

	for name, want := range map[string][]string{
		"loadgrid.1":            {"NAME", "loadgrid - Fill PostGIS with grids", "  0    done\n", "loadgrid demo", "SEE ALSO"},
		"loadgrid-load.1":       {"--cell-size ", "OPTIONS", "loadgrid load --table eu_1km "},
		"loadgrid-completion.1": {`loadgrid completion zsh > "${fpath[1]}/_loadgrid"`},
	} {
		for _, w := range want {
			if !strings.Contains(pages[name], w) {
				t.Errorf("%s lacks %q:\n%s", name, w, pages[name])
			}
		}
	}
}

// Text that troff would read as a macro or an escape is printed as text.
func TestRoffIsText(t *testing.T) {
	var r roff
	r.text(".TH is\n'no macro, a\\b a-b ~^`\n\n.a table\n  'x\nafter\n")
	want := "\\&.TH is\n\\(aqno macro, a\\(rsb a\\-b \\(ti\\(ha\\(ga\n.PP\n\\&.a table\n.EX\n  \\(aqx\n.EE\nafter\n"
	if got := r.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestManRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}

	for _, tt := range []struct {
		epoch string
		args  []string
		code  int
		want  string
	}{
		{"", nil, exitUsage, "accepts 1 arg"},
		{"yesterday", []string{file}, exitUsage, `not "yesterday"`},
		{"", []string{file}, exitFailed, "creating the directory for the manual pages"},
	} {
		t.Setenv("SOURCE_DATE_EPOCH", tt.epoch)
		if code, _, stderr := call(t.Context(), slices.Concat([]string{"man"}, tt.args)...); code != tt.code || !strings.Contains(stderr, tt.want) {
			t.Errorf("%q, %q: exit code %d, %s", tt.epoch, tt.args, code, stderr)
		}
	}
}
