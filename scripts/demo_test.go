package scripts

import (
	"path/filepath"
	"strings"
	"testing"
)

// The demo installs packages only if nothing else provides a server.
func TestDemoInstallsOnlyWhatIsMissing(t *testing.T) {
	for _, tt := range []struct {
		name     string
		env      string
		change   func(t *testing.T, m machine)
		installs bool
	}{
		{name: "a bare machine", installs: true},
		{name: "LOADGRID_DSN", env: "LOADGRID_DSN=postgres://me@h/d"},
		{name: "LOADGRID_PG_BINDIR", env: "LOADGRID_PG_BINDIR=/opt/pg/bin"},
		{name: "no Debian", change: func(t *testing.T, m machine) { remove(t, m, "apt-get") }},
		{name: "an installed server", change: func(t *testing.T, m machine) {
			writeProgram(t, m.root+"/usr/lib/postgresql/15/bin/postgres", "")
			writeFile(t, m.root+"/usr/share/postgresql/15/extension/postgis.control", "")
			m.program(t, "docker", `echo "docker $*" >>`+m.calls)
		}},
		{name: "an image", change: func(t *testing.T, m machine) { m.program(t, "docker", "exit 0") }},
		{name: "an image of podman", change: func(t *testing.T, m machine) {
			m.program(t, "docker", "exit 1")
			m.program(t, "podman", "exit 0")
		}},
		{name: "an image that can be fetched", change: func(t *testing.T, m machine) {
			m.program(t, "docker", `case "$*" in info|"pull -q postgis/postgis:17-3.5") ;; *) exit 1;; esac`)
		}},
		{name: "an image by name that can be fetched", env: "LOADGRID_POSTGIS_IMAGE=example/gis:1", change: func(t *testing.T, m machine) {
			m.program(t, "docker", `case "$*" in info|"pull -q example/gis:1") ;; *) exit 1;; esac`)
		}},
		{name: "an engine that does not answer", installs: true, change: func(t *testing.T, m machine) { m.program(t, "docker", "exit 1") }},
		{name: "an engine without an image", installs: true, change: func(t *testing.T, m machine) {
			m.program(t, "docker", `test "$1" = info`)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t, "")
			if tt.change != nil {
				tt.change(t, m)
			}

			program := filepath.Join(t.TempDir(), "loadgrid")
			writeProgram(t, program, `echo "loadgrid $*"; exit 7`)
			cmd := m.command(t, "demo.sh", program, "--picture", "a b.png")
			cmd.Env = append(cmd.Env, tt.env)

			output, code := run(t, cmd)
			if code != 7 || !strings.HasSuffix(output, "loadgrid demo --picture a b.png\n") {
				t.Errorf("exit status %d: %s", code, output)
			}
			if calls := m.called(t); strings.Contains(calls, " install ") != tt.installs || strings.Contains(calls, "docker") {
				t.Errorf("called: %s", calls)
			}
		})
	}
}

func TestDemoEndsWhereTheInstallationFails(t *testing.T) {
	m := newMachine(t, "exit 100")
	program := filepath.Join(t.TempDir(), "loadgrid")
	writeProgram(t, program, "echo loadgrid")
	if output, code := run(t, m.command(t, "demo.sh", program)); code != 1 || strings.HasSuffix(output, "loadgrid\n") {
		t.Errorf("exit status %d: %s", code, output)
	}
}
