package feature

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// TextAs writes a value as text that a PostgreSQL type, named as in the catalogue, such as timestamptz, reads
// in ISO style. It differs from TextOf in two ways: times have a space after the day, and numeric has no
// exponent.
func TextAs(value Value, sqlType string) string {
	text := TextOf(value)
	switch sqlType {
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
		case Date:
			return text + " 00:00:00"
		}
		return spaced(text)
	case "timestamptz":
		return spaced(text)
	}

	return text
}

// spaced writes a time with a space between the date and the time of day.
func spaced(text string) string {
	if at := len("2006-01-02"); len(text) > at && text[at] == 'T' {
		return text[:at] + " " + text[at+1:]
	}
	return text
}

// maxPower is the largest exponent that is written out as digits.
const maxPower = 1000

// numericText writes a number as the type numeric writes it, without an exponent.
func numericText(value Value, text string) string {
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
