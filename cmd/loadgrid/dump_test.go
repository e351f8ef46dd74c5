package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/ewkb"
)

// copyFields parses a binary COPY file into a list of fields for each row.
func copyFields(t *testing.T, b []byte) (rows [][][]byte) {
	t.Helper()
	const header = "PGCOPY\n\xff\r\n\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00"
	if !bytes.HasPrefix(b, []byte(header)) {
		t.Fatalf("the header is %q", b[:min(len(b), len(header))])
	}

	for b = b[len(header):]; ; {
		n := int16(binary.BigEndian.Uint16(b))
		b = b[2:]
		if n == -1 {
			break
		}

		var fields [][]byte
		for range n {
			size := binary.BigEndian.Uint32(b)
			fields = append(fields, b[4:4+size])
			b = b[4+size:]
		}

		rows = append(rows, fields)
	}

	if len(b) > 0 {
		t.Fatalf("%d bytes follow the trailer", len(b))
	}
	return rows
}

// smallDump is a dump of columns -2 to 2 and rows 0 to 2: left and right of the origin.
func smallDump() []string {
	return []string{"dump", "--cell-size", "10,5", "--origin", "4000100,3000050", "--extent", "4000080,3000050,4000130,3000065", "--srid", "3035",
		"--set", "source=café", "--set", "year:integer=2026"}
}

func TestDump(t *testing.T) {
	code, stdout, stderr := call(t.Context(), smallDump()...)
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if want := "15 rows, 2.2 kB\n"; stderr != want {
		t.Errorf("stderr is %q, should be %q", stderr, want)
	}

	rows := copyFields(t, []byte(stdout))
	if len(rows) != 15 {
		t.Fatalf("%d rows, should be 15", len(rows))
	}

	var ids []int64
	seen := make(map[[2]int32]bool)
	for _, fields := range rows {
		if len(fields) != 6 {
			t.Fatalf("%d fields, should be 6", len(fields))
		}

		ids = append(ids, int64(binary.BigEndian.Uint64(fields[0])))
		col, row := int32(binary.BigEndian.Uint32(fields[1])), int32(binary.BigEndian.Uint32(fields[2]))
		if seen[[2]int32{col, row}] || col < -2 || col > 2 || row < 0 || row > 2 {
			t.Errorf("cell %d,%d is there twice or should not be there", col, row)
		}

		seen[[2]int32{col, row}] = true
		shape, err := ewkb.Unmarshal(fields[3])
		if err != nil {
			t.Fatal(err)
		}

		x, y := 4000100+10*float64(col), 3000050+5*float64(row)
		want := []float64{x + 10, y, x + 10, y + 5, x, y + 5, x, y, x + 10, y}
		if p, ok := shape.(*geom.Polygon); !ok || p.SRID() != 3035 || p.NumLinearRings() != 1 || !slices.Equal(p.FlatCoords(), want) {
			t.Errorf("cell %d,%d is %v with SRID %d, should be %v", col, row, shape.FlatCoords(), shape.SRID(), want)
		}
		if source, year := string(fields[4]), binary.BigEndian.Uint32(fields[5]); source != "café" || len(fields[5]) != 4 || year != 2026 {
			t.Errorf("the constants are %q and %d", source, year)
		}
	}

	if !slices.IsSorted(ids) {
		t.Errorf("the ids do not ascend: %v", ids)
	}
}

// A file has the same bytes as stdout, and replaces an existing file.
func TestDumpToFile(t *testing.T) {
	code, stdout, stderr := call(t.Context(), smallDump()...)
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}

	dir := t.TempDir()
	file := filepath.Join(dir, "grid.copy")
	if err := os.WriteFile(file, []byte("what was there before"), 0o644); err != nil {
		t.Fatal(err)
	}

	for name, out := range map[string]string{"file": file, "stdout by name": "-"} {
		code, inStdout, stderr := call(t.Context(), append(smallDump(), "--out", out)...)
		if code != exitDone {
			t.Fatalf("%s: exit code %d: %s", name, code, stderr)
		}

		got := inStdout
		if out == file {
			if inStdout != "" {
				t.Errorf("%s: stdout has %d bytes", name, len(inStdout))
			}
			got = readFile(t, file)
		}

		if got != stdout {
			t.Errorf("%s: other bytes than on stdout: %d, not %d", name, len(got), len(stdout))
		}
	}

	checkFiles(t, dir, "grid.copy")
}

