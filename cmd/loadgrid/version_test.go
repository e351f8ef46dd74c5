package main

import (
	"debug/elf"
	"errors"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// make builds a program with its version and without debug information.
func TestMakeStampsAndStrips(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "loadgrid")
	for _, version := range []string{"v9.8.7-test", ""} {
		build := exec.Command("make", "-s", "-C", filepath.Join("..", ".."), "build", "BINARY="+binary, "VERSION="+version)
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("make build: %v\n%s", err, out)
		}

		out, err := exec.Command(binary, "version").Output()
		fields := strings.Fields(string(out))
		if err != nil || len(fields) < 2 || version != "" && fields[1] != version || strings.HasPrefix(fields[1], "(") {
			t.Errorf("version %q: %v, %q", version, err, out)
		}
	}

	if runtime.GOOS != "linux" {
		return
	}

	f, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()

	if _, err := f.Symbols(); !errors.Is(err, elf.ErrNoSymbols) || f.Section(".debug_info") != nil {
		t.Errorf("the program has symbols: %v", err)
	}
}
