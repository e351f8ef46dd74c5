package aoi

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// The binary formats give the same features as the text formats. GDAL 3.6 wrote the files from golden.geojson:
// ogr2ogr -f FlatGeobuf and -f GPKG, each with -nlt MULTIPOLYGON -lco SPATIAL_INDEX=NO; -f "ESRI Shapefile" -lco
// ENCODING=UTF-8, with its files zipped. It reverses rings.
func TestBinaryFormatsGiveTheSame(t *testing.T) {
	polygons, features := goldenFeatures()

	for _, file := range []string{"golden.fgb", "golden.gpkg", "golden.zip", "golden.geojson.gz"} {
		t.Run(file, func(t *testing.T) {
			b := readFile(t, "formats/"+file)

			// A file with random access, and a stream, which is written to a temporary file.
			for _, r := range []io.Reader{bytes.NewReader(b), shortReader{bytes.NewReader(b)}} {
				a, err := ReadWith(t.Context(), r, ReadOptions{Attributes: []string{"name", "pop", "share", "big", "note"}})
				if err != nil {
					t.Fatal(err)
				}

				if !reflect.DeepEqual(canonical(a.Polygons), canonical(polygons)) || a.SRID != WGS84 || !a.Union || a.Warnings != nil {
					t.Errorf("got %+v", a)
				}

				want := features
				if file == "golden.zip" { // which has no empty texts
					want = append([]Feature(nil), features...)
					want[2].Values = append([]Value{nil}, features[2].Values[1:]...)
				}

				if !reflect.DeepEqual(featuresOf(a), want) {
					t.Errorf("got the features %#v", featuresOf(a))
				}
			}

			a, err := ReadWith(t.Context(), bytes.NewReader(b), ReadOptions{Where: "pop = 0"})
			if err != nil || len(a.Polygons) != 1 || a.Polygons[0].Bounds().XMin != 100 {
				t.Errorf("with a condition: %v", err)
			}

			_, err = ReadWith(t.Context(), bytes.NewReader(b), ReadOptions{Where: "population = 0"})
			checkParam(t, err, "aoi-where", "population", "name")
			_, err = ReadWith(t.Context(), bytes.NewReader(b), ReadOptions{Attributes: []string{"Name"}})
			checkParam(t, err, "attribute", "name")
		})
	}
}

// The files of a shapefile are found next to it, whatever the case of their extensions.
func TestShapefileBesideItsTable(t *testing.T) {
	folder := t.TempDir()
	b := readFile(t, "formats/golden.zip")
	unzip(t, b, folder, strings.ToUpper)

	path := filepath.Join(folder, "golden.SHP")
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()

	a, err := ReadWith(t.Context(), f, ReadOptions{Attributes: []string{"name"}, Path: path})
	if err != nil || a.SRID != WGS84 || len(a.Layer.Features) != 3 || a.Layer.Features[1].Values[0] != "Ærøskøbing 丸" {
		t.Errorf("got %+v, %v", a, err)
	}

	// Alone, it has shapes, but neither a CRS nor attributes.
	shapes, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	a, err = Read(bytes.NewReader(shapes))
	if err != nil || a.SRID != 0 || len(a.Polygons) != 4 {
		t.Errorf("without a name: %+v, %v", a, err)
	}

	_, err = ReadWith(t.Context(), bytes.NewReader(shapes), ReadOptions{Attributes: []string{"name"}})
	checkParam(t, err, "attribute", "of any feature")
}

// Only one layer of gzip is unpacked.
func TestGzipInGzip(t *testing.T) {
	_, err := Read(bytes.NewReader(pack(t, pack(t, readFile(t, "formats/golden.geojson")))))
	checkParam(t, err, "aoi", "more than once", "gunzip -c")

	a, err := Read(bytes.NewReader(pack(t, readFile(t, "formats/golden.gpkg"))))
	if err != nil || len(a.Polygons) != 4 {
		t.Errorf("a packed GeoPackage: %v", err)
	}
}

// unzip writes the files of an archive into a folder, with other extensions.
func unzip(t *testing.T, b []byte, folder string, extension func(string) string) {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}

	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}

		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}

		ext := filepath.Ext(f.Name)
		if err := os.WriteFile(filepath.Join(folder, strings.TrimSuffix(f.Name, ext)+extension(ext)), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// pack compresses bytes with gzip.
func pack(t *testing.T, b []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}
