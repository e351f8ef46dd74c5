package pgtest

import (
	"flag"

	"go.uber.org/goleak"

	"github.com/loadgrid/loadgrid/internal/testleak"
)

// NoLeaks returns an error that names the remaining goroutines, except those of the test server's keepers and
// those that options ignore. It waits for goroutines that are about to end.
func NoLeaks(options ...goleak.Option) error {
	options = append(options,
		// The client of the container engine keeps its connections for the next call.
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"),
		// testcontainers keeps a connection to its reaper until the process ends.
		goleak.IgnoreAnyFunction("github.com/testcontainers/testcontainers-go.(*Reaper).connect.func1"),
		// toxiproxy leaves behind what it was about to forward when a connection ended.
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run"),
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).read"),
	)

	return testleak.Find(options...)
}

// fuzzing reports whether go test runs a fuzz test, which has goroutines of its own.
func fuzzing() bool {
	for _, name := range []string{"test.fuzz", "test.fuzzworker"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != f.DefValue {
			return true
		}
	}
	return false
}
