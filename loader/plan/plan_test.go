package plan

import (
	"math"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/job"
)

func TestChunkCount(t *testing.T) {
	for _, test := range []struct {
		name                     string
		rows, chunkRows, streams int64
		want                     int64
	}{
		{"one row", 1, 1e6, 4, 1},
		{"few rows, a stream is enough", 40_000, 1e6, 4, 1},
		{"enough for two streams", 90_000, 1e6, 4, 2},
		{"a chunk a stream", 800_000, 1e6, 2, 2},
		{"full chunks", 29_900_000, 1e6, 2, 30},
		{"a multiple of the streams", 2_500_000, 1e6, 2, 4},
		{"no multiple where it matters little", 29_900_000, 1e6, 3, 30},
		{"small chunks on demand", 100, 10, 2, 10},
		{"not more chunks than rows", 3, 1, 2, 3},
		{"one stream", 2_500_000, 1e6, 1, 3},
		{"many", 1e10, 1e6, 4, 10_000},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := chunkCount(test.rows, test.chunkRows, test.streams); got != test.want {
				t.Errorf("got %d chunks, want %d", got, test.want)
			}
		})
	}
}

func TestChunksCoverTheIDsWithoutGapOrOverlap(t *testing.T) {
	for _, job := range []job.Job{
		unitJob(1000, 800),
		{Table: job.Table{Name: "t"}, Grid: geomgen.Grid{DX: 1, DY: 1}, Extent: &geomgen.Box{XMin: -70, YMin: -33, XMax: 51, YMax: 120}, ChunkRows: 77},
		{Table: job.Table{Name: "t"}, Grid: geomgen.Grid{DX: 1, DY: 1}, Cols: 1, Rows: 1},
	} {
		p, err := New(t.Context(), job)
		if err != nil {
			t.Fatal(err)
		}

		var sum, last int64
		last = -1

		for i := range p.Chunks {
			c := p.Chunk(i)
			if c.No != i || c.First <= last || c.Last < c.First {
				t.Fatalf("chunk %+v follows cell_id %d", c, last)
			}

			if c.Rows < p.Rows/p.Chunks || c.Rows > p.Rows/p.Chunks+1 {
				t.Fatalf("chunk %+v of %d rows in %d chunks", c, p.Rows, p.Chunks)
			}

			n := int64(0)
			w := p.Cells.Walk(c.First, c.Last)

			for b, ok := w.Next(); ok; b, ok = w.Next() {
				n += b.Cells()
			}

			if n != c.Rows {
				t.Fatalf("chunk %+v walks over %d cells", c, n)
			}

			sum, last = sum+c.Rows, c.Last
		}

		if sum != p.Rows || p.Rows != p.Cells.Count() {
			t.Fatalf("%d rows in chunks, %d planned, %d cells", sum, p.Rows, p.Cells.Count())
		}
	}
}

// Planning 10^18 cells must cost no more than planning ten.
func TestPlansOfAnySizeAreCheap(t *testing.T) {
	job := unitJob(geomgen.MaxIndex, geomgen.MaxIndex)
	p, err := New(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}

	if p.Rows != 1<<60 {
		t.Fatalf("%d rows, want 2^60", p.Rows)
	}

	last := p.Chunk(p.Chunks - 1)
	if last.Last != 1<<60-1 {
		t.Errorf("the last cell_id is %d, want 2^60-1", last.Last)
	}

	if e := p.Estimate(); min(e.HeapBytes, e.CopyBytes, e.IndexBytes, e.WALBytes) < 1<<62 || e.Seconds < 1e9 {
		t.Errorf("sizes of 2^60 rows: %+v", e)
	}
}

