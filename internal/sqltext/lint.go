package sqltext

import (
	"regexp"
	"strings"
)

// spacedPlaceholder matches the table's placeholder of other tools.
var spacedPlaceholder = regexp.MustCompile(`\{\{\s*table\s*\}\}`)

// Lint finds errors in a hook's SQL that a server could not report, or only after the load: a
// comment or a quote without an end, which would include everything after it, and placeholders and
// variables that loadgrid does not replace. It returns the offset in bytes and the reason, "" for
// none.
func Lint(sql string) (offset int, reason string) {
	s := scanner{sql: sql}
	for s.at < len(sql) {
		from := s.at
		switch {
		case s.space():
		case s.comment():
			if s.open {
				return from, "the comment has no end"
			}
		case s.quoted():
			if s.open {
				return from, "the quote has no end"
			}

			for _, at := range spacedPlaceholder.FindAllStringIndex(sql[from:s.at], -1) {
				if place := sql[from+at[0] : from+at[1]]; place != TablePlaceholder {
					return from + at[0], "write the placeholder " + TablePlaceholder + " without blanks"
				}
			}
		case s.word():
		case strings.HasPrefix(s.rest(), TablePlaceholder):
			s.at += len(TablePlaceholder)
		case strings.HasPrefix(s.rest(), "{{"):
			return from, "the only placeholder is " + TablePlaceholder + ", the quoted name of the table"
		case strings.HasPrefix(s.rest(), "${"):
			return from, "variables are not expanded here: a job file expands them only in dsn and password"
		default:
			s.at++
		}
	}

	return 0, ""
}
