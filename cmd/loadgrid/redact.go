package main

import "regexp"

// passwords finds passwords in URLs and in lists of keywords.
var passwords = [...]struct{ pattern, shown string }{
	{`([A-Za-z][A-Za-z0-9+.-]*://[^:/?#\s@]*:)\S*@`, "${1}***@"},
	// A quoted one goes to the end of the message: where it ends is hard to say of
	// a wrong string, which may be quoted once more.
	{`(?i)(password(\s|\\[tnr])*=(\s|\\[tnr])*)('.*|\S+)`, "${1}***"},
}

// redact takes passwords out of a message: one that quotes an argument may quote
// a connection string that was put in the wrong place.
func redact(message string) string {
	for _, p := range passwords {
		message = regexp.MustCompile(p.pattern).ReplaceAllString(message, p.shown)
	}
	return message
}
