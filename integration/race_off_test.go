//go:build !race

package integration

// withRace says that the tests were built with the race detector.
const withRace = false
