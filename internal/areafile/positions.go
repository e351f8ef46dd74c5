package areafile

import (
	"github.com/loadgrid/loadgrid/geomgen"
)

// DefaultMaxPositions is how many positions an area may have when nobody says.
const DefaultMaxPositions = 50_000_000

// blockLen is how many things a block of a list has, and groupLen how many positions or
// rings are allocated together.
const (
	blockLen = 1 << 15
	groupLen = 1 << 12
)

// list is a list that grows without being copied. It keeps its memory when it is emptied.
type list[T any] struct {
	blocks [][]T
	n      int
}

func (l *list[T]) add(v T) {
	b := l.n / blockLen
	if b == len(l.blocks) {
		size := blockLen
		if b == 0 {
			size = 8 // most are short
		}
		l.blocks = append(l.blocks, make([]T, 0, size))
	}

	l.blocks[b] = append(l.blocks[b], v)
	l.n++
}

// at returns the i-th.
func (l *list[T]) at(i int) T { return l.blocks[i/blockLen][i%blockLen] }

// empty empties the list.
func (l *list[T]) empty() {
	for i := range l.blocks {
		l.blocks[i] = l.blocks[i][:0]
	}
	l.n = 0
}

// appendTo appends what is in the list.
func (l *list[T]) appendTo(dst []T) []T {
	for _, b := range l.blocks[:min(len(l.blocks), (l.n+blockLen-1)/blockLen)] {
		dst = append(dst, b...)
	}
	return dst
}

// group allocates short slices together, so that none wastes memory.
type group[T any] struct{ room []T }

// make returns an empty slice with room for n.
func (g *group[T]) make(n int) []T {
	if n > groupLen/4 {
		return make([]T, 0, n)
	}

	if len(g.room)+n > cap(g.room) {
		g.room = make([]T, 0, groupLen)
	}

	from := len(g.room)
	g.room = g.room[:from+n]
	return g.room[from : from : from+n]
}

// take returns an own copy of what is in a list.
func (g *group[T]) take(l *list[T]) []T { return l.appendTo(g.make(l.n)) }

// gatherer puts positions together to rings, and rings to polygons, in 16 bytes a position
// and as much again for the longest ring. Beyond a limit it counts, and keeps nothing.
type gatherer struct {
	// Max is how many positions there may be, 0 for DefaultMaxPositions.
	Max int64
	// Positions is how many there were.
	Positions int64

	ring     list[geomgen.Point]
	rings    list[[]geomgen.Point]
	polygons list[geomgen.Polygon]
	points   group[geomgen.Point]
	polygon  group[[]geomgen.Point]
}

func (g *gatherer) most() int64 {
	if g.Max == 0 {
		return DefaultMaxPositions
	}
	return g.Max
}

// over tells whether there were more positions than there may be.
func (g *gatherer) over() bool { return g.Positions > g.most() }

// addPosition adds a position to the ring in work.
func (g *gatherer) addPosition(p geomgen.Point) {
	if g.count(1) {
		g.ring.add(p)
	}
}

// count counts positions, and tells whether they are kept.
func (g *gatherer) count(n int) bool {
	if g.Positions += int64(n); !g.over() {
		return true
	}

	if g.ring.blocks != nil || g.polygons.n > 0 { // nothing of it is used
		*g = gatherer{Max: g.Max, Positions: g.Positions}
	}

	return false
}

// closeRing adds the ring in work to the polygon in work.
func (g *gatherer) closeRing() {
	if g.over() {
		return
	}

	g.rings.add(g.points.take(&g.ring))
	g.ring.empty()
}

// closePolygon adds the polygon in work, unless it is empty.
func (g *gatherer) closePolygon() {
	if g.over() || g.rings.n == 0 {
		return
	}

	g.polygons.add(g.polygon.take(&g.rings))
	g.rings.empty()
}

// take returns the polygons, and forgets them.
func (g *gatherer) take() []geomgen.Polygon {
	if g.polygons.n == 0 {
		return nil
	}

	polygons := g.polygons.appendTo(make([]geomgen.Polygon, 0, g.polygons.n))
	*g = gatherer{Max: g.Max, Positions: g.Positions}
	return polygons
}

// drop forgets the ring and the polygon in work.
func (g *gatherer) drop() {
	g.ring.empty()
	g.rings.empty()
}

// limitError refuses an area with more positions than there may be, once all are counted.
func (g *gatherer) limitError() error {
	return BadArea("has %d positions, and aoi-max-positions allows %d: simplify it (ST_SimplifyPreserveTopology, ogr2ogr -simplify), or allow more, where each needs some 150 bytes of memory",
		g.Positions, g.most())
}
