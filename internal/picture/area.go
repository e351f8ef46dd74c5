package picture

import (
	"math"

	"github.com/loadgrid/loadgrid/geomgen"
)

// drawnArea is what of an area is within the map: the rings of each polygon, and the lines along them.
type drawnArea struct {
	fills [][][]point
	lines [][]point
}

// newDrawnArea cuts an area at the edges of the map. It leaves out corners so close to each other that nobody can see
// them, and more where an SVG would become too large.
func newDrawnArea(v viewport, polygons []geomgen.Polygon) drawnArea {
	var all drawnArea
	for _, polygon := range polygons {
		var rings [][]point
		for _, ring := range polygon {
			onPage := v.ring(ring)
			rings = append(rings, clipRing(onPage, v.page))
			all.lines = append(all.lines, clipLine(onPage, v.page)...)
		}
		all.fills = append(all.fills, rings)
	}

	const most = 8000
	near := 0.25
	kept, corners := all.thin(near)
	for corners > most {
		near *= 1.5
		kept, corners = all.thin(near)
	}

	return kept
}

// thin leaves out corners nearer than near to the one before. It returns how many it keeps, with some for each ring and
// line, which takes room of its own.
func (a drawnArea) thin(near float64) (kept drawnArea, corners int) {
	const own = 5
	for _, polygon := range a.fills {
		var rings [][]point
		for _, ring := range polygon {
			if ring = thin(ring, near); len(ring) > 2 {
				rings = append(rings, ring)
				corners += len(ring) + own
			}
		}
		kept.fills = append(kept.fills, rings)
	}

	for _, line := range a.lines {
		if line = thin(line, near); len(line) > 2 || apart(line[0], line[1]) >= near {
			kept.lines = append(kept.lines, line)
			corners += len(line) + own
		}
	}

	return kept, corners
}

// thin returns the points of a line that are not near the one before, and its last point.
func thin(line []point, near float64) (far []point) {
	for i, p := range line {
		if i == 0 || i == len(line)-1 || apart(p, far[len(far)-1]) >= near {
			far = append(far, p)
		}
	}
	return far
}

// apart is how far two points are from each other, in the direction in which they are farther.
func apart(p, q point) float64 { return max(math.Abs(p.x-q.x), math.Abs(p.y-q.y)) }
