package migrations_test

import (
	"testing"

	"go.uber.org/goleak"
)

// No goroutine outlives the tests. Those with a server are in package integration,
// which looks, too.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
