package shapefile

import (
	"archive/zip"
	"bufio"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/featurefile"
)

// stream is a part of a shapefile that is read sequentially.
type stream struct {
	part     string // its extension
	f        io.ReaderAt
	in       *bufio.Reader
	at, size int64
	limited  bool // it is in an archive, which gives its size, and it cannot be rewound
}

// randomStream returns a part that is a separate file.
func randomStream(part string, f io.ReaderAt, size int64) *stream {
	return &stream{part: part, f: f, size: size, in: bufio.NewReaderSize(io.NewSectionReader(f, 0, size), 1<<16)}
}

// errShort reports that a part ends too early.
func (s *stream) errShort() error {
	return feature.BadArea("is a shapefile whose .%s ends too early, at byte %d", s.part, s.size)
}

// read fills b.
func (s *stream) read(b []byte) error {
	if int64(len(b)) > s.size-s.at {
		return s.errShort()
	}

	n, err := io.ReadFull(s.in, b)
	s.at += int64(n)

	return s.explain(err)
}

// explain describes why bytes could not be read.
func (s *stream) explain(err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return s.errShort()
	case err != nil:
		return explainZip(err, s.part)
	}
	return nil
}

// seek goes to a place.
func (s *stream) seek(to int64) error {
	switch {
	case to > s.size || to < 0:
		return s.errShort()
	case to < s.at && s.limited:
		return feature.BadArea("is a zipped shapefile whose shapes are not in the order of its .shx: unpack it")
	case to < s.at || to-s.at > int64(s.in.Buffered()) && !s.limited:
		s.at = to
		s.in.Reset(io.NewSectionReader(s.f, to, s.size-to))
		return nil
	}

	for to > s.at {
		n, err := s.in.Discard(int(min(to-s.at, 1<<20)))
		s.at += int64(n)

		if err := s.explain(err); err != nil {
			return err
		}
	}

	return nil
}

// maxText is the maximum length of a .prj or .cpg in bytes.
const maxText = 1 << 16

// text returns the text of a part, without white space around it, or "" for a nil stream.
func (s *stream) text() (string, error) {
	if s == nil {
		return "", nil
	}

	if s.size > maxText {
		return "", feature.BadArea("is a shapefile whose .%s has %d bytes: loadgrid reads at most %d", s.part, s.size, maxText)
	}

	b := make([]byte, s.size)
	if err := s.read(b); err != nil {
		return "", err
	}

	text := strings.TrimSpace(strings.TrimPrefix(string(b), "\xef\xbb\xbf"))
	if _, err := featurefile.Text([]byte(text)); err != nil {
		return "", feature.BadArea("is a shapefile whose .%s is not text: %w", s.part, err)
	}
	return text, nil
}

// explainZip says which part of a shapefile cannot be read, and blames the zip if it is the cause.
func explainZip(err error, part string) error {
	var corrupt flate.CorruptInputError
	if errors.Is(err, zip.ErrFormat) || errors.Is(err, zip.ErrAlgorithm) || errors.Is(err, zip.ErrChecksum) || errors.As(err, &corrupt) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return feature.BadArea("is a zip whose .%s cannot be unpacked: %w", part, err)
	}
	return fmt.Errorf("reading the .%s of the shapefile: %w", part, err)
}
