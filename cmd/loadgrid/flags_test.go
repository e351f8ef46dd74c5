package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/sqltext"
)

// A second value of any flag is refused without showing it, unless the flag takes several.
func TestAFlagGivenTwice(t *testing.T) {
	clearEnv(t)
	tried := 0
	everyCommand(newRootCommand(), func(c *cobra.Command) {
		c.Flags().VisitAll(func(flag *pflag.Flag) {
			v, ok := flag.Value.(*flagValue)
			if !ok {
				return
			}

			tried++
			value := "x"
			if flag.Name == "dsn" {
				value = secret
			}
			args := append(strings.Fields(c.CommandPath())[1:], "--"+flag.Name+"="+value, "--"+flag.Name+"="+value)
			code, stdout, stderr := call(t.Context(), args...) // which checks that nothing is shown
			refused := strings.Contains(stderr, "--"+flag.Name+" "+errGivenTwice.Error())
			if code != exitUsage && code != exitFailed || stdout != "" || refused == v.option.Value.List {
				t.Errorf("%s: exit code %d, %s%s", c.CommandPath(), code, stdout, stderr)
			}
		})
	})

	if tried < 100 {
		t.Errorf("%d flags seen: some are not tried", tried)
	}
}

// Several SQL texts run one after the other, whatever the first one ends with.
func TestHooksGivenSeveralTimes(t *testing.T) {
	clearEnv(t)
	const grid = "table: g\ncell-size: 1\ncols: 1\nrows: 1\n"
	for _, first := range []string{"select 1", "select 1;", "select 1 -- one", "select 1; -- one;", "select 1;;", "select $$a;b$$"} {
		for _, p := range []*preparedJob{
			prepareJob(t, grid, "--after", first, "--after", "select 2"),
			prepareJob(t, grid+"after:\n- '"+first+"'\n- select 2\n"),
		} {
			list := sqltext.Statements(p.options.job.After)
			if len(list) != 2 || !strings.HasPrefix(list[0].Text, "select") || list[1].Text != "select 2" {
				t.Errorf("%q and another are %d statements: %q", first, len(list), p.options.job.After)
			}
		}
	}

	// An unclosed text would swallow the next one.
	for _, first := range []string{"select 'a", "select 1 /* a", "select $$a", `select "a`} {
		code, _, stderr := call(t.Context(), "plan", "--job", writeJobs(t, grid+"before: [\"select 1\", "+quoteYAML(first)+", select 2]\n"))
		if code != exitUsage || !strings.Contains(stderr, ":5:22: before ") {
			t.Errorf("%q: exit code %d, %s", first, code, stderr)
		}
	}
}

func quoteYAML(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// Options that the command line leaves out have the defaults of the job.
func TestDefaultsAreThoseOfTheJob(t *testing.T) {
	clearEnv(t)
	p := prepareJob(t, "table: g\ncell-size: 1\ncols: 1\nrows: 1\n")
	job := p.options.job.WithDefaults()

	for name, got := range map[string]string{
		"id-column": job.IDColumn, "geom-column": job.GeomColumn, "if-exists": string(job.IfExists), "index": string(job.Index),
		"ledger-schema": job.LedgerSchema, "before-timeout": job.BeforeHook().Limit().String(), "after-timeout": job.AfterHook().Limit().String(),
	} {
		flag := newLoadCommand().Flags().Lookup(name)
		if flag.DefValue != got {
			t.Errorf("--%s has the default %s, and the job %s", name, flag.DefValue, got)
		}
	}

	if job.Grid != (geomgen.Grid{DX: 1, DY: 1}) || job.Geometry != geomgen.AsPolygon {
		t.Errorf("the grid is %+v, the geometry %q", job.Grid, job.Geometry)
	}
}
