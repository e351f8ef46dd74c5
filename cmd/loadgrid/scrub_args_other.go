//go:build !linux

package main

// takeArgs returns the arguments. Only on Linux it is known that their memory is
// what the list of processes shows.
func takeArgs(original []string) []string { return original }
