package main

import (
	"github.com/loadgrid/loadgrid/loader"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// manyBytes is the number of bytes from which on plan mentions the disk. A server keeps fewer bytes in
// memory for a while.
const manyBytes = 10_000_000_000

// printTime writes the estimated time until the table is published.
func printTime(line func(name, format string, args ...any), p *loader.Plan) {
	if p.Job.Distribute != "" {
		line("time", "not estimated: it depends on the nodes and the network of the cluster; docs/citus.md has measurements of one cluster")
		return
	}

	e := p.Estimate()
	line("time", "about %s on a server with two cores", formatSeconds(e.Seconds))
	if written := e.HeapBytes + e.IndexBytes + e.WALBytes; written >= manyBytes {
		line("", "whose disk writes %s/s: heap, indexes and WAL are %s", formatBytes(plan.WholeBytes(float64(written)/e.Seconds)), formatBytes(written))
	}
	if n, seconds := p.InPartitions(); n > 0 {
		line("", "about %s with --partitions %d, which keep both cores busy", formatSeconds(seconds), n)
	}
	if text := describeServer(p); text != "" {
		line("", "%s", text)
	}
}

// describeServer describes the server that the estimates assume, if another one would take a different time.
func describeServer(p *loader.Plan) string {
	server, known := p.Server()

	switch {
	case p.Job.Index != loader.IndexGiST && p.Job.Index != loader.IndexBoth:
		return ""
	case !known:
		return "assumes PostgreSQL 15 with PostGIS 3.3 or newer; an older server builds GiST without sorting, and the load takes three times as long"
	case !server.SortsGiST:
		return "this server builds GiST without sorting; PostgreSQL 15 with PostGIS 3.3 or newer takes a third of that time"
	}

	return ""
}
