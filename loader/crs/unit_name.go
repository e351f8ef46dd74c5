package crs

import "strings"

// Units returns the name of the unit for a number: "metre" for 1, "US survey feet" for 2, and "units" if the unit
// is unknown.
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
