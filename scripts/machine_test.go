package scripts

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// machine is a Debian system in a directory, whose apt-get records what it sees instead of installing.
type machine struct {
	root, programs, calls string
}

// newMachine returns a machine where the user is root, without sudo and a container engine. onInstall is what
// apt-get does to install PostGIS; $ROOT is the machine's root.
func newMachine(t *testing.T, onInstall string) machine {
	t.Helper()
	m := machine{root: t.TempDir(), programs: t.TempDir(), calls: filepath.Join(t.TempDir(), "calls")}
	for _, name := range strings.Fields("sh env sed grep sort head tail mktemp mkdir rmdir chmod cp mv rm cat tr touch dirname sleep true") {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(m.programs, name)); err != nil {
			t.Fatal(err)
		}
	}

	config := m.config()
	m.program(t, "id", "echo 0")
	m.program(t, "dpkg", "exit 1")
	m.program(t, "apt-get", `
		ROOT=`+m.root+`
		echo "apt-get $*" >>`+m.calls+`
		case "$*" in
		*download-only*|*update*) ;;
		*"install --no-install-recommends postgresql-common") mkdir -p $ROOT/usr/bin; touch $ROOT/usr/bin/pg_conftool; chmod +x $ROOT/usr/bin/pg_conftool
			mkdir -p $ROOT/etc/postgresql-common
			[ -e `+config+` ] || printf '#create_main_cluster = true\ninclude_dir\n' >`+config+`;;
		*) [ "$(pg_conftool `+config+` show -bs create_main_cluster)" = off ] || echo CLUSTER >>`+m.calls+`
			test -x $ROOT/usr/sbin/policy-rc.d || echo SERVICE >>`+m.calls+`
			`+onInstall+`;;
		esac`)

	// Like the real one, it reads the folder if the configuration has an include_dir.
	m.program(t, "pg_conftool", `
		files=$1; if grep -q '^include_dir' $1; then files="$1 $(dirname $1)/createcluster.d/*.conf"; fi
		value=$(cat $files 2>/dev/null | sed -n 's/^create_main_cluster = //p' | tail -n 1)
		case $value in false) echo off;; true) echo on;; *) exit 1;; esac`)

	m.program(t, "apt-cache", `printf '%s\n' 'postgresql-postgis - metapackage' 'postgresql-15-postgis-3 - for 15' 'postgresql-9-postgis-3 - for 9' \
		'postgresql-17-postgis-3 - for 17' 'no-postgresql-18-postgis-3 - for 18' 'postgresql-17-postgis-3-scripts - for 17'`)
	for _, dir := range []string{"usr/sbin", "var/tmp"} {
		if err := os.MkdirAll(filepath.Join(m.root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}

	return m
}

func (m machine) config() string { return m.root + "/etc/postgresql-common/createcluster.conf" }

// program adds a program to the machine.
func (m machine) program(t *testing.T, name, script string) {
	t.Helper()
	writeProgram(t, filepath.Join(m.programs, name), script)
}

// command returns a command that runs a script on the machine.
func (m machine) command(t *testing.T, script string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := filepath.Abs(script)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil { // this also makes a changed script invalidate cached results
		t.Fatal(err)
	}

	cmd := exec.Command("sh", append([]string{path}, args...)...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + m.programs, "ROOT=" + m.root, "TMPDIR=/nowhere"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal to ask on

	return cmd
}

// install runs the installation, and returns its output and its exit status.
func (m machine) install(t *testing.T) (output string, code int) {
	t.Helper()
	return run(t, m.command(t, "install-postgis.sh"))
}

func run(t *testing.T, cmd *exec.Cmd) (output string, code int) {
	t.Helper()
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// called returns the calls of apt-get and what they saw.
func (m machine) called(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(m.calls)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(text)
}

// checkAsBefore checks that nothing exists except postgresql-common's configuration.
func (m machine) checkAsBefore(t *testing.T, config string) {
	t.Helper()
	text, err := os.ReadFile(m.config())
	if err != nil || string(text) != config {
		t.Errorf("createcluster.conf is %q (%v), was %q", text, err, config)
	}

	for _, path := range []string{"/etc/postgresql-common/createcluster.d", "/usr/sbin/policy-rc.d", "/etc/postgresql-common/createcluster.conf.before-loadgrid"} {
		if _, err := os.Stat(m.root + path); err == nil {
			t.Errorf("left behind: %s", path)
		}
	}

	m.checkNothingLeft(t)
}

func (m machine) checkNothingLeft(t *testing.T) {
	t.Helper()
	entries, err := os.ReadDir(m.root + "/var/tmp")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		t.Errorf("left behind: %s", entry.Name())
	}
}

// waitForFile waits until a program of the machine reaches a point.
func waitForFile(t *testing.T, name string) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for time.Now().Before(deadline) {
		if _, err := os.Stat(name); err == nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}

	t.Fatalf("%s did not come", name)
}

func writeProgram(t *testing.T, path, script string) {
	t.Helper()
	writeFile(t, path, "#!/bin/sh\n"+script+"\n")
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}
