package picture

import (
	"fmt"
	"image/color"
	"math"

	"github.com/loadgrid/loadgrid/geomgen"
)

// Order is a picture of the order of a table's cells.
type Order struct {
	Theme Theme
	Title string
	// Lines are written below the title, in smaller letters.
	Lines []string
	// Extent is the box around all cells, in CRS units.
	Extent geomgen.Box
	// Blocks are the boxes of blocks of cells, in CRS units, in the order of
	// cell_id. The colour tells that order, and a line joins their centres.
	Blocks []geomgen.Box
}

// Save draws the picture into a file, as PNG or SVG by the end of its name.
func (o Order) Save(name string) error {
	if len(o.Blocks) == 0 {
		return fmt.Errorf("drawing %s: there are no cells to draw", name)
	}

	room := 0.02 * math.Max(o.Extent.XMax-o.Extent.XMin, o.Extent.YMax-o.Extent.YMin)
	f := figure{
		theme:        o.Theme,
		title:        append([]string{o.Title}, o.Lines...),
		world:        geomgen.Box{XMin: o.Extent.XMin - room, YMin: o.Extent.YMin - room, XMax: o.Extent.XMax + room, YMax: o.Extent.YMax + room},
		draw:         o.draw,
		footer:       o.footer,
		footerHeight: func(viewport, float64) float64 { return legendHeight },
	}

	data, err := f.encode(name)
	if err != nil {
		return fmt.Errorf("drawing %s: %w", name, err)
	}

	return Write(name, data)
}

func (o Order) frame(k inks) line { return line{color: k.text, width: 1.3} }

// color is the colour of a block.
func (o Order) color(k inks, block int) color.NRGBA {
	return k.scale(float64(block) / float64(max(1, len(o.Blocks)-1)))
}

// draw fills the blocks with colours along the order, and draws the line that joins
// their centres.
func (o Order) draw(c canvas, v viewport) {
	c.mosaic(v.page, func(yield func(tile) bool) {
		for i, b := range o.Blocks {
			if !yield(tile{ring: v.box(b).ring(), color: mix(v.inks.page, o.color(v.inks, i), 0.3)}) {
				return
			}
		}
	})

	center := func(i int) point {
		b := o.Blocks[i]
		return v.at(geomgen.Point{X: (b.XMin + b.XMax) / 2, Y: (b.YMin + b.YMax) / 2})
	}
	for i := 1; i < len(o.Blocks); i++ {
		line := line{color: o.color(v.inks, i), width: 1.4, crisp: true}
		c.stroke(line, o.around(center, i)...)
	}

	c.stroke(o.frame(v.inks), v.box(o.Extent).outline()...)
}

// around returns the line from the block before the i-th to the middle of the way to the next one, so that there is no
// gap at a corner.
func (o Order) around(center func(int) point, i int) []point {
	points := []point{center(i - 1), center(i)}
	if i+1 < len(o.Blocks) {
		points = append(points, between(center(i), center(i+1), 0.5))
	}
	return points
}

func (o Order) footer(c canvas, v viewport, strip rect) {
	l := Legend{Name: "order of cell_id", LowText: "first", HighText: "last"}
	l.draw(c, v, strip)

	extent := newColumns(v, []key{{"extent", lineKey(o.frame(v.inks))}}, strip.width())
	extent.draw(c, v, point{strip.left + legendWidth + 3*margin, strip.top + textSize})
}
