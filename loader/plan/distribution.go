package plan

import (
	"fmt"

	"github.com/loadgrid/loadgrid/loader/units"
)

// ShardsPerNode is how many shards a distributed table has for each node, where neither the job
// nor a table that is there says: few, since each costs the load a connection and a transaction,
// and more than one, so that both cores of a small node are at work.
const ShardsPerNode = 2

// parentsPerShard is how many parents a shard should have at least: with fewer some shards get far
// more rows than others.
const parentsPerShard = 16

// Distribution is how a plan spreads its rows over a Citus cluster. Each shard has about as many
// rows as the others, as far as the hash of their ids spreads them.
type Distribution struct {
	Shards       int   // 0 where only a server can tell
	RowsPerShard int64 // about; 0 where only a server can tell
	Nodes        int   // that hold shards; 0 where no server was asked
	BytesPerNode int64 // about, of table and indexes; 0 where no server was asked
}

// Distribution returns how the plan spreads its rows, and false where the job leaves them on one
// server. Where a table that is there has another number of shards, load keeps that one.
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

// fewParents warns where so few parents are spread over the shards that these differ much.
func (p *Plan) fewParents() []units.Warning {
	d, _ := p.Distribution()
	parents := p.parents()
	if p.Job.ParentLevels == 0 || d.Shards == 0 || parents >= parentsPerShard*int64(d.Shards) {
		return nil
	}

	return []units.Warning{{Param: "distribute-by", Text: fmt.Sprintf(
		"the cells have %d parents, for %d shards: some shards get far more rows than others, and some may get none; a smaller K than %d makes more parents",
		parents, d.Shards, p.Job.ParentLevels)}}
}

// parents returns how many parents the rectangle of the cells has.
func (p *Plan) parents() int64 {
	count := func(from, before int32) int64 {
		return int64((before-1)>>p.Job.ParentLevels) - int64(from>>p.Job.ParentLevels) + 1
	}

	return count(p.Cells.MinCol, p.Cells.MaxCol) * count(p.Cells.MinRow, p.Cells.MaxRow)
}
