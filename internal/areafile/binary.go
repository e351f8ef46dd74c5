package areafile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/loadgrid/loadgrid/internal/crsmatch"
	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/featurefile"
	"github.com/loadgrid/loadgrid/internal/flatgeobuf"
	"github.com/loadgrid/loadgrid/internal/gather"
	"github.com/loadgrid/loadgrid/internal/geopackage"
	"github.com/loadgrid/loadgrid/internal/shapefile"
	"github.com/loadgrid/loadgrid/internal/unpack"
)

// readFile reads a format that needs random access to the file.
type readFile func(ctx context.Context, f io.ReaderAt, size int64, o featurefile.Options, to feature.Sink) (featurefile.Result, error)

// recognizeBinary returns the format of a binary file, by its first bytes.
func recognizeBinary(head []byte) (f format, ok bool) {
	switch {
	case flatgeobuf.Is(head):
		return fileFormat("FlatGeobuf", false, flatgeobuf.Read), true
	case geopackage.Is(head):
		return fileFormat("GeoPackage", true, geopackage.Read), true
	case shapefile.Is(head):
		return fileFormat("Shapefile", false, shapefile.Read), true
	case shapefile.IsZip(head):
		return fileFormat("a ZIP archive of shapefiles", true, shapefile.ReadZip), true
	}

	return format{}, false
}

// fileFormat returns a format of files that name their own CRS.
func fileFormat(name string, layers bool, read readFile) format {
	return format{name: name, attributes: true, layers: layers, read: func(in *input, q feature.Request, to *gather.Collector) (feature.Schema, error) {
		f, size, err := in.random()
		if err != nil {
			return feature.Schema{}, err
		}

		found, err := read(in.ctx, f, size, featurefile.Options{Layer: q.Layer, Attributes: q.Names, Where: in.where, Sibling: in.sibling, MaxPositions: to.Max}, to)
		to.PassedOver += int(found.PassedOver)
		if err != nil {
			return feature.Schema{}, err
		}

		schema := feature.Schema{Names: found.Attributes}
		if schema.SRID, err = crsmatch.SRID(found.CRS); err != nil && q.SRID == 0 { // otherwise the user has named the CRS
			return schema, err
		}

		return schema, nil
	}}
}

// unpacked returns the content of a gzip file as an input of its own.
func (in *input) unpacked() (*input, error) {
	r, err := unpack.Reader(in.ctx, in.stream, 0)
	if err != nil {
		return nil, err
	}

	inner := newInput(in.ctx, r, "")
	inner.nested = in.nested + 1

	return inner, nil
}

// sibling opens a file next to this one: see featurefile.Options. close closes it.
func (in *input) sibling(suffix string) (io.ReaderAt, int64, error) {
	if in.path == "" {
		return nil, 0, fs.ErrNotExist
	}

	name, err := siblingName(in.path, suffix)
	if err != nil {
		return nil, 0, err
	}

	// Opening a named pipe would wait until something writes to it.
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, 0, fmt.Errorf("looking for a file next to the area of interest: %w", err)
	case !info.Mode().IsRegular():
		return nil, 0, fs.ErrNotExist
	}

	f, err := os.Open(name)
	if err != nil {
		return nil, 0, fmt.Errorf("opening a file next to the area of interest: %w", err)
	}
	in.siblings = append(in.siblings, f)

	return f, info.Size(), nil
}

// siblingName returns the name of a file next to another one: with another extension in either case, or
// with a suffix added to the whole name.
func siblingName(path, suffix string) (string, error) {
	if !strings.HasPrefix(suffix, ".") {
		return path + suffix, nil
	}

	folder, name := filepath.Split(path)
	stem := strings.TrimSuffix(name, filepath.Ext(name))

	entries, err := os.ReadDir(filepath.Clean(folder))
	if err != nil {
		return "", err
	}

	for _, e := range entries {
		if e.Name() == stem+suffix {
			return folder + e.Name(), nil
		}
	}

	for _, e := range entries {
		if strings.HasPrefix(e.Name(), stem) && strings.EqualFold(e.Name()[len(stem):], suffix) {
			return folder + e.Name(), nil
		}
	}

	return "", fs.ErrNotExist
}

// closeAll closes the sibling files that were opened.
func (in *input) closeAll() (err error) {
	for _, f := range in.siblings {
		err = errors.Join(err, f.Close())
	}
	return err
}
