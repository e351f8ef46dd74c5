package loader

import "strings"

// plainText returns text that the server takes as such.
func plainText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x00", "?")
}
