package options

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/nearest"
	"github.com/loadgrid/loadgrid/loader/aoi"
)

// readArea reads the file of an area, or stdin for -. Errors about the content name the file.
func readArea(ctx context.Context, name string, stdin io.Reader, o aoi.ReadOptions) (area *aoi.Area, err error) {
	r, title := stdin, "stdin"
	if name != "-" {
		file, err := openArea(name)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, file.Close()) }()

		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() { // it can be read again
			o.Path = name
		}
		r, title = file, name
	}

	area, err = aoi.ReadWith(ctx, r, o)

	var param *geomgen.ParamError
	switch {
	case err == nil:
		return area, nil
	case !errors.As(err, &param):
		return nil, fmt.Errorf("%s: %w", title, err)
	case param.Param == "aoi": // the name of the file is more useful than its content
		return nil, &geomgen.ParamError{Param: "aoi", Value: name, Reason: param.Reason}
	}

	return nil, &geomgen.ParamError{Param: param.Param, Value: param.Value, Reason: param.Reason + " (aoi " + title + ")"}
}

// openArea opens the file of an area. If it is the wrong file, the error suggests another one.
func openArea(name string) (*os.File, error) {
	bad := func(reason string) error { return &geomgen.ParamError{Param: "aoi", Value: name, Reason: reason} }

	file, err := os.Open(name)
	if err != nil {
		reason := "cannot be read: " + WithoutPath(err)
		if near, ok := nearestFile(name); ok && errors.Is(err, fs.ErrNotExist) {
			reason += fmt.Sprintf(": did you mean %s?", near)
		}

		return nil, bad(reason)
	}

	reason := ""
	if info, err := file.Stat(); err == nil && info.IsDir() {
		reason = "is a directory: name a file in it"
		if found := areasIn(name); len(found) > 0 {
			reason += ", such as " + found[0]
		}
	} else if stem, ext := splitExt(name); slices.Contains(shapefileParts(), strings.ToLower(ext)) {
		reason = "is the " + ext + " file of a shapefile, which has no polygons: "
		if shp, ok := withExt(stem, ".shp"); ok {
			reason += "name " + shp
		} else {
			reason += "its .shp file is missing from the same directory"
		}
	}

	if reason != "" {
		return nil, errors.Join(bad(reason), file.Close())
	}

	return file, nil
}

// shapefileParts are the parts of a shapefile that have no polygons. An .shx file begins like an .shp file.
func shapefileParts() []string {
	return []string{".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".qix"}
}

func splitExt(name string) (stem, ext string) {
	ext = filepath.Ext(name)
	return strings.TrimSuffix(name, ext), ext
}

// withExt returns the file with this stem and extension. The extension may also be in upper case.
func withExt(stem, ext string) (string, bool) {
	for _, e := range []string{ext, strings.ToUpper(ext)} {
		if _, err := os.Stat(stem + e); err == nil {
			return stem + e, true
		}
	}

	return "", false
}

// areaExts are the usual extensions of files of areas.
func areaExts() []string {
	return []string{".shp", ".gpkg", ".geojson", ".json", ".fgb", ".zip", ".wkt", ".wkb"}
}

// nearestFile suggests a file for one that does not exist: the same name with an extension, or a similar name.
func nearestFile(name string) (string, bool) {
	for _, ext := range areaExts() {
		if found, ok := withExt(name, ext); ok {
			return found, true
		}
	}

	entries, err := os.ReadDir(filepath.Dir(name))
	if err != nil {
		return "", false
	}

	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}

	near, ok := nearest.Name(filepath.Base(name), names)

	return filepath.Join(filepath.Dir(name), near), ok
}

// areasIn returns the files in a directory that may contain areas.
func areasIn(dir string) (names []string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if slices.Contains(areaExts(), strings.ToLower(filepath.Ext(e.Name()))) {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}

	return names
}
