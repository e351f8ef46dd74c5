package main

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestContendersTakeTurns(t *testing.T) {
	var turns []string
	turn := func(name string) contender {
		return contender{name: name, run: func(context.Context) (sample, error) {
			turns = append(turns, name)
			return sample{Seconds: float64(len(turns))}, nil
		}}
	}

	r, err := arm{id: "x", contenders: []contender{turn("A"), turn("B"), turn("C")}}.measure(t.Context(), 2, io.Discard)
	if err != nil {
		t.Fatal(err)
	}

	if got := strings.Join(turns, " "); got != "A B C A B C" {
		t.Errorf("the turns were %s", got)
	}
	if s := r.find("B").seconds(); s != (spread{3.5, 2, 5}) {
		t.Errorf("B took %v", s)
	}
}

// A contender that does the wrong work is not measured.
func TestWrongWorkIsNoMeasurement(t *testing.T) {
	wrong := errors.New("7 rows, want 8")
	a := arm{contenders: []contender{{name: "A",
		run:   func(context.Context) (sample, error) { return sample{}, nil },
		check: func(context.Context) error { return wrong },
	}}}
	if _, err := a.measure(t.Context(), 1, io.Discard); !errors.Is(err, wrong) {
		t.Errorf("got %v, want %v", err, wrong)
	}
}

// The result leaves out and names a peer that is broken on this machine. A failure of loadgrid is an error.
func TestBrokenPeerIsLeftOut(t *testing.T) {
	broken := contender{name: "B", peer: true, run: func(context.Context) (sample, error) {
		return sample{}, errors.New("no driver\nmore")
	}}
	fine := contender{name: "A", run: func(context.Context) (sample, error) { return sample{Seconds: 1}, nil }}
	r, err := arm{contenders: []contender{broken, fine}}.measure(t.Context(), 2, io.Discard)
	if err != nil {
		t.Fatal(err)
	}

	if len(r.Contenders) != 1 || len(r.find("A").Samples) != 2 || !slices.Equal(r.Failed, []string{"B (no driver)"}) {
		t.Errorf("got %+v", r)
	}
	broken.peer = false
	if _, err := (arm{contenders: []contender{broken, fine}}).measure(t.Context(), 2, io.Discard); err == nil {
		t.Error("a contender that must run failed without an error")
	}
}

// The memory of a process does not include the memory that its parent held when it started.
func TestMemoryIsThatOfTheProcess(t *testing.T) {
	held := make([]byte, 200<<20)
	for i := range held {
		held[i] = 1
	}

	_, _, most, err := runProcess(t.Context(), nil, "sleep", "0.2")
	if err != nil {
		t.Fatal(err)
	}

	if most == 0 || most > 50<<20 {
		t.Errorf("sleep held %d bytes", most)
	}
	runtime.KeepAlive(held)
}

func TestSpread(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   spread
	}{
		{nil, spread{}},
		{[]float64{2}, spread{2, 2, 2}},
		{[]float64{3, 1, 2}, spread{2, 1, 3}},
		{[]float64{4, 1, 2, 9}, spread{3, 1, 9}},
	} {
		if got := spreadOf(test.values); got != test.want {
			t.Errorf("%v: got %v, want %v", test.values, got, test.want)
		}
	}
}

func fakeMeasurements() *measurements {
	times := func(name string, seconds ...float64) contenderTimes {
		c := contenderTimes{Name: name}
		for _, s := range seconds {
			c.Samples = append(c.Samples, sample{Seconds: s, MaxRSS: 20 << 20, Stages: map[string]float64{"buffers": s * 10}})
		}
		return c
	}

	return &measurements{
		Machine: machine{Cores: 2, Missing: []string{"gdal-bin"}},
		Results: []result{
			{ID: "ready_3.2_untuned", Title: "ready", Cells: 3_200_000, Server: untuned, Reference: nameSeries, Contenders: []contenderTimes{
				times(nameSeries, 9, 8, 10), times(nameSquare, 7, 8, 9), times(nameSeriesBR, 5), times(nameSquareBR, 6), times(namePlain, 5), times(nameParts, 8), times(namePartsBR, 3.9)}},
			{ID: "query_window_100_untuned", Title: "window", Reference: tableSquare, Contenders: []contenderTimes{times(tableSquare, 1), times(tableLoadgrid, 0.05)}},
		},
	}
}

// The targets use the faster of the peers that use SQL alone, by its median.
func TestTargets(t *testing.T) {
	got := map[string]target{}
	for _, target := range fakeMeasurements().targets() {
		got[target.what] = target
	}

	for what, want := range map[string]struct {
		got     float64
		reached bool
	}{
		"plain + GiST against the faster SQL alone, 3.2 million cells, untuned":                  {1.6, true},
		"partitioned + GiST against the faster SQL alone, 3.2 million cells, untuned":            {1, false},
		"partitioned + BRIN against the faster SQL alone with BRIN, 3.2 million cells, untuned":  {5 / 3.9, false},
		"pages that a window of 100 x 100 cells reads, relative to ST_SquareGrid, GiST, untuned": {0.05, true},
		"greatest memory of the client, MiB":                                                     {20, true},
	} {
		if target, ok := got[what]; !ok || math.Abs(target.got-want.got) > 1e-9 || target.reached() != want.reached {
			t.Errorf("%s: %v, reached %v; want %v", what, target, target.reached(), want)
		}
	}

	if target := got["generation on two cores against list(map(box))"]; !math.IsNaN(target.got) || target.reached() {
		t.Errorf("a target without a measurement is %v", target)
	}
}

func TestReportAndMeasurementsAreWritten(t *testing.T) {
	dir := t.TempDir()
	m := fakeMeasurements()
	if err := m.report(dir); err != nil {
		t.Fatal(err)
	}

	report, err := os.ReadFile(filepath.Join(dir, "benchmarks.md"))
	if err != nil {
		t.Fatal(err)
	}

	for _, want := range []string{
		"could not be installed: gdal-bin",
		"| partitioned + GiST against the faster SQL alone, 3.2 million cells, untuned | at least 1.7 | 1.00 | **falls short** |",
		"| " + nameSeries + " | 9.00 (8.00 to 10.0) | 355,555 | 20 MiB | 1.00 |",
		"not measured", "max_wal_size = 16GB",
	} {
		if !strings.Contains(string(report), want) {
			t.Errorf("the report lacks %q", want)
		}
	}

	for _, name := range []string{"benchmarks-ready.svg", "benchmarks-ready-dark.svg"} {
		chart, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(chart), "<svg") {
			t.Errorf("the chart %s is not an SVG: %v", name, err)
		}
		if strings.Count(string(report), `"`+name+`"`) != 1 {
			t.Errorf("the report does not show %s once", name)
		}
	}

	file := filepath.Join(dir, "benchmarks.json")
	if err := m.write(file); err != nil {
		t.Fatal(err)
	}

	again, err := readMeasurements(file)
	if err != nil {
		t.Fatal(err)
	}

	again.put(result{ID: "ready_3.2_untuned", Title: "ready again"})
	ids := []string{}
	for _, r := range again.Results {
		ids = append(ids, r.ID+" "+r.Title)
	}
	if want := []string{"ready_3.2_untuned ready again", "query_window_100_untuned window"}; !slices.Equal(ids, want) {
		t.Errorf("got %v, want %v", ids, want)
	}
}
