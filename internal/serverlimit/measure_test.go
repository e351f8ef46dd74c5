package serverlimit

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/copier"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/plan"
	copyrows "github.com/loadgrid/loadgrid/loader/rows"
)

func TestBenchOptions(t *testing.T) {
	for name, tt := range map[string]struct {
		options Options
		param   string // "" if the options are valid
	}{
		"none":            {Options{}, ""},
		"one row":         {Options{Rows: 1}, ""},
		"most rows":       {Options{Rows: 10_000_000}, ""},
		"too many rows":   {Options{Rows: 10_000_001}, "rows"},
		"negative rows":   {Options{Rows: -1}, "rows"},
		"schema too long": {Options{Schema: strings.Repeat("x", 64)}, "schema"},
	} {
		t.Run(name, func(t *testing.T) {
			var param *geomgen.ParamError
			if err := tt.options.Validate(); errors.As(err, &param) != (tt.param != "") || param != nil && param.Param != tt.param {
				t.Errorf("got %v, want an error of %q", err, tt.param)
			}
		})
	}
}

func TestRowsWithinTheBudget(t *testing.T) {
	const budget = 40 * time.Second
	for name, tt := range map[string]struct {
		rows      int64
		perSecond float64
		want      int64
	}{
		"a fast server":               {1_000_000, 1e6, 1_000_000},
		"just fast enough":            {1_000_000, 150_000, 1_000_000},
		"too slow, two digits":        {1_000_000, 12_345, 82_000},
		"many rows on a fast server":  {10_000_000, 1e6, 6_600_000},
		"hardly a server":             {1_000_000, 0.01, 1},
		"fewer than a hundred remain": {1_000_000, 10, 66},
	} {
		t.Run(name, func(t *testing.T) {
			if got := rowsWithin(tt.rows, tt.perSecond, budget); got != tt.want {
				t.Errorf("got %d rows, want %d", got, tt.want)
			}
		})
	}
}

// If all rounds take equally long, there are 3 to 7 of them, however long they take, and more than
// 3 only within the budget.
func TestRoundsFitIntoTheBudget(t *testing.T) {
	rounds := func(round, budget time.Duration) int {
		n := 1
		for anotherRound(n, time.Duration(n)*round, round, budget) {
			n++
		}

		return n
	}

	const budget = 40 * time.Second

	for round, want := range map[time.Duration]int{
		time.Millisecond: 7, 5 * time.Second: 7, 6 * time.Second: 6, 9 * time.Second: 4, 12 * time.Second: 3,
		14 * time.Second: 3, // a little more than planned
		20 * time.Second: 2, // slower than planned by half: the minute counts
		50 * time.Second: 1,
	} {
		if got := rounds(round, budget); got != want {
			t.Errorf("%d rounds of %v, want %d", got, round, want)
		}
	}
}

