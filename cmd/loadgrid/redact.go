package main

import (
	"regexp"
	"strings"
)

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

// maskByte stands in the place of what is not shown.
const maskByte = 'x'

// findSecret returns where in an argument a connection string begins that may
// hold a password, and whether there is one. It is given the argument before it,
// which may be the flag.
//
// All of the string is hidden, not the password alone: where in a wrong string
// that begins and ends is a guess. One that cannot hold a password is left, so
// that the list of processes says where a load goes.
func findSecret(before, arg string) (at int, hide bool) {
	dsn, isFlag := strings.CutPrefix(arg, "--dsn=")
	lower := strings.ToLower(arg)
	isURL := strings.HasPrefix(lower, "postgres://") || strings.HasPrefix(lower, "postgresql://")

	switch {
	case isFlag:
		at = len("--dsn=")
	case before == "--dsn", isURL: // a URL may stand where it does not belong
		dsn = arg
	default:
		return 0, false
	}

	if user, _, ok := strings.Cut(dsn, "@"); ok {
		_, user, _ = strings.Cut(user, "://")
		hide = strings.Contains(user, ":")
	}

	// An escape may spell password as well as anything else.
	return at, hide || strings.Contains(strings.ToLower(dsn), "pass") || strings.Contains(dsn, "%")
}
