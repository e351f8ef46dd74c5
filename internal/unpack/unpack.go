// Package unpack owns the unpacking of compressed files, and its limits: a small file may unpack to
// terabytes.
package unpack

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"io"

	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/featurefile"
)

// Files of features compress 3 to 30 times. A file that compresses MaxRatio times is refused once
// it exceeds FreeBytes: deflate can reach 1032.
const (
	MaxRatio  = 200
	FreeBytes = 256 << 20
)

// Check refuses a file that is compressed too well for a file of features, by its packed and
// unpacked size so far. The error is a *geomgen.ParamError.
func Check(packed, unpacked int64) error {
	if unpacked > FreeBytes && unpacked/MaxRatio > packed {
		return feature.BadArea("unpacks to more than %d MiB from %d bytes, as no file of features does: if it is one, unpack it first", unpacked>>20, packed)
	}
	return nil
}

// IsGzip tells whether a file that begins with these bytes is a gzip file (RFC 1952).
func IsGzip(head []byte) bool {
	return len(head) >= 3 && head[0] == 0x1f && head[1] == 0x8b && head[2] == 8
}

// Reader returns the content of a stream: unpacked if it begins as gzip does, and unchanged
// otherwise. Reading fails with a *geomgen.ParamError if the stream is damaged, fails Check, or has
// more than maxBytes unpacked; 0 means featurefile.DefaultMaxBytes. It fails with the cause of ctx
// when ctx ends.
func Reader(ctx context.Context, r io.Reader, maxBytes int64) (io.Reader, error) {
	if maxBytes <= 0 {
		maxBytes = featurefile.DefaultMaxBytes
	}

	in := &counter{r: featurefile.UntilEnded(ctx, r)}
	buffered := bufio.NewReaderSize(in, 1<<16)
	head, err := buffered.Peek(3)

	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	case !IsGzip(head):
		return &reader{r: buffered, in: in, most: maxBytes}, nil
	}

	unzip, err := gzip.NewReader(buffered)
	if err != nil {
		return nil, explain(err)
	}
	return &reader{r: unzip, in: in, most: maxBytes, packed: true}, nil
}

// explain describes what is wrong with the packed bytes.
func explain(err error) error {
	switch {
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, new(flate.CorruptInputError)):
		return feature.BadArea("is a damaged gzip file: %w", err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return feature.BadArea("is a gzip file that ends too early")
	}
	return err
}

// counter counts the bytes read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// reader reads up to a limit.
type reader struct {
	r       io.Reader
	in      *counter
	packed  bool
	n, most int64
}

func (r *reader) Read(b []byte) (int, error) {
	n, err := r.r.Read(b)
	r.n += int64(n)

	if r.n > r.most {
		return 0, feature.BadArea("has more than %d bytes: simplify it (ST_SimplifyPreserveTopology, ogr2ogr -simplify), or load it into a table and use aoi-sql", r.most)
	}

	if !r.packed {
		return n, err
	}

	if bomb := Check(r.in.n, r.n); bomb != nil {
		return 0, bomb
	}

	if err != nil && !errors.Is(err, io.EOF) {
		err = explain(err)
	}
	return n, err
}
