package main

import (
	"math"
	"strconv"

	"github.com/loadgrid/loadgrid/loader"
	"github.com/loadgrid/loadgrid/loader/crs"
	"github.com/loadgrid/loadgrid/loader/units"
)

// printSize writes the size of a cell in the unit of the CRS and on the ground, and what only a
// server can check.
func printSize(line func(name, format string, args ...any), p *loader.Plan) {
	s := p.CellSize()

	if s.Map.Edge > 0 {
		line("size", "edge %s, width %s, height %s, area %s square %s", formatUnits(s.Map.Edge, p.CRS), formatUnits(s.Map.Width, p.CRS),
			formatUnits(s.Map.Height, p.CRS), formatNumber(s.Map.Area), p.CRS.Units(s.Map.Area))
	} else {
		line("size", "%s", formatSides(s.Map, p.CRS))
	}

	if g := s.Ground; g != nil {
		edge, where := "", ""
		if g.Edge > 0 {
			edge = "edge " + formatGround(g.Edge) + ", "
		}
		if _, varies := p.CRS.Seam(); varies {
			where = ", in the middle of the grid"
		}

		line("", "on the ground about %s%s x %s, %s%s", edge, formatGround(g.Width), formatGround(g.Height), formatGroundArea(g.Area), where)
	}

	if text := p.Unchecked(); text != "" {
		line("CRS", "EPSG:%d: %s", p.Job.Grid.SRID, text)
	}
}

// formatSides formats the sides of a rectangle.
func formatSides(s units.Size, c crs.CRS) string {
	return formatNumber(s.Width) + " x " + formatUnits(s.Height, c)
}

// formatUnits formats a length with its unit.
func formatUnits(f float64, c crs.CRS) string { return formatNumber(f) + " " + c.Units(f) }

// formatNumber formats a number with up to seven digits, and with an exponent only if the number is very
// large or small.
func formatNumber(f float64) string {
	short, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 7, 64), 64)
	if a := math.Abs(short); a >= 1e-6 && a < 1e15 {
		return strconv.FormatFloat(short, 'f', -1, 64)
	}

	return strconv.FormatFloat(short, 'g', -1, 64)
}

// formatGround formats metres with three digits, which is more than the curvature of the ground allows.
func formatGround(metres float64) string {
	if metres >= 999.5 {
		return formatThreeDigits(metres/1000) + " km"
	}

	return formatThreeDigits(metres) + " m"
}

// formatGroundArea formats square metres as formatGround formats metres.
func formatGroundArea(square float64) string {
	if square >= 999_500 {
		return formatThreeDigits(square/1e6) + " km2"
	}

	return formatThreeDigits(square) + " m2"
}

func formatThreeDigits(f float64) string {
	short, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 3, 64), 64)
	return formatNumber(short)
}
