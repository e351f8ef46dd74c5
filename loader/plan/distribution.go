package plan

// ShardsPerNode is how many shards a distributed table has for each node, where neither the job
// nor a table that is there says: few, since each costs the load a connection and a transaction,
// and more than one, so that both cores of a small node are at work.
const ShardsPerNode = 2

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
