package geojson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/go-json-experiment/json/jsontext"
)

// maxValue is the maximum length in bytes of a value that is read as a whole.
const maxValue = 1 << 20

// The kinds of tokens, as jsontext has them.
const (
	kindNull   = jsontext.KindNull
	kindNumber = jsontext.KindNumber
	kindString = jsontext.KindString
)

// jsonReader reads JSON (RFC 8259) token by token, one document after the other. encoding/json
// allocates memory for each number, and an area consists mostly of numbers; this library allocates
// none.
type jsonReader struct {
	decoder *jsontext.Decoder
	in      *lenient
	last    jsontext.Token // valid until the next token is read
	text    []byte         // the last unquoted string
	nested  []byte         // the part so far of an array or object that is read as a value
}

func newJSONReader(r io.Reader) *jsonReader {
	in := newLenient(r)
	return &jsonReader{in: in, decoder: jsontext.NewDecoder(in, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
}

// offset returns the number of bytes read.
func (j *jsonReader) offset() int64 { return j.decoder.InputOffset() + j.in.dropped }

// next reads a token and returns its kind. At the end the error is io.EOF.
func (j *jsonReader) next() (jsontext.Kind, error) {
	token, err := j.decoder.ReadToken()
	if err != nil {
		return 0, err
	}

	j.last = token

	return token.Kind(), nil
}

// peek returns the kind of the next token, or 0 for an error, which next returns.
func (j *jsonReader) peek() jsontext.Kind { return j.decoder.PeekKind() }

// word returns the last token for people.
func (j *jsonReader) word() string {
	if j.last.Kind() == kindNull {
		return "<nil>"
	}

	word := j.last.String()
	if isReplaced(word) {
		return "NaN or Infinity"
	}

	return word
}

// number returns the last token as a number.
func (j *jsonReader) number() (float64, error) {
	f, err := j.last.Float()
	if err != nil {
		return 0, &jsonError{fmt.Sprintf("the number %.40s is too large", j.last.String())}
	}

	return f, nil
}

// skip skips a value, and returns its kind.
func (j *jsonReader) skip() (jsontext.Kind, error) {
	kind := j.decoder.PeekKind()
	return kind, j.decoder.SkipValue()
}

// member returns the name of the next member of an object, or reads the end of the object. The name
// is valid until the next read.
func (j *jsonReader) member() (name []byte, end bool, err error) {
	if kind := j.peek(); kind != kindString {
		_, err := j.next()
		return nil, true, err
	}

	raw, err := j.decoder.ReadValue()
	if err != nil {
		return nil, false, err
	}

	return j.unquote(raw), false, nil
}

// unquote returns the text of a string. It is valid until the next read.
func (j *jsonReader) unquote(raw []byte) []byte {
	if inner := raw[1 : len(raw)-1]; plain(inner) {
		return inner
	}

	// The decoder has accepted the string, so the only possible error is invalid UTF-8, which is
	// replaced.
	j.text, _ = jsontext.AppendUnquote(j.text[:0], raw)
	return j.text
}

// plain tells whether text is ASCII without escapes.
func plain(text []byte) bool {
	for _, b := range text {
		if b == '\\' || b >= 0x80 {
			return false
		}
	}
	return true
}

// scalar reads a value that is neither an array nor an object. It is valid until the next read.
func (j *jsonReader) scalar() (raw jsontext.Value, err error) {
	raw, err = j.decoder.ReadValue()
	if err == nil && len(raw)+len(j.nested) > maxValue {
		err = errTooLong()
	}

	return raw, err
}

func errTooLong() error {
	return &jsonError{fmt.Sprintf("a value is longer than %d bytes", maxValue)}
}

// value reads a short value, without white space. It is valid until the next read.
func (j *jsonReader) value() (jsontext.Value, error) {
	j.nested = j.nested[:0]
	if kind := j.peek(); kind != jsontext.KindBeginObject && kind != jsontext.KindBeginArray {
		return j.scalar()
	}

	// The library would keep all of it, whatever its length.
	for depth := 0; ; {
		kind := j.peek()
		end := kind == jsontext.KindEndObject || kind == jsontext.KindEndArray
		if depth > 0 && !end {
			j.nested = append(j.nested, j.separator()...)
		}

		switch {
		case kind == jsontext.KindBeginObject, kind == jsontext.KindBeginArray:
			depth++
		case end:
			depth--
		default:
			raw, err := j.scalar()
			if err != nil {
				return nil, err
			}
			j.appendScalar(raw)
			continue
		}

		if _, err := j.next(); err != nil {
			return nil, err
		}

		if j.nested = append(j.nested, byte(kind)); depth == 0 {
			return jsontext.Value(j.nested), nil
		}
	}
}

// separator returns the separator before the next name or value.
func (j *jsonReader) separator() string {
	switch kind, n := j.decoder.StackIndex(j.decoder.StackDepth()); {
	case n == 0:
		return ""
	case kind == jsontext.KindBeginObject && n%2 == 1:
		return ":"
	}

	return ","
}

// appendScalar appends a part of a value, in UTF-8.
func (j *jsonReader) appendScalar(raw []byte) {
	if _, ok := notFinite(raw); ok {
		raw = []byte("null")
	}
	j.nested = append(j.nested, bytes.ToValidUTF8(raw, []byte("\uFFFD"))...)
}

// notFinite returns the number that lenient wrote as a string.
func notFinite(raw []byte) (f float64, ok bool) {
	switch string(raw) {
	case nanString:
		return math.NaN(), true
	case infinityString:
		return math.Inf(1), true
	case minusInfinityString:
		return math.Inf(-1), true
	}

	return 0, false
}

// jsonError reports invalid JSON, or JSON beyond a limit.
type jsonError struct{ what string }

func (e *jsonError) Error() string { return e.what }

// syntaxError describes a JSON syntax error. It returns nil for any other error.
func syntaxError(err error) error {
	var syntax *jsontext.SyntacticError
	var own *jsonError

	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &syntax):
		return syntax.Err
	}

	return nil
}
