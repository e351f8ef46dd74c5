package dbase

import (
	"encoding/binary"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/internal/feature"
)

func TestValues(t *testing.T) {
	day := feature.Date{Year: 2024, Month: 2, Day: 29}
	moment := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, 2440588+1), 3_723_004)
	double := binary.LittleEndian.AppendUint64(nil, math.Float64bits(-2.5))

	for _, test := range []struct {
		kind     byte
		decimals int
		b        string
		want     feature.Value
		fault    string
	}{
		{'C', 0, "Meer  ", "Meer", ""},
		{'C', 0, "  Meer\x00\x00", "  Meer", ""},
		{'C', 0, "      ", nil, ""},
		{'C', 0, "K\xfcste", "Küste", ""},
		{'C', 0, "K\xc3\xbcste", "Küste", ""},
		{'C', 0, "a\x00b", nil, "has a zero character"},
		{'N', 0, "    42", int64(42), ""},
		{'N', 0, "   -42\x00", int64(-42), ""},
		{'N', 0, "9223372036854775807", int64(math.MaxInt64), ""},
		{'N', 0, "9223372036854775808", 9223372036854775808.0, ""},
		{'N', 0, "4.0", 4.0, ""},
		{'N', 2, "4", 4.0, ""},
		{'N', 3, "1.250", 1.25, ""},
		{'F', 11, " 1.25000000000e+002", 125.0, ""},
		{'N', 0, "******", nil, ""},
		{'N', 0, "      ", nil, ""},
		{'N', 3, "NaN", nil, ""},
		{'N', 3, "1,25", nil, `"1,25" is not a number`},
		{'N', 3, "0x10", nil, "is not a number"},
		{'N', 3, "1_0", nil, "is not a number"},
		{'N', 3, "Inf", nil, "is not a number"},
		{'N', 3, "1e999", nil, "is not a number"},
		{'L', 0, "T", true, ""}, {'L', 0, "y", true, ""}, {'L', 0, "N", false, ""}, {'L', 0, "f", false, ""},
		{'L', 0, "?", nil, ""}, {'L', 0, " ", nil, ""},
		{'L', 0, "x", nil, "neither true nor false"},
		{'D', 0, "20240229", day, ""},
		{'D', 0, "2024/02/29", day, ""},
		{'D', 0, "00000000", nil, ""}, {'D', 0, "        ", nil, ""},
		{'D', 0, "20230229", nil, "is not a date"},
		{'I', 0, "\xfe\xff\xff\xff", int64(-2), ""},
		{'O', 0, string(double), -2.5, ""},
		{'B', 0, string(double), -2.5, ""},
		{'T', 0, string(moment), time.Date(1970, 1, 2, 1, 2, 3, 4e6, time.UTC), ""},
		{'@', 0, strings.Repeat("\x00", 8), nil, ""},
		{'T', 0, strings.Repeat("\xff", 8), nil, "are not a time"},
		{'M', 0, "         1", nil, "in another file"},
		{'Y', 0, "12345678", nil, `of type "Y" with 8 bytes`},
		{'I', 0, "123", nil, `of type "I" with 3 bytes`},
	} {
		table := Table{text: guessed, fox: true}
		got, err := table.decode(field{kind: test.kind, decimals: test.decimals}, []byte(test.b))

		switch {
		case test.fault != "" && (err == nil || !strings.Contains(err.Error(), test.fault)):
			t.Errorf("%c %q: %v, %v", test.kind, test.b, got, err)
		case test.fault == "" && (err != nil || !reflect.DeepEqual(got, test.want)):
			t.Errorf("%c %q: %#v, %v", test.kind, test.b, got, err)
		}
	}
}

func TestEncodings(t *testing.T) {
	for _, test := range []struct {
		cpg    string
		driver byte
		b      string
		want   string // or a part of the expected error, if it begins with !
	}{
		{"UTF-8", 0, "Fl\xc3\xa4che", "Fläche"},
		{"utf8", 87, "Fl\xc3", "Fl"}, // a character cut in two
		{"65001", 0, "\xe6\xb0", ""},
		{"UTF-8", 0, "Fl\xe4che", "!is not UTF-8"},
		{"ISO-8859-1", 0, "Fl\xe4che", "Fläche"},
		{"ISO 88591", 0, "Fl\xe4che", "Fläche"},
		{"8859-1", 0, "Fl\xe4che", "Fläche"},
		{"ISO-8859-2", 0, "\xb3\xf3d\xbc", "łódź"},
		{"ISO8859-15", 0, "\xa4", "€"},
		{"1252", 0, "\x80", "€"},
		{"ANSI 1252", 0, "\x80", "€"},
		{"windows-1251", 0, "\xcc\xee\xf1\xea\xe2\xe0", "Москва"},
		{"CP850", 0, "Fl\x84che", "Fläche"},
		{"OEM 437", 0, "Fl\x84che", "Fläche"},
		{"LDID/201", 0, "\xcc", "М"},
		{"1252", 0, "\x81", "!has the byte 0x81"},
		{"", 0, "Fl\xe4che", "Fläche"},
		{"", 0, "Fl\xc3\xa4che", "Fläche"},
		{"", 87, "Fl\xe4che", "Fläche"},
		{"", 3, "Fl\xe4che", "Fläche"},
		{"", 2, "Fl\x84che", "Fläche"},
		{"", 1, "Fl\x84che", "Fläche"},
		{"", 100, "\x88\xa2d\xab", "łódź"},
		{"", 38, "\x8c", "М"},
		{"", 200, "\xb3", "ł"},
		{"Big5", 0, "", `!encoding "Big5"`},
		{"LDID/999", 0, "", `!encoding "LDID/999"`},
		{"", 19, "", "!LDID/19"},
		{"", 77, "", "!LDID/77"},
	} {
		var got string
		decode, err := decoderOf(test.cpg, test.driver)
		if err == nil {
			got, err = decode([]byte(test.b))
		}

		switch fault, ok := strings.CutPrefix(test.want, "!"); {
		case ok && (err == nil || !strings.Contains(err.Error(), fault)):
			t.Errorf("%q, %d: %v", test.cpg, test.driver, err)
		case !ok && (err != nil || got != test.want):
			t.Errorf("%q, %d: %q, %v", test.cpg, test.driver, got, err)
		}
	}
}
