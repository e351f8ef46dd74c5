package plan

import "github.com/loadgrid/loadgrid/loader/job"

// Microseconds that a row takes on a server with two cores, and what a load takes
// whatever its size: see docs/estimates.md.
const (
	copyFrozen  = 0.85 // COPY FREEZE over one stream
	copyChunks  = 0.65 // over two
	freezeRow   = 0.25 // VACUUM of what chunks have written
	keyRow      = 0.3
	gistRow     = 1.0
	gistInsert  = 5.2  // where the server does not sort to build GiST
	markRow     = 0.15 // VACUUM of what COPY FREEZE has written, where it marks no pages
	brinRow     = 0.15
	sideBySide  = 1.2 // how much longer two backends take beside each other
	beforeAfter = 0.3 // seconds: plan, statistics, publish
)

// seconds is a guess at how long the load takes until the table is ready to query.
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
	// partitionRows is about how many rows a partition of InPartitions has: two seconds' work,
	// so that two streams end at about the same time.
	partitionRows = 2_000_000
	// soonerShare and soonerSeconds are what partitions must save to be worth a word.
	soonerShare   = 0.2
	soonerSeconds = 5
)

// InPartitions returns a number of partitions with which the table would be ready much
// sooner, and after how many seconds, as Estimate has them. It returns 0 where the table has
// partitions, where its rows go into a table that is there, and where a fifth of the time or
// five seconds are not saved.
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
