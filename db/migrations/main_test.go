package migrations_test

import (
	"testing"

	"github.com/loadgrid/loadgrid/internal/testleak"
)

// No goroutine outlives the tests. The tests with a server are in package integration, which checks that, too.
func TestMain(m *testing.M) { testleak.Main(m) }
