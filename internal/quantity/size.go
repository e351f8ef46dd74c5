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

// Size is a length as typed: a number in CRS units, or a number with its own unit.
type Size struct {
	Text   string // as it was typed
	Number string // the number, as a decimal
	Unit   string // as in units, "" for the unit of the CRS
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
			if n == name || strings.EqualFold(n, name) && name != "Mm" { // a megametre
				return u, true
			}
		}
	}
	return unit{}, false
}

// commaHint is a hint for two sizes that may be one number with a decimal comma.
func commaHint(text string) string {
	if strings.Contains(text, ",") {
		return ", and use a decimal point, not a comma"
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

// cutUnit splits a number with a known unit, or without one, into number and unit.
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

// Sizes reads one size, or two with an x or a comma between them. It refuses a comma that may separate thousands.
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
		return nil, fmt.Errorf("%s, with a decimal point instead of a comma: write %s.%s", must, list[0].Text, list[1].Text)
	}
	if len(list) == 2 && (list[0].Unit == "") != (list[1].Unit == "") {
		return nil, fmt.Errorf("%s: give both sizes a unit or none%s", must, commaHint(t))
	}

	return list, nil
}

// ambiguous refuses a comma that separates thousands, or that may do so.
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
	if isZero(before) { // not a group of thousands
		number = before + "." + after
	}
	return fmt.Errorf("is ambiguous: write %s%s or %sx%s%s", number, one[2], before, after, one[2])
}

// cutX splits a text at the sign between two sizes.
func cutX(text string) (before, after string, ok bool) {
	return strings.Cut(strings.NewReplacer("X", "x", "×", "x").Replace(text), "x")
}

// sizeCure is cure for a size. parts is the number of sizes in the whole text.
func sizeCure(text string, parts int) string {
	if parts == 2 && text == "" {
		return ""
	}

	m := regexp.MustCompile(`^` + decimal + `\s*(.*)$`).FindStringSubmatch(text)
	if m != nil && regexp.MustCompile(`^[\pL°"'″′/²-]+$`).MatchString(m[1]) {
		return fmt.Sprintf(": %q is not a unit; units are %s", m[1], unitNames())
	}
	return cure(text, false)
}

func isZero(number string) bool { return strings.Trim(number, "+-0") == "" }

// In returns the size in units of a CRS, rounded once. The error is the reason why that is impossible.
func (s Size) In(srid int32) (float64, error) {
	if s.Unit == "" {
		return Number(s.Number)
	}

	c, known := crs.Known(srid)
	u, _ := findUnit(s.Unit)
	isDegrees := u.name == degrees

	switch {
	case srid == 0:
		return 0, errors.New("has a unit, but without srid the grid has none: set srid, or write only the number")
	case !known || c.Kind == crs.Unknown || c.PerUnit <= 0:
		return 0, fmt.Errorf("has a unit, but only the server knows the unit of SRID %d: write the size in CRS units, without a unit", srid)
	case isDegrees && c.Degrees():
		return Number(s.Number)
	case isDegrees:
		return 0, fmt.Errorf("is in degrees, but the unit of SRID %d is %s: write a length", srid, c.Unit)
	case c.Kind == crs.Geographic:
		return 0, fmt.Errorf("is a length, but the unit of SRID %d is %s, whose length on the ground varies: write the size in that unit, such as 0.1, or choose a CRS in metres", srid, c.Unit)
	}

	if u.name == "ft" && c.PerUnit == usFoot() {
		return 0, fmt.Errorf("is in international feet, but SRID %d is in US survey feet: write %sus-ft, which is %[2]s of its units, or only the number", srid, s.Number)
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

// convert converts a number from units of the given metres to units of perUnit metres.
func convert(number string, metres *big.Rat, perUnit float64) float64 {
	value, ok := new(big.Rat).SetString(number)
	if !ok { // impossible after Sizes
		return 0
	}

	per, _ := new(big.Rat).SetString(strconv.FormatFloat(perUnit, 'g', -1, 64)) // as in its definition
	if perUnit == usFoot() {
		per = big.NewRat(1200, 3937)
	}

	f, _ := value.Mul(value, metres).Quo(value, per).Float64()
	return f
}

// IsLength reports whether the size has a unit of length.
func (s Size) IsLength() bool { return s.Unit != "" && s.Unit != degrees }
