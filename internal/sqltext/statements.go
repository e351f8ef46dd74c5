// Package sqltext owns the analysis of SQL text without a server: where its statements begin, and
// errors that a server could not report.
package sqltext

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// statement is one of several statements in an SQL text.
type statement struct {
	Text   string
	Offset int // its offset in the text, in bytes
	Word   string
}

// Has tells whether the statement has one of these words outside strings and comments.
func (st statement) Has(words ...string) bool {
	s := scanner{sql: st.Text}
	for s.at < len(s.sql) {
		from := s.at
		switch {
		case s.space(), s.comment(), s.quoted():
		case s.word():
			if slices.Contains(words, strings.ToLower(s.sql[from:s.at])) {
				return true
			}
		default:
			s.at++
		}
	}

	return false
}

// Statements splits SQL at its semicolons, as psql does. Semicolons in strings, quoted names,
// comments and dollar quotes, and between parentheses, are parts of a statement. It leaves out
// statements that are empty or only have comments. Each statement is sent to the server separately,
// in a form that allows only one. If Statements is wrong about a semicolon, the server refuses the
// statement, and does not run another one.
func Statements(sql string) []statement {
	var list []statement
	s := scanner{sql: sql}

	for s.at < len(sql) {
		st := s.statement()
		if st.Text != "" {
			list = append(list, st)
		}
	}

	return list
}

// scanner scans an SQL text.
type scanner struct {
	sql  string
	at   int
	open bool // the text ends inside a comment or quotes
}

// statement reads up to the next semicolon, and leaves out everything before the first word.
func (s *scanner) statement() statement {
	first, depth := -1, 0
	var body sqlBody

	for s.at < len(s.sql) {
		c := s.sql[s.at]
		if s.space() || s.comment() {
			continue
		}

		if c == ';' && depth <= 0 && body.depth == 0 {
			break
		}

		if first < 0 {
			first = s.at
		}

		switch c {
		case '(':
			depth++
		case ')':
			depth--
		}

		from := s.at

		switch {
		case s.quoted():
		case s.word():
			body.word(strings.ToLower(s.sql[from:s.at]))
		default:
			s.at++
		}
	}

	end := s.at
	s.at++ // the semicolon
	if first < 0 {
		return statement{}
	}

	w := scanner{sql: s.sql, at: first}
	w.word()

	return statement{Text: strings.TrimRight(s.sql[first:end], " \t\r\n\f"), Offset: first, Word: strings.ToLower(s.sql[first:w.at])}
}

// sqlBody follows the words of a statement to find a function body in SQL's own form, begin atomic
// ... end, in which semicolons end its statements.
type sqlBody struct {
	words    int
	function bool
	depth    int
}

func (b *sqlBody) word(w string) {
	b.words++
	switch {
	case b.words == 1:
		b.function = w == "create"
	case b.words == 2 && w == "or", b.words == 3 && w == "replace":
	case b.words <= 4 && (w == "function" || w == "procedure"):
		b.words = 5 // the name follows
	case b.words <= 4:
		b.function = false
	case b.function && (w == "begin" || w == "case" && b.depth > 0):
		b.depth++
	case b.function && w == "end" && b.depth > 0:
		b.depth--
	}
}

func (s *scanner) rest() string { return s.sql[s.at:] }

func (s *scanner) space() bool {
	if strings.IndexByte(" \t\r\n\f\v", s.sql[s.at]) < 0 {
		return false
	}
	s.at++
	return true
}

// comment skips a comment: to the end of the line, or in pairs, which nest.
func (s *scanner) comment() bool {
	switch {
	case strings.HasPrefix(s.rest(), "--"):
		if i := strings.IndexAny(s.rest(), "\r\n"); i >= 0 {
			s.at += i + 1
		} else {
			s.at = len(s.sql)
		}
	case strings.HasPrefix(s.rest(), "/*"):
		s.at += 2
		depth := 1

		for ; depth > 0 && s.at < len(s.sql); s.at++ {
			switch {
			case strings.HasPrefix(s.rest(), "/*"):
				depth++
				s.at++
			case strings.HasPrefix(s.rest(), "*/"):
				depth--
				s.at++
			}
		}

		s.at, s.open = min(s.at, len(s.sql)), depth > 0
	default:
		return false
	}

	return true
}

// pass skips to after the next end in following, or to the end of the text.
func (s *scanner) pass(following, end string) {
	if i := strings.Index(following, end); i >= 0 {
		s.at = len(s.sql) - len(following) + i + len(end)
		return
	}
	s.at, s.open = len(s.sql), true
}

// quoted skips a string, a quoted name or a dollar quote.
func (s *scanner) quoted() bool {
	rest := s.rest()
	switch {
	case rest[0] == '\'' || rest[0] == '"':
		// A quote in it is doubled. This scanner treats it as two strings, one after the other.
		s.pass(rest[1:], rest[:1])
	case (rest[0] == 'e' || rest[0] == 'E') && len(rest) > 1 && rest[1] == '\'':
		s.escaped()
	case rest[0] == '$':
		tag := dollarTag(rest)
		if tag == "" {
			return false
		}

		s.pass(rest[len(tag):], tag)
	default:
		return false
	}

	return true
}

// escaped skips a string in which a backslash escapes the next character, also if it continues in
// quotes on another line.
func (s *scanner) escaped() {
	for s.at += 2; s.at < len(s.sql); s.at++ {
		switch s.sql[s.at] {
		case '\\':
			s.at++
		case '\'':
			s.at++
			rest := strings.TrimLeft(s.rest(), " \t\r\n\f")
			between := s.rest()[:len(s.rest())-len(rest)]
			if !strings.HasPrefix(rest, "'") || between != "" && !strings.ContainsAny(between, "\r\n") {
				return
			}

			s.at += len(between)
		}
	}

	s.at, s.open = len(s.sql), true
}

// dollarTag returns the $tag$ at the beginning of s, empty if there is none.
func dollarTag(s string) string {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '$':
			return s[:i+1]
		case !wordByte(s[i]) || i == 1 && '0' <= s[i] && s[i] <= '9': // $1 is a parameter
			return ""
		}
	}

	return ""
}

// word skips a name, a keyword or a number. A dollar in it does not begin a quote.
func (s *scanner) word() bool {
	from := s.at
	for s.at < len(s.sql) && (wordByte(s.sql[s.at]) || s.at > from && s.sql[s.at] == '$') {
		s.at++
	}
	return s.at > from
}

func wordByte(c byte) bool {
	return c == '_' || c >= utf8.RuneSelf || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// LineColumn returns the position of a byte in a text, both from 1, the column in characters.
func LineColumn(text string, offset int) (line, column int) {
	before := text[:min(offset, len(text))]
	start := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[start:]) + 1
}
