package dbase

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/featurefile"
)

// decoder decodes text.
type decoder func(b []byte) (string, error)

// decoderOf returns the decoder for the encoding that a .cpg names. Without a .cpg it uses the
// language driver of the .dbf. The error for an unknown encoding is a *geomgen.ParamError.
func decoderOf(cpg string, driver byte) (decoder, error) {
	if cpg == "" {
		return ofDriver(driver)
	}

	name := strings.ToLower(strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -_.", r) {
			return -1
		}
		return r
	}, cpg))

	if ldid, ok := strings.CutPrefix(name, "ldid/"); ok {
		n, err := strconv.ParseUint(ldid, 10, 8)
		if err != nil {
			return nil, unknownEncoding(cpg)
		}
		return ofDriver(byte(n))
	}

	if name == "utf8" || name == "65001" || name == "usascii" || name == "ascii" {
		return utf8Text, nil
	}

	for _, prefix := range [...]string{"ansi", "oem", "windows", "cp", "ibm"} {
		name = strings.TrimPrefix(name, prefix)
	}

	if part, ok := strings.CutPrefix(name, "iso8859"); ok {
		name = "8859" + part
	}

	if set := ofName(name); set != nil {
		return singleByte(set), nil
	}
	return nil, unknownEncoding(cpg)
}

func unknownEncoding(name string) error {
	return feature.BadArea("is a shapefile whose text has the encoding %.60q, which loadgrid does not read: convert it (ogr2ogr -lco ENCODING=UTF-8)", name)
}

// ofName returns a single-byte encoding by its number in Windows, DOS or ISO, or nil if there is
// none.
func ofName(name string) *charmap.Charmap {
	for _, known := range [...]struct {
		names string
		set   *charmap.Charmap
	}{
		{"1252", charmap.Windows1252}, {"88591 latin1", charmap.ISO8859_1}, {"1250", charmap.Windows1250},
		{"1251", charmap.Windows1251}, {"1253", charmap.Windows1253}, {"1254", charmap.Windows1254},
		{"1255", charmap.Windows1255}, {"1256", charmap.Windows1256}, {"1257", charmap.Windows1257},
		{"1258", charmap.Windows1258}, {"874", charmap.Windows874}, {"88592", charmap.ISO8859_2},
		{"88593", charmap.ISO8859_3}, {"88594", charmap.ISO8859_4}, {"88595", charmap.ISO8859_5},
		{"88596", charmap.ISO8859_6}, {"88597", charmap.ISO8859_7}, {"88598", charmap.ISO8859_8},
		{"88599", charmap.ISO8859_9}, {"885910", charmap.ISO8859_10}, {"885913", charmap.ISO8859_13},
		{"885914", charmap.ISO8859_14}, {"885915 latin9", charmap.ISO8859_15}, {"885916", charmap.ISO8859_16},
		{"437", charmap.CodePage437}, {"850", charmap.CodePage850}, {"852", charmap.CodePage852},
		{"855", charmap.CodePage855}, {"858", charmap.CodePage858}, {"860", charmap.CodePage860},
		{"862", charmap.CodePage862}, {"863", charmap.CodePage863}, {"865", charmap.CodePage865},
		{"866", charmap.CodePage866}, {"koi8r", charmap.KOI8R}, {"koi8u", charmap.KOI8U},
	} {
		for _, n := range strings.Fields(known.names) {
			if n == name {
				return known.set
			}
		}
	}
	return nil
}

// ofDriver returns the decoder for a language driver by its number in dBase and FoxPro. 0 means
// none. 87 means the default of the system that wrote the file, mostly Windows-1252.
func ofDriver(driver byte) (decoder, error) {
	if driver == 0 || driver == 87 {
		return guessed, nil
	}

	for set, drivers := range map[string][]byte{
		"437":  {1, 9, 11, 13, 15, 17, 21, 24, 25, 27},
		"850":  {2, 10, 14, 16, 18, 20, 22, 26, 29, 37, 55},
		"852":  {31, 34, 35, 64, 100, 135},
		"860":  {36},
		"863":  {28, 108},
		"865":  {8, 23, 102},
		"866":  {38, 101},
		"874":  {80, 124},
		"1250": {200},
		"1251": {201},
		"1252": {3, 88, 89},
		"1253": {203},
		"1254": {202},
		"1255": {125},
		"1256": {126},
		"1257": {204},
	} {
		if bytes.IndexByte(drivers, driver) >= 0 {
			return singleByte(ofName(set)), nil
		}
	}

	return nil, unknownEncoding(fmt.Sprintf("LDID/%d", driver))
}

// utf8Text reads UTF-8 whose last character may be cut off by the end of the field.
func utf8Text(b []byte) (string, error) {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if tail := b[len(b)-n:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				b = b[:len(b)-n]
			}
			break
		}
	}
	return featurefile.Text(b)
}

// guessed reads text in an unknown encoding. Text in another encoding is hardly ever valid UTF-8.
func guessed(b []byte) (string, error) {
	if utf8.Valid(b) {
		return featurefile.Text(b)
	}
	return singleByte(charmap.Windows1252)(b)
}

func singleByte(set *charmap.Charmap) decoder {
	return func(b []byte) (string, error) {
		var text []byte
		for _, c := range b {
			r := set.DecodeByte(c)
			if r == utf8.RuneError {
				return "", fmt.Errorf("%.40q has the byte %#x, which %v does not have", b, c, set)
			}
			text = utf8.AppendRune(text, r)
		}
		return featurefile.Text(text)
	}
}
