package areafile

import (
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// maxValue is how long a value may be that is read as a whole, in bytes.
const maxValue = 1 << 20

// The kinds of tokens, as jsontext has them.
const (
	kindNull   = jsontext.KindNull
	kindNumber = jsontext.KindNumber
)

// jsonReader reads JSON (RFC 8259) token by token. encoding/json makes garbage of each number,
// and an area is almost nothing but numbers: the library makes none.
type jsonReader struct {
	decoder *jsontext.Decoder
	last    jsontext.Token // valid until the next is read
}

func newJSONReader(r io.Reader) *jsonReader {
	return &jsonReader{decoder: jsontext.NewDecoder(r, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
}

// offset returns how many bytes were read.
func (j *jsonReader) offset() int64 { return j.decoder.InputOffset() }

// next reads a token and returns its kind. At the end the error is io.EOF.
func (j *jsonReader) next() (jsontext.Kind, error) {
	token, err := j.decoder.ReadToken()
	if err != nil {
		return 0, err
	}

	j.last = token

	return token.Kind(), nil
}

// text returns the token that was read last, for people.
func (j *jsonReader) text() string { return j.last.String() }

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

// value reads a value of some bytes.
func (j *jsonReader) value() (jsontext.Value, error) {
	v, err := j.decoder.ReadValue()
	if err == nil && len(v) > maxValue {
		err = &jsonError{"a value is too long"}
	}

	return v, err
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
