package debian

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fakeDebian is a machine below a directory, with an apt-get that writes down
// what it sees in place of installing.
type fakeDebian struct {
	root, calls string
	tmp         string
	out         bytes.Buffer
	Installer
}

// newFakeDebian makes the machine. onInstall is what apt-get does when it is to
// install PostGIS. $ROOT is the machine's root.
func newFakeDebian(t *testing.T, onInstall string) *fakeDebian {
	t.Helper()
	root, programs := t.TempDir(), t.TempDir()
	d := &fakeDebian{root: root, calls: filepath.Join(t.TempDir(), "calls"), tmp: emptyTempDir(t)}

	config := root + "/etc/postgresql-common/createcluster.conf"
	fakeProgram(t, programs+"/apt-get", `
		ROOT=`+root+`
		echo "apt-get $*" >> `+d.calls+`
		case "$*" in
		*download-only*|*update*) ;;
		*"install --no-install-recommends postgresql-common") mkdir -p $ROOT/usr/bin; touch $ROOT/usr/bin/pg_conftool; chmod +x $ROOT/usr/bin/pg_conftool
			[ -e `+config+` ] || printf '#create_main_cluster = true\ninclude_dir\n' > `+config+`;;
		*) [ "$(pg_conftool `+config+` show -bs create_main_cluster)" = off ] || echo CLUSTER >> `+d.calls+`
			test -x $ROOT/usr/sbin/policy-rc.d || echo SERVICE >> `+d.calls+`
			`+onInstall+`;;
		esac`)

	// Reads the folder where the configuration has an include_dir, as the real one.
	fakeProgram(t, programs+"/pg_conftool", `
		files=$1; if grep -q '^include_dir' $1; then files="$1 $(dirname $1)/createcluster.d/*.conf"; fi
		value=$(cat $files 2>/dev/null | sed -n 's/^create_main_cluster = //p' | tail -1)
		case $value in false) echo off;; true) echo on;; *) exit 1;; esac`)

	fakeProgram(t, programs+"/apt-cache", `printf '%s\n' 'postgresql-postgis - metapackage' 'postgresql-15-postgis-3 - for 15' 'postgresql-17-postgis-3 - for 17'`)
	t.Setenv("PATH", programs+":"+os.Getenv("PATH"))
	if err := os.MkdirAll(root+"/usr/sbin", 0o755); err != nil {
		t.Fatal(err)
	}

	d.Installer = Installer{root: root, tmp: d.tmp, out: &d.out, runner: runner{out: &d.out}}

	return d
}

func (d *fakeDebian) log(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(d.calls)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(text)
}

// requireAsBefore checks that only postgresql-common's configuration is there.
func (d *fakeDebian) requireAsBefore(t *testing.T, config string) {
	t.Helper()
	text, err := os.ReadFile(d.root + "/etc/postgresql-common/createcluster.conf")
	if err != nil || string(text) != config {
		t.Errorf("createcluster.conf is %q (%v), was %q", text, err, config)
	}

	for _, path := range []string{"/etc/postgresql-common/createcluster.d", "/usr/sbin/policy-rc.d",
		"/etc/postgresql-common/createcluster.conf.before-loadgrid"} {
		if _, err := os.Stat(d.root + path); err == nil {
			t.Errorf("left behind: %s", path)
		}
	}

	requireEmpty(t, d.tmp)
}

// installUntil cancels the installation when a file appears.
func (d *fakeDebian) installUntil(t *testing.T, file string) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(file); err == nil {
				cancel()
			}

			time.Sleep(10 * time.Millisecond)
		}
	}()

	return d.Install(ctx)
}

// fakeProgram writes a shell script that can be called.
func fakeProgram(t *testing.T, path, script string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}

	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func fakeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}

	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// emptyTempDir returns an empty directory, the one for temporary files, whose path is
// not a plain word.
func emptyTempDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "lg test+")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}

	t.Setenv("TMPDIR", dir)

	return dir
}

func requireEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}

	for _, entry := range entries {
		t.Errorf("left behind: %s", entry.Name())
	}
}

func requireText(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}
