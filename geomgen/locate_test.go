package geomgen

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/loadgrid/loadgrid/internal/testrand"
)

// locateGrids returns grids of all shapes, with sizes and origins for which rounding matters.
func locateGrids() map[string]Grid {
	return map[string]Grid{
		"unit squares":       {DX: 1, DY: 1},
		"squares of 0.1":     {X0: -180, Y0: -90, DX: 0.1, DY: 0.1, SRID: 4326},
		"thirds":             {X0: 0.1, Y0: 1e6, DX: 1.0 / 3, DY: 0.7},
		"far from 0":         {X0: 4e6 + 0.3, Y0: -3e6, DX: 0.01, DY: 0.02},
		"turned":             {X0: 5, Y0: 7, DX: 0.3, DY: 0.2, Rotate: 33.3},
		"turned back":        {X0: 5, Y0: 7, DX: 0.3, DY: 0.2, Rotate: -200.1},
		"turned by 90":       {X0: 0.1, Y0: 7, DX: 0.3, DY: 0.2, Rotate: 90},
		"flat hexagons":      {X0: 1, Y0: 2, DX: 0.3, DY: 0.3, Shape: HexagonFlat},
		"pointy hexagons":    {X0: -1, Y0: 0.2, DX: 0.7, DY: 0.7, Shape: HexagonPointy},
		"turned hexagons":    {X0: 1, Y0: 2, DX: 0.3, DY: 0.3, Shape: HexagonFlat, Rotate: 12},
		"turned and pointy":  {X0: 1, Y0: 2, DX: 3, DY: 3, Shape: HexagonPointy, Rotate: 270},
		"tiles of zoom 0":    Tiles(0),
		"tiles of zoom 3":    Tiles(3),
		"tiles of zoom 11":   Tiles(11),
		"tiles of last zoom": Tiles(MaxZoom),
	}
}

// anyCell returns a cell of g, near the origin or far from it, as far as tiles and the number format allow.
func anyCell(rng *rand.Rand, g Grid) Cell {
	r := g.World()
	if n := int32(1) << (3 + rng.IntN(20)); g.Shape != XYZ {
		r = Range{-n, -n, n, n}
	}
	in := func(lo, hi int32) int32 { return lo + int32(rng.Int64N(int64(hi)-int64(lo))) }
	return Cell{in(r.MinCol, r.MaxCol), in(r.MinRow, r.MaxRow)}
}

// A point inside a cell, a mean of its corners, is in that cell and no other.
func TestCellAtInsideCells(t *testing.T) {
	rng := testrand.New(t, 2026)
	for name, g := range locateGrids() {
		t.Run(name, func(t *testing.T) {
			locator := NewLocator(g)
			for range 3000 {
				c := anyCell(rng, g)
				// Weights that keep it at least a thousandth of a cell away from the edge.
				var p Point
				corners := locator.lattice.appendCorners(nil, g.Shape, c)
				weights := make([]float64, len(corners))
				sum := 0.0
				for i := range weights {
					weights[i] = 0.001 + math.Pow(rng.Float64(), 4)
					sum += weights[i]
				}

				for i, q := range corners {
					p.X += weights[i] / sum * q.X
					p.Y += weights[i] / sum * q.Y
				}

				if got, ok := locator.CellAt(p); !ok || got != c {
					t.Fatalf("%v lies in %v, got %v, %v", p, c, got, ok)
				}
				if got, ok := locator.CellAt(locator.lattice.centre(g.Shape, c)); !ok || got != c {
					t.Fatalf("the centre of %v: got %v, %v", c, got, ok)
				}
			}
		})
	}
}

// At the lines of rectangles along the axes it is exact: a cell has its left and lower edges to the last bit, and
// ends one step of the number format before the others.
func TestCellAtLines(t *testing.T) {
	rng := testrand.New(t, 304)
	for name, g := range locateGrids() {
		if !g.rectangular() {
			continue
		}

		t.Run(name, func(t *testing.T) {
			for range 3000 {
				c := anyCell(rng, g)
				b := g.Bounds(c)
				last := Point{math.Nextafter(b.XMax, b.XMin), math.Nextafter(b.YMax, b.YMin)}
				first := Point{b.XMin, b.YMin}
				if g.Shape == XYZ {
					first.Y, last.Y = b.YMax, math.Nextafter(b.YMin, b.YMax)
				}

				for _, p := range []Point{first, last, {first.X, last.Y}, {last.X, first.Y}} {
					if got, ok := g.CellAt(p); !ok || got != c {
						t.Fatalf("%v is in %v with bounds %v, got %v, %v", p, c, b, got, ok)
					}
				}
			}
		})
	}
}

