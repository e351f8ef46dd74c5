package picture

import (
	"image/color"
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

func numberText(f float64) string {
	if f >= 1e-6 && f < 1e15 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}

	return strconv.FormatFloat(f, 'g', -1, 64)
}

// drawScaleBar draws a bar with the CRS below it, and returns where they begin.
func (v viewport) drawScaleBar(c canvas, strip rect, in crs.CRS) (left float64) {
	bar := newScaleBar(in, v.world)
	y := strip.top + 2*textSize
	from := strip.right - bar.units*v.perUnit()

	black := line{color: color.Black, width: 1.5}
	c.stroke(black, point{from, y - 4}, point{from, y}, point{strip.right, y}, point{strip.right, y - 4})
	c.write(label{text: bar.text, at: point{strip.right, y - 6}, size: textSize, align: alignRight})
	c.write(label{text: bar.below, at: point{strip.right, y + 1.4*textSize}, size: textSize, align: alignRight})

	return strip.right - max(bar.units*v.perUnit(), v.letters.width(bar.text, textSize), v.letters.width(bar.below, textSize))
}
