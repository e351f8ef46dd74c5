package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// everyCommand calls do for root and for all commands below it.
func everyCommand(root *cobra.Command, do func(*cobra.Command)) {
	do(root)
	for _, c := range root.Commands() {
		everyCommand(c, do)
	}
}

// parseCommand parses a command line without running the command, and returns the path of the command.
func parseCommand(args []string) (did string, err error) {
	root := newRootCommand()
	everyCommand(root, func(c *cobra.Command) {
		c.RunE = func(c *cobra.Command, _ []string) error {
			did = c.CommandPath()
			return nil
		}
	})

	root.SetArgs(args)
	root.SetOut(io.Discard)
	if err := root.Execute(); err != nil {
		return did, err
	}
	if words := strings.Fields(did); len(words) < 2 || words[1] != args[0] {
		return did, fmt.Errorf("it runs %q", did)
	}

	return did, nil
}

func TestHelp(t *testing.T) {
	clearEnv(t)
	paths := 0
	everyCommand(newRootCommand(), func(c *cobra.Command) {
		paths++
		t.Run(c.CommandPath(), func(t *testing.T) {
			if c.Short == "" {
				t.Error("has no short description")
			}

			if c.Parent() == nil || c.Parent().Parent() == nil && c.Name() != "help" {
				if c.Example == "" {
					t.Error("has no example")
				}
			}

			var flags []string
			c.Flags().VisitAll(func(f *pflag.Flag) {
				flags = append(flags, "--"+f.Name)
				if strings.TrimSpace(f.Usage) == "" {
					t.Errorf("--%s has no description", f.Name)
				}
			})

			code, stdout, stderr := call(t.Context(), append(strings.Fields(c.CommandPath())[1:], "--help")...)
			if code != exitDone || stderr != "" {
				t.Errorf("exit code %d, stderr %q", code, stderr)
			}

			want := append(flags, c.Example, c.Short)
			if c.Long != "" {
				want = append(want[:len(want)-1], c.Long)
			}

			for _, w := range want {
				if !strings.Contains(stdout, w) {
					t.Errorf("--help lacks %q", w)
				}
			}

			for line := range strings.Lines(stdout) {
				if strings.Contains(line, "\t") {
					t.Errorf("--help has a tab in %q", line)
				}
			}
		})
	})
	if paths < 18 {
		t.Errorf("%d commands seen: some are not there", paths)
	}
}

func TestWithoutASubcommand(t *testing.T) {
	for _, args := range [][]string{nil, {"runs"}, {"migrate"}, {"help"}, {"help", "runs", "show"}} {
		code, stdout, stderr := call(t.Context(), args...)
		if code != exitDone || !strings.Contains(stdout, "Usage:") || stderr != "" {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}

func TestExitCodesAreInTheHelp(t *testing.T) {
	_, stdout, _ := call(t.Context(), "--help")
	for _, want := range []string{"  0  ", "  1  ", "  2  ", "  3  ", "  4  ", "  130  ", "143 by SIGTERM"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("--help lacks exit code %q", want)
		}
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		code, stdout, stderr := call(t.Context(), "completion", shell)
		if code != exitDone || stderr != "" || !strings.Contains(stdout, "loadgrid") || strings.Count(stdout, "\n") < 100 {
			t.Errorf("%s: exit code %d, %d bytes, stderr %q", shell, code, len(stdout), stderr)
		}
	}

	// The completions that the scripts request.
	for args, want := range map[string]string{"lo": "load\t", "runs re": "resume\t", "load --cell": "--cell-size\t", "completion z": "zsh\n"} {
		code, stdout, _ := call(t.Context(), append([]string{"__complete"}, strings.Fields(args)...)...)
		if code != exitDone || !strings.Contains(stdout, want) {
			t.Errorf("%s: exit code %d, %q lacks %q", args, code, stdout, want)
		}
	}
}

func TestVersion(t *testing.T) {
	code, stdout, stderr := call(t.Context(), "version")
	if code != exitDone || stderr != "" || !strings.HasPrefix(stdout, "loadgrid ") || strings.Count(stdout, "\n") != 1 {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

// examples returns the arguments of loadgrid in an example, one list per call.
func examples(text string) (calls [][]string) {
	text = strings.ReplaceAll(text, "\\\n", " ")
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, " > ")
		line, _, _ = strings.Cut(line, " 2> ")
		words := shellWords(line)

		for len(words) > 0 && strings.HasPrefix(words[0], "LOADGRID_") {
			words = words[1:]
		}

		if len(words) > 0 && words[0] == "loadgrid" {
			calls = append(calls, words[1:])
		}
	}

	return calls
}

// shellWords splits a line as a shell does, as far as the examples need it.
func shellWords(line string) (words []string) {
	var word strings.Builder
	inWord, quote := false, rune(0)
	for _, r := range line + "\n" {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			inWord, quote = true, r
		case r == '#' && !inWord:
			return words
		case r == ' ' || r == '\n':
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		default:
			inWord = true
			word.WriteRune(r)
		}
	}

	return words
}

func TestShellWords(t *testing.T) {
	got := strings.Join(shellWords(`  a 'b c' d"e f"g  '' # h i`), "|")
	if want := "a|b c|de fg|"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestExamples parses each example of the help. It then runs examples that need a server without
// one: a wrong job would be refused before the connection fails.
func TestExamples(t *testing.T) {
	clearEnv(t)
	nowhere := "postgresql://" + closedPort(t) + "/gis"
	t.Chdir(t.TempDir())

	for _, name := range []string{"france.geojson", "city.geojson"} {
		const area = `{"type":"Polygon","coordinates":[[[2.2,48.8],[2.5,48.8],[2.4,48.9],[2.2,48.8]]]}`
		if err := os.WriteFile(name, []byte(area), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	const jobs = "defaults: {cell-size: 50, cols: 9, rows: 9}\njobs:\n  - table: city_hex\n  - table: city_tiles\n"
	if err := os.WriteFile("jobs.yaml", []byte(jobs), 0o600); err != nil {
		t.Fatal(err)
	}

	seen := 0
	everyCommand(newRootCommand(), func(c *cobra.Command) {
		for _, args := range examples(c.Example) {
			seen++
			line := strings.Join(args, " ")
			did, err := parseCommand(args)
			if err != nil {
				t.Errorf("%s: %v", line, err)
			}
			if c.HasParent() && !strings.HasPrefix(did, c.CommandPath()) {
				t.Errorf("example of %s runs %s: %s", c.CommandPath(), did, line)
			}

			needs := args[0]
			if slices.Contains(args, "append") {
				needs = "load" // a plan connects, too, in this case
			}

			switch needs {
			case "load", "bench", "doctor", "runs", "migrate":
				if i := slices.Index(args, "--dsn"); i >= 0 {
					args = slices.Delete(args, i, i+2)
				}
				if code, _, stderr := call(t.Context(), append(args, "--dsn", nowhere)...); code != exitFailed || !strings.Contains(stderr, "connecting to") {
					t.Errorf("%s: exit code %d, %s", line, code, stderr)
				}
			case "plan", "job", "completion", "version":
				if code, stdout, stderr := call(t.Context(), args...); code != exitDone || stdout == "" {
					t.Errorf("%s: exit code %d, %s", line, code, stderr)
				}
			}
		}
	})
	if seen < 15 {
		t.Errorf("%d examples seen: some are not read", seen)
	}
}
