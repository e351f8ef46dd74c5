package geomgen_test

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/oracle"
	"github.com/loadgrid/loadgrid/internal/testrand"
)

// checkCover clips all cells near an area. It checks that each part is valid, that its points are where they
// belong, that neighbouring parts have the same edge, and that shares and parts add up to the area.
func checkCover(g geomgen.Grid, polygons []geomgen.Polygon) error {
	m, err := geomgen.NewMask(g, polygons, geomgen.Intersects)
	if err != nil {
		return err
	}

	r, err := g.Around(m.Bounds())
	if err != nil {
		return err
	}

	c := cover{grid: g, area: polygons, edges: map[[2]geomgen.Point]geomgen.Cell{}}
	clipper := geomgen.NewClipper(m)
	var sum, whole float64
	for col := r.MinCol; col < r.MaxCol; col++ {
		for row := r.MinRow; row < r.MaxRow; row++ {
			cell := geomgen.Cell{Col: col, Row: row}
			part, err := clipper.Clip(cell)
			if err != nil {
				return err
			}
			corners := g.AppendCorners(nil, cell)
			whole = area(corners)
			sum += part.Share * whole
			if err := c.add(cell, corners, part); err != nil {
				return fmt.Errorf("cell %v: %w", cell, err)
			}
		}
	}

	if err := c.match(); err != nil {
		return err
	}

	var want float64
	for _, p := range polygons {
		for k, ring := range p {
			a := math.Abs(area(ring[:len(ring)-1]))
			if k > 0 {
				a = -a
			}
			want += a
		}
	}
	if g.Shape == geomgen.XYZ && r.Intersect(geomgen.Range{MinCol: 1, MinRow: 1, MaxCol: g.World().MaxCol - 1, MaxRow: g.World().MaxRow - 1}) != r {
		return nil // some of it may be beyond the world
	}
	if math.Abs(sum-want) > 1e-9*math.Max(whole, want) {
		return fmt.Errorf("the shares add up to %g, the area has %g", sum, want)
	}

	return nil
}

// cover is the set of parts of cells.
type cover struct {
	grid  geomgen.Grid
	area  []geomgen.Polygon
	edges map[[2]geomgen.Point]geomgen.Cell // by their ends, with the part on the left
}

// segments visits the area's segments.
func (c *cover) segments(visit func(a, b geomgen.Point)) {
	for _, p := range c.area {
		for _, ring := range p {
			for i := 1; i < len(ring); i++ {
				visit(ring[i-1], ring[i])
			}
		}
	}
}

func (c *cover) add(cell geomgen.Cell, corners []geomgen.Point, part geomgen.Part) error {
	covers, meets := part.Share == 1, part.Share > 0
	if covers {
		part.Rings, part.Shells = [][]geomgen.Point{c.touched(corners)}, []int{0}
	}
	if !meets && len(part.Rings) > 0 {
		return fmt.Errorf("a part of share 0 has rings")
	}

	var shells []geomgen.Polygon
	for i, from := range part.Shells {
		to := len(part.Rings)
		if i+1 < len(part.Shells) {
			to = part.Shells[i+1]
		}
		shells = append(shells, part.Rings[from:to])
	}
	if err := geomgen.CheckPolygons(shells); err != nil {
		return fmt.Errorf("the part is not valid: %w: %v", err, shells)
	}

	var parts float64
	for _, p := range shells {
		for k, ring := range p {
			if turn := exactArea(ring).Sign(); (turn > 0) != (k == 0) {
				return fmt.Errorf("ring %d runs the wrong way: %v", k, ring)
			}
			parts += area(ring[:len(ring)-1])

			for i := 1; i < len(ring); i++ {
				edge := [2]geomgen.Point{ring[i-1], ring[i]}
				if other, ok := c.edges[edge]; ok {
					return fmt.Errorf("cell %v has the edge %v on the same side", other, edge)
				}
				c.edges[edge] = cell
				if err := c.belongs(corners, ring[i]); err != nil {
					return err
				}
			}
		}
	}

	// How much rounding may change an area: a unit in the last place along the edge.
	far := 0.0
	for _, p := range corners {
		far = math.Max(far, math.Max(math.Abs(p.X), math.Abs(p.Y)))
	}
	size := math.Sqrt(area(corners))
	if off := 1e-12 + 20*(far*0x1p-52)/size; math.Abs(parts/area(corners)-part.Share) > off {
		return fmt.Errorf("the rings have %g of the cell, the share is %g: %v", parts/area(corners), part.Share, shells)
	}
	return nil
}

