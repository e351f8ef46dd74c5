package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/loader"
)

// renderScreen returns the lines that a terminal shows after this output.
func renderScreen(t *testing.T, output string) []string {
	t.Helper()
	lines := [][]rune{nil}
	at := 0
	put := func(r rune) {
		line := &lines[len(lines)-1]
		for len(*line) <= at {
			*line = append(*line, ' ')
		}

		(*line)[at] = r
		at++
	}

	for rest := output; rest != ""; {
		switch {
		case strings.HasPrefix(rest, "\x1b[2K"): // clear the line
			lines[len(lines)-1], rest = nil, rest[4:]
			continue
		case strings.HasPrefix(rest, "\x1b[0K"): // clear to the end of the line
			last := &lines[len(lines)-1]
			*last, rest = (*last)[:min(at, len(*last))], rest[4:]
			continue
		}

		r := []rune(rest)[0]
		switch r {
		case '\r':
			at = 0
		case '\n':
			lines, at = append(lines, nil), 0
		case '\x1b':
			t.Fatalf("a sequence that this terminal does not know: %q", rest[:min(len(rest), 10)])
		default:
			put(r)
		}

		rest = rest[len(string(r)):]
	}

	var shown []string
	for _, l := range lines {
		shown = append(shown, strings.TrimRight(string(l), " "))
	}

	for len(shown) > 0 && shown[len(shown)-1] == "" {
		shown = shown[:len(shown)-1]
	}
	return shown
}

