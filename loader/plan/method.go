package plan

import (
	"fmt"
	"strconv"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/job"
)

// Method is how the rows get into the table.
type Method string

const (
	// MethodFrozen makes and fills the table in one transaction over one stream,
	// with COPY FREEZE. No page is written a second time to be frozen, but a load
	// that is killed leaves nothing and starts over.
	MethodFrozen Method = "frozen"
	// MethodChunks fills the table over several streams, a chunk a transaction,
	// and then freezes it with VACUUM. A load that is killed is resumed.
	MethodChunks Method = "chunks"
	// MethodPartitions has each stream make partition after partition, each in
	// one transaction: COPY FREEZE, keys, indexes, statistics. What is killed is
	// resumed with the partitions that are missing. Unlogged partitions are made
	// beforehand, and frozen by VACUUM.
	MethodPartitions Method = "partitions"
)

const (
	// frozenRows is the number of rows up to which a plain table is loaded in one
	// transaction when the job leaves it open. A load that is killed loses at most
	// that many rows, about a minute's work. On two cores chunks over two streams
	// win in COPY what VACUUM then takes to freeze them, and cost more WAL: see
	// docs/benchmarks.md.
	frozenRows = 50_000_000
	// defaultChunkRows is about a second's work. Smaller transactions cost more,
	// larger ones lose more when they are interrupted.
	defaultChunkRows = 1_000_000
	// clusterChunkRows is what is copied in one transaction into a distributed table: each chunk
	// opens every shard again, and ends in a commit of two phases on all of their workers.
	clusterChunkRows = 2_000_000
	// maxChunks keeps what a run remembers of its chunks within some megabytes.
	maxChunks = 200_000
	// DefaultStreams is measured: a third one gains nothing while the server has
	// two cores.
	DefaultStreams = 2
)

// chooseChunks says how the rows go out, over how many streams, in how many chunks,
// and why.
func (p *Plan) chooseChunks() error {
	if err := p.chooseMethod(); err != nil {
		return err
	}

	if p.Chunks > maxChunks && p.Exact() { // an estimate may be too high
		return &geomgen.ParamError{Param: "chunk-rows", Value: strconv.FormatInt(p.Job.ChunkRows, 10),
			Reason: fmt.Sprintf("makes %d chunks, more than the %d that a run may have", p.Chunks, maxChunks)}
	}

	return p.checkPartitions()
}

// checkPartitions refuses partitions of pairs that have no rows, since a cell's rows are not divided.
func (p *Plan) checkPartitions() error {
	if p.Method != MethodPartitions || !p.Job.Pairs() || !p.Exact() {
		return nil
	}

	for i := range p.Chunks {
		c := p.Chunk(i)
		if c.Rows > 0 {
			continue
		}

		id, before := p.selection.CellAt(p.chunkStart(i))
		n := int64(1)
		for before+n < p.Rows && p.selection.At(before+n) == id {
			n++
		}

		return &geomgen.ParamError{Param: "partitions", Value: strconv.Itoa(p.Job.Partitions),
			Reason: fmt.Sprintf("are too many: cell %d meets %d features, more than a partition of %d rows has room for, and its rows are not divided", id, n, p.Rows/p.Chunks)}
	}

	return nil
}

func (p *Plan) chooseMethod() error {
	job := p.Job
	switch {
	case job.Partitions > 0:
		if _, most := p.RowBounds(); int64(job.Partitions) > most {
			return &geomgen.ParamError{Param: "partitions", Value: strconv.Itoa(job.Partitions),
				Reason: fmt.Sprintf("there are no more than %d rows", most)}
		}

		p.Method, p.Chunks = MethodPartitions, int64(job.Partitions)
		p.Streams = min(p.streamsOr(DefaultStreams), job.Partitions)
		p.Reason = "each partition is loaded, frozen, indexed and analyzed by one stream, and resumed by itself"
		if job.Unlogged {
			p.Reason = "each partition is loaded, indexed and analyzed by one stream, and resumed by itself; VACUUM freezes them"
		}
	case job.Distribute != "":
		p.inChunks(0)
		p.Reason = "a distributed table is filled in large chunks through the coordinator, which can be resumed; Citus does not freeze what it copies, so VACUUM does"
	case job.ChunkRows > 0:
		p.inChunks(0)
		p.Reason = "chunk-rows asks for chunks, which can be resumed; VACUUM freezes them"
	case job.Streams > 1:
		p.inChunks(0)
		p.Reason = "several streams were asked for: they cannot share a transaction; VACUUM freezes their chunks"
	case job.Unlogged:
		// While a transaction that has made an unlogged table is open, and a moment after it is
		// rolled back, a crash keeps PostgreSQL from starting again (its bug 17731).
		p.inChunks(0)
		p.Reason = "an unlogged table is committed before it is filled, so that a crash meanwhile does the server no harm; VACUUM freezes its chunks"
	case job.Streams == 1:
		p.frozen("one stream was asked for")
	case p.Rows <= frozenRows:
		p.frozen(fmt.Sprintf("up to %d million rows it is ready as soon as over several streams, with less WAL, and quick to begin again", frozenRows/1_000_000))
	default:
		p.inChunks(0)
		p.Reason = fmt.Sprintf("with more than %d million rows a killed load should be resumed; VACUUM freezes the chunks", frozenRows/1_000_000)
	}

	return nil
}

func (p *Plan) frozen(why string) {
	p.Method, p.Streams, p.Chunks = MethodFrozen, 1, 1
	p.Reason = why + "; killed, it leaves nothing"
}

// Resumed returns the plan of a run that goes on with the chunks of its first
// attempt. Its staging table is there, so no transaction can make it: what was to be
// filled in one transaction is filled in chunks. Partitions stay as they are.
func (p *Plan) Resumed(chunks int64) *Plan {
	resumed := *p
	if p.Method != MethodPartitions {
		resumed.inChunks(chunks)
	}
	return &resumed
}

// inChunks plans chunks: as many as are given, or as the job asks for.
func (p *Plan) inChunks(chunks int64) {
	p.Method = MethodChunks
	p.Streams = p.streamsOr(DefaultStreams)
	if p.Job.Streams == 0 && p.Job.HasBRIN() {
		// Over several streams the pages of distant chunks alternate, and the
		// summary of a BRIN range covers all that lies between.
		p.Streams = 1
	}

	if p.Chunks = chunks; chunks == 0 {
		rows := p.Job.ChunkRows
		if rows == 0 {
			rows = max(p.usualChunkRows(), (p.Rows-1)/maxChunks+1)
		}

		p.Chunks = chunkCount(p.Rows, rows, int64(p.Streams))
	}
}

// usualChunkRows is how many rows a chunk has at most where the job does not say.
func (p *Plan) usualChunkRows() int64 {
	if p.Job.Distribute != "" {
		return clusterChunkRows
	}
	return defaultChunkRows
}

func (p *Plan) streamsOr(n int) int {
	if p.Job.Streams > 0 {
		return p.Job.Streams
	}
	return n
}

// MaxStreams returns how many streams a plan of the job has at most, also one of a run that
// is resumed. Neither the cells nor a server need be known for that.
func MaxStreams(j job.Job) int {
	streams := j.Streams
	if streams < 1 {
		streams = DefaultStreams
	}

	if j.Partitions > 0 {
		streams = min(streams, j.Partitions)
	}

	return streams
}
