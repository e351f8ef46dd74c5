//go:build race

package integration

// withRace reports whether the tests were built with the race detector.
const withRace = true
