package sqltext

import "strings"

// OneLine returns a text with its white space collapsed into single spaces.
func OneLine(s string) string {
	return strings.Join(strings.Fields(s), " ")
}
