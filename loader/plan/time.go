package plan

import "github.com/loadgrid/loadgrid/loader/job"

// Microseconds per row on a server with two cores, and the fixed cost of a load: see docs/estimates.md.
const (
	copyFrozen  = 0.85 // COPY FREEZE over one stream
	copyChunks  = 0.65 // over two streams
	freezeRow   = 0.25 // VACUUM of the chunks
	keyRow      = 0.3
	gistRow     = 1.0
	gistInsert  = 5.2  // if the server does not sort to build GiST
	markRow     = 0.15 // VACUUM after COPY FREEZE, if that marks no pages
	brinRow     = 0.15
	sideBySide  = 1.2 // factor for two backends that work at the same time
	beforeAfter = 0.3 // seconds for plan, statistics and publishing
)

// seconds estimates the time until the table is ready to query.
func (p *Plan) seconds() float64 {
	server, _ := p.Server()

	var gist, brin, mark float64
	if p.Job.Index == job.IndexGiST || p.Job.Index == job.IndexBoth {
		if gist = gistRow; !server.SortsGiST {
			gist = gistInsert
		}
	}

	if p.Job.HasBRIN() {
		brin = brinRow
	}

	if !server.MarksCopied {
		mark = markRow
	}

	var row float64

	switch p.Method {
	case MethodPartitions:
		row = copyFrozen + keyRow + gist + brin
		if p.Streams > 1 {
			row *= sideBySide / 2
		}
		row += mark // by one backend
	case MethodChunks:
		row = copyChunks + freezeRow + max(gist, keyRow+brin)
	default:
		row = copyFrozen + mark + max(gist, keyRow+brin)
	}

	return beforeAfter + float64(p.Rows)*row/1e6
}

const (
	// partitionRows is the approximate number of rows of a partition for InPartitions: two seconds' work, so that
	// two streams end at about the same time.
	partitionRows = 2_000_000
	// soonerShare and soonerSeconds are the least savings for which a plan suggests partitions.
	soonerShare   = 0.2
	soonerSeconds = 5
)

// InPartitions returns a number of partitions with which the table would be ready much sooner, and the estimated
// seconds until then. It returns 0 if the table has partitions already, if the rows go into an existing table, or
// if partitions would save less than a fifth of the time or less than five seconds.
func (p *Plan) InPartitions() (partitions int64, seconds float64) {
	if p.Method == MethodPartitions || p.Job.SharesFiles() || p.Job.Distribute != "" {
		return 0, 0
	}

	other := *p
	other.Method, other.Streams = MethodPartitions, p.streamsOr(DefaultStreams)
	seconds, now := other.seconds(), p.seconds()
	if now-seconds < max(soonerSeconds, soonerShare*now) {
		return 0, 0
	}

	return min((p.Rows-1)/partitionRows+1, job.MaxPartitions), seconds
}
