package crs

import (
	"math"
	"strconv"
	"strings"
)

// unit is a unit of length or of angle.
type unit struct {
	name string
	per  float64 // metres or degrees
}

// lengths returns the units of length in EPSG's data set that CRSs use, with their PROJ names. The US survey foot
// is 1200/3937 m by law. The British feet of Sears and Benoit are measurements. Metre and foot come first because
// they are the most common.
//
// It is a function so that nothing is initialized when the program starts.
func lengths() []struct {
	unit
	proj string
} {
	return []struct {
		unit
		proj string
	}{
		{unit{"metre", 1}, "m"},
		{unit{"US survey foot", 1200.0 / 3937}, "us-ft"},
		{unit{"foot", 0.3048}, "ft"},
		{unit{"kilometre", 1000}, "km"},
		{unit{"decimetre", 0.1}, "dm"},
		{unit{"centimetre", 0.01}, "cm"},
		{unit{"millimetre", 0.001}, "mm"},
		{unit{"inch", 0.0254}, "in"},
		{unit{"yard", 0.9144}, "yd"},
		{unit{"fathom", 1.8288}, "fath"},
		{unit{"chain", 20.1168}, "ch"},
		{unit{"link", 0.201168}, "link"},
		{unit{"mile", 1609.344}, "mi"},
		{unit{"nautical mile", 1852}, "kmi"},
		{unit{"US survey inch", 100.0 / 3937}, "us-in"},
		{unit{"US survey yard", 3600.0 / 3937}, "us-yd"},
		{unit{"US survey chain", 20.11684023368047}, "us-ch"},
		{unit{"US survey mile", 1609.347218694437}, "us-mi"},
		{unit{"Indian foot", 0.3047995102481469}, "ind-ft"},
		{unit{"Indian yard", 0.9143985307444408}, "ind-yd"},
		{unit{"Indian chain", 20.11669506}, "ind-ch"},
		{unit{"German legal metre", 1.0000135965}, ""},
		{unit{"Clarke's foot", 0.3047972654}, ""},
		{unit{"Clarke's yard", 0.9143917962}, ""},
		{unit{"Clarke's link", 0.201166195164}, ""},
		{unit{"Gold Coast foot", 0.3047997101815088}, ""},
		{unit{"Indian yard (1937)", 0.91439523}, ""},
		{unit{"British foot (Sears 1922)", 0.3047994715386762}, ""},
		{unit{"British yard (Sears 1922)", 0.9143984146160287}, ""},
		{unit{"British chain (Sears 1922)", 20.11676512155263}, ""},
		{unit{"British chain (Sears 1922 truncated)", 20.116756}, ""},
		{unit{"British chain (Benoit 1895 B)", 20.11678249437587}, ""},
	}
}

// lengthOf returns the unit of length with the given size in metres. name is its name in the definition, which a
// unit outside the list keeps.
func lengthOf(name string, metres float64) unit {
	if !positive(metres) {
		return unit{}
	}

	// Definitions round to 12 or more digits. The two closest units in the list differ in the 7th.
	for _, u := range lengths() {
		if near(metres, u.per, 1e-9) {
			return u.unit
		}
	}

	if name = strings.TrimSpace(strings.ReplaceAll(name, "_", " ")); name == "" {
		name = "unit of " + strconv.FormatFloat(metres, 'g', -1, 64) + " m"
	}
	return unit{name, metres}
}

// angleOf returns the unit of angle with the given size in radians.
func angleOf(name string, radians float64) unit {
	if !positive(radians) {
		return unit{}
	}

	// Some definitions write degrees with only 7 digits.
	degrees := radians * 180 / math.Pi
	for _, u := range []unit{{"degree", 1}, {"grad", 0.9}, {"radian", 180 / math.Pi}} {
		if near(degrees, u.per, 1e-6) {
			return u
		}
	}

	return unit{strings.ToLower(strings.ReplaceAll(name, "_", " ")), degrees}
}

func near(a, b, relative float64) bool { return math.Abs(a-b) <= relative*math.Abs(b) }

func positive(v float64) bool { return v > 0 && !math.IsInf(v, 0) }

// number reads a finite number.
func number(s string) (v float64, ok bool) {
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	return v, err == nil && !math.IsInf(v, 0) && !math.IsNaN(v)
}
