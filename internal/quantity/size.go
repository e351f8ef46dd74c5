package quantity

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/loadgrid/loadgrid/loader/crs"
)

// Size is a length as somebody types it: a number in CRS units, or one with a unit of its
// own.
type Size struct {
	Text   string // as it was typed
	Number string // of it, as a decimal
	Unit   string // as in units, "" for that of the CRS
}

// unit is a unit of length, or degrees.
type unit struct {
	name    string
	aliases []string
	metres  *big.Rat // 0 for degrees
}

// degrees is the name of the unit that is not a length.
const degrees = "deg"

// units are the units that a size may have, with their definitions: the international foot,
// yard and mile of 1959, the US survey foot of 1893, the nautical mile of 1929.
func units() []unit {
	rat := func(a, b int64) *big.Rat { return big.NewRat(a, b) }
	return []unit{
		{"m", []string{"metre", "metres", "meter", "meters"}, rat(1, 1)},
		{"km", []string{"kilometre", "kilometres", "kilometer", "kilometers"}, rat(1000, 1)},
		{"cm", nil, rat(1, 100)},
		{"mm", nil, rat(1, 1000)},
		{"ft", []string{"foot", "feet"}, rat(3048, 10000)},
		{"us-ft", []string{"usft", "ftus", "us-foot", "us-feet"}, rat(1200, 3937)},
		{"yd", []string{"yard", "yards"}, rat(9144, 10000)},
		{"mi", []string{"mile", "miles"}, rat(1609344, 1000)},
		{"nmi", nil, rat(1852, 1)},
		{degrees, []string{"°", "degree", "degrees"}, new(big.Rat)},
	}
}

// findUnit returns the unit of a name.
func findUnit(name string) (unit, bool) {
	for _, u := range units() {
		for _, n := range append(u.aliases, u.name) {
			if n == name || strings.EqualFold(n, name) && name != "Mm" { // which is a million metres
				return u, true
			}
		}
	}
	return unit{}, false
}

// commaHint is for two sizes that may be one number with a decimal comma.
func commaHint(text string) string {
	if strings.Contains(text, ",") {
		return ", and write a decimal point for a decimal comma"
	}
	return ""
}

// unitNames lists the units, for messages.
func unitNames() string {
	var names []string
	for _, u := range units() {
		names = append(names, u.name)
	}
	return orList(names)
}

// cutUnit cuts a number with a known unit, or with none, in two.
func cutUnit(text string) (number, name string, ok bool) {
	m := regexp.MustCompile(`^(` + decimal + `)[ \x{00a0}\x{2009}\x{202f}]*([\pL°-]*)$`).FindStringSubmatch(text)
	if m == nil {
		return "", "", false
	}
	if m[2] == "" {
		return m[1], "", true
	}

	u, ok := findUnit(m[2])
	return m[1], u.name, ok
}

// Sizes reads a size, or two with an x or a comma between them. A comma that may
// stand between thousands is refused.
func Sizes(text string) ([]Size, error) {
	const must = "must be one size or two, such as 1000, 2x500 or 1km"
	t := strings.TrimSpace(text)
	if err := ambiguous(t); err != nil {
		return nil, err
	}

	parts := strings.Split(strings.NewReplacer("x", ",", "X", ",", "×", ",").Replace(t), ",")
	if len(parts) > 2 {
		return nil, errors.New(must)
	}

	list := make([]Size, len(parts))
	for i, p := range parts {
		p = strings.TrimSpace(p)
		number, name, ok := cutUnit(p)
		if !ok {
			return nil, fmt.Errorf("%s%s", must, sizeCure(p, len(parts)))
		}
		if _, err := Number(number); err != nil {
			return nil, err
		}
		list[i] = Size{Text: p, Number: number, Unit: name}
	}

	if len(list) == 2 && strings.Contains(t, ",") && isZero(list[0].Number) {
		return nil, fmt.Errorf("%s, and a decimal point is not a comma: write %s.%s", must, list[0].Text, list[1].Text)
	}
	if len(list) == 2 && (list[0].Unit == "") != (list[1].Unit == "") {
		return nil, fmt.Errorf("%s: give both sizes a unit or none%s", must, commaHint(t))
	}

	return list, nil
}

