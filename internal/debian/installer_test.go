package debian

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

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

			err := d.Install(t.Context())
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
	if err := d.Install(t.Context()); err != nil {
		t.Fatal(err)
	}

	d.requireAsBefore(t, "# old\n")
}

func TestInstallKeepsTheMachinesOwnPolicy(t *testing.T) {
	d := newFakeDebian(t, "")
	policy := d.root + "/usr/sbin/policy-rc.d"
	fakeProgram(t, policy, "exit 0")
	if err := d.Install(t.Context()); err != nil {
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
				fakeProgram(t, d.root+"/usr/lib/postgresql/"+major+"/bin/postgres", "exit 1")
			}

			got, err := d.choosePackages(t.Context())
			if err != nil || strings.Join(got, " ") != test.want {
				t.Errorf("chose %v, %v, want %s", got, err, test.want)
			}
		})
	}
}

func TestPackedMajors(t *testing.T) {
	list := "postgresql-9-postgis-3 - a\npostgresql-17-postgis-3 - b\npostgresql-10-postgis-3 - c\npostgresql-postgis - d\nno-postgresql-18-postgis-3 - e\n"
	if got := packedMajors(list); !slices.Equal(got, []int{17, 10, 9}) {
		t.Errorf("found %v", got)
	}
}

func TestCheckTools(t *testing.T) {
	for _, test := range []struct {
		programs []string
		want     string // part of the error, "" for none
	}{
		{[]string{"apt-get", "dpkg"}, ""},
		{[]string{"dpkg"}, "there is no apt-get"},
		{[]string{"apt-get"}, "there is no dpkg"},
	} {
		installer := NewInstaller(func(name string) (string, error) {
			if slices.Contains(test.programs, name) {
				return "/usr/bin/" + name, nil
			}
			return "", fmt.Errorf("%s is not there", name)
		}, nil)

		err := installer.CheckTools()
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("with %v: %v, want an error with %q", test.programs, err, test.want)
		}
	}
}
