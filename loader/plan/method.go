package plan

import (
	"fmt"
	"strconv"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/job"
)

// Method is how rows get into the table.
type Method string

// Values of Method.
const (
	// MethodFrozen creates and fills the table in one transaction over one stream, with COPY FREEZE. No page is
	// written a second time to freeze it. A killed load leaves nothing and starts over.
	MethodFrozen Method = "frozen"
	// MethodChunks fills the table over several streams, one transaction per chunk, and then freezes it with
	// VACUUM. A killed load can be resumed.
	MethodChunks Method = "chunks"
	// MethodPartitions lets each stream build one partition after another, each in one transaction: COPY FREEZE,
	// keys, indexes, statistics. A resumed load builds only the missing partitions. Unlogged partitions are
	// created before the load, and VACUUM freezes them.
	MethodPartitions Method = "partitions"
)

const (
	// frozenRows is the largest number of rows that a plain table loads in one transaction by default. A killed
	// load loses at most that many rows, about a minute's work. On two cores, two streams of chunks save as much
	// time in COPY as VACUUM then takes to freeze them, and write more WAL: see docs/benchmarks.md.
	frozenRows = 50_000_000
	// defaultChunkRows is about a second's work. Smaller transactions cost more, and larger ones lose more when
	// they are interrupted.
	defaultChunkRows = 1_000_000
	// clusterChunkRows is the chunk size for a distributed table. It is larger because each chunk opens every
	// shard again, and ends in a two-phase commit on all of their workers.
	clusterChunkRows = 2_000_000
	// maxChunks limits a run's record of its chunks to a few megabytes.
	maxChunks = 200_000
	// DefaultStreams is measured: a third stream gains nothing on a server with two cores.
	DefaultStreams = 2
)

// chooseChunks chooses the method, the streams and the chunks, and gives the reason.
func (p *Plan) chooseChunks() error {
	if err := p.chooseMethod(); err != nil {
		return err
	}

	if p.Chunks > maxChunks && p.Exact() { // an estimate may be too high
		return &geomgen.ParamError{Param: "chunk-rows", Value: strconv.FormatInt(p.Job.ChunkRows, 10),
			Reason: fmt.Sprintf("makes %d chunks, but a run can have at most %d", p.Chunks, maxChunks)}
	}

	return p.checkPartitions()
}

// checkPartitions refuses partitions of pairs that would have no rows, because a cell's rows are not divided.
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
			Reason: fmt.Sprintf("are too many: cell %d meets %d features, more than fit in a partition of %d rows, and its rows cannot be divided", id, n, p.Rows/p.Chunks)}
	}

	return nil
}

func (p *Plan) chooseMethod() error {
	job := p.Job
	switch {
	case job.Partitions > 0:
		if _, most := p.RowBounds(); int64(job.Partitions) > most {
			return &geomgen.ParamError{Param: "partitions", Value: strconv.Itoa(job.Partitions),
				Reason: fmt.Sprintf("there are only %d rows", most)}
		}

		p.Method, p.Chunks = MethodPartitions, int64(job.Partitions)
		p.Streams = min(p.streamsOr(DefaultStreams), job.Partitions)
		p.Reason = "one stream loads, freezes, indexes and analyzes each partition, and each can be resumed separately"
		if job.Unlogged {
			p.Reason = "one stream loads, indexes and analyzes each partition, and each can be resumed separately; VACUUM freezes them"
		}
	case job.Distribute != "":
		p.inChunks(0)
		p.Reason = "a distributed table is filled in large chunks through the coordinator, and can be resumed; VACUUM freezes the rows because Citus does not"
	case job.ChunkRows > 0:
		p.inChunks(0)
		p.Reason = "chunk-rows requires chunks, so the load can be resumed; VACUUM freezes them"
	case job.Streams > 1:
		p.inChunks(0)
		p.Reason = "several streams cannot share a transaction; VACUUM freezes their chunks"
	case job.Unlogged:
		// If the server crashes while a transaction that created an unlogged table is open, or shortly after it
		// is rolled back, PostgreSQL cannot start again (its bug 17731).
		p.inChunks(0)
		p.Reason = "an unlogged table is committed before it is filled, so that a crash during the load does not harm the server; VACUUM freezes its chunks"
	case job.Streams == 1:
		p.frozen("the job sets one stream")
	case p.Rows <= frozenRows:
		p.frozen(fmt.Sprintf("up to %d million rows, one transaction is as fast as several streams, writes less WAL and is quick to repeat", frozenRows/1_000_000))
	default:
		p.inChunks(0)
		p.Reason = fmt.Sprintf("with more than %d million rows, a killed load should be resumable; VACUUM freezes the chunks", frozenRows/1_000_000)
	}

	return nil
}

func (p *Plan) frozen(why string) {
	p.Method, p.Streams, p.Chunks = MethodFrozen, 1, 1
	p.Reason = why + "; if it is killed, it leaves nothing"
}

// Resumed returns the plan of a run that resumes with the chunks of its first attempt. Its staging table exists,
// so no transaction can both create and fill it: a load in one transaction becomes a load in chunks. Partitions
// stay as they are.
func (p *Plan) Resumed(chunks int64) *Plan {
	resumed := *p
	if p.Method != MethodPartitions {
		resumed.inChunks(chunks)
	}
	return &resumed
}

// inChunks plans the given number of chunks, or as many as the job asks for.
func (p *Plan) inChunks(chunks int64) {
	p.Method = MethodChunks
	p.Streams = p.streamsOr(DefaultStreams)
	if p.Job.Streams == 0 && p.Job.HasBRIN() {
		// With several streams, pages of distant chunks alternate, and the summary of a BRIN range would cover
		// everything between them.
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

// usualChunkRows returns the most rows of a chunk if the job sets no limit.
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

// MaxStreams returns the most streams that a plan of the job can have, even if the run is resumed. It needs
// neither the cells nor a server.
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