// ambiguous refuses a comma that stands between thousands, or between two sizes.
func ambiguous(text string) error {
	const tail = `((?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?\s*[\pL°-]*)`
	plain := func(s string) string { return strings.ReplaceAll(strings.TrimSpace(s), ",", "") }
	grouped := func(s string) bool {
		return regexp.MustCompile(`^` + grouping + tail + `$`).MatchString(strings.TrimSpace(s))
	}

	if before, after, ok := cutX(text); ok {
		if grouped(before) || grouped(after) {
			return fmt.Errorf("has commas between thousands: write %sx%s", plain(before), plain(after))
		}
		return nil
	}

	one := regexp.MustCompile(`^(` + grouping + `)` + tail + `$`).FindStringSubmatch(text)
	two := regexp.MustCompile(`^(` + grouping + tail + `)\s*,\s*(` + grouping + tail + `)$`).FindStringSubmatch(text)
	switch {
	case one == nil && two == nil:
		return nil
	case one == nil:
		return fmt.Errorf("has commas between thousands: write %sx%s", plain(two[1]), plain(two[3]))
	case strings.Count(one[1], ",") > 1:
		return fmt.Errorf("has commas between thousands: write %s", plain(text))
	}

	before, after, _ := strings.Cut(one[1], ",")
	number := before + after
	if isZero(before) { // nobody writes thousands so
		number = before + "." + after
	}
	return fmt.Errorf("can be read as %s%s or as %sx%s%s: write the one that you mean", number, one[2], before, after, one[2])
}

// cutX cuts a text at the sign between two sizes.
func cutX(text string) (before, after string, ok bool) {
	return strings.Cut(strings.NewReplacer("X", "x", "×", "x").Replace(text), "x")
}

// sizeCure is cure for a size, of which the text has so many.
func sizeCure(text string, parts int) string {
	if parts == 2 && text == "" {
		return ""
	}

	m := regexp.MustCompile(`^` + decimal + `\s*(.*)$`).FindStringSubmatch(text)
	if m != nil && regexp.MustCompile(`^[\pL°"'″′/²-]+$`).MatchString(m[1]) {
		return fmt.Sprintf(": %q is not a unit of size, which are %s", m[1], unitNames())
	}
	return cure(text, false)
}

func isZero(number string) bool { return strings.Trim(number, "+-0") == "" }

// In returns the size in units of a CRS, rounded once. The error is the reason why it
// has none there.
func (s Size) In(srid int32) (float64, error) {
	if s.Unit == "" {
		return Number(s.Number)
	}

	c, known := crs.Known(srid)
	u, _ := findUnit(s.Unit)
	isDegrees := u.name == degrees

	switch {
	case srid == 0:
		return 0, errors.New("has a unit, and without srid the grid has none: name its CRS, or write the number alone")
	case !known || c.Kind == crs.Unknown || c.PerUnit <= 0:
		return 0, fmt.Errorf("has a unit, and that of SRID %d is known to the server alone: write the size in CRS units, without a unit", srid)
	case isDegrees && c.Degrees():
		return Number(s.Number)
	case isDegrees:
		return 0, fmt.Errorf("is in degrees, and SRID %d has the unit %s: write a length", srid, c.Unit)
	case c.Kind == crs.Geographic:
		return 0, fmt.Errorf("is a length, and SRID %d has the unit %s, which is longer or shorter on the ground from place to place: write the size in it, such as 0.1", srid, c.Unit)
	}

	if u.name == "ft" && c.PerUnit == usFoot() {
		return 0, fmt.Errorf("is in international feet, and SRID %d in US survey feet: write %sus-ft, which is %[2]s of its units, or the number alone", srid, s.Number)
	}

	return convert(s.Number, u.metres, c.PerUnit), nil
}

// orList returns "a, b or c".
func orList(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// usFoot is the US survey foot in metres.
func usFoot() float64 { return 1200.0 / 3937 }

// convert returns a number of units of so many metres in units of perUnit metres.
func convert(number string, metres *big.Rat, perUnit float64) float64 {
	value, ok := new(big.Rat).SetString(number)
	if !ok { // not after Sizes
		return 0
	}

	per, _ := new(big.Rat).SetString(strconv.FormatFloat(perUnit, 'g', -1, 64)) // as definitions write it
	if perUnit == usFoot() {
		per = big.NewRat(1200, 3937)
	}

	f, _ := value.Mul(value, metres).Quo(value, per).Float64()
	return f
}

// IsLength tells whether the size has a unit of length.
func (s Size) IsLength() bool { return s.Unit != "" && s.Unit != degrees }
