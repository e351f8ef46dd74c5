package gather

import (
	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
)

// DefaultMax is the default maximum number of positions of an area.
const DefaultMax = 50_000_000

// gatherer combines positions into rings, and rings into polygons. It needs 16 bytes per position,
// and as much again for the longest ring. Beyond a limit it only counts.
type gatherer struct {
	// Max is the maximum number of positions, 0 for DefaultMax.
	Max int64
	// Positions is the number of positions so far.
	Positions int64

	ring     list[geomgen.Point]
	rings    list[[]geomgen.Point]
	polygons list[geomgen.Polygon]
	points   group[geomgen.Point]
	polygon  group[[]geomgen.Point]

	start  mark // of the current feature
	choose bool // a condition may skip features
}

// mark is the state before a feature.
type mark struct {
	positions int64
	polygons  int
	points    group[geomgen.Point]
	polygon   group[[]geomgen.Point]
}

func (g *gatherer) most() int64 {
	if g.Max == 0 {
		return DefaultMax
	}
	return g.Max
}

// Over tells whether there were more positions than the limit.
func (g *gatherer) Over() bool { return g.Positions > g.most() }

// Position adds a position to the current ring, in units of the CRS.
func (g *gatherer) Position(x, y float64) {
	if g.Positions++; g.Over() {
		g.forget()
		return
	}

	g.ring.add(geomgen.Point{X: x, Y: y})
}

// forget releases memory because there are too many positions: all of it, or only that of the
// current feature if a condition may skip it.
func (g *gatherer) forget() {
	switch {
	case g.choose && g.start.positions <= g.most():
		g.rewind()
	case g.ring.blocks != nil || g.polygons.n > 0: // none of it will be used
		*g = gatherer{Max: g.Max, Positions: g.Positions, start: mark{positions: g.start.positions}, choose: g.choose}
	}
}

// rewind discards the polygons of the current feature.
func (g *gatherer) rewind() {
	g.Discard()
	g.polygons.cut(g.start.polygons)
	g.points.rewind(g.start.points)
	g.polygon.rewind(g.start.polygon)
}

// begin notes the beginning of a feature.
func (g *gatherer) begin() {
	g.start = mark{positions: g.Positions, polygons: g.polygons.n, points: g.points, polygon: g.polygon}
}

// closeRing adds the current ring to the current polygon, and returns it.
func (g *gatherer) closeRing() []geomgen.Point {
	ring := g.points.take(&g.ring)
	g.rings.add(ring)
	g.ring.empty()

	return ring
}

// ClosePolygon adds the current polygon, unless it is empty.
func (g *gatherer) ClosePolygon() {
	if g.Over() || g.rings.n == 0 {
		return
	}

	g.polygons.add(g.polygon.take(&g.rings))
	g.rings.empty()
}

// take returns the polygons and clears the gatherer.
func (g *gatherer) take() []geomgen.Polygon {
	polygons := g.polygons.slice()
	*g = gatherer{Max: g.Max, Positions: g.Positions, choose: g.choose}
	g.begin()

	return polygons
}

// Discard discards the current ring and polygon.
func (g *gatherer) Discard() {
	g.ring.empty()
	g.rings.empty()
}

// limitError refuses an area with too many positions, after all were counted.
func (g *gatherer) limitError() error {
	return feature.BadArea("has %d positions, and aoi-max-positions allows %d: simplify it (ST_SimplifyPreserveTopology, ogr2ogr -simplify), or allow more (about 150 bytes of memory each)",
		g.Positions, g.most())
}
