package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"
)

// file is a file in an archive.
type file struct {
	name       string // with slashes
	executable bool
	content    []byte
}

func (f file) mode() os.FileMode {
	if f.executable {
		return 0o755
	}
	return 0o644
}

// writeArchive writes the archive of a platform: a ZIP file for Windows, and a tar file for the others.
func (r *release) writeArchive(p platform, program string, licenses []byte, docs *documents) error {
	files, err := r.archiveFiles(p, program, licenses, docs)
	if err != nil {
		return err
	}

	var archive bytes.Buffer
	suffix, write := ".tar.gz", writeTarGz
	if p.os == "windows" {
		suffix, write = ".zip", writeZip
	}
	if err := write(&archive, files, r.date); err != nil {
		return fmt.Errorf("writing the archive: %w", err)
	}
	return os.WriteFile(filepath.Join(r.out, r.name(p)+suffix), archive.Bytes(), 0o644)
}

// archiveFiles returns the files in a platform's archive, sorted by name.
func (r *release) archiveFiles(p platform, program string, licenses []byte, docs *documents) ([]file, error) {
	paths := map[string]string{p.programName(): program, "LICENSE": "LICENSE", "CHANGELOG.md": "CHANGELOG.md"}
	for _, name := range shells() {
		paths["completions/"+name] = filepath.Join(docs.completions, name)
	}

	if p.os != "windows" {
		pages, err := filepath.Glob(filepath.Join(docs.man, "*.1"))
		if err != nil {
			return nil, err
		}
		for _, page := range pages {
			paths["man/man1/"+filepath.Base(page)] = page
		}
	}

	files := []file{{name: path.Join(r.name(p), "THIRD_PARTY_LICENSES"), content: licenses}}
	for name, source := range paths {
		content, err := os.ReadFile(source)
		if err != nil {
			return nil, err
		}
		files = append(files, file{path.Join(r.name(p), name), source == program, content})
	}

	slices.SortFunc(files, func(a, b file) int { return cmp.Compare(a.name, b.name) })
	return files, nil
}

func writeTarGz(w io.Writer, files []file, date time.Time) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	if err := writeTar(z, files, date); err != nil {
		return err
	}
	return z.Close()
}

// writeTar writes files as owned by root.
func writeTar(w io.Writer, files []file, date time.Time) error {
	t := tar.NewWriter(w)
	for _, f := range files {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: int64(f.mode()), Size: int64(len(f.content)), ModTime: date}
		if err := t.WriteHeader(header); err != nil {
			return err
		}
		if _, err := t.Write(f.content); err != nil {
			return err
		}
	}
	return t.Close()
}

func writeZip(w io.Writer, files []file, date time.Time) error {
	z := zip.NewWriter(w)
	for _, f := range files {
		header := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: date}
		header.SetMode(f.mode())
		entry, err := z.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := entry.Write(f.content); err != nil {
			return err
		}
	}
	return z.Close()
}
