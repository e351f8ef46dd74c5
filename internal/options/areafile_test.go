package options

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/aoi"
)

// An error about the file of an area names the file, and if it is the wrong one, suggests another.
func TestErrorsOfAreaFilesNameThem(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	const square = `{"type":"Feature","properties":{"name":"a"},"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}}`
	write("france.shp", "\x00\x00\x27\x0a")
	write("france.shx", "\x00\x00\x27\x0a")
	write("alone.dbf", "\x03")
	write("spain.geojson", square)
	write("broken.geojson", square[:40])
	write("wide.json", "\xff\xfe{\x00}\x00")
	write("fake.zip", "PK\x03\x04")
	write("fake.gpkg", "SQLite format 3\x00")
	if err := os.Mkdir(filepath.Join(dir, "many"), 0o700); err != nil {
		t.Fatal(err)
	}
	write("many/b.gpkg", "")

	for _, tt := range []struct {
		name string
		o    aoi.ReadOptions
		want []string
	}{
		{"france.shx", aoi.ReadOptions{}, []string{"is the .shx file of a shapefile", "name " + filepath.Join(dir, "france.shp")}},
		{"alone.dbf", aoi.ReadOptions{}, []string{"is the .dbf file of a shapefile", "its .shp file is missing"}},
		{"france", aoi.ReadOptions{}, []string{"no such file", "did you mean " + filepath.Join(dir, "france.shp") + "?"}},
		{"spian.geojson", aoi.ReadOptions{}, []string{"no such file", "did you mean " + filepath.Join(dir, "spain.geojson") + "?"}},
		{"nothing.like", aoi.ReadOptions{}, []string{"no such file"}},
		{"many", aoi.ReadOptions{}, []string{"is a directory", filepath.Join(dir, "many", "b.gpkg")}},
		{"broken.geojson", aoi.ReadOptions{}, []string{"cannot be read as GeoJSON"}},
		{"wide.json", aoi.ReadOptions{}, []string{"UTF-16"}},
		{"fake.zip", aoi.ReadOptions{}, []string{"is a zip that cannot be read"}},
		{"fake.gpkg", aoi.ReadOptions{}, []string{"GeoPackage"}},
		{"spain.geojson", aoi.ReadOptions{Where: "name = 'b'"}, []string{"is true for none"}},
		{"spain.geojson", aoi.ReadOptions{Layer: "x"}, []string{"GeoJSON has no layers"}},
	} {
		path := filepath.Join(dir, tt.name)
		_, err := readArea(t.Context(), path, nil, tt.o)

		var param *geomgen.ParamError
		if !errors.As(err, &param) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}

		for _, w := range tt.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: want %q in %v", tt.name, w, err)
			}
		}
	}
}
