package dbase

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/loadgrid/loadgrid/internal/feature"
)

// decode reads a value of a field, nil for none.
func (t *Table) decode(f field, b []byte) (feature.Value, error) {
	switch {
	case f.kind == 'C':
		if b = bytes.TrimRight(b, " \x00"); len(b) == 0 {
			return nil, nil
		}
		return t.text(b)
	case f.kind == 'N' || f.kind == 'F':
		return decimal(string(bytes.Trim(b, " \x00")), f.decimals)
	case f.kind == 'L':
		return logical(b)
	case f.kind == 'D':
		return day(string(bytes.Trim(b, " \x00")))
	case f.kind == 'I' && len(b) == 4:
		return int64(int32(binary.LittleEndian.Uint32(b))), nil
	case len(b) == 8 && (f.kind == 'O' || f.kind == 'B' && t.fox):
		return math.Float64frombits(binary.LittleEndian.Uint64(b)), nil
	case len(b) == 8 && (f.kind == 'T' || f.kind == '@'):
		return moment(b)
	case strings.IndexByte("MBGPW", f.kind) >= 0:
		return nil, fmt.Errorf("it is of type %c, whose values are in another file, which loadgrid does not read", f.kind)
	}

	return nil, fmt.Errorf("it is of type %q with %d bytes, which is unknown", string(f.kind), len(b))
}

// decimal reads a number. It is an int64 if the field has no decimals and the number is whole and
// fits. Asterisks mean that the number did not fit into the field, so the value is missing.
func decimal(s string, decimals int) (feature.Value, error) {
	if s == "" || s[0] == '*' || strings.EqualFold(s, "nan") {
		return nil, nil
	}

	if n, err := strconv.ParseInt(s, 10, 64); err == nil && decimals == 0 {
		return n, nil
	}

	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) || strings.ContainsAny(s, "xX_") {
		return nil, fmt.Errorf("%q is not a number", s)
	}
	return v, nil
}

func logical(b []byte) (feature.Value, error) {
	switch s := string(bytes.Trim(b, " \x00")); s {
	case "T", "t", "Y", "y", "1":
		return true, nil
	case "F", "f", "N", "n", "0":
		return false, nil
	case "", "?":
		return nil, nil
	default:
		return nil, fmt.Errorf("%q is neither true nor false", s)
	}
}

// day reads a date such as 20261129, or 2026/11/29 as some programs write it.
func day(s string) (feature.Value, error) {
	if strings.Trim(s, "0/") == "" || s[0] == '*' {
		return nil, nil
	}

	for _, layout := range [...]string{"20060102", "2006/01/02", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 0 {
			return feature.Date{Year: t.Year(), Month: t.Month(), Day: t.Day()}, nil
		}
	}
	return nil, fmt.Errorf("%q is not a date such as 20261129", s)
}

// moment reads a time: its day by its Julian number, and the milliseconds since midnight.
func moment(b []byte) (feature.Value, error) {
	const epoch = 2440588 // 1970-01-01

	number, ms := int64(int32(binary.LittleEndian.Uint32(b))), int64(int32(binary.LittleEndian.Uint32(b[4:])))
	if number == 0 && ms == 0 || string(b) == "        " {
		return nil, nil
	}

	t := time.UnixMilli((number-epoch)*24*3600*1000 + ms).UTC()
	if t.Year() < 1 || t.Year() > 9999 || ms < 0 || ms >= 24*3600*1000 {
		return nil, fmt.Errorf("day %d and %d ms are not a time", number, ms)
	}
	return t, nil
}