// touched returns the ring of a whole cell with the corners of the area that touch it. A whole cell is written
// with only its own corners.
func (c *cover) touched(corners []geomgen.Point) []geomgen.Point {
	ring := []geomgen.Point{}
	for i, p := range corners {
		q := corners[(i+1)%len(corners)]
		ring = append(ring, p)
		at := map[float64]geomgen.Point{}
		var order []float64
		c.segments(func(a, _ geomgen.Point) {
			if a != p && a != q && math.Min(p.X, q.X) <= a.X && a.X <= math.Max(p.X, q.X) && math.Min(p.Y, q.Y) <= a.Y && a.Y <= math.Max(p.Y, q.Y) &&
				exactArea([]geomgen.Point{p, q, a, p}).Sign() == 0 {
				d := math.Abs(a.X-p.X) + math.Abs(a.Y-p.Y)
				if _, ok := at[d]; !ok {
					order = append(order, d)
				}
				at[d] = a
			}
		})
		for len(order) > 0 {
			least := 0
			for k := range order {
				if order[k] < order[least] {
					least = k
				}
			}
			ring = append(ring, at[order[least]])
			order = append(order[:least], order[least+1:]...)
		}
	}
	return append(ring, ring[0])
}

func ulp(f float64) float64 { return math.Nextafter(math.Abs(f), math.Inf(1)) - math.Abs(f) }

// belongs reports whether a point is a corner of the cell or of the area, or within a unit in the last place of a
// crossing in each coordinate.
func (c *cover) belongs(corners []geomgen.Point, at geomgen.Point) error {
	for _, p := range corners {
		if p == at {
			return nil
		}
	}

	found := false
	c.segments(func(a, b geomgen.Point) {
		// Repairing moves a point there if it is near a corner of the area that rounding has put on the other side
		// of the cell's edge.
		found = found || math.Abs(a.X-at.X) <= 4*ulp(at.X) && math.Abs(a.Y-at.Y) <= 4*ulp(at.Y)
		for i, p := range corners {
			if !found {
				found = crossesNear(a, b, p, corners[(i+1)%len(corners)], at)
			}
		}
	})
	if !found {
		return fmt.Errorf("%v is neither a corner nor within a unit of a crossing", at)
	}
	return nil
}

// crossesNear computes in fractions whether two segments cross within a unit in the last place of a point.
func crossesNear(a, b, p, q, at geomgen.Point) bool {
	near := func(u, v, w float64) bool {
		return math.Min(u, v) <= w+ulp(w) && math.Max(u, v) >= w-ulp(w)
	}
	if !near(a.X, b.X, at.X) || !near(a.Y, b.Y, at.Y) {
		return false
	}

	dp, dq := exactArea([]geomgen.Point{a, b, p, a}), exactArea([]geomgen.Point{a, b, q, a})
	if dp.Sign()*dq.Sign() >= 0 {
		return false
	}
	t := new(big.Rat).Quo(dp, new(big.Rat).Sub(dp, dq))
	off := func(u, v, w float64) bool {
		x := new(big.Rat).Sub(rat(v), rat(u))
		x.Add(rat(u), x.Mul(x, t))
		x.Sub(x, rat(w))
		return x.Abs(x).Cmp(rat(ulp(w))) <= 0
	}
	return off(p.X, q.X, at.X) && off(p.Y, q.Y, at.Y)
}

func rat(f float64) *big.Rat { return new(big.Rat).SetFloat64(f) }

// exactArea returns twice the area of a closed ring.
func exactArea(ring []geomgen.Point) *big.Rat {
	sum := new(big.Rat)
	for i := 1; i < len(ring); i++ {
		p, q := ring[i-1], ring[i]
		sum.Add(sum, new(big.Rat).Mul(rat(p.X), rat(q.Y)))
		sum.Sub(sum, new(big.Rat).Mul(rat(p.Y), rat(q.X)))
	}
	return sum
}

// match reports an edge that no other part has in the opposite direction, although it is not on the area's edge.
func (c *cover) match() error {
	for edge, cell := range c.edges {
		if _, ok := c.edges[[2]geomgen.Point{edge[1], edge[0]}]; ok {
			continue
		}
		outer := c.grid.Shape == geomgen.XYZ && worldsEdge(edge)
		c.segments(func(a, b geomgen.Point) {
			outer = outer || nearSegment(a, b, edge[0]) && nearSegment(a, b, edge[1])
		})
		if !outer {
			return fmt.Errorf("cell %v has the edge %v, and none the other way", cell, edge)
		}
	}
	return nil
}

