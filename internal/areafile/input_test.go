package areafile

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
)

// A reader of any format has random access to all bytes, whatever their source, even after the
// first bytes were peeked at.
func TestRandomAccess(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	want := bytes.Repeat([]byte("0123456789"), 20_000)
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, want, 0o600); err != nil {
		t.Fatal(err)
	}

	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()

	for name, r := range map[string]io.Reader{"a file": file, "memory": bytes.NewReader(want), "a stream": io.MultiReader(bytes.NewReader(want))} {
		in := newInput(t.Context(), r, "")
		if _, err := in.head(); err != nil {
			t.Fatal(err)
		}

		at, size, err := in.random()
		if err != nil || size != int64(len(want)) {
			t.Fatalf("%s: %d bytes: %v", name, size, err)
		}

		got, err := io.ReadAll(io.NewSectionReader(at, 0, size))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: different bytes: %v", name, err)
		}

		if err := in.close(); err != nil {
			t.Error(err)
		}
	}

	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) != 0 {
		t.Errorf("files left over: %v: %v", left, err)
	}
}

func TestSpoolIsBounded(t *testing.T) {
	in := newInput(t.Context(), strings.NewReader("12345"), "")
	in.most = 4
	_, err := in.spool()
	var param *geomgen.ParamError
	if !errors.As(err, &param) || !strings.Contains(param.Reason, "more than 4 bytes") {
		t.Errorf("got %v", err)
	}

	if err := errors.Join(in.close(), os.Remove(in.temporary.Name())); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is left over: %v", err)
	}

	broken := errors.New("broken")
	in = newInput(t.Context(), io.MultiReader(strings.NewReader("123"), failing{broken}), "")
	if _, err := in.spool(); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}

	if err := in.close(); err != nil {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
