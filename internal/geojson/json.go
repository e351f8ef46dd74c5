package geojson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/go-json-experiment/json/jsontext"
)

// maxValue is how long a value may be that is read as a whole, in bytes.
const maxValue = 1 << 20

// The kinds of tokens, as jsontext has them.
const (
	kindNull   = jsontext.KindNull
	kindNumber = jsontext.KindNumber
	kindString = jsontext.KindString
)

// jsonReader reads JSON (RFC 8259) token by token, one document after the other. encoding/json
// makes garbage of each number, and an area is almost nothing but numbers: the library makes none.
type jsonReader struct {
	decoder *jsontext.Decoder
	in      *lenient
	last    jsontext.Token // valid until the next is read
	text    []byte         // the last one that was unquoted
	nested  []byte         // a list or an object that is read as a value, so far
}

func newJSONReader(r io.Reader) *jsonReader {
	in := newLenient(r)
	return &jsonReader{in: in, decoder: jsontext.NewDecoder(in, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
}

// offset returns how many bytes were read.
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

// peek returns the kind of the next token, 0 for an error, which next returns.
func (j *jsonReader) peek() jsontext.Kind { return j.decoder.PeekKind() }

// word returns the token that was read last, for people.
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

// number returns the number that was read last.
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

// member returns the name of the next member of an object, which is valid until something else is
// read, or reads the end of the object.
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

// unquote returns the text of a string, which is valid until something else is read.
func (j *jsonReader) unquote(raw []byte) []byte {
	if inner := raw[1 : len(raw)-1]; plain(inner) {
		return inner
	}

	// The string was read, so that the error can only be about UTF-8, which is replaced.
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

// scalar reads a value that is neither list nor object. It is valid until something else is read.
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

// value reads a value of some bytes, without white space. It is valid until something else is read.
func (j *jsonReader) value() (jsontext.Value, error) {
	j.nested = j.nested[:0]
	if kind := j.peek(); kind != jsontext.KindBeginObject && kind != jsontext.KindBeginArray {
		return j.scalar()
	}

	// The library would keep all of it, however long it is.
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

// separator returns what stands before the next name or value.
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

// notFinite returns the number that lenient has written as a string.
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

// jsonError says what is not JSON, or more than is read.
type jsonError struct{ what string }

func (e *jsonError) Error() string { return e.what }

// syntaxError returns what is not JSON in words, nil where the error is another.
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
