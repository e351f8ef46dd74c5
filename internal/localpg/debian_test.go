package localpg

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
	debian
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
	d.debian = debian{root: root, tmp: d.tmp, out: &d.out, runner: runner{out: &d.out}}

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

const freshConfig = "#create_main_cluster = true\ninclude_dir\n"

func TestInstallCreatesNoClusterAndRestores(t *testing.T) {
	tests := []struct {
		name, config, onInstall string // config: none, postgresql-common is not there
		problem                 string
	}{
		{name: "fresh machine"},
		{name: "configuration without the folder", config: "#create_main_cluster = true\n"},
		{name: "configuration that overrules the folder", config: "include_dir\ncreate_main_cluster = true\n"},
		{name: "apt-get fails", onInstall: "echo 'E: broken' >&2; exit 100", problem: "E: broken"},
		{name: "apt-get fails with an edited configuration", config: "# old\n", onInstall: "exit 100", problem: "exit status 100"},
		{name: "a cluster all the same", onInstall: "mkdir -p $ROOT/etc/postgresql/17/main", problem: "which it should not have"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newFakeDebian(t, test.onInstall)
			want := freshConfig
			if test.config != "" {
				want = test.config
				fakeFile(t, d.root+"/etc/postgresql-common/createcluster.conf", test.config)
				fakeProgram(t, d.root+"/usr/bin/pg_conftool", "")
			}

			err := d.install(t.Context())
			switch {
			case test.problem == "" && err != nil:
				t.Fatal(err)
			case test.problem != "" && (err == nil || !strings.Contains(err.Error(), test.problem)):
				t.Fatalf("error %v, want one with %q", err, test.problem)
			}

			calls := d.log(t)
			requireText(t, calls, "install --no-install-recommends postgresql-postgis\n")
			if strings.Contains(calls, "CLUSTER") || strings.Contains(calls, "SERVICE") {
				t.Errorf("a cluster or a service could start:\n%s", calls)
			}

			d.requireAsBefore(t, want)
		})
	}
}

func TestInstallMendsWhatAKilledOneLeft(t *testing.T) {
	d := newFakeDebian(t, "")
	config := d.root + "/etc/postgresql-common/createcluster.conf"
	fakeProgram(t, d.root+"/usr/bin/pg_conftool", "")
	fakeFile(t, config, "# old\n\ncreate_main_cluster = false\n")
	fakeFile(t, config+".before-loadgrid", "# old\n")
	fakeProgram(t, d.root+"/usr/sbin/policy-rc.d", "# Written by loadgrid for the time of one installation; remove it if none is running.\nexit 101")
	if err := d.install(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.requireAsBefore(t, "# old\n")
}

func TestInstallKeepsTheMachinesOwnPolicy(t *testing.T) {
	d := newFakeDebian(t, "")
	policy := d.root + "/usr/sbin/policy-rc.d"
	fakeProgram(t, policy, "exit 0")
	if err := d.install(t.Context()); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(policy); err != nil || string(text) != "#!/bin/sh\nexit 0\n" {
		t.Errorf("the policy is now %q, %v", text, err)
	}
}

func TestInstallCancelled(t *testing.T) {
	t.Run("while packages are installed: to the end", func(t *testing.T) {
		d := newFakeDebian(t, "touch $ROOT/started; sleep 1; touch $ROOT/finished")
		err := d.installUntil(t, filepath.Join(d.root, "started"))
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want context.Canceled", err)
		}
		if _, err := os.Stat(d.root + "/finished"); err != nil {
			t.Error("apt-get was not waited for")
		}
		requireText(t, d.out.String(), "waiting for apt-get to finish")
		d.requireAsBefore(t, freshConfig)
	})

	t.Run("while lists are read: at once", func(t *testing.T) {
		d := newFakeDebian(t, "")
		started := d.root + "/started"
		programs, _, _ := strings.Cut(os.Getenv("PATH"), ":")
		fakeProgram(t, programs+"/apt-get", "touch "+started+"; sleep 60 & wait; touch "+d.root+"/finished")
		start := time.Now()
		if err := d.installUntil(t, started); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want context.Canceled", err)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("it took %v", took)
		}
		requireEmpty(t, d.tmp)
	})
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

	return d.install(ctx)
}

func TestChoosePackages(t *testing.T) {
	tests := []struct {
		name      string
		installed []string
		want      string
	}{
		{"none installed: the distribution's default", nil, "postgresql-postgis"},
		{"the installed major", []string{"15"}, "postgresql-15-postgis-3 postgresql-15-postgis-3-scripts"},
		{"the newest installed that is packed for", []string{"15", "17", "18"}, "postgresql-17-postgis-3 postgresql-17-postgis-3-scripts"},
		{"an installed major that is not packed for", []string{"18"}, "postgresql-postgis"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newFakeDebian(t, "")
			for _, major := range test.installed {
				fakeServer(t, d.root+"/usr/lib/postgresql/"+major+"/bin", major+".1")
			}
			got, err := d.choosePackages(t.Context())
			if err != nil || strings.Join(got, " ") != test.want {
				t.Errorf("chose %v, %v, want %s", got, err, test.want)
			}
		})
	}
}