func TestDumpOfManyRows(t *testing.T) {
	code, stdout, stderr := call(t.Context(), "dump", "--cell-size", "1", "--cols", "300", "--rows", "200")
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if want := "60,000 rows, 7.6 MB\n"; stderr != want {
		t.Errorf("stderr is %q, should be %q", stderr, want)
	}
	if rows := copyFields(t, []byte(stdout)); len(rows) != 60_000 {
		t.Errorf("%d rows, should be 60000", len(rows))
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}

	return string(b)
}

// checkFiles fails unless the folder contains exactly these files.
func checkFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}

	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}

	if !slices.Equal(names, want) {
		t.Errorf("the folder holds %q, should hold %q", names, want)
	}
}

// fullWriter accepts a number of bytes and then fails.
type fullWriter struct{ room int }

var errFull = errors.New("no space left")

func (w *fullWriter) Write(p []byte) (int, error) {
	n := min(len(p), w.room)
	w.room -= n
	if n < len(p) {
		return n, errFull
	}

	return n, nil
}

func TestDumpToStdoutThatFails(t *testing.T) {
	for _, room := range []int{0, 10, 19, 1000, 7_000_000} {
		var stderr bytes.Buffer
		code := run(t.Context(), []string{"dump", "--cell-size", "1", "--cols", "300", "--rows", "200"},
			strings.NewReader(""), &fullWriter{room}, &stderr)
		if code != exitFailed {
			t.Errorf("after %d bytes: exit code %d, should be %d", room, code, exitFailed)
		}

		checkOneLine(t, stderr.String(), "writing the rows", "no space left")
	}
}

func TestWriteFile(t *testing.T) {
	write := func(text string, err error) func(io.Writer) error {
		return func(w io.Writer) error {
			if _, err := io.WriteString(w, text); err != nil {
				return err
			}
			return err
		}
	}

	dir := t.TempDir()
	file := filepath.Join(dir, "grid.copy")
	if err := writeFileAtomically(t.Context(), file, write("a part", errFull)); !errors.Is(err, errFull) || !strings.Contains(err.Error(), file) {
		t.Errorf("the error is %v", err)
	}

	checkFiles(t, dir)
	if err := writeFileAtomically(t.Context(), file, write("first", nil)); err != nil {
		t.Error(err)
	}
	if err := writeFileAtomically(t.Context(), file, write("a part", errFull)); !errors.Is(err, errFull) {
		t.Errorf("the error is %v", err)
	}
	if got := readFile(t, file); got != "first" {
		t.Errorf("after a failure the file holds %q", got)
	}
	if err := writeFileAtomically(t.Context(), file, write("second", nil)); err != nil {
		t.Error(err)
	}
	if got := readFile(t, file); got != "second" {
		t.Errorf("the file holds %q", got)
	}

	checkFiles(t, dir, "grid.copy")
}

func TestDumpToFolderThatIsNotThere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "nowhere", "grid.copy")
	code, stdout, stderr := call(t.Context(), "dump", "--cell-size", "1", "--cols", "3", "--rows", "2", "--out", file)
	if code != exitFailed || stdout != "" {
		t.Errorf("exit code %d, should be %d; stdout %q", code, exitFailed, stdout)
	}

	checkOneLine(t, stderr, "writing "+file, "no such file")
}

func TestDumpCancelled(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "grid.copy")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	go func() { // at the first bytes in the file
		defer cancel()

		for range 10_000 {
			if parts, _ := filepath.Glob(file + ".*.part"); len(parts) == 1 {
				if info, err := os.Stat(parts[0]); err == nil && info.Size() > 0 {
					return
				}
			}

			time.Sleep(time.Millisecond)
		}
	}()

	// Without cancellation it would run for years.
	code, _, stderr := call(ctx, "dump", "--cell-size", "1", "--cols", "1073741824", "--rows", "1073741824", "--out", file)
	if code != exitFailed {
		t.Errorf("exit code %d, should be %d", code, exitFailed)
	}

	checkOneLine(t, stderr, "writing "+file, "context canceled")
	checkFiles(t, dir)

	code, stdout, stderr := call(ctx, "dump", "--cell-size", "1", "--cols", "3", "--rows", "2", "--out", file)
	if code != exitFailed || stdout != "" {
		t.Errorf("cancelled before: exit code %d, stdout %q", code, stdout)
	}

	checkOneLine(t, stderr, "context canceled")
	checkFiles(t, dir)
}
