package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/internal/jobfile"
	"github.com/loadgrid/loadgrid/internal/options"
)

// closedDSN names a port that refuses connections at once.
const closedDSN = "host=127.0.0.1 port=1 user=me dbname=gis sslmode=disable connect_timeout=1"

const (
	// stopAfter is when to stop a command line that legitimately takes long.
	stopAfter = time.Second
	// hangTimeout is when a stopped command line must have ended, even on a slow machine.
	hangTimeout = 30 * time.Second
	// fuzzedMemory limits all allocations of a command line, including garbage.
	fuzzedMemory = 96 << 20
)

// FuzzCommandLine runs command lines, one argument per line, without a server. They must end with a documented
// exit code and, if it is not 0, with one line that says why. A failed command leaves no file.
func FuzzCommandLine(f *testing.F) {
	clearEnv(f)
	f.Setenv("LOADGRID_DSN", closedDSN)
	for _, seed := range commandLines() {
		f.Add(strings.ReplaceAll(seed, " ", "\n"), []byte(`{"type":"Polygon","coordinates":[[[1,1],[9,2],[5,8],[1,1]]]}`))
	}

	f.Fuzz(func(t *testing.T, line string, stdin []byte) {
		args := strings.Split(line, "\n")
		if reason := skipReason(args); reason != "" {
			t.Skip(reason)
		}

		t.Chdir(t.TempDir())
		hung := time.AfterFunc(hangTimeout, func() { panic(fmt.Sprintf("loadgrid %q does not end", args)) })
		defer hung.Stop()

		ctx, cancel := context.WithTimeout(t.Context(), stopAfter)
		defer cancel()

		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		stdout, stderr := &limitedWriter{room: 1 << 20}, new(bytes.Buffer)
		code := run(ctx, args, bytes.NewReader(stdin), stdout, stderr)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > fuzzedMemory+4096*uint64(len(line)+len(stdin)) {
			t.Errorf("loadgrid %q took %d bytes of memory", args, n)
		}

		checkEnd(t, args, code, stderr.String())
		if files, err := os.ReadDir("."); err != nil || code != exitDone && len(files) > 0 {
			t.Errorf("loadgrid %q failed, and left %v, %v", args, files, err)
		}
	})
}

// FuzzJobCheck checks job files, without a server and without files of areas. It must end like a command line.
func FuzzJobCheck(f *testing.F) {
	clearEnv(f)
	f.Setenv("LOADGRID_DSN", closedDSN)
	for _, seed := range []string{
		"table: a\ncell-size: 1\ncols: 2\nrows: 3\n", "table: a\nshape: xyz\nzoom: 12\ncode: quadkey\n", "defaults: {cell-size: [1, 2], origin: [0, 1]}\njobs: [{table: a, extent: [0, 0, 9, 9]}]",
		"table: a\nshape: hexagon\ncell-size: 1e-3\nextent: 0,0,1,1\nrotate: 30\nset: [a=1, 'b:jsonb={}']\npartitions: 4\nwait: 1s\nprune-runs: 9d\n", "table: a\ncell-size: 1\naoi-sql: select 1\naoi-sql-timeout: 9s\n",
		"table: a\ncell-size: 1\ncols: 1073741824\nrows: 1073741824\nchunk-rows: 1\nstreams: 64\nkeep: 100\nif-exists: replace\n", "table: a.b.c\n", "cell_size: 1\n",
	} {
		f.Add([]byte(seed))
	}

	f.Fuzz(func(t *testing.T, data []byte) {
		if file, err := jobfile.Read("f", data, new(options.Load).Table()); err == nil {
			for _, job := range file.Jobs {
				if job.Values.Has("aoi") || file.Defaults.Has("aoi") {
					t.Skip("its files would be elsewhere")
				}
			}
		}

		hung := time.AfterFunc(hangTimeout, func() { panic(fmt.Sprintf("check of %q does not end", data)) })
		defer hung.Stop()

		ctx, cancel := context.WithTimeout(t.Context(), stopAfter)
		defer cancel()

		stdout, stderr := new(bytes.Buffer), new(bytes.Buffer)
		code := run(ctx, []string{"job", "check", "-"}, bytes.NewReader(data), stdout, stderr)
		checkEnd(t, []string{"job", "check"}, code, stderr.String())
		if code != exitDone && stdout.Len() > 0 {
			t.Errorf("exit code %d, stdout %q", code, stdout)
		}
	})
}

// limitedWriter is a writer whose reader disappears after a number of bytes.
type limitedWriter struct{ room int }

func (p *limitedWriter) Write(b []byte) (int, error) {
	if p.room -= len(b); p.room < 0 {
		return 0, errors.New("nobody reads any more")
	}
	return len(b), nil
}