// The edges of hexagons along an axis are exact, too.
func TestCellAtHexagonsEdges(t *testing.T) {
	rng := testrand.New(t, 506)
	flat := Grid{X0: 1, Y0: 2, DX: 0.3, DY: 0.3, Shape: HexagonFlat}
	pointy := Grid{X0: -1, Y0: 0.2, DX: 0.7, DY: 0.7, Shape: HexagonPointy}
	for range 3000 {
		c, at := anyCell(rng, flat), 0.9*(rng.Float64()-0.5)
		b, m := flat.Bounds(c), flat.Centre(c)
		for y, want := range map[float64]int32{b.YMin: c.Row, math.Nextafter(b.YMax, b.YMin): c.Row, b.YMax: c.Row + 1} {
			if got, ok := flat.CellAt(Point{m.X + at*flat.DX, y}); !ok || got != (Cell{c.Col, want}) {
				t.Fatalf("flat hexagon %v, %v, height %v: got %v, %v", c, b, y, got, ok)
			}
		}

		b, m = pointy.Bounds(c), pointy.Centre(c)
		for x, want := range map[float64]int32{b.XMin: c.Col, math.Nextafter(b.XMax, b.XMin): c.Col, b.XMax: c.Col + 1} {
			if got, ok := pointy.CellAt(Point{x, m.Y + at*pointy.DX}); !ok || got != (Cell{want, c.Row}) {
				t.Fatalf("pointy hexagon %v, %v, x %v: got %v, %v", c, b, x, got, ok)
			}
		}
	}
}

// No other hexagon's centre is nearer, except by rounding, which fractions check.
func TestCellAtIsTheNearestHexagon(t *testing.T) {
	rng := testrand.New(t, 708)
	for _, shape := range []Shape{HexagonFlat, HexagonPointy} {
		g := Grid{X0: 0.1, Y0: -3, DX: 0.7, DY: 0.7, Shape: shape}
		for range 3000 {
			p := Point{(rng.Float64() - 0.5) * 1000, (rng.Float64() - 0.5) * 1000}
			c, ok := g.CellAt(p)
			if !ok {
				t.Fatalf("%v is in no cell", p)
			}

			own := squaredDistance(p, g.Centre(c))
			for _, n := range shape.AppendNeighbours(nil, c) {
				if d := squaredDistance(p, g.Centre(n)); d < own-1e-10 {
					t.Fatalf("%s: %v is %v from the centre of %v, %v from that of %v", shape, p, own, c, d, n)
				}
			}
		}
	}
}

func squaredDistance(p, q Point) float64 {
	exact := func(a, b float64) *big.Rat {
		d := new(big.Rat).Sub(new(big.Rat).SetFloat64(a), new(big.Rat).SetFloat64(b))
		return d.Mul(d, d)
	}
	f, _ := new(big.Rat).Add(exact(p.X, q.X), exact(p.Y, q.Y)).Float64()
	return f
}

func TestCellAtNowhere(t *testing.T) {
	square, flat := Grid{DX: 1, DY: 1}, Grid{DX: 1, DY: 1, Shape: HexagonFlat}
	inf, nan, big := math.Inf(1), math.NaN(), float64(MaxIndex)
	last := math.Nextafter(WorldBound, 0)
	for _, test := range []struct {
		grid Grid
		p    Point
		want Cell
		ok   bool
	}{
		{square, Point{nan, 0}, Cell{}, false},
		{square, Point{0, inf}, Cell{}, false},
		{square, Point{math.MaxFloat64, 0}, Cell{}, false},
		{square, Point{big, 0}, Cell{}, false},
		{square, Point{big - 0.5, -big}, Cell{MaxIndex - 1, -MaxIndex}, true},
		{square, Point{0, -big - 0.5}, Cell{}, false},
		{flat, Point{-inf, 0}, Cell{}, false},
		{flat, Point{2 * big, 0}, Cell{}, false},
		{flat, Point{1.5 * (big - 1), -0.1}, Cell{MaxIndex - 1, -1}, true},
		{Tiles(2), Point{-WorldBound, WorldBound}, Cell{}, true},
		{Tiles(2), Point{last, -last}, Cell{3, 3}, true},
		{Tiles(2), Point{WorldBound, 0}, Cell{}, false},
		{Tiles(2), Point{0, -WorldBound}, Cell{}, false},
		{Tiles(2), Point{0, math.Nextafter(WorldBound, inf)}, Cell{}, false},
		{Tiles(2), Point{0, 0}, Cell{2, 2}, true},
	} {
		if got, ok := test.grid.CellAt(test.p); got != test.want || ok != test.ok {
			t.Errorf("%v in %+v: got %v, %v, want %v, %v", test.p, test.grid, got, ok, test.want, test.ok)
		}
	}
}