func TestRateOf(t *testing.T) {
	for name, tt := range map[string]struct {
		took []time.Duration
		want Rate
	}{
		"one":   {[]time.Duration{2 * time.Second}, Rate{50, 50, 50}},
		"three": {[]time.Duration{4 * time.Second, time.Second, 2 * time.Second}, Rate{50, 25, 100}},
		"four":  {[]time.Duration{4 * time.Second, time.Second, 3 * time.Second, 5 * time.Second}, Rate{100 / 3.5, 20, 100}},
	} {
		if got := rateOf(100, tt.took); got != tt.want {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}

func TestVerdict(t *testing.T) {
	steady := func(r float64) Rate { return Rate{r, r * 0.95, r * 1.05} }
	for name, tt := range map[string]struct {
		by                                    LimitSource
		limit, loadgrid, discarded, generated float64
		want                                  Bottleneck
	}{
		"server, its own file":                          {LimitServerFile, 1.0, 0.95, 2, 90, BottleneckServer},
		"server, prepared bytes":                        {LimitClientFile, 1.0, 1.0, 2, 90, BottleneckServer},
		"server, its own file no faster than receiving": {LimitServerFile, 1.0, 0.95, 1.0, 90, BottleneckServer},
		"network, discarded rows are as slow":           {LimitServerFile, 1.0, 0.1, 0.1, 90, BottleneckNetwork},
		"network, prepared bytes":                       {LimitClientFile, 0.1, 0.1, 0.1, 90, BottleneckNetwork},
		"network, the server's own file is faster":      {LimitServerFile, 1.0, 0.7, 1.5, 90, BottleneckNetwork},
		"client, slow at making rows":                   {LimitServerFile, 1.0, 0.5, 2, 0.5, BottleneckClient},
		"client, prepared bytes are faster":             {LimitClientFile, 1.0, 0.7, 2, 90, BottleneckClient},
	} {
		t.Run(name, func(t *testing.T) {
			r := Result{LimitBy: tt.by, Limit: steady(tt.limit), Loadgrid: steady(tt.loadgrid), Discarded: tt.discarded, Generated: tt.generated}
			got, verdict := r.judge()
			if got != tt.want || !strings.Contains(verdict, "is the limit") || strings.Contains(verdict, "differ") {
				t.Errorf("got %s (%s), want %s", got, verdict, tt.want)
			}

			r.Loadgrid.Min /= 2 // with the sides as far apart as before, or closer
			_, verdict = r.judge()
			overlap := r.Limit.Min <= r.Loadgrid.Max
			if strings.Contains(verdict, "measure again") != overlap {
				t.Errorf("loadgrid's rounds differ: %s", verdict)
			}

			r.Limit.Min = r.Loadgrid.Min
			if same, verdict := r.judge(); same != got || !strings.Contains(verdict, "measure again") {
				t.Errorf("both sides differ and overlap: %s (%s)", same, verdict)
			}
		})
	}
}

// The two sides must differ only in the source of the bytes.
func TestLimitAndLoadgridHaveTheSameStatement(t *testing.T) {
	j := benchJob(1, 1).WithDefaults()
	table := job.Table{Schema: "a", Name: "b"}
	got := copier.SQL(table, j, "'/x'", true)
	if want := strings.Replace(copier.SQL(table, j, "stdin", true), "from stdin", "from '/x'", 1); got != want {
		t.Errorf("the server's statement is\n%s, loadgrid's with a file\n%s", got, want)
	}
}

// The prepared file has, byte for byte, what loadgrid sends, and close leaves nothing.
func TestPreparedFile(t *testing.T) {
	dir := t.TempDir()
	p, err := plan.New(t.Context(), benchJob(40, 40))
	if err != nil {
		t.Fatal(err)
	}

	b := &measurement{options: Options{TempDir: dir}, plan: p, rows: 1234}
	if err := b.writeFile(t.Context()); err != nil {
		t.Fatal(err)
	}

	got, err := os.ReadFile(b.file)
	if err != nil {
		t.Fatal(err)
	}

	want := make([]byte, len(copyrows.CopyHeader)+1234*p.RowBytes()+len(copyrows.CopyTrailer)+1)
	n, err := b.newRows(t.Context(), 1234).Read(want)
	if err != nil || string(got) != string(want[:n]) {
		t.Errorf("the file has %d bytes, which differ from the %d that are sent: %v", len(got), n, err)
	}

	for _, path := range []string{b.file, b.dir} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o044 != 0o044 {
			t.Errorf("another user may not read %s: %v", path, err)
		}
	}

	if err := b.removeFile(); err != nil {
		t.Fatal(err)
	}

	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%v is left over: %v", left, err)
	}
}

func TestNoRoomForThePreparedFile(t *testing.T) {
	plan, err := plan.New(t.Context(), benchJob(10, 10))
	if err != nil {
		t.Fatal(err)
	}

	b := &measurement{options: Options{TempDir: filepath.Join(t.TempDir(), "nowhere")}, plan: plan, rows: 100}
	if err := b.writeFile(t.Context()); err == nil || !strings.Contains(err.Error(), "TMPDIR") || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func benchJob(cols, rows int64) job.Job {
	return job.Job{Table: job.Table{Name: "grid"}, Grid: geomgen.Grid{DX: 1, DY: 1}, Cols: cols, Rows: rows}
}
