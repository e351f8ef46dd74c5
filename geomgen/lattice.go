package geomgen

import (
	"math"
	"math/big"
)

// heightRatio is the height of an equilateral triangle with side 1, as in PostGIS's lwgeom_generate_grid.c: half
// the distance between opposite edges of a hexagon.
const heightRatio = 0.8660254037844387

// WorldBound is the bound of the world of web map tiles in metres of EPSG:3857: half the earth's circumference at
// the equator.
const WorldBound = 20037508.342789244

// MaxZoom is the largest zoom of tiles, with 2^30 of them in each direction.
const MaxZoom = 30

// Tiles returns the grid of web map tiles of a zoom, 0 to MaxZoom.
func Tiles(zoom int32) Grid {
	size := 2 * WorldBound / float64(int64(1)<<zoom)
	return Grid{X0: -WorldBound, Y0: WorldBound, DX: size, DY: size, SRID: 3857, Shape: XYZ, Zoom: zoom}
}

// plain reports whether the cells are rectangles along the axes whose rows count upwards.
func (g Grid) plain() bool { return g.Shape == Square && g.Rotate == 0 }

// rectangular reports whether the cells are rectangles along the axes that are not rotated.
func (g Grid) rectangular() bool { return g.Rotate == 0 && !g.Shape.Hexagon() }

// boxes reports whether the cells are rectangles along the axes, including rotation by right angles.
func (g Grid) boxes() bool {
	if g.rectangular() {
		return true
	}
	_, straight := g.quarters()
	return straight && !g.Shape.Hexagon()
}

// quarters returns by how many times 90 degrees the grid is rotated, 0 to 3. straight is false for other angles.
func (g Grid) quarters() (n int, straight bool) {
	if math.Mod(g.Rotate, 90) != 0 {
		return 0, false
	}
	return int(g.Rotate/90) & 3, true
}

// A lattice is the set of points where corners of a grid's cells can be. All cells that share a corner take it
// from the same two numbers, so that it is bit for bit the same in each.
type lattice struct {
	x0, y0, sx, sy float64 // origin and steps in CRS units
	cos, sin       float64
	rotated        bool
}

func (g Grid) lattice() lattice {
	l := lattice{x0: g.X0, y0: g.Y0, sx: g.DX, sy: g.DY}
	height := g.DX * 2 * heightRatio
	switch g.Shape {
	case HexagonFlat:
		l.sx, l.sy = g.DX/2, height/2
	case HexagonPointy:
		l.sx, l.sy = height/2, g.DX/2
	case XYZ:
		l.sy = -g.DY
	}

	if g.Rotate != 0 {
		l.rotated = true
		l.sin, l.cos = sinCos(g.Rotate)
	}

	return l
}

// at returns the point in column k and row m of the lattice. The conversions prevent the compiler from fusing a
// product with a sum, which some CPUs round differently.
func (l *lattice) at(k, m int64) Point {
	u, v := float64(float64(k)*l.sx), float64(float64(m)*l.sy)
	if !l.rotated {
		return Point{l.x0 + u, l.y0 + v}
	}
	return Point{
		l.x0 + (float64(l.cos*u) - float64(l.sin*v)),
		l.y0 + (float64(l.sin*u) + float64(l.cos*v)),
	}
}

// step is the position of a corner of a cell, in steps of the lattice from its base.
type step struct{ k, m int8 }

// base returns the point of the lattice from which a cell's corners are counted: the corner that defines its
// column and row, or the centre of a hexagon.
func (s Shape) base(c Cell) (k, m int64) {
	switch s {
	case HexagonFlat:
		return 3 * int64(c.Col), 2*int64(c.Row) + int64(c.Col&1)
	case HexagonPointy:
		return 2*int64(c.Col) + int64(c.Row&1), 3 * int64(c.Row)
	}
	return int64(c.Col), int64(c.Row)
}

// ring returns the corners of a cell in the order of its EWKB, without repeating the first one. The order is that
// of shapely.geometry.box, ST_Hexagon or ST_TileEnvelope. Pointy hexagons begin with the lowest corner and go
// counter-clockwise.
//
// It returns an array instead of a slice because it is called for each cell at an edge, and must not allocate.
func (s Shape) ring() (ring [maxCorners]step) {
	switch s {
	case HexagonFlat:
		return [maxCorners]step{{-2, 0}, {-1, -1}, {1, -1}, {2, 0}, {1, 1}, {-1, 1}}
	case HexagonPointy:
		return [maxCorners]step{{0, -2}, {1, -1}, {1, 1}, {0, 2}, {-1, 1}, {-1, -1}}
	case XYZ:
		return [maxCorners]step{{0, 1}, {0, 0}, {1, 0}, {1, 1}}
	}
	return [maxCorners]step{{1, 0}, {1, 1}, {0, 1}, {0, 0}}
}

// Corners returns the number of corners of a cell, 4 or 6.
func (s Shape) Corners() int {
	if s.Hexagon() {
		return maxCorners
	}
	return 4
}

// AppendCorners appends the corners of a cell, counter-clockwise, without repeating the first one.
func (g Grid) AppendCorners(dst []Point, c Cell) []Point {
	l := g.lattice()
	return l.appendCorners(dst, g.Shape, c)
}

func (l *lattice) appendCorners(dst []Point, s Shape, c Cell) []Point {
	k, m := s.base(c)
	ring, n := s.ring(), s.Corners()
	for i := range n {
		if s == XYZ { // its ring is clockwise
			i = n - 1 - i
		}
		dst = append(dst, l.at(k+int64(ring[i].k), m+int64(ring[i].m)))
	}
	return dst
}

// Centre returns the centre of a cell. For a hexagon, it is the point of the grid; for others, it is the midpoint
// of two opposite corners.
func (g Grid) Centre(c Cell) Point {
	l := g.lattice()
	return l.centre(g.Shape, c)
}

func (l *lattice) centre(s Shape, c Cell) Point {
	k, m := s.base(c)
	if s.Hexagon() {
		return l.at(k, m)
	}
	return middle(l.at(k, m), l.at(k+1, m+1))
}

func middle(a, b Point) Point {
	return Point{a.X/2 + b.X/2, a.Y/2 + b.Y/2}
}

// sinCos returns sine and cosine of an angle in degrees, rounded to the nearest number. The result is the same on
// each CPU, and exact at right angles. math.Sincos may differ in its last bit on a CPU that fuses sums.
func sinCos(degrees float64) (sin, cos float64) {
	const precision = 200
	number := func() *big.Float { return new(big.Float).SetPrec(precision) }

	// Reduce to within 45 degrees of a multiple of 90, which only exchanges the two.
	quarters := math.Round(degrees / 90)
	rest, _ := diff(degrees, quarters*90) // exact, because both are close to each other
	pi, _ := number().SetString("3.14159265358979323846264338327950288419716939937510582097494459")
	x := number().Mul(number().SetFloat64(rest), pi)
	x.Quo(x, number().SetInt64(180))
	square := number().Mul(x, x)
	series := func(term *big.Float, n int64) float64 {
		sum := number().Set(term)
		for ; n < 60; n += 2 {
			term.Mul(term, square)
			term.Quo(term, number().SetInt64(-n*(n+1)))
			sum.Add(sum, term)
		}
		f, _ := sum.Float64()
		return f
	}

	s, c := series(number().Set(x), 2), series(number().SetInt64(1), 1)
	switch int(quarters) & 3 {
	case 0:
		return s, c
	case 1:
		return c, -s + 0
	case 2:
		return -s + 0, -c
	}

	return -c, s
}
