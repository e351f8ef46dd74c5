package main

import (
	"github.com/loadgrid/loadgrid/loader"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// manyBytes is from how many bytes on plan names the disk: a server keeps fewer in memory for a
// while.
const manyBytes = 10_000_000_000

// printTime writes how long a load takes until the table is ready.
func printTime(line func(name, format string, args ...any), p *loader.Plan) {
	if p.Job.Distribute != "" {
		line("time", "not estimated: that of a cluster depends on its nodes and its network; docs/citus.md has what was measured on one")
		return
	}

	e := p.Estimate()
	line("time", "about %s on a server with two cores", formatSeconds(e.Seconds))
	if written := e.HeapBytes + e.IndexBytes + e.WALBytes; written >= manyBytes {
		line("", "whose disk writes %s/s: heap, indexes and WAL are %s", formatBytes(plan.WholeBytes(float64(written)/e.Seconds)), formatBytes(written))
	}
	if n, seconds := p.InPartitions(); n > 0 {
		line("", "about %s with --partitions %d, which keep both cores at work", formatSeconds(seconds), n)
	}
	if text := describeServer(p); text != "" {
		line("", "%s", text)
	}
}

// describeServer says what server the estimates are for, where another would take another time.
func describeServer(p *loader.Plan) string {
	server, known := p.Server()

	switch {
	case p.Job.Index != loader.IndexGiST && p.Job.Index != loader.IndexBoth:
		return ""
	case !known:
		return "with PostgreSQL 15 and PostGIS 3.3, or newer: an older server does not sort to build GiST, and takes three times as long"
	case !server.SortsGiST:
		return "this server does not sort to build GiST: PostgreSQL 15 with PostGIS 3.3, or newer, takes a third of that"
	}

	return ""
}
