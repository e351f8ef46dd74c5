//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/internal/testrand"
)

// areaOfHoles writes an area with n holes side by side, as WKT.
func areaOfHoles(t *testing.T, name string, holes int) {
	t.Helper()
	var b bytes.Buffer
	fmt.Fprintf(&b, "POLYGON((-1 -1,%d -1,%[1]d 3,-1 3,-1 -1)", 2*holes+1)
	for i := range holes {
		x := 2 * float64(i)
		fmt.Fprintf(&b, ",(%g 0.5,%g 0.5,%[2]g 1.5,%[1]g 1.5,%[1]g 0.5)", x+0.5, x+1.5)
	}

	b.WriteString(")")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Whatever a command is doing when a signal comes, it ends soon, says so, and leaves no partial
// file: it may be reading or checking an area, counting or clipping cells, drawing or writing.
func TestSignalAtRandomMoments(t *testing.T) {
	clearEnv(t)
	rng := testrand.New(t, 114)
	const usual = 5 * time.Second

	dir := t.TempDir()
	area, jobs := filepath.Join(dir, "area.wkt"), filepath.Join(dir, "jobs.yaml")
	areaOfHoles(t, area, 150_000)
	job := fmt.Sprintf("jobs: [{table: a, cell-size: 7, aoi: %s}, {table: b, cell-size: 1, aoi: %[1]s, aoi-rule: centroid}]\n", area)
	if err := os.WriteFile(jobs, []byte(job), 0o600); err != nil {
		t.Fatal(err)
	}

	for _, command := range []string{
		"plan --cell-size 5 --aoi AREA",
		"plan --cell-size 50 --aoi AREA --picture OUT.png",
		"plan --cell-size 2000 --aoi AREA --picture OUT.svg",
		"plan --job JOBS",
		"job check JOBS",
		"dump --cell-size 3 --aoi AREA --clip --out OUT.copy",
		"dump --cell-size 1000000 --aoi AREA --clip --coverage --out OUT.copy",
		"dump --cell-size 1 --cols 20000 --rows 20000 --out OUT.copy",
		"load --table g --cell-size 5 --aoi AREA --dsn postgresql://me@127.0.0.1:1/gis",
	} {
		t.Run(command, func(t *testing.T) {
			out := t.TempDir()
			text := strings.NewReplacer("AREA", area, "JOBS", jobs, "OUT", filepath.Join(out, "out")).Replace(command)
			stop := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}[rng.IntN(2)]
			after := time.Duration(rng.Int64N(int64(1500 * time.Millisecond)))

			cmd, stderr := startProcess(t, nil, strings.Fields(text)...)
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()

			select {
			case <-ended: // before the signal came
				return
			case <-time.After(after):
			}

			sent := time.Now()
			_ = cmd.Process.Signal(stop) // it may have ended already
			select {
			case <-ended:
			case <-time.After(10 * usual):
				t.Fatalf("%v after %v: it goes on, %v later", stop, after, 10*usual)
			}

			code := cmd.ProcessState.ExitCode()
			t.Logf("%v after %v: it ended %v later with exit code %d", stop, after.Round(time.Millisecond), time.Since(sent).Round(time.Millisecond), code)

			switch {
			case code == exitDone, code == -1: // too late, or too early to be heard
			case code != 128+int(stop):
				t.Errorf("exit code %d: %s", code, stderr)
			case !strings.HasSuffix(stderr.String(), map[syscall.Signal]string{syscall.SIGINT: "stopped by SIGINT\n", syscall.SIGTERM: "stopped by SIGTERM\n"}[stop]):
				t.Errorf("stderr is %q", stderr)
			}

			files, err := os.ReadDir(out)
			if err != nil {
				t.Fatal(err)
			}
			if code != exitDone && len(files) > 0 {
				t.Errorf("exit code %d leaves %v", code, files)
			}
		})
	}
}
