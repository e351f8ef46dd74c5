package job

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
)

// Encoder writes values of attributes as fields of binary COPY. It is for one goroutine.
type Encoder struct{ types *pgtype.Map }

// NewEncoder returns an Encoder.
func NewEncoder() *Encoder { return &Encoder{pgtype.NewMap()} }

// Append appends a value as a field of the attribute's column: its length in four bytes, then its
// bytes; nil is NULL. The error is a *geomgen.ParamError for a value that the type does not have.
func (e *Encoder) Append(dst []byte, a Attribute, value feature.Value) ([]byte, error) {
	if value == nil {
		return binary.BigEndian.AppendUint32(dst, math.MaxUint32), nil
	}

	c := Constant{Name: a.Name, Type: a.Type, Value: a.textOf(value)}
	b, err := c.encode(e.types, dst)

	var param *geomgen.ParamError
	if errors.As(err, &param) {
		return nil, &geomgen.ParamError{Param: "attribute", Value: a.String(), Reason: param.Reason + ": " + shown(c.Value)}
	}

	return b, err
}

// shown returns a value for a message: a long one cut, and one with what cannot be printed in quotes.
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

// textOf returns a value as a Constant of the attribute's type has it, where the two write it
// differently.
func (a Attribute) textOf(value feature.Value) string {
	text := feature.TextOf(value)
	switch a.sqlType() {
	case "numeric":
		return numericText(value, text)
	case "date":
		if at, ok := value.(time.Time); ok {
			return at.Format(time.DateOnly)
		}
	case "timestamp":
		switch at := value.(type) {
		case time.Time:
			return at.Format("2006-01-02 15:04:05.999999999")
		case feature.Date:
			return text + " 00:00:00"
		}
		return spaced(text)
	case "timestamptz":
		return spaced(text)
	}

	return text
}

// spaced writes a time with a space between day and time of day.
func spaced(text string) string {
	if at := len("2006-01-02"); len(text) > at && text[at] == 'T' {
		return text[:at] + " " + text[at+1:]
	}
	return text
}

// maxPower is the largest exponent of a number that is written out.
const maxPower = 1000

// numericText writes a number as type numeric has it, without an exponent.
func numericText(value feature.Value, text string) string {
	if f, ok := value.(float64); ok {
		if math.IsInf(f, 0) {
			return strings.Replace(strings.TrimPrefix(text, "+"), "Inf", "Infinity", 1)
		}
		return strconv.FormatFloat(f, 'f', -1, 64)
	}

	digits, exponent, ok := strings.Cut(strings.ToLower(text), "e")
	power, err := strconv.Atoi(exponent)
	if !ok || err != nil || power < -maxPower || power > maxPower {
		return text
	}

	n, ok := new(big.Rat).SetString(strings.ToLower(text))
	if !ok {
		return text
	}

	_, fraction, _ := strings.Cut(digits, ".")
	return n.FloatString(max(0, len(fraction)-power))
}

// NameKey returns a function whose result is the same for values of Each's attribute that are equal in
// the column's type, which is known: see WithTypes. The error is a *geomgen.ParamError for a value
// that the type does not have.
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
		case "numeric": // 1.0 is 1
			if n, ok := new(big.Rat).SetString(strings.TrimSpace(feature.TextOf(value))); ok {
				return n.RatString(), nil
			}
		case "float4", "float8": // so is -0, which has but the first bit, 0
			if len(b) > 4 && b[4] == 0x80 && len(bytes.Trim(b[5:], "\x00")) == 0 {
				b[4] = 0
			}
		}

		return string(b), nil
	}
}
