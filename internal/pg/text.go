package pg

import "strings"

// CleanText returns text that the server accepts.
func CleanText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x00", "?")
}
