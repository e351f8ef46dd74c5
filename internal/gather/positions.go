package gather

import (
	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
)

// DefaultMax is how many positions an area may have when nobody says.
const DefaultMax = 50_000_000

// gatherer puts positions together to rings, and rings to polygons, in 16 bytes a position
// and as much again for the longest ring. Beyond a limit it counts, and keeps nothing.
type gatherer struct {
	// Max is how many positions there may be, 0 for DefaultMax.
	Max int64
	// Positions is how many there were.
	Positions int64

	ring     list[geomgen.Point]
	rings    list[[]geomgen.Point]
	polygons list[geomgen.Polygon]
	points   group[geomgen.Point]
	polygon  group[[]geomgen.Point]

	start  mark // of the feature in work
	choose bool // a feature may be passed over
}

// mark is what there was before a feature.
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

// Over tells whether there were more positions than there may be.
func (g *gatherer) Over() bool { return g.Positions > g.most() }

// Position adds a position to the ring in work, in units of the CRS.
func (g *gatherer) Position(x, y float64) {
	if g.Positions++; g.Over() {
		g.forget()
		return
	}

	g.ring.add(geomgen.Point{X: x, Y: y})
}

// forget gives back memory, since there are more positions than there may be: all of it, or
// that of the feature in work, which may be passed over.
func (g *gatherer) forget() {
	switch {
	case g.choose && g.start.positions <= g.most():
		g.rewind()
	case g.ring.blocks != nil || g.polygons.n > 0: // nothing of it is used
		*g = gatherer{Max: g.Max, Positions: g.Positions, start: mark{positions: g.start.positions}, choose: g.choose}
	}
}

// rewind forgets the polygons of the feature in work.
func (g *gatherer) rewind() {
	g.Discard()
	g.polygons.cut(g.start.polygons)
	g.points.rewind(g.start.points)
	g.polygon.rewind(g.start.polygon)
}

// begin notes that a feature begins.
func (g *gatherer) begin() {
	g.start = mark{positions: g.Positions, polygons: g.polygons.n, points: g.points, polygon: g.polygon}
}

// closeRing adds the ring in work to the polygon in work, and returns it.
func (g *gatherer) closeRing() []geomgen.Point {
	ring := g.points.take(&g.ring)
	g.rings.add(ring)
	g.ring.empty()

	return ring
}

// ClosePolygon adds the polygon in work, unless it is empty.
func (g *gatherer) ClosePolygon() {
	if g.Over() || g.rings.n == 0 {
		return
	}

	g.polygons.add(g.polygon.take(&g.rings))
	g.rings.empty()
}

// take returns the polygons, and forgets them.
func (g *gatherer) take() []geomgen.Polygon {
	polygons := g.polygons.slice()
	*g = gatherer{Max: g.Max, Positions: g.Positions, choose: g.choose}
	g.begin()

	return polygons
}

// Discard forgets the ring and the polygon in work.
func (g *gatherer) Discard() {
	g.ring.empty()
	g.rings.empty()
}

// limitError refuses an area with more positions than there may be, once all are counted.
func (g *gatherer) limitError() error {
	return feature.BadArea("has %d positions, and aoi-max-positions allows %d: simplify it (ST_SimplifyPreserveTopology, ogr2ogr -simplify), or allow more, each of which takes about 150 bytes of memory",
		g.Positions, g.most())
}
