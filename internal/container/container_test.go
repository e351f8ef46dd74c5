package container

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fakeEngine is a docker that runs a shell script instead of its commands. $CALLS is the file that
// calls returns.
func fakeEngine(t *testing.T, script string) (e Engine, calls func() string) {
	t.Helper()
	dir := t.TempDir()
	text := "#!/bin/sh\nCALLS=" + dir + "/calls\necho \"$@\" >> $CALLS\n" + script + "\n"
	if err := os.WriteFile(filepath.Join(dir, "docker"), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}

	e, err := FindEngine(t.Context(), func(name string) (string, error) { return exec.LookPath(filepath.Join(dir, name)) })
	if err != nil || e.Name != "docker" {
		t.Fatalf("found %q, %v", e.Name, err)
	}

	return e, func() string {
		b, err := os.ReadFile(filepath.Join(dir, "calls"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
}

func TestObtain(t *testing.T) {
	for _, tt := range []struct {
		name, have, wanted, want string // have: the images on the machine, want: "" for an error
		pulls                    bool
	}{
		{"the public image", DefaultImage + " " + LocalImage, "", DefaultImage, false},
		{"the local image", LocalImage, "", LocalImage, false},
		{"none, so the public one is pulled", "", "", DefaultImage, true},
		{"one that is wanted by name", "a/b:1", "a/b:1", "a/b:1", false},
		{"one that is wanted by name is pulled", LocalImage, "a/b:1", "a/b:1", true},
		{"one that cannot be pulled", LocalImage, "no/such:1", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, calls := fakeEngine(t, `case "$1 $2" in
				"image inspect") case " `+tt.have+` " in *" $3 "*) ;; *) exit 1;; esac;;
				"pull no/such:1") exit 1;;
				esac`)

			got, err := e.Obtain(t.Context(), tt.wanted, io.Discard)
			if got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}

			if pulled := strings.Contains(calls(), "pull "); pulled != tt.pulls {
				t.Errorf("pulled: %v, calls:\n%s", pulled, calls())
			}
		})
	}
}

func TestStart(t *testing.T) {
	e, calls := fakeEngine(t, `case $1 in port) echo 127.0.0.1:54321;; esac`)

	tries := 0
	c, err := e.Start(t.Context(), "a/b:1", "gis", func(_ context.Context, dsn string) error {
		if tries++; tries < 3 {
			return errors.New("it is starting up")
		}

		if !strings.HasPrefix(dsn, "postgres://gis:") || !strings.HasSuffix(dsn, "@127.0.0.1:54321/gis?sslmode=disable") {
			t.Errorf("the DSN is %s", dsn)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	if tries != 3 || strings.Contains(calls(), "rm -f") {
		t.Errorf("ready was called %d times, calls:\n%s", tries, calls())
	}

	if want := "docker rm -f -v loadgrid-"; !strings.HasPrefix(c.RemoveCommand(), want) || !strings.HasPrefix(c.String(), "docker, name loadgrid-") {
		t.Errorf("%s is removed by %q", c, c.RemoveCommand())
	}

	if err := c.Remove(); err != nil || !strings.Contains(calls(), "rm -f -v loadgrid-") {
		t.Errorf("removed: %v, calls:\n%s", err, calls())
	}
}

func TestStartLeavesNothingAfterAnError(t *testing.T) {
	e, calls := fakeEngine(t, `case $1 in port) echo 127.0.0.1:54321;; inspect) exit 1;; logs) echo the log;; esac`)

	_, err := e.Start(t.Context(), "a/b:1", "gis", func(context.Context, string) error { return errors.New("nobody answers") })
	if err == nil || !strings.Contains(err.Error(), "it has ended: nobody answers") || !strings.Contains(err.Error(), "the log") {
		t.Errorf("the error is %v", err)
	}

	if !strings.Contains(calls(), "rm -f -v loadgrid-") {
		t.Errorf("it was not removed, calls:\n%s", calls())
	}
}
