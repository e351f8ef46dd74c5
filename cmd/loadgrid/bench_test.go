package main

import (
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/loader"
)

func TestPrintBench(t *testing.T) {
	var b strings.Builder
	server := loader.BenchResult{
		Rows: 1_000_000, RowsAsked: 1_000_000, RowBytes: 127, Rounds: 7, Seconds: 31.4,
		Limit: loader.BenchRate{Median: 1_234_567, Min: 1_200_000, Max: 1_300_000}, LimitBy: loader.LimitServerFile, LimitWhy: "it may",
		Loadgrid: loader.BenchRate{Median: 1_111_110, Min: 999_999, Max: 1_200_000}, Share: 0.9,
		Discarded: 2_000_000, Generated: 90_000_000, Bottleneck: loader.BottleneckServer, Verdict: "the server is the limit",
	}

	client := server
	client.Rows, client.Rounds, client.LimitBy, client.LimitWhy = 82_000, 3, loader.LimitClientFile, "the role may not"
	client.Limit, client.Loadgrid = loader.BenchRate{Median: 12_000, Min: 9_000, Max: 13_000}, loader.BenchRate{Median: 12_345, Min: 9_500, Max: 14_000}
	client.Discarded, client.Share, client.Verdict = 12_500, 1.03, "the way is the limit"

	for _, r := range []loader.BenchResult{server, client} {
		if err := printBench(&b, r); err != nil {
			t.Fatal(err)
		}
		b.WriteByte('\n')
	}

	golden(t, "bench.txt", b.String())
}
