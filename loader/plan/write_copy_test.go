package plan

import (
	"bytes"
	"context"
	"errors"
	copyrows "github.com/loadgrid/loadgrid/loader/rows"
	"io"
	"strings"
	"testing"
)

func TestWriteCopyWritesAllRows(t *testing.T) {
	// More than one buffer holds.
	p, err := New(t.Context(), unitJob(97, 83))
	if err != nil {
		t.Fatal(err)
	}

	want, err := io.ReadAll(p.NewRows(t.Context(), everything(p)))
	if err != nil {
		t.Fatal(err)
	}

	var got bytes.Buffer
	if err := p.WriteCopy(t.Context(), &got); err != nil {
		t.Fatal(err)
	}

	if !bytes.Equal(got.Bytes(), want) || int64(len(decodeCopy(t, got.Bytes()))) != p.Rows {
		t.Errorf("%d bytes, want %d", got.Len(), len(want))
	}

	if got.Len() <= writeBuffer {
		t.Errorf("the test needs more rows: %d bytes fit into the buffer", got.Len())
	}
}

var errFull = errors.New("no space left")

// fullWriter accepts a number of bytes and then fails. Its ReadFrom must not be used.
type fullWriter struct{ room int }

func (w *fullWriter) Write(p []byte) (int, error) {
	n := min(len(p), w.room)
	w.room -= n
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

func (w *fullWriter) ReadFrom(io.Reader) (int64, error) {
	return 0, errors.New("the rows went around the buffer")
}

func TestWriteCopyFails(t *testing.T) {
	p, err := New(t.Context(), unitJob(97, 83))
	if err != nil {
		t.Fatal(err)
	}

	for _, room := range []int{0, 10, len(copyrows.CopyHeader), writeBuffer, writeBuffer + 1000} {
		if err := p.WriteCopy(t.Context(), &fullWriter{room}); !errors.Is(err, errFull) || !strings.Contains(err.Error(), "writing the rows") {
			t.Errorf("after %d bytes: %v", room, err)
		}
	}

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.WriteCopy(ended, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("after the context has ended: %v", err)
	}

	other := *p
	other.Rows++
	if err := other.WriteCopy(t.Context(), io.Discard); err == nil || !strings.Contains(err.Error(), "8052 rows planned, 8051 generated") {
		t.Errorf("with a row too few: %v", err)
	}
}