func checkScreen(t *testing.T, output string, want ...string) {
	t.Helper()
	if got := renderScreen(t, output); !slices.Equal(got, want) {
		t.Errorf("the screen shows\n%s\nshould show\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestBar(t *testing.T) {
	r, b := newTestReporter(t, "bar")
	r.update(loader.Snapshot{}) // before the run starts
	checkScreen(t, b.String())
	r.update(loader.Snapshot{Stage: loader.StagePlan, Elapsed: 300 * time.Millisecond})
	plan := "   0% |            |  plan    0.3 s"
	checkScreen(t, b.String(), plan)
	r.update(loader.Snapshot{Stage: loader.StagePlan, Elapsed: 12 * time.Second})
	checkScreen(t, b.String(), "   0% |            |  plan    12s")
	planDone := " 100% |████████████|  plan    12s"
	r.update(loader.Snapshot{Stage: loader.StageLoad, Total: 5_000_000})
	checkScreen(t, b.String(), planDone, "   0% |            |  load            0/5,000,000")
	r.update(loader.Snapshot{Stage: loader.StageLoad, Done: 1_600_000, Total: 5_000_000, Elapsed: 4 * time.Second})
	load := "  31% |███         |  load    1,600,000/5,000,000, 400,000 rows/s, 8.5 s left"
	checkScreen(t, b.String(), planDone, load)

	r.log().Warn("trying again") // replaces the bar
	lines := renderScreen(t, b.String())
	if len(lines) != 2 || lines[0] != planDone || !strings.HasSuffix(lines[1], `level=WARN msg="trying again"`) {
		t.Errorf("with a log line: %q", lines)
	}

	warning := lines[1]
	// The bar is drawn again below. A failed attempt has removed rows from the count.
	r.update(loader.Snapshot{Stage: loader.StageLoad, Done: 1_210_000, Total: 5_000_000, Elapsed: 5 * time.Second})
	checkScreen(t, b.String(), planDone, warning, "  24% |██          |  load    1,210,000/5,000,000, 242,000 rows/s, 16s left")

	// All rows are sent, but the stage is not done.
	r.update(loader.Snapshot{Stage: loader.StageLoad, Done: 5_000_000, Total: 5_000_000, Elapsed: 10 * time.Second})
	checkScreen(t, b.String(), planDone, warning, "  99% |███████████ |  load    5,000,000/5,000,000, 500,000 rows/s, finishing")

	// Index began one second ago, so load took nine. Analyze is too short to be seen.
	r.update(loader.Snapshot{Stage: loader.StageIndex, Done: 2_500_000, Total: 10_000_000, Elapsed: time.Second})
	r.update(loader.Snapshot{Stage: loader.StagePublish, Elapsed: 0})
	r.update(loader.Snapshot{}) // the run is done
	lines = renderScreen(t, b.String())
	loadDone := " 100% |████████████|  load    9.0 s, 5,000,000 rows, " // and a rate that depends on the clock
	want := []string{planDone, warning, loadDone, " 100% |████████████|  freeze  0.0 s", " 100% |████████████|  index   1.0 s",
		" 100% |████████████|  analyze 0.0 s", " 100% |████████████|  publish 0.0 s"}
	if len(lines) != len(want) {
		t.Fatalf("the screen shows %q", lines)
	}

	for i, w := range want {
		if lines[i] != w && (w != loadDone || !strings.HasPrefix(lines[i], w)) {
			t.Errorf("line %d is %q, should be %q", i, lines[i], w)
		}
	}

	r.view.finish()
	if after := renderScreen(t, b.String()); len(after) != len(want) || !strings.HasSuffix(b.String(), "\n") {
		t.Errorf("at the end the screen shows %q", after)
	}
}

func TestBarThatStops(t *testing.T) {
	for _, tt := range []struct {
		name string
		last loader.Snapshot
		want []string
	}{
		{"before the run", loader.Snapshot{}, nil},
		{"in plan", loader.Snapshot{Stage: loader.StagePlan, Elapsed: time.Second}, nil},
		{"in load, without an end", loader.Snapshot{Stage: loader.StageLoad, Done: 1, Total: 2, Elapsed: time.Second},
			[]string{" 100% |████████████|  plan    0.0 s", "  33% |███         |  load    1/2, 1 row/s, 1.0 s left"}},
		{"bench, which has one stage", loader.Snapshot{Stage: loader.StageLoad, Done: 2000, Total: 2000, Elapsed: time.Second},
			[]string{" 100% |████████████|  plan    0.0 s", " 100% |████████████|  load    1.0 s, 2,000 rows, 2,000 rows/s"}},
		{"refused in plan", loader.Snapshot{Stage: loader.StagePlan, Elapsed: time.Second, End: loader.EndFailed}, nil},
		{"stopped in load", loader.Snapshot{Stage: loader.StageLoad, Done: 3000, Total: 9000, Elapsed: 4 * time.Second, End: loader.EndStopped},
			[]string{" 100% |████████████|  plan    0.0 s", "  33% |███         |  load    4.0 s, stopped at 3,000 of 9,000 rows"}},
		{"failed in index", loader.Snapshot{Stage: loader.StageIndex, Done: 3000, Total: 9000, Elapsed: 4 * time.Second, End: loader.EndFailed},
			[]string{" 100% |████████████|  plan    0.0 s", " 100% |████████████|  load    0.0 s, 0 rows", " 100% |████████████|  freeze  0.0 s", "  33% |███         |  index   4.0 s, failed"}},
		{"failed in publish", loader.Snapshot{Stage: loader.StagePublish, Elapsed: 4 * time.Second, End: loader.EndFailed},
			[]string{" 100% |████████████|  plan    0.0 s", " 100% |████████████|  load    0.0 s, 0 rows", " 100% |████████████|  freeze  0.0 s", " 100% |████████████|  index   0.0 s",
				" 100% |████████████|  analyze 0.0 s", "   0% |            |  publish 4.0 s, failed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, b := newTestReporter(t, "bar")
			r.update(tt.last)
			r.view.finish()
			b.WriteString("loadgrid: it stopped\n")
			checkScreen(t, b.String(), append(tt.want, "loadgrid: it stopped")...)
		})
	}
}

// While a run ends, nothing says that it continues. A run whose answer was lost may still be published.
func TestBarWhileARunEnds(t *testing.T) {
	r, b := newTestReporter(t, "bar")
	s := loader.Snapshot{Stage: loader.StagePublish, Elapsed: time.Second, End: loader.EndStopped}
	r.update(s)
	if lines := renderScreen(t, b.String()); lines[len(lines)-1] != "   0% |            |  publish ending the run" {
		t.Errorf("the screen shows %q", lines)
	}

	r.update(loader.Snapshot{})
	r.view.finish()
	if lines := renderScreen(t, b.String()); !strings.HasPrefix(lines[len(lines)-1], " 100% |████████████|  publish 1.0 s") {
		t.Errorf("at the end the screen shows %q", lines)
	}
}

// The remaining time of an index build is shown as long as it is known.
func TestBarOfAnIndex(t *testing.T) {
	for _, tt := range []struct {
		done           int64
		elapsed, moved time.Duration
		want           string
	}{
		{0, time.Second, 0, "   0% |            |  index   1.0 s"},
		{50, 10 * time.Second, 10 * time.Second, "  49% |█████       |  index   10s, 10s left"},
		{50, 15 * time.Second, 10 * time.Second, "  49% |█████       |  index   15s, 5.0 s left"},
		{50, 25 * time.Second, 10 * time.Second, "  49% |█████       |  index   25s, finishing"},
		{100, 25 * time.Second, 20 * time.Second, "  99% |███████████ |  index   25s, finishing"},
	} {
		r, b := newTestReporter(t, "bar")
		r.update(loader.Snapshot{Stage: loader.StageIndex, Done: tt.done, Total: 100, Elapsed: tt.elapsed, Moved: tt.moved})
		lines := renderScreen(t, b.String())
		if got := lines[len(lines)-1]; got != tt.want {
			t.Errorf("%+v: %q, want %q", tt, got, tt.want)
		}
	}
}
