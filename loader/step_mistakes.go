package loader

import (
	"regexp"
	"strings"
)

// spacedPlace is what stands for the table in other tools.
var spacedPlace = regexp.MustCompile(`\{\{\s*table\s*\}\}`)

// mistake finds what no server could tell of a step's SQL, or tells only after the
// load: a comment without an end, which would silence all that follows it, and places
// for a name or a variable that nobody fills in. It returns where that is, in bytes,
// and what is wrong, "" for nothing.
func mistake(sql string) (offset int, reason string) {
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
			for _, at := range spacedPlace.FindAllStringIndex(sql[from:s.at], -1) {
				if place := sql[from+at[0] : from+at[1]]; place != tablePlace {
					return from + at[0], "the table is " + tablePlace + ", without blanks"
				}
			}
		case s.word():
		case strings.HasPrefix(s.rest(), tablePlace):
			s.at += len(tablePlace)
		case strings.HasPrefix(s.rest(), "{{"):
			return from, "only " + tablePlace + " stands for something, the quoted name of the table"
		case strings.HasPrefix(s.rest(), "${"):
			return from, "no variable is filled in here: a job file knows them in dsn and password alone"
		default:
			s.at++
		}
	}
	return 0, ""
}
