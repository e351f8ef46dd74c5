package job

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/copyfield"
	"github.com/loadgrid/loadgrid/internal/feature"
)

// Encoder writes values of attributes as fields of binary COPY. It is not safe for use by several goroutines.
type Encoder struct{ fields *copyfield.Encoder }

// NewEncoder returns an Encoder.
func NewEncoder() *Encoder { return &Encoder{copyfield.NewEncoder()} }

// Append appends a value as a field of the attribute's column: its length in four bytes, then its bytes. nil is
// NULL. If the type cannot hold the value, the error is a *geomgen.ParamError.
func (e *Encoder) Append(dst []byte, a Attribute, value feature.Value) ([]byte, error) {
	if value == nil {
		return binary.BigEndian.AppendUint32(dst, math.MaxUint32), nil
	}

	text := feature.TextAs(value, a.sqlType())
	dst, err := e.fields.Append(dst, a.Type, text)
	if err != nil {
		return nil, &geomgen.ParamError{Param: "attribute", Value: a.String(), Reason: err.Error() + ": " + shown(text)}
	}

	return dst, nil
}

// shown returns a value for a message. It cuts a long value and quotes one with unprintable characters.
func shown(text string) string {
	const most = 60
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}

	if strings.IndexFunc(text, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }) >= 0 {
		return strconv.Quote(text)
	}
	return text
}

// NameKey returns a function that returns equal strings for values of Each's attribute that are equal in the
// column's type. The type must be known: see WithTypes. If the type cannot hold a value, the error is a
// *geomgen.ParamError.
func (j Job) NameKey() func(feature.Value) (string, error) {
	e := NewEncoder()
	var b []byte

	return func(value feature.Value) (string, error) {
		err := j.checkNameType()
		if err != nil {
			return "", err
		}

		if b, err = e.Append(b[:0], j.Each, value); err != nil {
			return "", err
		}

		switch j.Each.sqlType() {
		case "numeric": // 1.0 equals 1
			if n, ok := new(big.Rat).SetString(strings.TrimSpace(feature.TextOf(value))); ok {
				return n.RatString(), nil
			}
		case "float4", "float8": // -0, whose only set bit is the first, equals 0
			if len(b) > 4 && b[4] == 0x80 && len(bytes.Trim(b[5:], "\x00")) == 0 {
				b[4] = 0
			}
		}

		return string(b), nil
	}
}
