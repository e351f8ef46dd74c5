package localpg

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fakeProgram writes an executable shell script.
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

// fakeServer writes the programs of a server into dir.
func fakeServer(t *testing.T, dir, version string) {
	t.Helper()
	fakeProgram(t, filepath.Join(dir, "postgres"), "echo 'postgres (PostgreSQL) "+version+" (Debian "+version+"-0+deb12u1)'")
	fakeProgram(t, filepath.Join(dir, "initdb"), "exit 1")
	fakeProgram(t, filepath.Join(dir, "pg_ctl"), "exit 1")
}

func fakePostGIS(t *testing.T, share, version string) {
	t.Helper()
	fakeFile(t, filepath.Join(share, "extension/postgis.control"),
		"# postgis extension\ncomment = 'PostGIS geometry'\ndefault_version = '"+version+"'\nrelocatable = false\n")
}

func TestFind(t *testing.T) {
	tests := []struct {
		name    string
		build   func(t *testing.T, root string)
		binDir  string // LOADGRID_PG_BINDIR, below the root
		want    Installation
		problem string // part of the error
	}{
		{
			name:    "nothing installed",
			build:   func(*testing.T, string) {},
			problem: "no PostgreSQL with PostGIS is installed (to use one elsewhere, set LOADGRID_PG_BINDIR)",
		},
		{
			name:    "a server without PostGIS is named",
			build:   func(t *testing.T, root string) { fakeServer(t, root+"/usr/lib/postgresql/15/bin", "15.18") },
			problem: "/usr/lib/postgresql/15/bin (PostgreSQL 15.18) lacks PostGIS",
		},
		{
			name: "the newest that has PostGIS, by number",
			build: func(t *testing.T, root string) {
				for _, v := range []string{"13", "15", "17"} {
					fakeServer(t, root+"/usr/lib/postgresql/"+v+"/bin", v+".9")
				}
				fakePostGIS(t, root+"/usr/share/postgresql/13", "3.1.1")
				fakePostGIS(t, root+"/usr/share/postgresql/15", "3.3.2")
			},
			want: Installation{BinDir: "/usr/lib/postgresql/15/bin", Version: "15.9", PostGIS: "3.3.2"},
		},
		{
			name: "too old for loadgrid",
			build: func(t *testing.T, root string) {
				fakeServer(t, root+"/usr/lib/postgresql/9.6/bin", "9.6.24")
				fakePostGIS(t, root+"/usr/share/postgresql/9", "3.1.1")
				fakeServer(t, root+"/usr/lib/postgresql/13/bin", "13.1")
				fakePostGIS(t, root+"/usr/share/postgresql/13", "2.5.5")
			},
			problem: "is PostgreSQL 9.6.24, but 13 or newer is needed",
		},
		{
			name: "RHEL, where the server's pg_config names the folder",
			build: func(t *testing.T, root string) {
				fakeServer(t, root+"/usr/pgsql-16/bin", "16.2")
				fakeProgram(t, root+"/usr/pgsql-16/bin/pg_config", "echo "+root+"/usr/pgsql-16/share")
				fakePostGIS(t, root+"/usr/pgsql-16/share", "3.4.2")
			},
			want: Installation{BinDir: "/usr/pgsql-16/bin", Version: "16.2", PostGIS: "3.4.2"},
		},
		{
			name: "pg_config on the PATH",
			build: func(t *testing.T, root string) {
				fakeProgram(t, root+"/path/pg_config", "echo "+root+"/own/bin")
				fakeServer(t, root+"/own/bin", "18.1")
				fakePostGIS(t, root+"/own/share/postgresql", "3.6.0")
			},
			want: Installation{BinDir: "/own/bin", Version: "18.1", PostGIS: "3.6.0"},
		},
		{
			name: "LOADGRID_PG_BINDIR excludes all others",
			build: func(t *testing.T, root string) {
				fakeServer(t, root+"/usr/lib/postgresql/17/bin", "17.1")
				fakePostGIS(t, root+"/usr/share/postgresql/17", "3.5.0")
			},
			binDir:  "/somewhere",
			problem: "/somewhere: it has no postgres",
		},
		{
			name: "client programs without a server",
			build: func(t *testing.T, root string) {
				fakeProgram(t, root+"/usr/lib/postgresql/15/bin/psql", "exit 1")
			},
			problem: "no PostgreSQL with PostGIS is installed",
		},
		{
			name: "a server without initdb",
			build: func(t *testing.T, root string) {
				fakeServer(t, root+"/usr/lib/postgresql/15/bin", "15.1")
				os.Remove(root + "/usr/lib/postgresql/15/bin/initdb")
			},
			problem: "it has no initdb",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			test.build(t, root)
			f := finder{
				root: root,
				getenv: func(name string) string {
					if name == BinDirVariable && test.binDir != "" {
						return root + test.binDir
					}
					return ""
				},
				lookPath: func(name string) (string, error) {
					return exec.LookPath(filepath.Join(root, "path", name))
				},
			}

			got, err := f.find()
			if test.problem != "" {
				if !errors.Is(err, ErrNotInstalled) || !strings.Contains(err.Error(), test.problem) {
					t.Fatalf("error %v, want one with %q", err, test.problem)
				}
				return
			}

			got.BinDir = strings.TrimPrefix(got.BinDir, root)
			if err != nil || got != test.want {
				t.Fatalf("found %+v, %v, want %+v", got, err, test.want)
			}
		})
	}
}

func TestCompareVersions(t *testing.T) {
	ordered := []string{"", "9.6.24", "13", "13.1", "13.10", "15.18", "17beta1", "18"}
	for i := range ordered {
		for j := range ordered {
			got, want := compareVersions(ordered[i], ordered[j]), 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}

			if got != want {
				t.Errorf("compareVersions(%q, %q) = %d, want %d", ordered[i], ordered[j], got, want)
			}
		}
	}
}
