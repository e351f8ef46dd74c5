package migrations_test

import (
	"testing"

	"github.com/loadgrid/loadgrid/internal/testleak"
)

// No goroutine outlives the tests. Those with a server are in package integration,
// which looks, too.
func TestMain(m *testing.M) { testleak.Main(m) }
