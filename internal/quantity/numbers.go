// Package quantity owns the parsing of typed numbers: whole and decimal numbers, SRIDs, times, and
// sizes with units. Its errors say what to write instead. It knows no options.
package quantity

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// decimal is how a number is written: digits, a decimal point, an exponent.
const decimal = `[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?`

// Number reads a finite number. The error says what is expected, and what to write if the intention is clear.
func Number(text string) (float64, error) {
	t := strings.TrimSpace(text)
	if !isNumber(t) {
		return 0, errors.New("must be a number" + cure(t, false))
	}

	f, err := strconv.ParseFloat(t, 64)
	if err != nil { // the format is right
		return 0, errors.New("must be a number, but is too large")
	}
	return f, nil
}

func isNumber(text string) bool { return regexp.MustCompile(`^` + decimal + `$`).MatchString(text) }

// Whole reads a whole number within a range.
func Whole(text string, least, most int64) (int64, error) {
	t := strings.TrimSpace(text)
	n, err := strconv.ParseInt(t, 10, 64)
	switch {
	case err == nil && n >= least && n <= most:
		return n, nil
	case (err == nil && n > most || errors.Is(err, strconv.ErrRange)) && most >= math.MaxInt32:
		return 0, errors.New("must be " + WholeText(least, most) + ", but has too many digits")
	case err == nil, errors.Is(err, strconv.ErrRange):
		return 0, errors.New("must be " + WholeText(least, most))
	}

	if plain, err := strconv.ParseInt(ungrouped(t), 10, 64); err == nil && (plain < least || plain > most) {
		return 0, errors.New("must be " + WholeText(least, most)) // the number that it seems to mean is not allowed either
	}

	return 0, errors.New("must be " + WholeText(least, most) + cure(t, true))
}

// WholeText describes a whole number within a range.
func WholeText(least, most int64) string {
	switch {
	case most >= math.MaxInt32:
		return fmt.Sprintf("a whole number of at least %d", least)
	case most == 1<<30:
		return fmt.Sprintf("a whole number from %d to 2^30", least)
	}
	return fmt.Sprintf("a whole number from %d to %d", least, most)
}

// cure suggests what to write for text that is not a number, as the end of a sentence. It returns ""
// if the intention is unclear.
func cure(text string, whole bool) string {
	match := func(pattern string) []string {
		return regexp.MustCompile(`^(?:` + pattern + `)$`).FindStringSubmatch(text)
	}

	if plain := ungrouped(text); plain != "" {
		return ": write " + plain
	}
	if minus := strings.NewReplacer("\u2212", "-", "\u2013", "-").Replace(text); minus != text && isNumber(minus) {
		return ": write " + minus
	}

	if m := match(`([-+]?[0-9]+),([0-9]+)`); m != nil {
		point, thousands := m[1]+"."+m[2], m[1]+m[2]
		grouped := len(m[2]) == 3 && match(grouping) != nil
		switch {
		case grouped && whole:
			return ": write " + thousands
		case grouped:
			return fmt.Sprintf(": write %s or %s", thousands, point)
		case !whole:
			return ": write " + point
		}
	}
	if match(grouping+`(\.[0-9]+)?`) != nil {
		return ": write " + strings.ReplaceAll(text, ",", "")
	}

	if whole && isNumber(text) {
		if f, err := strconv.ParseFloat(text, 64); err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return ": write " + strconv.FormatFloat(f, 'f', 0, 64)
		}
		return ""
	}

	if match(decimal+`\s*(-|\x{2013}|\.\.\.?|to)\s*`+decimal) != nil {
		return ", not a range"
	}
	if number, unit, ok := cutUnit(text); ok && unit == degrees {
		return ", without a unit: write " + number
	} else if ok && unit != "" { // a length, whose conversion is unknown here
		return ", without a unit such as " + unit
	}

	return ""
}

// grouping is a number whose thousands are separated by commas.
const grouping = `[-+]?[0-9]{1,3}(?:,[0-9]{3})+`

// ungrouped returns a number without the separators of its thousands: spaces, apostrophes or
// underscores. It returns "" for other text.
func ungrouped(text string) string {
	const separators = " '_\u00a0\u2009\u202f\u2019"
	if !regexp.MustCompile(`^[-+]?[0-9]{1,3}(?:[` + separators + `][0-9]{3})+(?:\.[0-9]+)?$`).MatchString(text) {
		return ""
	}

	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(separators, r) {
			return -1
		}
		return r
	}, text)
}

// Numbers reads n numbers separated by commas.
func Numbers(text string, n int) ([]float64, error) {
	must := fmt.Sprintf("must be %d numbers separated by commas", n)
	parts := strings.Split(text, ",")
	if len(parts) != n {
		if len(parts) == 2*n || len(parts) == 3*n/2 {
			if match, _ := regexp.MatchString(`[0-9],[0-9]{3}(,|$)`, text); match {
				must += ", without commas between thousands: write 1000, not 1,000"
			}
		}
		return nil, errors.New(must)
	}

	list := make([]float64, n)
	for i, p := range parts {
		f, err := Number(p)
		if err == nil {
			list[i] = f
			continue
		}

		if _, unit, ok := cutUnit(strings.TrimSpace(p)); ok && unit != "" {
			return nil, fmt.Errorf("%s, in CRS units: coordinates have no unit, unlike %q", must, p)
		}
		return nil, fmt.Errorf("%s: %q %s", must, p, err)
	}

	return list, nil
}

// SRID reads a number, or EPSG: followed by a number.
func SRID(text string) (int32, error) {
	const must = "must be a number, such as 3035 or EPSG:3035"
	t := strings.TrimSpace(text)
	digits := t
	if len(t) > 5 && strings.EqualFold(t[:5], "EPSG:") {
		digits = t[5:]
	}

	n, err := strconv.ParseInt(digits, 10, 32)
	switch {
	case err == nil:
		return int32(n), nil
	case errors.Is(err, strconv.ErrRange):
		return 0, errors.New(must + ", but has too many digits")
	}

	// Other notations: epsg3035, urn:ogc:def:crs:EPSG::3035, http://.../EPSG/0/3035, 3035.0
	if m := regexp.MustCompile(`(?i)EPSG\S*?([0-9]{4,6})$`).FindStringSubmatch(t); m != nil {
		return 0, errors.New(must + ": write EPSG:" + m[1])
	}
	return 0, errors.New(must + cure(t, true))
}
