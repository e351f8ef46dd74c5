//go:build unix

package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A named pipe, or /dev/null, must not become a file.
func TestDumpToNamedPipe(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}

	read := make(chan []byte)
	go func() {
		b, _ := os.ReadFile(pipe)
		read <- b
	}()

	code, _, stderr := call(t.Context(), "dump", "--cell-size", "1", "--cols", "3", "--rows", "2", "--out", pipe)
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if rows := copyFields(t, <-read); len(rows) != 6 {
		t.Errorf("%d rows, should be 6", len(rows))
	}
	if info, err := os.Stat(pipe); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("the pipe is one no more: %v, %v", info.Mode(), err)
	}

	checkFiles(t, dir, "pipe")
}
