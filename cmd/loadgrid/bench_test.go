package main

import (
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/internal/serverlimit"
)

func TestPrintBench(t *testing.T) {
	var b strings.Builder
	server := serverlimit.Result{
		Rows: 1_000_000, RowsAsked: 1_000_000, RowBytes: 127, Rounds: 7, Seconds: 31.4,
		Limit: serverlimit.Rate{Median: 1_234_567, Min: 1_200_000, Max: 1_300_000}, LimitBy: serverlimit.LimitServerFile, LimitWhy: "it may",
		Loadgrid: serverlimit.Rate{Median: 1_111_110, Min: 999_999, Max: 1_200_000}, Share: 0.9,
		Discarded: 2_000_000, Generated: 90_000_000, Bottleneck: serverlimit.BottleneckServer, Verdict: "the server is the limit",
	}

	client := server
	client.Rows, client.Rounds, client.LimitBy, client.LimitWhy = 82_000, 3, serverlimit.LimitClientFile, "the role may not"
	client.Limit, client.Loadgrid = serverlimit.Rate{Median: 12_000, Min: 9_000, Max: 13_000}, serverlimit.Rate{Median: 12_345, Min: 9_500, Max: 14_000}
	client.Discarded, client.Share, client.Verdict = 12_500, 1.03, "the way is the limit"

	for _, r := range []serverlimit.Result{server, client} {
		if err := printBench(&b, r); err != nil {
			t.Fatal(err)
		}
		b.WriteByte('\n')
	}

	golden(t, "bench.txt", b.String())
}
