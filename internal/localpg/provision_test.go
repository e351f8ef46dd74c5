//go:build unix

package localpg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/internal/container"
)

func ExampleProvision() {
	db, err := Provision(context.Background(), Request{
		DSN: "postgres://user:secret@db.example/gis",
		Out: os.Stdout,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	// Output: using the database that --dsn or LOADGRID_DSN names
}

// fakes is a machine whose only programs are in one directory.
type fakes struct {
	dir string
	provisioner
}

func newFakes(t *testing.T) *fakes {
	t.Helper()
	f := &fakes{dir: t.TempDir()}
	f.provisioner = provisioner{
		find: func() (Installation, error) {
			return Installation{}, fmt.Errorf("%w: /opt/pg lacks PostGIS", ErrNotInstalled)
		},
		start: func(context.Context, Installation) (*Server, error) {
			return nil, errors.New("no server can be started here")
		},
		lookPath: func(name string) (string, error) { return exec.LookPath(filepath.Join(f.dir, name)) },
	}

	return f
}

func (f *fakes) provide(t *testing.T, r Request) (*Database, string, error) {
	t.Helper()
	var out bytes.Buffer
	r.Out = &out
	if r.Getenv == nil {
		r.Getenv = func(string) string { return "" }
	}

	db, err := f.provision(t.Context(), r)
	return db, out.String(), err
}

func requireText(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}

func TestProvisionTakesDSNFirst(t *testing.T) {
	f := newFakes(t)
	f.find = func() (Installation, error) { t.Error("looked for a server"); return Installation{}, nil }
	env := func(name string) string {
		return map[string]string{DSNVariable: "postgres://from-the-environment/gis"}[name]
	}

	for request, want := range map[string]string{
		"":                                "postgres://from-the-environment/gis",
		"postgres://u:secret@by-flag/gis": "postgres://u:secret@by-flag/gis",
	} {
		db, out, err := f.provide(t, Request{DSN: request, Getenv: env})
		if err != nil || db.DSN != want {
			t.Fatalf("got %+v, %v, want %s", db, err, want)
		}

		if strings.Contains(out, "secret") {
			t.Errorf("the password was shown: %s", out)
		}

		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestProvisionPrefersInstalledServer(t *testing.T) {
	inst := installation(t)
	f := newFakes(t)
	tmp := emptyTempDir(t)
	fakeProgram(t, f.dir+"/docker", "echo unexpected >&2; touch "+f.dir+"/called")
	f.find = func() (Installation, error) { return inst, nil }
	f.start = func(ctx context.Context, i Installation) (*Server, error) { return Start(ctx, i, Options{}) }
	db, out, err := f.provide(t, Request{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	requireText(t, out, "using a throwaway server of the installed PostgreSQL "+inst.Version)
	if got := query(t, db.DSN, "select postgis_lib_version()"); got != inst.PostGIS {
		t.Errorf("PostGIS %s, want %s", got, inst.PostGIS)
	}

	if _, err := os.Stat(f.dir + "/called"); err == nil {
		t.Error("docker was called although a server is installed")
	}

	// The shell command for people has the same effect as Close.
	if text, err := exec.Command("sh", "-c", db.StopCommand).CombinedOutput(); err != nil {
		t.Errorf("%s: %v: %s", db.StopCommand, err, text)
	}

	requireEmpty(t, tmp)
	for range 2 {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestProvisionSaysWhyEachWayIsPassedOver(t *testing.T) {
	tests := []struct {
		name   string
		docker string // script, none if empty
		image  string
		want   []string
	}{
		{
			name: "nothing at all",
			want: []string{
				"skipped: no PostgreSQL with PostGIS is installed: /opt/pg lacks PostGIS",
				"skipped: no container engine (docker, podman) is installed",
			},
		},
		{
			name:   "an engine that does not answer",
			docker: "echo 'Cannot connect to the daemon' >&2; exit 1",
			want: []string{
				"docker does not answer (docker info: exit status 1: Cannot connect to the daemon)",
			},
		},
		{
			name:   "an engine without the image",
			docker: `case $1 in info) ;; pull) echo "no such host" >&2; exit 1;; *) exit 1;; esac`,
			want: []string{
				"docker answers: pulling the image postgis/postgis:17-3.5",
				"skipped: docker answers, but the image postgis/postgis:17-3.5 cannot be obtained: docker pull: exit status 1: no such host",
			},
		},
		{
			name: "an image wanted by name is not replaced by the local one",
			docker: `case "$1 $3" in info*|"image loadgrid-postgis:local") ;; pull*) echo "no such host" >&2; exit 1;;
				*) exit 1;; esac`,
			image: "example/gis:1",
			want:  []string{"the image example/gis:1 cannot be obtained"},
		},
		{
			name:   "a container that does not start",
			docker: `case $1 in info|image|rm) ;; *) echo "port is taken" >&2; exit 125;; esac`,
			want: []string{
				"skipped: start a container of postgis/postgis:17-3.5: docker run: exit status 125: port is taken",
			},
		},
		{
			name:   "the local image, and a container that ends at once",
			docker: `case "$1 $3" in "image postgis/postgis:17-3.5"|inspect*) exit 1;; port*) echo 127.0.0.1:1;; logs*) echo the log;; esac`,
			want: []string{
				"wait for the container of loadgrid-postgis:local: it has ended",
				"the log",
			},
		},
	}

	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFakes(t)
			if test.docker != "" {
				fakeProgram(t, f.dir+"/docker", test.docker)
			}

			_, out, err := f.provide(t, Request{Image: test.image})
			if err == nil {
				t.Fatal("a database without a source")
			}

			requireText(t, out, test.want...)
			requireText(t, err.Error(), "there is no PostGIS", DSNVariable, "apt-get install postgresql-postgis")
		})
	}
}

func TestContainerPasswordIsNotOnTheCommandLine(t *testing.T) {
	f := newFakes(t)
	fakeProgram(t, f.dir+"/docker", `
		echo "$@" >> `+f.dir+`/calls
		case $1 in
		run) echo "$POSTGRES_PASSWORD" > `+f.dir+`/password;;
		inspect|port) exit 1;;
		esac`)

	_, _, err := f.provide(t, Request{})
	if err == nil {
		t.Fatal("a container without an engine")
	}

	password, err1 := os.ReadFile(f.dir + "/password")
	calls, err2 := os.ReadFile(f.dir + "/calls")
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}

	if len(password) < 20 || bytes.Contains(calls, bytes.TrimSpace(password)) {
		t.Errorf("password %q, calls:\n%s", password, calls)
	}

	requireText(t, string(calls), "-p 127.0.0.1::5432 -e POSTGRES_PASSWORD ", "rm -f -v loadgrid-")
}

// TestContainer starts a real container if an engine has an image already. Otherwise it is skipped,
// because the integration tests cover containers.
func TestContainer(t *testing.T) {
	engine, err := container.FindEngine(t.Context(), exec.LookPath)
	if err != nil {
		t.Skipf("skipped: %v", err)
	}

	candidates := []string{os.Getenv("LOADGRID_TEST_IMAGE"), container.LocalImage, container.DefaultImage}
	at := slices.IndexFunc(candidates, func(image string) bool { return image != "" && engine.HasImage(t.Context(), image) })
	if at < 0 {
		t.Skipf("skipped: %s has neither the image %s nor %s", engine.Name, container.LocalImage, container.DefaultImage)
	}

	image := candidates[at]

	f := newFakes(t)
	f.lookPath = exec.LookPath
	db, out, err := f.provide(t, Request{Image: image})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	requireText(t, out, "using a container of "+image)
	if got := query(t, db.DSN, "select st_astext('point(1 2)'::geometry)"); got != "POINT(1 2)" {
		t.Errorf("PostGIS answers %s", got)
	}

	name := db.StopCommand[strings.LastIndex(db.StopCommand, " ")+1:]
	for range 2 {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}

	if err := exec.Command(engine.Name, "inspect", name).Run(); err == nil {
		t.Errorf("the container %s is still there", name)
	}
}
