package main

import "regexp"

// passwords finds passwords in URLs and in lists of keywords.
var passwords = [...]struct{ pattern, shown string }{
	{`([A-Za-z][A-Za-z0-9+.-]*://[^:/?#\s@]*:)\S*@`, "${1}***@"},
	// A quoted password is hidden up to the end of the message, because the end of a malformed string is
	// unclear, and the message may quote it again.
	{`(?i)(password(\s|\\[tnr])*=(\s|\\[tnr])*)('.*|\S+)`, "${1}***"},
}

// redact hides passwords in a message. A message that quotes an argument may quote a
// misplaced connection string.
func redact(message string) string {
	for _, p := range passwords {
		message = regexp.MustCompile(p.pattern).ReplaceAllString(message, p.shown)
	}
	return message
}