// skipReason returns why a command line is not run: it would touch files outside the test, or write more
// than a test should.
func skipReason(args []string) string {
	cmd, rest, err := newRootCommand().Find(args)
	if err != nil || cmd == nil {
		return ""
	}
	if cmd.Name() == "demo" {
		return "it would start a server"
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return "" // as it will be
	}

	value := func(name string) string {
		if flag := cmd.Flags().Lookup(name); flag != nil {
			return flag.Value.String()
		}
		return ""
	}

	switch {
	case value("job") != "" || cmd.CommandPath() == "loadgrid job check":
		return "its files may name servers and other files: FuzzJobFile is for them"
	case value("dsn") != "":
		return "it would connect to somebody's server: FuzzDSNNeverLeaks is for connection strings"
	case strings.ContainsAny(value("aoi")+value("out")+value("picture"), `/\`) || value("out") == "..":
		return "its files would be elsewhere"
	case value("out") != "" && value("out") != "-" && !hasFewCells(cmd):
		return "its file would be large"
	}

	return ""
}

func hasFewCells(cmd *cobra.Command) bool {
	few := func(name string) bool {
		n, err := strconv.Atoi(givenValues(cmd).Text(name))
		return err == nil && n > 0 && n < 1000
	}
	return few("cols") && few("rows")
}

// checkEnd checks the exit code, and that an error is one line of printable text, after lines with warnings.
func checkEnd(t *testing.T, args []string, code int, stderr string) {
	t.Helper()
	switch code {
	case exitDone, exitFailed, exitUsage:
	default:
		t.Errorf("loadgrid %q: exit code %d", args, code)
	}

	orders := func(r rune) bool { return r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }
	if !utf8.ValidString(stderr) || strings.ContainsFunc(stderr, orders) {
		t.Errorf("loadgrid %q: a terminal would take stderr for orders: %q", args, stderr)
	}

	lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
	last := lines[len(lines)-1]
	isError := func(line string) bool { return strings.HasPrefix(line, "loadgrid: ") || strings.HasPrefix(line, "{") }
	if code != exitDone && (!isError(last) || !strings.HasSuffix(stderr, "\n")) {
		t.Errorf("loadgrid %q: exit code %d, stderr %q", args, code, stderr)
	}

	for _, line := range lines[:len(lines)-1] {
		if isError(line) {
			t.Errorf("loadgrid %q: several errors: %q", args, stderr)
		}
	}
}

// commandLines are seeds: arguments separated by spaces.
func commandLines() []string {
	const grid = " --cell-size 1 --cols 10 --rows 8"
	lines := []string{
		"", "--help", "help plan", "version", "completion bash", "completion fish --help", "help runs resume", "-h", "--", "laod", "plan --help=maybe",
		"plan" + grid, "dump" + grid, "load --table s.t" + grid, "preview s.t", "bench --rows 10", "runs list", "runs show 3", "runs resume 7", "runs drop 1", "runs rollback 3",
		"load --table g --if-exists replace --keep 2 --publish truncate" + grid, "plan --table g --if-exists=replace --publish=swap --keep=-1" + grid,
		"migrate up", "migrate version", "plan --cell-size=0.1 --extent=-180,-90,180,90 --srid=EPSG:4326 --picture=a.png",
		"plan --shape=hexagon --cell-size=2 --hexagon=pointy --rotate=30 --extent=0,0,99,50 --partitions=4 --index=both --picture=b.svg",
		"plan --shape=xyz --zoom=30 --code=quadkey --geometry=point", "plan --shape=xyz --zoom=4 --extent=-1e7,-1e7,1e7,1e7 --streams=3",
		"dump --shape=xyz --zoom=30", "dump --cell-size=1 --extent=0,0,1e9,1e9", "dump --out=x.copy" + grid, "dump --out=. " + grid,
		"plan --cell-size=1e-3 --rotate=1e-9 --extent=0,0,1e5,1e5", "plan --cell-size=1000 --origin=4e6,2e6 --srid=3035 --code=inspire --code-order=en --cols=9 --rows=9",
		"plan --cell-size=1 --aoi=- --aoi-rule=within --coverage", "dump --cell-size=0.3 --aoi=- --clip --coverage --extent=-5,-5,5,5", "plan --cell-size=0.0001 --aoi=- --picture=c.png",
		"plan --cell-size=1 --aoi-sql=select --aoi-segmentize=0 --aoi-make-valid", "plan --cell-size=1 --srid=3035 --aoi=-",
		"plan --table=g --if-exists=append --on-conflict=skip" + grid, "load --table=g --progress=json --if-exists=replace" + grid, "load --table=g --unlogged --chunk-rows=3" + grid,
		"plan --set=a:numeric=1e131071 --set=b:jsonb={} --set=c:date=infinity" + grid, "plan --id-column=\x1b[31m --geom-column=\u202e" + grid,
		"plan --cell-size=1e308 --cols=1073741824 --rows=1073741824", "plan --cell-size=5e-324 --cols=1 --rows=1", "plan --cell-size=NaN,Inf --cols=1 --rows=1", "plan --table=\xff\x00" + grid,
		"plan --cell-size=1 --cols=1073741824 --rows=1073741824 --chunk-rows=1", "plan --cell-size=1 --extent=0,0,1e300,1", "plan --picture=" + strings.Repeat("x", 300) + ".png" + grid,
		"plan --cols=0x10 --rows=1_000 --cell-size=0x1p-2", "load --table=g --ledger-schema=\x07" + grid, "preview", "preview --picture", "plan --ledger-schema", "dump --no-such", "plan surplus" + grid,
	}

	return lines
}
