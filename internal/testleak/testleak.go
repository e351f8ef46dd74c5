// Package testleak looks for goroutines that outlive tests. It waits for goroutines that are about
// to end, for longer than a busy machine needs.
package testleak

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// limit is how long a goroutine that is about to end may take. Drawing a picture that nobody needs
// any more takes a second on an idle machine.
const limit = time.Minute

// Find returns an error that names the running goroutines, except those that options ignore.
func Find(options ...goleak.Option) error {
	var err error
	for end := time.Now().Add(limit); ; {
		if err = goleak.Find(options...); err == nil || time.Now().After(end) {
			return err
		}
	}
}

// Main runs the tests of a package, and fails if a goroutine outlives them. It is the body of
// TestMain, and does not return.
func Main(m *testing.M) {
	code := m.Run()

	if code == 0 {
		if err := Find(); err != nil {
			fmt.Fprintln(os.Stderr, "goroutines outlive the tests:", err)
			code = 1
		}
	}

	os.Exit(code)
}
