package plan

import (
	"fmt"

	"github.com/loadgrid/loadgrid/loader/units"
)

// ShardsPerNode is the default number of shards of a new distributed table per node. It is small because each
// shard costs the load a connection and a transaction, but more than one, so that a small node uses both of its
// cores.
const ShardsPerNode = 2

// parentsPerShard is the least number of parents that a shard should have. With fewer, some shards get far more
// rows than others.
const parentsPerShard = 16

// Distribution describes how a plan distributes its rows over a Citus cluster. Shards have similar numbers of
// rows, as far as the hash distributes the ids evenly.
type Distribution struct {
	Shards       int   // 0 if only a server knows
	RowsPerShard int64 // approximate; 0 if only a server knows
	Nodes        int   // nodes that hold shards; 0 without a server
	BytesPerNode int64 // approximate, table and indexes; 0 without a server
}

// Distribution returns how the plan distributes its rows. distributed is false if the job leaves them on one
// server. If an existing table has another number of shards, load keeps that number.
func (p *Plan) Distribution() (d Distribution, distributed bool) {
	if p.Job.Distribute == "" {
		return d, false
	}

	d.Shards, d.Nodes = p.Job.Shards, p.server.Nodes
	if d.Shards == 0 && p.Job.ColocateWith.Name == "" {
		d.Shards = ShardsPerNode * d.Nodes
	}

	if d.Shards > 0 {
		d.RowsPerShard = (p.Rows-1)/int64(d.Shards) + 1
	}

	if d.Nodes > 0 && d.Shards > 0 {
		e := p.Estimate()
		perShard := (float64(e.HeapBytes) + float64(e.IndexBytes)) / float64(d.Shards)
		d.BytesPerNode = WholeBytes(perShard * float64((d.Shards-1)/d.Nodes+1))
	}

	return d, true
}

// fewParents warns if there are so few parents per shard that shards differ much in size.
func (p *Plan) fewParents() []units.Warning {
	d, _ := p.Distribution()
	parents := p.parents()
	if p.Job.ParentLevels == 0 || d.Shards == 0 || parents >= parentsPerShard*int64(d.Shards) {
		return nil
	}

	return []units.Warning{{Param: "distribute-by", Text: fmt.Sprintf(
		"the cells have %d parents for %d shards: some shards get far more rows than others, and some may get none; use a K smaller than %d for more parents",
		parents, d.Shards, p.Job.ParentLevels)}}
}

// parents returns how many parents the rectangle of cells has.
func (p *Plan) parents() int64 {
	count := func(from, before int32) int64 {
		return int64((before-1)>>p.Job.ParentLevels) - int64(from>>p.Job.ParentLevels) + 1
	}

	return count(p.Cells.MinCol, p.Cells.MaxCol) * count(p.Cells.MinRow, p.Cells.MaxRow)
}
