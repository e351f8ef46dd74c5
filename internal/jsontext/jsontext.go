// Package jsontext reads JSON token by token, and makes nothing that must be collected: of
// files that are almost nothing but numbers.
package jsontext

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxWord is how long a name, a text or another value that is looked at may be, in bytes.
const maxWord = 1 << 20

// maxDepth bounds arrays and objects in each other, as encoding/json does.
const maxDepth = 10_000

// Reader reads a JSON text (RFC 8259) token by token: NewReader makes it. Numbers and what is skipped leave
// nothing to collect behind, unlike those of json.Decoder: an area is almost nothing but
// numbers.
type Reader struct {
	r      *bufio.Reader
	offset int64  // how many bytes were read
	open   []byte // the brackets and braces that are open
	state  state
	word   []byte // the last number, or text with its quotes, where it was kept
	// kept has what was read, up to maxWord and a byte more, while keep is true.
	keep bool
	kept []byte
}

// state says what may come next.
type state uint8

const (
	wantValue state = iota
	wantFirstElement
	wantFirstName
	wantName
	wantMore // a comma, or an end
	wantNothing
)

// NewReader returns a reader of a text.
func NewReader(r *bufio.Reader) *Reader { return &Reader{r: r} }

// Offset returns how many bytes were read.
func (j *Reader) Offset() int64 { return j.offset }

// Depth returns how many brackets and braces are open.
func (j *Reader) Depth() int { return len(j.open) }

// Error says what is no JSON.
type Error string

func (e Error) Error() string { return string(e) }

func invalidCharacter(c byte, where string) error {
	return Error(fmt.Sprintf("invalid character %s %s", strconv.QuoteRuneToASCII(rune(c)), where))
}

func (j *Reader) readByte() (byte, error) {
	b, err := j.r.ReadByte()
	if err != nil {
		return 0, err
	}

	j.offset++
	if j.keep && len(j.kept) <= maxWord {
		j.kept = append(j.kept, b)
	}
	return b, nil
}

// must is readByte where the text must not end.
func (j *Reader) must() (byte, error) {
	b, err := j.readByte()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return b, err
}

func (j *Reader) unread() {
	_ = j.r.UnreadByte() // what was read last was a byte
	j.offset--
	if j.keep && len(j.kept) <= maxWord {
		j.kept = j.kept[:len(j.kept)-1]
	}
}

// skipSpace returns the first byte that is no white space.
func (j *Reader) skipSpace() (byte, error) {
	for {
		b, err := j.readByte()
		if err != nil || b != ' ' && b != '\n' && b != '\r' && b != '\t' {
			return b, err
		}
	}
}

// Next reads the next token: a bracket or brace, 's' for a text or a name, 'n' for a number,
// 't', 'f', or '0' for null. With keep, word has the token then. Commas and colons are looked
// at, and not returned. At the end the error is io.EOF.
func (j *Reader) Next(keep bool) (kind byte, err error) {
	c, err := j.skipSpace()
	if err != nil {
		return 0, err
	}

	if j.state == wantNothing {
		return 0, invalidCharacter(c, "after top-level value")
	}

	in := byte(0)
	if len(j.open) > 0 {
		in = j.open[len(j.open)-1]
	}

	if j.state == wantMore && c == ',' {
		j.state = wantValue
		if in == '{' {
			j.state = wantName
		}
		if c, err = j.skipSpace(); err != nil {
			return 0, err
		}
	} else if (j.state == wantMore || j.state == wantFirstElement) && in == '[' && c == ']' ||
		(j.state == wantMore || j.state == wantFirstName) && in == '{' && c == '}' {
		j.open = j.open[:len(j.open)-1]
		j.ended()
		return c, nil
	}

	switch j.state {
	case wantMore:
		if in == '{' {
			return 0, invalidCharacter(c, "after object key:value pair")
		}
		return 0, invalidCharacter(c, "after array element")
	case wantFirstName, wantName:
		return 's', j.name(c, keep)
	}

	return j.value(c, keep)
}

// ended notes that a value has come to its end.
func (j *Reader) ended() {
	j.state = wantMore
	if len(j.open) == 0 {
		j.state = wantNothing
	}
}

// name reads the name of a member, whose first byte is c, and the colon behind it.
func (j *Reader) name(c byte, keep bool) error {
	if c != '"' {
		return invalidCharacter(c, "looking for beginning of object key string")
	}
	if err := j.text(keep); err != nil {
		return err
	}

	c, err := j.skipSpace()
	if err != nil {
		return err
	}
	if c != ':' {
		return invalidCharacter(c, "after object key")
	}

	j.state = wantValue
	return nil
}

// value reads a value, or the beginning of one, whose first byte is c.
func (j *Reader) value(c byte, keep bool) (kind byte, err error) {
	switch {
	case c == '{' || c == '[':
		if len(j.open) == maxDepth {
			return 0, Error("exceeded max depth")
		}
		j.open = append(j.open, c)
		if j.state = wantFirstElement; c == '{' {
			j.state = wantFirstName
		}
		return c, nil
	case c == '"':
		kind, err = 's', j.text(keep)
	case c == '-' || c >= '0' && c <= '9':
		kind, err = 'n', j.number(c)
	case c == 't':
		kind, err = 't', j.literal("true")
	case c == 'f':
		kind, err = 'f', j.literal("false")
	case c == 'n':
		kind, err = '0', j.literal("null")
	default:
		return 0, invalidCharacter(c, "looking for beginning of value")
	}

	j.ended()
	return kind, err
}

