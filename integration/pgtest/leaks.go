package pgtest

import (
	"flag"

	"go.uber.org/goleak"

	"github.com/loadgrid/loadgrid/internal/testleak"
)

// NoLeaks returns an error that names the goroutines that are there, but for those
// of the test server's keepers and those that options ignore. It waits for what is
// about to end.
func NoLeaks(options ...goleak.Option) error {
	options = append(options,
		// The client of the container engine keeps its connections for the next call.
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"),
		// testcontainers tells its reaper until the process ends that there is one.
		goleak.IgnoreAnyFunction("github.com/testcontainers/testcontainers-go.(*Reaper).connect.func1"),
		// toxiproxy leaves what it was about to pass on when a connection ended.
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run"),
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).read"),
	)

	return testleak.Find(options...)
}

// fuzzing tells whether go test runs a fuzz test: then it has goroutines of its own.
func fuzzing() bool {
	for _, name := range []string{"test.fuzz", "test.fuzzworker"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != f.DefValue {
			return true
		}
	}
	return false
}