func worldsEdge(edge [2]geomgen.Point) bool {
	return edge[0].X == edge[1].X && math.Abs(edge[0].X) == geomgen.WorldBound || edge[0].Y == edge[1].Y && math.Abs(edge[0].Y) == geomgen.WorldBound
}

// nearSegment reports whether a point is within a few units in the last place of a segment.
func nearSegment(a, b, p geomgen.Point) bool {
	off := 6 * math.Max(ulp(math.Max(math.Abs(p.X), math.Abs(p.Y))), 1e-300)
	if p.X < math.Min(a.X, b.X)-off || p.X > math.Max(a.X, b.X)+off || p.Y < math.Min(a.Y, b.Y)-off || p.Y > math.Max(a.Y, b.Y)+off {
		return false
	}
	d, _ := exactArea([]geomgen.Point{a, b, p, a}).Float64()
	return math.Abs(d) <= off*(math.Abs(b.X-a.X)+math.Abs(b.Y-a.Y))
}

// cornerPolygons returns areas whose corners are corners of cells, or a few units in the last place away from
// them.
func cornerPolygons(rng *rand.Rand, g geomgen.Grid) []geomgen.Polygon {
	middle := int32(0)
	if g.Shape == geomgen.XYZ {
		middle = g.World().MaxCol / 2
	}
	for {
		n := 3 + rng.IntN(6)
		spread := 1 + rng.IntN(5)
		var ring []geomgen.Point
		for range n {
			corners := g.AppendCorners(nil, geomgen.Cell{
				Col: middle + int32(rng.IntN(2*spread+1)-spread), Row: middle + int32(rng.IntN(2*spread+1)-spread)})
			p := corners[rng.IntN(len(corners))]
			if rng.IntN(3) == 0 {
				p.X = nudge(p.X, rng.IntN(7)-3)
				p.Y = nudge(p.Y, rng.IntN(7)-3)
			}
			ring = append(ring, p)
		}
		ring = append(ring, ring[0])
		if p := []geomgen.Polygon{{ring}}; geomgen.CheckPolygons(p) == nil {
			return p
		}
	}
}

func nudge(f float64, n int) float64 {
	for ; n > 0; n-- {
		f = math.Nextafter(f, math.Inf(1))
	}
	for ; n < 0; n++ {
		f = math.Nextafter(f, math.Inf(-1))
	}
	return f
}

func coverGrids() []geomgen.Grid {
	grids := []geomgen.Grid{
		{X0: 0.1, Y0: 0.3, DX: 100, DY: 100, Rotate: 45},
		{X0: 4e6 + 0.1, Y0: 1e3 + 0.3, DX: 10, DY: 10, Rotate: 45},
		{X0: 1e5, Y0: 4e6, DX: 1000, DY: 1000, Shape: geomgen.HexagonFlat, Rotate: 29.9999},
		{X0: 1e3, Y0: 1e9, DX: 1, DY: 1, Shape: geomgen.HexagonPointy},
		{X0: 1e15, Y0: -1e15, DX: 8, DY: 8},
		{X0: 1e15, Y0: -1e15, DX: 16, DY: 16, Rotate: 30},
		{X0: 1e15, Y0: 1, DX: 30, DY: 30, Shape: geomgen.HexagonFlat},
		{X0: 0.1, Y0: 0.2, DX: 0.1, DY: 0.3, Rotate: 1e-14},
		{X0: 3, Y0: 0.2, DX: 1, DY: 1, Rotate: 180},
		{X0: 3, Y0: 0.2, DX: 0.1, DY: 0.1, Rotate: -90},
	}
	all := maskGrids()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		grids = append(grids, all[name])
	}
	return grids
}

// Parts of cells fit together for any grid and any area.
func TestClipCover(t *testing.T) {
	for i, g := range coverGrids() {
		t.Run(fmt.Sprintf("%s %v", g.Shape, i), func(t *testing.T) {
			t.Parallel()
			rng := testrand.New(t, 3100+uint64(i))
			for n := range 30 {
				polygons := cornerPolygons(rng, g)
				if n%3 == 2 {
					polygons = oracle.Polygons(rng, g, n%2 == 0)
				}
				if err := checkCover(g, polygons); err != nil {
					t.Fatalf("%v\ngrid %+v area %v", err, g, polygons)
				}
			}
		})
	}
}
