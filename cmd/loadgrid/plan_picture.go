package main

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/picture"
	"github.com/loadgrid/loadgrid/loader"
	"github.com/loadgrid/loadgrid/loader/crs"
)

// blocksAcross is about how many blocks a picture shows from side to side: where
// there are no more cells than that, each of them.
const blocksAcross = 400

// savePicture draws a picture and writes it into a file. When ctx ends, no file is left.
func savePicture(ctx context.Context, name string, draw func() ([]byte, error)) error {
	data, err := await(ctx, draw)
	if err != nil {
		return err
	}

	return picture.Write(name, data)
}

// drawPlan draws what a plan would load: extent, area, and the cells in blocks,
// coloured by when they are loaded. It writes no file: its name tells the format.
func drawPlan(p *loader.Plan, image imageOptions) ([]byte, error) {
	if err := picture.CheckName(image.file); err != nil {
		return nil, err
	}

	g, around := p.Job.Grid, acrossSeam(p)
	level := uint8(0)
	for n := widest(p, around); n>>level > blocksAcross; {
		level++
	}

	m := picture.Map{
		Theme: image.theme, Title: planTitle(p) + ": " + countText(p), CRS: p.CRS, Extent: around.extent, Edges: level == 0,
		Lines: []string{describeCells(p) + ", " + describeBlocks(level)},
	}
	if p.Job.Area != nil {
		m.Area = around.polygons(p.Job.Area.Polygons)
		m.Title += ", by rule " + string(p.Job.Area.Rule)
	}

	m.Legend = picture.Legend{Name: "order of the load", LowText: "first", HighText: "last"}
	if p.Chunks > 1 {
		m.Legend = picture.Legend{Name: "chunk", Low: 1, High: float64(p.Chunks)}
	}

	outline := blockOutline(g)
	p.Blocks(level, func(b geomgen.Block, before, n int64) {
		m.Pieces = append(m.Pieces, picture.Piece{Ring: around.ring(outline(b, p.Cells)), Value: loadOrder(p, before+n/2)})
	})
	if level > 0 {
		m.Sample = sampleCells(p)
	}

	return m.Encode(image.file)
}

// blockOutline returns a function that returns the corners of the box around a block's cells. It turns them itself:
// AppendOutline computes the sine and the cosine exactly each time, which takes longer than to draw.
func blockOutline(g geomgen.Grid) func(geomgen.Block, geomgen.Range) []geomgen.Point {
	sin, cos := math.Sincos(g.Rotate * math.Pi / 180)
	turned := g.Rotate != 0
	g.Rotate = 0

	return func(b geomgen.Block, cells geomgen.Range) []geomgen.Point {
		ring := g.AppendOutline(nil, b, cells)
		if !turned {
			return ring
		}

		for i, p := range ring {
			x, y := p.X-g.X0, p.Y-g.Y0
			ring[i] = geomgen.Point{X: g.X0 + cos*x - sin*y, Y: g.Y0 + sin*x + cos*y}
		}
		return ring
	}
}

// widest returns how many cells lie side by side in the plan's longer direction.
func widest(p *loader.Plan, s shifted) int64 {
	cols, rows := int64(p.Cells.MaxCol)-int64(p.Cells.MinCol), int64(p.Cells.MaxRow)-int64(p.Cells.MinRow)
	if s.period > 0 {
		cols = min(cols, int64((s.extent.XMax-s.extent.XMin)/p.Job.Grid.DX)+2)
	}

	return max(cols, rows)
}

// shifted draws what lies beyond the seam of the map behind it, so that an extent that crosses
// the seam is one box. Where the extent does not, it moves nothing.
type shifted struct {
	extent *geomgen.Box // as it is drawn, nil for none
	before float64      // what lies left of it belongs beyond the seam
	period float64      // 0 where nothing moves
}

func acrossSeam(p *loader.Plan) shifted {
	e := p.Job.Extent
	seam, ok := p.CRS.Seam()
	if e == nil || e.XMin <= e.XMax || !ok {
		return shifted{extent: e}
	}

	box := *e
	box.XMax += seam.Period
	return shifted{&box, e.XMin/2 + e.XMax/2, seam.Period}
}

// ring returns a ring where it is drawn.
func (s shifted) ring(ring []geomgen.Point) []geomgen.Point {
	if s.period == 0 || len(ring) == 0 {
		return ring
	}

	left := math.Inf(1)
	for _, p := range ring {
		left = min(left, p.X)
	}
	if left >= s.before {
		return ring
	}

	moved := slices.Clone(ring)
	for i := range moved {
		moved[i].X += s.period
	}

	return moved
}

// polygons returns polygons where they are drawn.
func (s shifted) polygons(polygons []geomgen.Polygon) []geomgen.Polygon {
	moved := make([]geomgen.Polygon, len(polygons))
	for i, p := range polygons {
		for _, ring := range p {
			moved[i] = append(moved[i], s.ring(ring))
		}
	}

	return moved
}

// countText says how many cells there are.
func countText(p *loader.Plan) string {
	if p.Exact() {
		return pluralCount(p.Rows, "cell")
	}
	return fmt.Sprintf("about %.3g cells", float64(p.Rows))
}

func planTitle(p *loader.Plan) string {
	if p.Job.Table.Name == "plan" && p.Job.Table.Schema == "" {
		return "plan"
	}
	return oneLine(p.Job.Table.String())
}

// describeCells says what a cell is, how large, and how it is turned.
func describeCells(p *loader.Plan) string {
	g, s := p.Job.Grid, p.CellSize()
	text := "cells of " + picture.Number(s.Map.Width) + " x " + groupedUnits(s.Map.Height, p.CRS)
	switch {
	case g.Shape == geomgen.XYZ:
		text = fmt.Sprintf("tiles of zoom %d", g.Zoom)
	case g.Shape.Hexagon():
		text = "hexagons with an edge of " + groupedUnits(g.DX, p.CRS)
	}

	if g.Rotate != 0 {
		text += fmt.Sprintf(", turned by %g degrees", g.Rotate)
	}
	return text
}

// groupedUnits writes a length with its unit, and its digits in groups.
func groupedUnits(f float64, c crs.CRS) string { return picture.Number(f) + " " + c.Units(f) }

func describeBlocks(level uint8) string {
	if level == 0 {
		return "each is drawn"
	}
	return fmt.Sprintf("drawn in blocks of %d x %d cells", 1<<level, 1<<level)
}

// loadOrder returns when the n-th cell is loaded, from 0 to 1: with chunks, by the
// number of its chunk.
func loadOrder(p *loader.Plan, n int64) float64 {
	share := float64(n) / float64(p.Rows)
	if p.Chunks == 1 {
		return share
	}
	return float64(int64(share*float64(p.Chunks))) / float64(p.Chunks-1)
}

// sampleCells returns the cells around one in the middle of the load, at the edge of
// the area if there is one near it.
func sampleCells(p *loader.Plan) picture.Sample {
	const around = 3
	middle := p.Middle()
	s := picture.Sample{Title: fmt.Sprintf("around column %s, row %s", formatCount(int64(middle.Col)), formatCount(int64(middle.Row)))}

	for row := middle.Row - around; row <= middle.Row+around; row++ {
		for col := middle.Col - around; col <= middle.Col+around; col++ {
			c := geomgen.Cell{Col: col, Row: row}
			ring := p.Job.Grid.AppendCorners(nil, c)
			if p.Contains(c) {
				s.Cells = append(s.Cells, ring)
			} else {
				s.Others = append(s.Others, ring)
			}
		}
	}

	return s
}
