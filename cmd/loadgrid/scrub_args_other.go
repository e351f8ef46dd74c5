//go:build !linux

package main

// scrubArgs returns the arguments. Only on Linux it is known that their memory is
// what the list of processes shows.
func scrubArgs(original []string) []string { return original }
