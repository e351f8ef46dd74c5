package areafile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
)

const (
	kml        = `<kml xmlns="http://www.opengis.net/kml/2.2"></kml>`
	oneFeature = `{"type":"Feature","properties":{"n":%d},"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}}`
)

// fakeOGR puts a program named ogr2ogr on the PATH, which writes its arguments to a file.
func fakeOGR(t *testing.T, script string) (arguments string) {
	t.Helper()
	dir := t.TempDir()
	arguments = filepath.Join(dir, "arguments")
	script = "#!/bin/sh\nprintf '%s\\n' \"$@\" > " + arguments + "\n" + script + "\n"

	if err := os.WriteFile(filepath.Join(dir, "ogr2ogr"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}

	t.Setenv("PATH", dir+":/usr/bin:/bin")
	return arguments
}

// A format without a reader goes through ogr2ogr, with the layer and the CRS. The condition is
// applied by this package.
func TestOGR(t *testing.T) {
	one, two := strings.Replace(oneFeature, "%d", "1", 1), strings.Replace(oneFeature, "%d", "2", 1)
	arguments := fakeOGR(t, "echo 'Warning 1: a warning' >&2; printf '%s\\n' '"+one+"' '"+two+"'")
	path := filepath.Join(t.TempDir(), "-a b.kml")
	if err := os.WriteFile(path, []byte(kml), 0o600); err != nil {
		t.Fatal(err)
	}

	f, err := Read(t.Context(), strings.NewReader(kml), Options{OGR: true, Path: path, Layer: "roads", SRID: 3035, Attributes: []string{"n"}, Where: "n > 1"})
	if err != nil {
		t.Fatal(err)
	}

	if f.SRID != WGS84 || len(f.Polygons) != 1 || f.Features[0].Values[0] != int64(2) {
		t.Errorf("got %+v", f)
	}

	want := "-f\nGeoJSONSeq\n-lco\nSIGNIFICANT_FIGURES=17\n-lco\nCOORDINATE_PRECISION=15\n-s_srs\nEPSG:3035\n-t_srs\nEPSG:4326\n/vsistdout/\n" + path + "\nroads\n"
	if got, err := os.ReadFile(arguments); err != nil || string(got) != want {
		t.Errorf("the arguments are %q: %v", got, err)
	}

	// A stream goes through a temporary file, which is removed afterwards.
	if f, err := Read(t.Context(), strings.NewReader(kml), Options{OGR: true}); err != nil || len(f.Polygons) != 2 {
		t.Errorf("got %+v: %v", f, err)
	}

	got, err := os.ReadFile(arguments)
	lines := strings.Split(strings.TrimSpace(string(got)), "\n")
	spooled := lines[len(lines)-1]
	if err != nil || !filepath.IsAbs(spooled) {
		t.Fatalf("the arguments are %q: %v", got, err)
	}

	if _, err := os.Stat(spooled); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left over: %v", spooled, err)
	}

	// ogr2ogr does not run for a format that loadgrid reads.
	if err := os.Remove(arguments); err != nil {
		t.Fatal(err)
	}

	if _, err := Read(t.Context(), strings.NewReader(one), Options{OGR: true}); err != nil {
		t.Error(err)
	}

	if _, err := os.Stat(arguments); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("ogr2ogr was called: %v", err)
	}
}

func TestOGRFails(t *testing.T) {
	one := strings.Replace(oneFeature, "%d", "1", 1)

	for name, test := range map[string]struct {
		script string
		words  []string
	}{
		"at once":             {"printf 'Warning 1: x\\nERROR 4: no such\tformat\\nFAILURE:\\ny\\nz\\n' >&2; exit 1", []string{"cannot be read by ogr2ogr: ERROR 4: no such format FAILURE: y (exit status 1)"}},
		"in words of its own": {"printf 'cannot\\nopen it\\n' >&2; exit 1", []string{"cannot be read by ogr2ogr: cannot open it (exit status 1)"}},
		"without a word":      {"exit 3", []string{"it printed no message (exit status 3)"}},
		"after features":      {"echo '" + one + "'; echo 'ERROR 1: broken' >&2; exit 1", []string{"ERROR 1: broken"}},
		"within a feature":    {"printf '" + one[:40] + "'; echo 'ERROR 1: broken' >&2; exit 1", []string{"ERROR 1: broken"}},
		"with what is wrong":  {"echo '{\"type\":\"Point\",\"coordinates\":[0,0]}'; yes '" + one + "'", []string{"holds a Point"}},
		"with nothing":        {":", []string{"cannot be read as GeoJSON", "ends too early"}},
		"at length":           {"yes ERROR | head -c 100000 >&2; exit 1", []string{"...", "ERROR ERROR"}},
	} {
		t.Run(name, func(t *testing.T) {
			fakeOGR(t, test.script)
			_, err := Read(t.Context(), strings.NewReader(kml), Options{OGR: true})
			var param *geomgen.ParamError
			if !errors.As(err, &param) || param.Param != "aoi" {
				t.Fatalf("got %v", err)
			}

			for _, w := range test.words {
				if !strings.Contains(param.Reason, w) {
					t.Errorf("want %q in %s", w, param.Reason)
				}
			}
		})
	}

	t.Setenv("PATH", t.TempDir())
	_, err := Read(t.Context(), strings.NewReader(kml), Options{OGR: true})
	if err == nil || !strings.Contains(err.Error(), "gdal-bin") {
		t.Errorf("without the program: %v", err)
	}
}

// The end of the context ends the program.
func TestOGREndsWithItsContext(t *testing.T) {
	started := filepath.Join(t.TempDir(), "started")
	one := strings.Replace(oneFeature, "%d", "1", 1)
	fakeOGR(t, "echo '"+one+"'; echo $$ > "+started+"; exec sleep 1000")

	stop := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		for {
			if b, err := os.ReadFile(started); err == nil && len(b) > 0 {
				cancel(stop)
				return
			}
		}
	}()

	if _, err := Read(ctx, strings.NewReader(kml), Options{OGR: true}); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}
