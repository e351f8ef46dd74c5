// Package testrand owns reproducible random numbers for tests.
package testrand

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// Variable is the name of the environment variable that gives random tests another seed.
const Variable = "LOADGRID_TEST_SEED"

// New returns random numbers for a test. They come from the given seed, so that the test does the
// same each time, or from the seed in LOADGRID_TEST_SEED. A test that fails prints its seed.
func New(t testing.TB, seed uint64) *rand.Rand {
	t.Helper()

	if given, ok := Given(t); ok {
		seed = given
	}

	t.Logf("%s=%d makes the same random numbers", Variable, seed)

	return rand.New(rand.NewPCG(seed, 0))
}

// Given returns the seed in LOADGRID_TEST_SEED, if it is set.
func Given(t testing.TB) (seed uint64, ok bool) {
	t.Helper()

	text := os.Getenv(Variable)
	if text == "" {
		return 0, false
	}

	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", Variable, err)
	}

	return seed, true
}
