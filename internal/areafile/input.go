package areafile

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode"

	"github.com/loadgrid/loadgrid/internal/condition"
	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/featurefile"
)

// headBytes is the number of bytes by which a format is recognized, and that readers of streams may
// peek at.
const headBytes = 1 << 16

// maxSpool is the maximum size of a temporary file, in bytes.
const maxSpool = 64 << 30

// input is a file to read.
type input struct {
	ctx    context.Context
	source io.Reader
	path   string // "" if it has none
	stream *bufio.Reader
	before int64 // bytes that were skipped: a byte order mark and white space

	temporary *os.File   // holds the content of the stream
	siblings  []*os.File // files opened next to this one
	nested    int        // how many layers of gzip were unpacked
	most      int64      // maximum size, in bytes

	where *condition.Condition // condition that a reader may apply, nil for none
}

func newInput(ctx context.Context, r io.Reader, path string) *input {
	return &input{ctx: ctx, source: r, path: path, stream: bufio.NewReaderSize(featurefile.UntilEnded(ctx, r), headBytes), most: maxSpool}
}

// head returns the first bytes of the file without consuming them. It skips a UTF-8 byte order mark
// and white space. The error is io.EOF if nothing else follows.
func (in *input) head() ([]byte, error) {
	const mark = "\xef\xbb\xbf"

	for {
		head, err := in.stream.Peek(headBytes)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}

		rest := head
		if in.before == 0 {
			rest = bytes.TrimPrefix(rest, []byte(mark))
		}

		rest = bytes.TrimLeftFunc(rest, func(r rune) bool { return r < 0x80 && unicode.IsSpace(r) })
		if len(rest) == len(head) && len(head) > 0 {
			return head, nil
		}

		if len(head) == 0 {
			return nil, io.EOF
		}

		n, err := in.stream.Discard(len(head) - len(rest))
		in.before += int64(n)
		if err != nil {
			return nil, err
		}
	}
}

// random returns random access to the file, and its size. It reads a seekable file directly, and
// writes any other to a temporary file, which close removes. Call it before anything of the stream
// is consumed.
func (in *input) random() (io.ReaderAt, int64, error) {
	switch r := in.source.(type) {
	case interface {
		io.ReaderAt
		Size() int64
	}: // in memory
		return r, r.Size(), nil
	case *os.File:
		info, err := r.Stat()
		if err == nil && info.Mode().IsRegular() {
			return r, info.Size(), nil
		}
	}

	file, err := in.spool()
	if err != nil {
		return nil, 0, err
	}

	info, err := file.Stat()
	if err != nil {
		return nil, 0, err
	}

	return file, info.Size(), nil
}

// spool writes the stream to a temporary file.
func (in *input) spool() (*os.File, error) {
	if in.temporary != nil {
		return in.temporary, nil
	}

	file, err := os.CreateTemp("", "loadgrid-aoi-*")
	if err != nil {
		return nil, fmt.Errorf("making a temporary file: %w", err)
	}
	in.temporary = file

	n, err := io.Copy(file, io.LimitReader(in.stream, in.most+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("writing the area of interest to a temporary file: %w: set TMPDIR to choose another directory", err)
	case n > in.most:
		return nil, feature.BadArea("has more than %d bytes, the most that loadgrid writes to a temporary file: name the file instead of using stdin", in.most)
	}

	return file, nil
}

// close closes the opened files, and removes the temporary file if there is one.
func (in *input) close() error {
	err := in.closeAll()
	if in.temporary == nil {
		return err
	}
	return errors.Join(err, in.temporary.Close(), os.Remove(in.temporary.Name()))
}
