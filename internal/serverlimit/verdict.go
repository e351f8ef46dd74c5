package serverlimit

import "fmt"

// Bottleneck is what limits the speed of a load.
type Bottleneck string

// The choices of Bottleneck.
const (
	BottleneckServer  Bottleneck = "server"
	BottleneckNetwork Bottleneck = "network" // the connection to the server: network, TLS, protocol
	BottleneckClient  Bottleneck = "client"  // the machine that generates the rows
)

// Rates that differ by less than this factor count as equal: rounds of the same COPY differ as much
// on an idle machine.
const asGoodAs = 1.15

// unquietBy is the maximum ratio of the fastest to the slowest round of one side. If it is exceeded
// and the two sides overlap, the numbers are in doubt.
const unquietBy = 1.5

// judge returns what limits loadgrid on this server, and a sentence that also says whether the
// rounds agree.
func (r Result) judge() (Bottleneck, string) {
	what, sentence := r.compare()
	unquiet := r.Limit.Max > unquietBy*r.Limit.Min || r.Loadgrid.Max > unquietBy*r.Loadgrid.Min
	if unquiet && r.Limit.Min <= r.Loadgrid.Max && r.Loadgrid.Min <= r.Limit.Max {
		sentence += "; but the rounds differ a lot, so measure again when server and client are idle"
	}

	return what, sentence
}

// compare compares the other rates with loadgrid's.
func (r Result) compare() (Bottleneck, string) {
	ours := r.Loadgrid.Median
	switch {
	case r.Generated < ours*asGoodAs:
		return BottleneckClient, "the client is the limit: even without a server, it makes rows no faster"
	case r.Discarded < ours*asGoodAs && (r.LimitBy == LimitClientFile || r.Limit.Median > ours*asGoodAs):
		return BottleneckNetwork, "the connection to the server (network, TLS) is the limit: rows that the server discards arrive no faster"
	case r.Limit.Median <= ours*asGoodAs && r.LimitBy == LimitServerFile:
		return BottleneckServer, fmt.Sprintf(
			"the server is the limit: it needs about as long to read the same rows from its own file, while this client could make %.0f times as many", r.Generated/ours)
	case r.Limit.Median <= ours*asGoodAs:
		return BottleneckServer, fmt.Sprintf(
			"the server is the limit: prepared rows take about as long, and rows that it discards go %.1f times as fast", r.Discarded/ours)
	case r.LimitBy == LimitServerFile:
		return BottleneckNetwork, "the connection to the server is the limit: the server reads the same rows faster from its own file; client and server may also share processors"
	}

	return BottleneckClient, "the client is the limit: it sends prepared rows faster than it makes new ones"
}
