package main

import (
	"testing"

	"github.com/loadgrid/loadgrid/internal/testleak"
)

// No goroutine outlives the tests.
func TestMain(m *testing.M) { testleak.Main(m) }