func (j *Reader) literal(want string) error {
	for i := 1; i < len(want); i++ {
		c, err := j.must()
		if err != nil {
			return err
		}
		if c != want[i] {
			return invalidCharacter(c, fmt.Sprintf("in literal %s (expecting %s)", want, strconv.QuoteRune(rune(want[i]))))
		}
	}

	return nil
}

// number reads a number into word.
func (j *Reader) number(c byte) error {
	j.word = append(j.word[:0], c)
	for {
		c, err := j.readByte()
		switch {
		case errors.Is(err, io.EOF):
			return checkNumber(j.word)
		case err != nil:
			return err
		case c >= '0' && c <= '9', c == '.', c == '-', c == '+', c == 'e', c == 'E':
			if len(j.word) == maxWord {
				return Error("a number has too many digits")
			}
			j.word = append(j.word, c)
		default:
			j.unread()
			return checkNumber(j.word)
		}
	}
}

// checkNumber refuses what is no number in JSON: it may have other forms elsewhere.
func checkNumber(word []byte) error {
	if isJSONNumber(word) {
		return nil
	}
	return Error(fmt.Sprintf("invalid number %.40s", word))
}

func isJSONNumber(s []byte) bool {
	if s[0] == '-' {
		s = s[1:]
	}

	rest := skipDigits(s)
	if n := len(s) - len(rest); n == 0 || n > 1 && s[0] == '0' {
		return false
	}

	if s = rest; len(s) > 0 && s[0] == '.' {
		if rest = skipDigits(s[1:]); len(rest) == len(s)-1 {
			return false
		}
		s = rest
	}

	if len(s) > 0 && (s[0] == 'e' || s[0] == 'E') {
		if s = s[1:]; len(s) > 0 && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		if rest = skipDigits(s); len(rest) == len(s) {
			return false
		}
		s = rest
	}

	return len(s) == 0
}

// skipDigits returns what follows digits.
func skipDigits(s []byte) []byte {
	for len(s) > 0 && s[0] >= '0' && s[0] <= '9' {
		s = s[1:]
	}
	return s
}

// Float returns the number that was read last.
func (j *Reader) Float() (float64, error) {
	f, err := strconv.ParseFloat(string(j.word), 64)
	if err != nil {
		return 0, Error(fmt.Sprintf("the number %.40s is too large", j.word))
	}
	return f, nil
}

// text reads a text behind its first quote. With keep, word has it, quotes included.
func (j *Reader) text(keep bool) error {
	j.word = append(j.word[:0], '"')
	for {
		c, err := j.must()
		switch {
		case err != nil:
			return err
		case c < ' ':
			return invalidCharacter(c, "in string literal")
		}

		if keep {
			if len(j.word) > maxWord {
				return Error("a name or a text is too long")
			}
			j.word = append(j.word, c)
		}

		switch c {
		case '"':
			return nil
		case '\\':
			if err := j.escape(keep); err != nil {
				return err
			}
		}
	}
}

// escape reads what follows a backslash.
func (j *Reader) escape(keep bool) error {
	hex := 0
	for first := true; first || hex > 0; first = false {
		c, err := j.must()
		if err != nil {
			return err
		}
		if keep {
			j.word = append(j.word, c)
		}

		switch {
		case first && c == 'u':
			hex = 4
		case first && strings.IndexByte(`"\/bfnrt`, c) < 0:
			return invalidCharacter(c, "in string escape code")
		case !first && !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'):
			return invalidCharacter(c, "in \\u hexadecimal character escape")
		case !first:
			hex--
		}
	}

	return nil
}

// Text returns the text that was read last.
func (j *Reader) Text() (s string) {
	if inner := j.word[1 : len(j.word)-1]; utf8.Valid(inner) && !strings.Contains(string(inner), `\`) {
		return string(inner)
	}

	_ = json.Unmarshal(j.word, &s) // it is a text
	return s
}

// Token reads the next token as json.Decoder has it.
func (j *Reader) Token() (json.Token, error) {
	kind, err := j.Next(true)
	if err != nil {
		return nil, err
	}

	switch kind {
	case 's':
		return j.Text(), nil
	case 'n':
		return j.Float()
	case 't', 'f':
		return kind == 't', nil
	case '0':
		return nil, nil
	}

	return json.Delim(kind), nil
}

// SkipTo skips until so many brackets and braces are open.
func (j *Reader) SkipTo(depth int) error {
	for len(j.open) > depth {
		if _, err := j.Next(false); err != nil {
			return err
		}
	}
	return nil
}

// Decode reads a value of some bytes.
func (j *Reader) Decode(to any) error {
	depth := len(j.open)
	j.keep, j.kept = true, j.kept[:0]
	_, err := j.Next(false)
	if err == nil {
		err = j.SkipTo(depth)
	}

	j.keep = false
	switch {
	case err != nil:
		return err
	case len(j.kept) > maxWord:
		return Error("a value is too long")
	}

	return json.Unmarshal(j.kept, to)
}
