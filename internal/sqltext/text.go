package sqltext

import "strings"

// OneLine returns a text with its white space folded into single blanks.
func OneLine(s string) string {
	return strings.Join(strings.Fields(s), " ")
}
