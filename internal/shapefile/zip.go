package shapefile

import (
	"archive/zip"
	"bufio"
	"context"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/featurefile"
	"github.com/loadgrid/loadgrid/internal/unpack"
)

// maxDirectory is the maximum size in bytes of the list of files in a zip: some 80,000 files.
const maxDirectory = 4 << 20

// IsZip tells whether a file that begins with these bytes is a zip.
func IsZip(head []byte) bool {
	return strings.HasPrefix(string(head), "PK\x03\x04") || strings.HasPrefix(string(head), "PK\x05\x06")
}

// ReadZip reads the features of a shapefile in a zip, as Read does. The name of a layer is the name
// of its .shp without extension, and with its folder if two would have the same name. ReadZip
// unpacks nothing to disk: it reads the parts in parallel.
func ReadZip(ctx context.Context, f io.ReaderAt, size int64, o featurefile.Options, to feature.Sink) (featurefile.Result, error) {
	a, err := openArchive(f, size)
	if err != nil {
		return featurefile.Result{}, err
	}

	result := featurefile.Result{Layers: a.layers}
	if len(a.layers) == 0 {
		return result, feature.BadArea("is a zip without a shapefile: it holds %s", featurefile.List(a.others))
	}

	if result.Layer, err = featurefile.ChooseLayer(o.Layer, a.layers); err != nil {
		return result, err
	}

	p, close, err := a.open(result.Layer, o.MaxBytes)
	defer close()

	if err != nil {
		return result, err
	}
	return p.read(ctx, result, o, to)
}

// archive is the list of shapefiles in a zip.
type archive struct {
	layers []string
	files  map[string]map[string]*zip.File // of a layer, by extension in lower case
	others []string                        // files that are not part of a shapefile
}

// frugal reads a limited number of bytes from a file.
type frugal struct {
	io.ReaderAt
	size, room int64
}

var errDirectory = errors.New("its list of files is too long")

func (f *frugal) ReadAt(b []byte, at int64) (int, error) {
	if f.room >= 0 {
		if f.room -= int64(len(b)); f.room < 0 {
			return 0, errDirectory
		}
	}

	if at < 0 || at > f.size { // an offset from the archive
		return 0, zip.ErrFormat
	}
	return f.ReaderAt.ReadAt(b, at)
}

func openArchive(f io.ReaderAt, size int64) (*archive, error) {
	in := &frugal{f, size, maxDirectory}
	z, err := zip.NewReader(in, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // no file is created with the name
		return nil, feature.BadArea("is a zip that cannot be read: %w", err)
	}

	in.room = -1 // no limit for the files themselves

	sets := map[string]map[string]*zip.File{}
	for _, file := range z.File {
		name := strings.ReplaceAll(file.Name, `\`, "/")
		ext := path.Ext(name)
		stem := strings.TrimSuffix(name, ext)

		// Finder adds its own files with similar names.
		if strings.HasSuffix(name, "/") || strings.HasPrefix(path.Base(name), "._") || strings.HasPrefix(name, "__MACOSX/") {
			continue
		}

		if sets[stem] == nil {
			sets[stem] = map[string]*zip.File{}
		}
		sets[stem][strings.ToLower(ext)] = file
	}

	a := &archive{files: map[string]map[string]*zip.File{}}
	a.name(sets)

	return a, nil
}

// name sets the names of the layers.
func (a *archive) name(sets map[string]map[string]*zip.File) {
	bases := map[string]int{}
	for stem, set := range sets {
		if set[".shp"] != nil {
			bases[path.Base(stem)]++
		}
	}

	for stem, set := range sets {
		if set[".shp"] == nil {
			for _, file := range set {
				a.others = append(a.others, file.Name)
			}
			continue
		}

		layer := stem
		if base := path.Base(stem); bases[base] == 1 {
			layer = base
		}

		a.layers = append(a.layers, layer)
		a.files[layer] = set
	}

	slices.Sort(a.layers)
	slices.Sort(a.others)
}

// open opens the parts of a layer. The caller must call close, even after an error.
func (a *archive) open(layer string, maxBytes int64) (p parts, close func(), err error) {
	if maxBytes <= 0 {
		maxBytes = featurefile.DefaultMaxBytes
	}

	var closers []io.Closer
	close = func() {
		for _, c := range closers {
			_ = c.Close()
		}
	}

	set := a.files[layer]
	for _, part := range [...]struct {
		ext string
		to  **stream
	}{{".shp", &p.shp}, {".shx", &p.shx}, {".dbf", &p.dbf}, {".prj", &p.prj}, {".cpg", &p.cpg}} {
		file := set[part.ext]
		if file == nil {
			continue
		}

		if err := checkEntry(file, maxBytes); err != nil {
			return p, close, err
		}

		r, err := file.Open()
		if err != nil {
			return p, close, explainZip(err, part.ext[1:])
		}

		closers = append(closers, r)
		*part.to = &stream{part: part.ext[1:], in: bufio.NewReaderSize(r, 1<<16), size: int64(file.UncompressedSize64), limited: true}
		maxBytes -= int64(file.UncompressedSize64)
	}

	return p, close, nil
}

// checkEntry refuses files that cannot be unpacked.
func checkEntry(file *zip.File, room int64) error {
	const encrypted = 1

	switch {
	case file.Flags&encrypted != 0:
		return feature.BadArea("is a zip with a password: unpack it")
	case file.UncompressedSize64 > uint64(room):
		return feature.BadArea("is a zip whose %.80q has %d bytes unpacked, but there is room for %d: unpack it", file.Name, file.UncompressedSize64, room)
	}
	return unpack.Check(int64(min(file.CompressedSize64, 1<<62)), int64(file.UncompressedSize64))
}
