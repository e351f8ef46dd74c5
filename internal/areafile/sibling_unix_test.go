//go:build unix

package areafile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A named pipe next to a file is not one of its parts: opening it would block forever.
func TestPipeBesideTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "area.shp")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(filepath.Dir(path), "area.dbf"), 0o600); err != nil {
		t.Fatal(err)
	}

	in := newInput(t.Context(), nil, path)
	done := make(chan error, 1)
	go func() {
		_, _, err := in.sibling(".dbf")
		done <- err
	}()

	select {
	case err := <-done:
		if !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("it blocks on the pipe")
	}
}
