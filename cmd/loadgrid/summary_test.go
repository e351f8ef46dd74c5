package main

import (
	"bytes"
	"testing"

	"github.com/loadgrid/loadgrid/loader"
)

func TestSummary(t *testing.T) {
	var b bytes.Buffer
	err := printSummary(&b, loader.Summary{
		Run: 12, Table: loader.Table{Schema: "public", Name: "eu 1km"}, Rows: 29_900_000, RowsResumed: 9_900_000,
		Chunks: 30, ChunksCopied: 20, ChunksResumed: 10, Streams: 2, Seconds: 62.5,
		StageSeconds: map[loader.Stage]float64{loader.StagePlan: 0.05, loader.StageLoad: 40, loader.StageIndex: 22,
			loader.StageAnalyze: 0.4, loader.StagePublish: 0.05},
		HeapBytes: 5_000_000_000, IndexBytes: 1_600_000_000, WALBytes: 6_600_000_000,
	})
	if err != nil {
		t.Fatal(err)
	}

	for _, skipped := range []int64{0, 1_234, 20_000} {
		err := printSummary(&b, loader.Summary{Run: 13, Table: loader.Table{Schema: "public", Name: "nordic"}, Rows: 20_000, Appended: true,
			RowsSkipped: skipped, Method: loader.MethodFrozen, Seconds: 2})
		if err != nil {
			t.Fatal(err)
		}
	}

	golden(t, "summary.txt", b.String())
}
