package main

import (
	"github.com/loadgrid/loadgrid/loader"
)

// printDistribution writes how a plan distributes its rows over a cluster.
func printDistribution(line func(name, format string, args ...any), p *loader.Plan) {
	d, distributed := p.Distribution()
	if !distributed {
		return
	}

	switch {
	case d.Shards > 0:
		line("shards", "%s, each of about %s", formatCount(int64(d.Shards)), pluralCount(d.RowsPerShard, "row"))
	case p.Job.ColocateWith != (loader.Table{}):
		line("shards", "as many as %s has", oneLine(p.Job.ColocateWith.String()))
	default:
		line("shards", "two for each node that holds shards; set the number with --distribute hash:SHARDS")
	}

	if d.Nodes > 0 && d.BytesPerNode > 0 {
		line("nodes", "%d, with about %s of table and indexes on each", d.Nodes, formatBytes(d.BytesPerNode))
	}

	if p.Job.ParentLevels > 0 {
		side := int64(1) << p.Job.ParentLevels
		line("parents", "squares of %s x %s cells, each in one shard", formatCount(side), formatCount(side))
	}
}
