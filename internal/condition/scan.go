package condition

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tokenKind is the kind of a token.
type tokenKind int

const (
	endToken    tokenKind = iota
	wordToken             // a keyword, or the name of an attribute
	quotedToken           // the name of an attribute in quotes
	textToken
	numberToken
	signToken // an operator, a bracket or a comma
)

// token is a word of a condition.
type token struct {
	kind tokenKind
	text string // without quotes
	at   int    // its first byte
	end  int    // after its last byte
}

// is tells whether the token is a keyword or a sign; word is in lower case.
func (t token) is(word string) bool {
	return (t.kind == wordToken || t.kind == signToken) && strings.EqualFold(t.text, word)
}

// SyntaxError reports a syntax error in a condition.
type SyntaxError struct {
	At   int    // the position of the character, from 1
	Near string // the text at that position, "" at the end
	What string
}

func (e *SyntaxError) Error() string {
	if e.Near == "" {
		return e.What + ", at the end"
	}
	return fmt.Sprintf("%s, at character %d, near %s", e.What, e.At, e.Near)
}

// scanner splits a condition into tokens.
type scanner struct {
	text string
	at   int // index of the next byte
}

// fault reports an error at a byte.
func (s *scanner) fault(at int, format string, args ...any) error {
	near := strings.Join(strings.Fields(s.text[at:min(len(s.text), at+100)]), " ")
	if len(near) > 20 {
		near = strings.ToValidUTF8(near[:20], "") + "..."
	}

	return &SyntaxError{At: utf8.RuneCountInString(s.text[:at]) + 1, Near: near, What: fmt.Sprintf(format, args...)}
}

// next returns the next token.
func (s *scanner) next() (token, error) {
	s.at += len(s.text[s.at:]) - len(strings.TrimLeftFunc(s.text[s.at:], unicode.IsSpace))
	rest := s.text[s.at:]
	if rest == "" {
		return token{at: s.at, end: s.at}, nil
	}

	first, _ := utf8.DecodeRuneInString(rest)
	switch {
	case first == '"':
		return s.quoted(quotedToken)
	case first == '\'':
		return s.quoted(textToken)
	case isWord(first, false):
		n := strings.IndexFunc(rest, func(r rune) bool { return !isWord(r, true) })
		return s.take(wordToken, n), nil
	case startsNumber(rest):
		return s.number()
	}

	for _, sign := range []string{"<>", "!=", "<=", ">=", "=", "<", ">", "(", ")", ","} {
		if strings.HasPrefix(rest, sign) {
			return s.take(signToken, len(sign)), nil
		}
	}

	return token{}, s.fault(s.at, "a condition cannot contain %q", first)
}

// take returns the next n bytes as a token, or all if n is negative.
func (s *scanner) take(kind tokenKind, n int) token {
	if n < 0 {
		n = len(s.text) - s.at
	}

	t := token{kind: kind, text: s.text[s.at : s.at+n], at: s.at, end: s.at + n}
	s.at += n

	return t
}

func isWord(r rune, inside bool) bool {
	return r == '_' || unicode.IsLetter(r) || inside && (unicode.IsDigit(r) || unicode.IsMark(r) || r == '$')
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// startsNumber tells whether the text begins with a number.
func startsNumber(text string) bool {
	if text[0] == '-' || text[0] == '+' {
		text = text[1:]
	}
	text = strings.TrimPrefix(text, ".")

	return text != "" && isDigit(text[0])
}

// number takes a number: digits with an optional point, exponent and sign.
func (s *scanner) number() (token, error) {
	rest := s.text[s.at:]
	n := 0
	digits := func() {
		for n < len(rest) && isDigit(rest[n]) {
			n++
		}
	}

	if rest[0] == '-' || rest[0] == '+' {
		n++
	}

	digits()
	if n < len(rest) && rest[n] == '.' {
		n++
		digits()
	}

	if n < len(rest) && (rest[n] == 'e' || rest[n] == 'E') {
		mantissa := n
		if n++; n < len(rest) && (rest[n] == '-' || rest[n] == '+') {
			n++
		}

		exponent := n
		if digits(); n == exponent {
			n = mantissa
		}
	}

	if r, _ := utf8.DecodeRuneInString(rest[n:]); n < len(rest) && (isWord(r, true) || r == '.') {
		return token{}, s.fault(s.at, "this is neither a number nor a name: put names with other characters in double quotes")
	}

	return s.take(numberToken, n), nil
}

// quoted takes a quoted text, in which a doubled quote is the quote itself.
func (s *scanner) quoted(kind tokenKind) (token, error) {
	quote := s.text[s.at : s.at+1]
	var b strings.Builder

	for at := s.at + 1; ; {
		n := strings.Index(s.text[at:], quote)
		if n < 0 {
			return token{}, s.fault(s.at, "a quote is not closed")
		}

		b.WriteString(s.text[at : at+n])
		at += n + 1

		if !strings.HasPrefix(s.text[at:], quote) {
			t := token{kind: kind, text: b.String(), at: s.at, end: at}
			s.at = at
			return t, nil
		}

		b.WriteString(quote)
		at++
	}
}
