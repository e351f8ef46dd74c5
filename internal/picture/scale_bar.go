package picture

import (
	"math"
	"strconv"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/crs"
)

// scaleBar is a bar of a round length.
type scaleBar struct {
	units float64 // how long it is, in CRS units
	text  string  // its length, on the ground where that is known
	below string  // the CRS
}

// newScaleBar makes a bar of at most a fifth of the width of a world. It has a round length
// on the ground, as it is in the middle of the world from west to east; where the scale is
// not known there, a round number of CRS units.
func newScaleBar(c crs.CRS, world geomgen.Box) scaleBar {
	bar := scaleBar{below: "no CRS"}
	if c.SRID != 0 {
		bar.below = "EPSG:" + strconv.Itoa(int(c.SRID))
	}

	x, y, most := world.XMin/2+world.XMax/2, world.YMin/2+world.YMax/2, (world.XMax-world.XMin)/5

	if metres, _, ok := c.Ground(x, y); ok && metres > 0 {
		length := roundLength(most * metres)
		bar.units, bar.text = length/metres, metresText(length)

		if varies(c, world, metres) {
			bar.text += " in the middle"
		}

		return bar
	}

	bar.units = roundLength(most)
	bar.text = numberText(bar.units) + " " + c.Units(bar.units)

	return bar
}

// varies tells whether the bar would be another one at the lower or the upper edge.
func varies(c crs.CRS, world geomgen.Box, metres float64) bool {
	x := world.XMin/2 + world.XMax/2

	for _, y := range []float64{world.YMin, world.YMax} {
		if m, _, ok := c.Ground(x, y); !ok || math.Abs(m-metres) > 0.01*metres {
			return true
		}
	}

	return false
}

// metresText writes a length in the unit that fits.
func metresText(metres float64) string {
	if metres >= 1000 {
		return numberText(metres/1000) + " km"
	}

	return numberText(metres) + " m"
}

// scaleBarHeight is the height of a bar with its texts.
const scaleBarHeight = 5.6 * textSize

// drawScaleBar draws a bar in two parts, with its length above, and the CRS and its unit below. It returns where they
// begin.
func (v viewport) drawScaleBar(c canvas, strip rect, in crs.CRS) (left float64) {
	bar := newScaleBar(in, v.world)
	long := bar.units * v.perUnit()
	unit := ""
	if in.Unit != "" {
		unit = "x, y in " + in.Units(2)
	}

	box := rect{strip.right - long, strip.top + 1.5*textSize, strip.right, strip.top + 1.5*textSize + 5}
	half := box
	half.right -= long / 2
	c.fill(v.inks.panel, box.ring())
	c.fill(v.inks.text, half.ring())
	c.stroke(line{color: v.inks.text, width: 0.8, crisp: true}, box.outline()...)

	c.write(v.text(bar.text, point{strip.right, strip.top + textSize}, alignRight))
	below := v.text(bar.below, point{strip.right, box.bottom + 1.5*textSize}, alignRight)
	c.write(below)
	below.text, below.ink = unit, v.inks.subtext
	below.at.y += lineHeight * textSize
	c.write(below)

	return strip.right - max(long, v.letters.width(bar.text, textSize), v.letters.width(bar.below, textSize), v.letters.width(unit, textSize))
}