func TestNeighboursShareAPoint(t *testing.T) {
	rng := testrand.New(t, 910)
	for name, g := range locateGrids() {
		l := g.lattice()
		for range 300 {
			c := anyCell(rng, g)
			around := g.Shape.AppendNeighbours(nil, c)
			inside := g.Shape != XYZ || c.Col > 0 && c.Row > 0
			want := 8
			if g.Shape.Hexagon() {
				want = 6
			}
			if inside && len(around) != want {
				t.Fatalf("%s: %v has %d neighbours", name, c, len(around))
			}

			corners := l.appendCorners(nil, g.Shape, c)
			seen := map[Cell]bool{c: true}
			for _, n := range around {
				if seen[n] {
					t.Fatalf("%s: %v is named twice, or its own neighbour", name, n)
				}

				seen[n] = true
				if !slices.Contains(g.Shape.AppendNeighbours(nil, n), c) {
					t.Fatalf("%s: %v is a neighbour of %v, not the other way round", name, n, c)
				}

				shared := 0
				for _, p := range l.appendCorners(nil, g.Shape, n) {
					if slices.Contains(corners, p) {
						shared++
					}
				}

				// Hexagons share an edge. Squares share an edge or a corner.
				if shared == 0 || shared > 2 || g.Shape.Hexagon() && shared != 2 {
					t.Fatalf("%s: %v and %v share %d corners", name, c, n, shared)
				}
			}
		}
	}
}

func TestNeighboursAtTheEnd(t *testing.T) {
	for _, test := range []struct {
		shape Shape
		cell  Cell
		want  int
	}{
		{Square, Cell{-MaxIndex, MaxIndex - 1}, 3},
		{Square, Cell{0, -MaxIndex}, 5},
		{Square, Cell{0, 0}, 8},
		{XYZ, Cell{0, 0}, 3},
		{XYZ, Cell{5, 0}, 5},
		{HexagonFlat, Cell{-MaxIndex, -MaxIndex}, 2},
		{HexagonFlat, Cell{MaxIndex - 1, MaxIndex - 1}, 2},
		{HexagonPointy, Cell{MaxIndex - 1, MaxIndex - 1}, 2},
	} {
		if got := test.shape.AppendNeighbours(nil, test.cell); len(got) != test.want {
			t.Errorf("%s %v has %d neighbours, want %d: %v", test.shape, test.cell, len(got), test.want, got)
		}
	}
}

func TestParentHoldsItsCells(t *testing.T) {
	rng := testrand.New(t, 1112)
	for range 5000 {
		k := 1 + rng.Int32N(40)
		c := anyCell(rng, Grid{})
		p := c.Parent(k)
		for _, n := range [][2]int64{{int64(c.Col), int64(p.Col)}, {int64(c.Row), int64(p.Row)}} {
			if first := n[1] * int64(k); n[0] < first || n[0] >= first+int64(k) {
				t.Fatalf("parent of %v, %d times the size: %v", c, k, p)
			}
		}
	}

	if got := (Cell{-MaxIndex, MaxIndex - 1}).Parent(math.MaxInt32); got != (Cell{-1, 0}) {
		t.Errorf("parent of the last cell: %v", got)
	}
}

func FuzzCellAt(f *testing.F) {
	f.Add(0.3, 0.1, 0.1, uint8(0), 0.0)
	f.Add(-20037508.342789244, 20037508.342789244, 1.0, uint8(3), 0.0)
	f.Add(1.5, 0.8660254037844387, 1.0, uint8(1), 30.0)
	shapes := []Shape{Square, HexagonFlat, HexagonPointy, XYZ}
	f.Fuzz(func(t *testing.T, x, y, size float64, shape uint8, turn float64) {
		g := Grid{DX: size, DY: size, Shape: shapes[shape%4], Rotate: turn}
		if g.Shape == XYZ {
			g = Tiles(int32(shape) % (MaxZoom + 1))
		}
		if g.Validate() != nil || size < 1e-100 || size > 1e100 {
			return
		}

		c, ok := g.CellAt(Point{x, y})
		if !ok {
			return
		}

		b := g.Bounds(c)
		// In rotated grids, the box is larger than the cell.
		slack := 1e-9 * (g.DX + math.Abs(x) + math.Abs(y))
		if x < b.XMin-slack || x > b.XMax+slack || y < b.YMin-slack || y > b.YMax+slack {
			t.Errorf("%v, %v is not in cell %v of %+v, with bounds %v", x, y, c, g, b)
		}
	})
}
