package serverlimit

import "fmt"

// Bottleneck is what keeps a load from being faster.
type Bottleneck string

// The choices of Bottleneck.
const (
	BottleneckServer  Bottleneck = "server"
	BottleneckNetwork Bottleneck = "network" // the way to the server: network, TLS, protocol
	BottleneckClient  Bottleneck = "client"  // the machine that generates the rows
)

// Rates that differ by less than this are as good as equal: rounds of the same
// COPY do on a quiet machine.
const asGoodAs = 1.15

// unquietBy is how far the rounds of one side may lie apart, the fastest in parts
// of the slowest, before the numbers are in doubt, if the two sides overlap.
const unquietBy = 1.5

// judge says what is the limit of loadgrid on this server, and whether the rounds
// agree on it.
func (r Result) judge() (Bottleneck, string) {
	what, sentence := r.compare()
	unquiet := r.Limit.Max > unquietBy*r.Limit.Min || r.Loadgrid.Max > unquietBy*r.Loadgrid.Min
	if unquiet && r.Limit.Min <= r.Loadgrid.Max && r.Loadgrid.Min <= r.Limit.Max {
		sentence += "; but the rounds differ a lot, so measure again when server and client are idle"
	}

	return what, sentence
}

// compare looks at what the other rates are in parts of loadgrid's.
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
