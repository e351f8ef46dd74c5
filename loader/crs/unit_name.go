package crs

import "strings"

// Units returns what so many units of x and y are called: "metre" of one, "US survey feet" of
// two, "units" where the unit is not known.
func (c CRS) Units(n float64) string {
	unit := c.Unit
	if unit == "" {
		unit = "unit"
	}

	if n == 1 {
		return unit
	}

	if rest, ok := strings.CutSuffix(unit, "foot"); ok {
		return rest + "feet"
	}

	return unit + "s"
}
