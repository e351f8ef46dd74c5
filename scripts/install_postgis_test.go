// Package scripts tests the shell scripts in this folder on simulated machines.
package scripts

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const freshConfig = "#create_main_cluster = true\ninclude_dir\n"

func TestInstallCreatesNoClusterAndRestores(t *testing.T) {
	for _, tt := range []struct {
		name, config, onInstall string // config: none means that postgresql-common is not installed
		problem                 string
	}{
		{name: "fresh machine"},
		{name: "configuration without the folder", config: "#create_main_cluster = true\n"},
		{name: "configuration that overrules the folder", config: "include_dir\ncreate_main_cluster = true\n"},
		{name: "apt-get fails", onInstall: "echo 'E: broken' >&2; exit 100", problem: "E: broken"},
		{name: "apt-get fails with an edited configuration", config: "# old\n", onInstall: "exit 100", problem: "exit status 100"},
		{name: "a cluster all the same", onInstall: "mkdir -p $ROOT/etc/postgresql/17/main", problem: "which it should not have"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t, tt.onInstall)
			want := freshConfig
			if tt.config != "" {
				want = tt.config
				writeFile(t, m.config(), tt.config)
				writeProgram(t, m.root+"/usr/bin/pg_conftool", "")
			}

			output, code := m.install(t)
			if (code == 0) != (tt.problem == "") || !strings.Contains(output, tt.problem) {
				t.Errorf("exit status %d, want %q in: %s", code, tt.problem, output)
			}

			calls := m.called(t)
			if !strings.Contains(calls, "install --no-install-recommends postgresql-postgis\n") {
				t.Errorf("PostGIS is not installed:\n%s", calls)
			}
			if strings.Contains(calls, "CLUSTER") || strings.Contains(calls, "SERVICE") {
				t.Errorf("a cluster or a service could start:\n%s", calls)
			}

			m.checkAsBefore(t, want)
		})
	}
}

func TestInstallMendsWhatAKilledOneLeft(t *testing.T) {
	m := newMachine(t, "")
	writeProgram(t, m.root+"/usr/bin/pg_conftool", "")
	writeFile(t, m.config(), "# old\n\ncreate_main_cluster = false\n")
	writeFile(t, m.config()+".before-loadgrid", "# old\n")
	writeProgram(t, m.root+"/usr/sbin/policy-rc.d", "# Written by loadgrid for the time of one installation; remove it if none is running.\nexit 101")
	if output, code := m.install(t); code != 0 {
		t.Fatal(output)
	}

	m.checkAsBefore(t, "# old\n")
}

func TestInstallKeepsTheMachinesOwnPolicy(t *testing.T) {
	m := newMachine(t, "")
	policy := m.root + "/usr/sbin/policy-rc.d"
	writeProgram(t, policy, "exit 0")
	if output, code := m.install(t); code != 0 {
		t.Fatal(output)
	}

	if text, err := os.ReadFile(policy); err != nil || string(text) != "#!/bin/sh\nexit 0\n" {
		t.Errorf("the policy is now %q, %v", text, err)
	}
}

// Installed packages stay as they are, and need no privileges.
func TestInstallWhereItIsInstalled(t *testing.T) {
	m := newMachine(t, "")
	m.program(t, "id", "echo 1000")
	writeProgram(t, m.root+"/usr/lib/postgresql/15/bin/postgres", "")
	if output, code := run(t, m.command(t, "install-postgis.sh", "--check")); code != 1 || output != "" {
		t.Errorf("without PostGIS: exit status %d, %s", code, output)
	}

	writeFile(t, m.root+"/usr/share/postgresql/15/extension/postgis.control", "")
	for _, args := range [][]string{nil, {"--check"}} {
		if output, code := run(t, m.command(t, "install-postgis.sh", args...)); code != 0 || output != "" || m.called(t) != "" {
			t.Errorf("%q: exit status %d, %s%s", args, code, output, m.called(t))
		}
	}
}

func TestInstallRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		change     func(t *testing.T, m machine)
	}{
		{"no apt-get", "there is no apt-get, this is neither Debian nor Ubuntu", func(t *testing.T, m machine) { remove(t, m, "apt-get") }},
		{"no dpkg", "there is no dpkg, this is neither Debian nor Ubuntu", func(t *testing.T, m machine) { remove(t, m, "dpkg") }},
		{"neither root nor sudo", "call as root, or install sudo", func(t *testing.T, m machine) { m.program(t, "id", "echo 1000") }},
		{"a password, and no terminal", "there is no terminal to ask on", func(t *testing.T, m machine) {
			m.program(t, "id", "echo 1000")
			m.program(t, "sudo", "exit 1")
		}},
		{"no PostGIS in the sources", "check the sources of apt", func(t *testing.T, m machine) { m.program(t, "apt-cache", "") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t, "")
			tt.change(t, m)
			if output, code := m.install(t); code != 1 || !strings.Contains(output, tt.want) {
				t.Errorf("exit status %d, want %q in: %s", code, tt.want, output)
			}
			if calls := m.called(t); strings.Contains(calls, " install ") {
				t.Errorf("packages are installed: %s", calls)
			}

			m.checkNothingLeft(t)
		})
	}
}

func remove(t *testing.T, m machine, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(m.programs, name)); err != nil {
		t.Fatal(err)
	}
}

// Without root, everything that changes the machine runs through sudo.
func TestInstallThroughSudo(t *testing.T) {
	m := newMachine(t, "")
	m.program(t, "id", "echo 1000")
	m.program(t, "sudo", `echo "sudo $*" >>`+m.calls+`; if [ "$1" = -n ]; then shift; fi; exec "$@"`)
	if output, code := m.install(t); code != 0 {
		t.Fatal(output)
	}

	before, _, _ := strings.Cut(m.called(t), "apt-get ")
	if !strings.HasSuffix(before, "install-postgis.sh --as-root\n") {
		t.Errorf("apt-get is not called through sudo: %s", m.called(t))
	}

	m.checkAsBefore(t, freshConfig)
}

func TestInstallChoosesPackages(t *testing.T) {
	for _, tt := range []struct {
		name      string
		installed []string
		want      string
	}{
		{"none installed: the distribution's default", nil, "postgresql-postgis"},
		{"the installed major", []string{"15"}, "postgresql-15-postgis-3 postgresql-15-postgis-3-scripts"},
		{"the newest installed that is packed for", []string{"9", "15", "17", "18"}, "postgresql-17-postgis-3 postgresql-17-postgis-3-scripts"},
		{"an installed major that is not packed for", []string{"18"}, "postgresql-postgis"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t, "")
			for _, major := range tt.installed {
				writeProgram(t, m.root+"/usr/lib/postgresql/"+major+"/bin/postgres", "exit 1")
			}

			output, code := m.install(t)
			if calls := m.called(t); code != 0 || !strings.HasSuffix(calls, " install --no-install-recommends "+tt.want+"\n") {
				t.Errorf("exit status %d, want %s: %s%s", code, tt.want, calls, output)
			}
		})
	}

	t.Run("no default", func(t *testing.T) {
		m := newMachine(t, "")
		m.program(t, "apt-cache", "printf '%s\n' 'postgresql-9-postgis-3 - for 9' 'postgresql-10-postgis-3 - for 10'")
		if output, _ := m.install(t); !strings.Contains(output, " postgresql-10-postgis-3 ") {
			t.Errorf("chosen is: %s", output)
		}
	})
}

func TestInstallStopped(t *testing.T) {
	t.Run("while packages are installed: at their end", func(t *testing.T) {
		m := newMachine(t, "touch $ROOT/started; while [ ! -e $ROOT/go ]; do sleep 0.01; done; touch $ROOT/finished")
		cmd := m.command(t, "install-postgis.sh")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}

		waitForFile(t, m.root+"/started")
		for _, s := range []struct {
			pid    int
			signal syscall.Signal
		}{{-cmd.Process.Pid, syscall.SIGINT}, {-cmd.Process.Pid, syscall.SIGHUP}, {cmd.Process.Pid, syscall.SIGTERM}} {
			if err := syscall.Kill(s.pid, s.signal); err != nil {
				t.Fatal(err)
			}
		}

		writeFile(t, m.root+"/go", "")
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 143 {
			t.Errorf("exit status %d", code)
		}
		if _, err := os.Stat(m.root + "/finished"); err != nil {
			t.Error("apt-get was not waited for")
		}

		m.checkAsBefore(t, freshConfig)
	})

	t.Run("while lists are read: at once", func(t *testing.T) {
		m := newMachine(t, "")
		m.program(t, "apt-get", "touch "+m.root+"/started; sleep 600")
		cmd := m.command(t, "install-postgis.sh")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}

		waitForFile(t, m.root+"/started")
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
			t.Fatal(err)
		}

		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code == 0 {
			t.Error("exit status 0")
		}

		m.checkNothingLeft(t)
	})
}
