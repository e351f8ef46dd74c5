package dissolve

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/loadgrid/loadgrid/geomgen"
)

// edges holds the segments of all polygons, with the area on the left of each.
type edges struct {
	// The points of all rings, each closed, one after the other. Segment i goes from point i to the
	// next.
	points []geomgen.Point
	gone   bits // the numbers after the end of a ring, which have no segment, and the removed segments
}

// bits is a set of numbers.
type bits []uint64

func newBits(n int) bits         { return make(bits, (n+63)/64) }
func (b bits) set(i uint32)      { b[i/64] |= 1 << (i % 64) }
func (b bits) has(i uint32) bool { return b[i/64]&(1<<(i%64)) != 0 }

// newEdges takes over valid polygons. ok is false if they have too many positions.
func newEdges(polygons []geomgen.Polygon) (e *edges, ok bool) {
	n := 0
	for _, p := range polygons {
		for _, r := range p {
			n += len(r)
		}
	}
	if n > maxPositions {
		return nil, false
	}

	e = &edges{points: make([]geomgen.Point, 0, n), gone: newBits(n)}
	for _, p := range polygons {
		for k, r := range p {
			e.add(r, geomgen.Clockwise(r) == (k > 0))
		}
	}

	return e, true
}

// add adds a ring, reversed if forward is false.
func (e *edges) add(ring []geomgen.Point, forward bool) {
	first := len(e.points)
	for i := range ring {
		p := ring[i]
		if !forward {
			p = ring[len(ring)-1-i]
		}
		p = geomgen.Point{X: p.X + 0, Y: p.Y + 0} // turns -0 into 0

		if n := len(e.points); n == first || e.points[n-1] != p {
			e.points = append(e.points, p)
		}
	}

	e.gone.set(uint32(len(e.points) - 1))
}

// cancel removes each pair of segments with opposite directions between the same points, and tells
// whether there were any. ok is false if two have the same direction: then one polygon lies on
// another.
//
// It finds segments with the same points by sorting their hashes, with the segments' numbers in the
// lower half.
func (e *edges) cancel() (fell, ok bool) {
	keys := make([]uint64, 0, len(e.points))
	seed := rand.Uint64() | 1
	for i := range uint32(len(e.points)) {
		if !e.gone.has(i) {
			a, b := hash(e.points[i], seed), hash(e.points[i+1], seed)
			keys = append(keys, (a+b)&^math.MaxUint32|uint64(i))
		}
	}

	slices.Sort(keys)
	for len(keys) > 0 {
		n := 1
		for n < len(keys) && keys[n]>>32 == keys[0]>>32 {
			n++
		}
		some, ok := e.cancelAmong(keys[:n])
		if !ok {
			return fell, false
		}
		fell = fell || some
		keys = keys[n:]
	}

	return fell, true
}

// cancelAmong is cancel for the few segments with the same hash.
func (e *edges) cancelAmong(keys []uint64) (fell, ok bool) {
	for n, k := range keys {
		i := uint32(k)
		a, b := e.points[i], e.points[i+1]
		for _, other := range keys[:n] {
			j := uint32(other)
			switch c, d := e.points[j], e.points[j+1]; {
			case a == c && b == d:
				return fell, false
			case a == d && b == c:
				fell = true
				e.gone.set(i)
				e.gone.set(j)
			}
		}
	}

	return fell, true
}

// hash returns a number that usually differs for different points. Source of the mixing: D.
// Stafford's variant 13 of the finalizer of MurmurHash3, as in splitmix64.
func hash(p geomgen.Point, seed uint64) uint64 {
	h := math.Float64bits(p.X)*seed + mix(math.Float64bits(p.Y)^seed)
	return mix(h)
}

func mix(h uint64) uint64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}