// A plan shows how much sooner partitions would be ready if the difference is large enough.
func TestInPartitions(t *testing.T) {
	for _, test := range []struct {
		name       string
		job        func(*job.Job)
		partitions int64
		seconds    float64
	}{
		{"large", func(j *job.Job) { j.Cols, j.Rows = 10_000, 3_000 }, 15, 39},
		{"large, BRIN", func(j *job.Job) { j.Cols, j.Rows, j.Index = 10_000, 3_000, job.IndexBRIN }, 15, 23.7},
		{"huge", func(j *job.Job) { j.Cols, j.Rows = 100_000, 100_000 }, 256, 12_900.3},
		{"small", func(*job.Job) {}, 0, 0},
		{"one stream", func(j *job.Job) { j.Cols, j.Rows, j.Streams = 10_000, 3_000, 1 }, 0, 0},
		{"partitioned", func(j *job.Job) { j.Cols, j.Rows, j.Partitions = 10_000, 3_000, 8 }, 0, 0},
		{"append", func(j *job.Job) { j.Cols, j.Rows, j.IfExists = 10_000, 3_000, job.Append }, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			j := unitJob(2000, 1600)
			test.job(&j)
			p, err := New(t.Context(), j)
			if err != nil {
				t.Fatal(err)
			}

			n, seconds := p.InPartitions()
			if n != test.partitions || math.Abs(seconds-test.seconds) > 0.01 {
				t.Fatalf("%d partitions in %.2f s, want %d in %.2f", n, seconds, test.partitions, test.seconds)
			}
			if n == 0 {
				return
			}

			// The promise equals the estimate of a plan with that many partitions.
			j.Partitions = int(n)
			if p, err = New(t.Context(), j); err != nil {
				t.Fatal(err)
			}
			if got := p.Estimate().Seconds; math.Abs(got-seconds) > 0.01 {
				t.Errorf("with them a plan says %.2f s, want %.2f", got, seconds)
			}
		})
	}
}

// The times help to choose between methods: docs/estimates.md has the figures.
func TestEstimatedSeconds(t *testing.T) {
	var server *Server
	seconds := func(change func(*job.Job)) float64 {
		job := unitJob(2000, 1600)
		change(&job)
		p, err := New(t.Context(), job)
		if err != nil {
			t.Fatal(err)
		}

		if server != nil {
			p = p.WithServer(*server)
		}

		return p.Estimate().Seconds
	}

	// PostgreSQL 13 with PostGIS 3.1 takes three times as long with GiST, and about as long with BRIN.
	server = &Server{}
	if old := seconds(func(*job.Job) {}); old < 20.13 || old > 20.15 {
		t.Errorf("without sorting: %.3f s", old)
	}
	if old := seconds(func(j *job.Job) { j.Index = job.IndexBRIN }); old < 4.93 || old > 4.95 {
		t.Errorf("with VACUUM after COPY FREEZE: %.3f s", old)
	}

	server = &Server{SortsGiST: true, MarksCopied: true}
	newer := seconds(func(*job.Job) {})
	server = nil
	if assumed := seconds(func(*job.Job) {}); assumed != newer {
		t.Errorf("without a server %.3f s, with a new one %.3f", assumed, newer)
	}

	for _, test := range []struct {
		name string
		job  func(*job.Job)
		want float64
	}{
		{"plain, GiST", func(*job.Job) {}, 6.22},
		{"plain, BRIN", func(j *job.Job) { j.Index = job.IndexBRIN }, 4.46},
		{"plain, none", func(j *job.Job) { j.Index = job.IndexNone }, 3.98},
		{"chunks, both", func(j *job.Job) { j.Index, j.Streams = job.IndexBoth, 2 }, 6.38},
		{"partitioned, GiST", func(j *job.Job) { j.Partitions = 4 }, 4.428},
		{"partitioned, BRIN", func(j *job.Job) { j.Partitions, j.Index = 4, job.IndexBRIN }, 2.796},
		{"partitioned, one stream", func(j *job.Job) { j.Partitions, j.Streams = 4, 1 }, 7.18},
	} {
		if got := seconds(test.job); got < test.want-0.001 || got > test.want+0.001 {
			t.Errorf("%s: %.3f s, want %.3f", test.name, got, test.want)
		}
	}
}
