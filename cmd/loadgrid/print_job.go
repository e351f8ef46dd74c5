package main

import (
	"cmp"
	"fmt"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

// printShape writes the shape of cells that are not rectangles along the axes, and how cells are
// selected and named.
func printShape(line func(name, format string, args ...any), job loader.Job) {
	g := job.Grid
	shape := ""
	switch {
	case g.Shape == geomgen.XYZ:
		shape = fmt.Sprintf("web map tiles of zoom %d", g.Zoom)
	case g.Shape.Hexagon():
		shape = g.Shape.String()
	case g.Rotate != 0:
		shape = "rectangles"
	}

	if g.Rotate != 0 {
		shape += fmt.Sprintf(", rotated by %g degrees", g.Rotate)
	}
	if shape != "" {
		line("shape", "%s", shape)
	}
	if job.Geometry != geomgen.AsPolygon {
		line("geometry", "%s", job.Geometry)
	}

	if a := job.Area; a != nil {
		text := string(a.Rule)
		if a.SQL != "" {
			text += ", " + oneLine(a.SQL)
		}
		if len(a.Polygons) > 0 {
			text += fmt.Sprintf(", %s with %s corners", plural(len(a.Polygons), "polygon"), formatCount(int64(countCorners(a.Polygons))))
		}

		line("area", "%s", text)
	}

	printAttributes(line, job)
	if job.Code != "" {
		line("code", "%s", job.Code)
	}
}

// printAttributes writes the columns that rows take from the features of the area.
func printAttributes(line func(name, format string, args ...any), job loader.Job) {
	if job.Pairs() {
		line("each", "%s, with cell_share and feature_share", oneLine(job.Each.String()))
	}

	for _, a := range job.Attributes {
		text := oneLine(a.String())
		if !job.Pairs() {
			text += ", from the feature by rule " + string(cmp.Or(job.AttributeRule, geomgen.Largest))
		}
		line("attribute", "%s", text)
	}

	if a := job.Area; a != nil && a.Layer != nil {
		line("features", "%s", formatCount(int64(len(a.Layer.Features))))
	}
}

func countCorners(polygons []geomgen.Polygon) int {
	n := 0
	for _, p := range polygons {
		for _, ring := range p {
			n += len(ring) - 1
		}
	}

	return n
}

// printLayout writes the settings of the job for the layout of the table.
func printLayout(line func(name, format string, args ...any), job loader.Job) {
	line("index", "%s", job.Index)
	if job.Partitions > 0 {
		line("partitions", "%d", job.Partitions)
	}
	if job.Unlogged {
		line("unlogged", "yes")
	}
	if job.Distribute != "" {
		line("distribute", "%s", job.DistributionText())
	}
	if job.ParentLevels > 0 {
		line("distribute by", "%s", job.ParentText())
	}
	if job.ColocateWith != (loader.Table{}) {
		line("colocate with", "%s", oneLine(job.ColocateWith.String()))
	}
	if job.Streams > 0 {
		line("streams", "%d", job.Streams)
	}
	if job.ChunkRows > 0 {
		line("chunk rows", "%s", formatCount(job.ChunkRows))
	}
}
