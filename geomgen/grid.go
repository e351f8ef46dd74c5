package geomgen

import (
	"fmt"
	"math"
	"strconv"
)

// MaxIndex limits columns and rows, which run from -MaxIndex to MaxIndex-1. It is half the number of columns, or of
// rows, that a cell_id has room for.
const MaxIndex = 1 << 30

// lineTolerance, in cells, is how close a bound of an extent must be to a line of the grid to be taken for that
// line. With a size of 0.1, 0.3 is line 3, although 3*0.1 differs from 0.3 in its last bit. If numbers are
// further apart than that, the tolerance is four steps of the number format.
const lineTolerance = 1e-9

// Cell is a cell of a grid by its column and row, counted from the origin. Both may be negative.
type Cell struct {
	Col, Row int32
}

// Box is a rectangle along the axes, in CRS units.
type Box struct {
	XMin, YMin, XMax, YMax float64
}

// Point is a place in CRS units.
type Point struct {
	X, Y float64
}

// Shape is the shape of a grid's cells.
type Shape string

// Values of Shape.
const (
	// Square cells are rectangles, which are squares if DX equals DY.
	Square Shape = ""
	// HexagonFlat cells have an edge at the bottom and one at the top. Column and row are i and j of PostGIS's
	// ST_HexagonGrid: odd columns are half a cell higher.
	HexagonFlat Shape = "hexagon-flat"
	// HexagonPointy cells have a corner at the bottom and one at the top. Odd rows are half a cell further right.
	HexagonPointy Shape = "hexagon-pointy"
	// XYZ cells are web map tiles of one zoom in EPSG:3857, as in ST_TileEnvelope: column is x, and row is y,
	// counted from the north. See Tiles.
	XYZ Shape = "xyz"
)

// String returns the name of the shape.
func (s Shape) String() string {
	if s == Square {
		return "square"
	}
	return string(s)
}

// Hexagon reports whether the shape is one of the two hexagons.
func (s Shape) Hexagon() bool { return s == HexagonFlat || s == HexagonPointy }

// Grid is an infinite grid of cells of one shape and size. Tiles end at the edge
// of the world.
type Grid struct {
	// X0, Y0 is the origin in CRS units: the lower left corner of cell (0, 0), the centre of hexagon (0, 0), or
	// the upper left corner of tile (0, 0).
	X0 float64 `json:"x0"`
	Y0 float64 `json:"y0"`
	// DX, DY is the size of a cell in CRS units. Both are positive and finite. For hexagons, both are the length
	// of an edge.
	DX float64 `json:"dx"`
	DY float64 `json:"dy"`
	// SRID identifies the CRS. 0 means none, and the EWKB then has no SRID.
	SRID int32 `json:"srid"`
	// Shape is the shape of the cells. Defaults to Square.
	Shape Shape `json:"shape,omitempty"`
	// Rotate turns the grid about its origin, in degrees, counter-clockwise, more than -360 and less than 360.
	// Defaults to 0. Tiles cannot be rotated.
	Rotate float64 `json:"rotate,omitempty"`
	// Zoom is the zoom of tiles, 0 to 30. It is 0 for other shapes.
	Zoom int32 `json:"zoom,omitempty"`
}

// ParamError reports a wrong parameter.
type ParamError struct {
	Param  string // as in loadgrid's flags: cell-size, origin, extent, srid ...
	Value  string // as given
	Reason string // what is wrong with it
}

func (e *ParamError) Error() string {
	return e.Param + " " + e.Value + ": " + e.Reason
}

// X returns the x coordinate, in CRS units, of the left line of column col in a grid of rectangles along the
// axes. It is also the right line of column col-1.
//
// The conversion prevents the compiler from fusing the product with the sum, which some CPUs would round
// differently.
func (g Grid) X(col int32) float64 {
	return g.X0 + float64(float64(col)*g.DX)
}

// Y returns the y coordinate, in CRS units, of the lower line of row in a grid of rectangles along the axes. It
// is also the upper line of row-1. Rows of tiles count downwards, so there it is the upper line of row.
func (g Grid) Y(row int32) float64 {
	if g.Shape == XYZ {
		return g.Y0 - float64(float64(row)*g.DY)
	}
	return g.Y0 + float64(float64(row)*g.DY)
}

// Bounds returns the bounding box of a cell in CRS units.
func (g Grid) Bounds(c Cell) Box {
	l := g.lattice()
	v := l.convex(g, c)
	return v.box
}

// Validate returns a *ParamError for an origin that is not finite, a cell size that is not positive and finite, a
// negative SRID, and settings that do not fit the shape of the cells.
func (g Grid) Validate() error {
	if g.Shape == XYZ {
		return g.validateTiles()
	}
	if !finite(g.X0) || !finite(g.Y0) {
		return &ParamError{"origin", pair(g.X0, g.Y0), "both numbers must be finite"}
	}
	if !(g.DX > 0) || !(g.DY > 0) || !finite(g.DX) || !finite(g.DY) {
		return &ParamError{"cell-size", g.size(), "must be greater than 0 and finite"}
	}
	if g.SRID < 0 {
		return &ParamError{"srid", strconv.Itoa(int(g.SRID)), "must not be negative"}
	}

	switch {
	case g.Shape != Square && !g.Shape.Hexagon():
		return &ParamError{"shape", string(g.Shape), "must be square, hexagon or xyz"}
	case g.Shape.Hexagon() && g.DX != g.DY:
		return &ParamError{"cell-size", g.size(), "must be one number for hexagons: the length of an edge"}
	case !(g.Rotate > -360 && g.Rotate < 360):
		return &ParamError{"rotate", number(g.Rotate), "must lie between -360 and 360 degrees"}
	case g.Zoom != 0:
		return &ParamError{"zoom", strconv.Itoa(int(g.Zoom)), "goes with shape xyz alone"}
	}

	return nil
}

func (g Grid) validateTiles() error {
	if g.Zoom < 0 || g.Zoom > MaxZoom {
		return &ParamError{"zoom", strconv.Itoa(int(g.Zoom)), "must lie between 0 and 30"}
	}
	if g != Tiles(g.Zoom) {
		return &ParamError{"shape", string(g.Shape), "has its own origin, cell size and CRS, EPSG:3857, and is not rotated"}
	}
	return nil
}

func checkLines(lo, hi, d float64, axis, size string) error {
	if !finite(lo) || !finite(hi) {
		return &ParamError{"cell-size", size, "the cells reach beyond the largest number at " + axis}
	}

	far := math.Max(math.Abs(lo), math.Abs(hi))
	ulp := math.Nextafter(far, math.Inf(1)) - far
	// The error of a product col*d is less than 2^-22 of d, so lines more than one step of the number format
	// apart stay apart.
	if d*(1-1.0/(1<<21)) <= ulp {
		return &ParamError{"cell-size", size, fmt.Sprintf(
			"is too small at %s = %s: numbers lie %.3g apart there, so two corners would coincide", axis, number(far), ulp)}
	}

	return nil
}

// String returns the box as XMIN,YMIN,XMAX,YMAX, with as few digits as give the same numbers again.
func (b Box) String() string {
	return pair(b.XMin, b.YMin) + "," + pair(b.XMax, b.YMax)
}

func (g Grid) size() string {
	if number(g.DX) == number(g.DY) {
		return number(g.DX)
	}
	return pair(g.DX, g.DY)
}

// lineBelow returns the number of the last line of x0 + n*d that is not above v. The result is in [-MaxIndex-1,
// MaxIndex+1], and exact only inside.
func lineBelow(x0, d, v float64) int32 {
	n, on := nearestLine(x0, d, v)
	if !on && x0+float64(float64(n)*d) > v {
		n--
	}
	return n
}

// lineAbove returns the number of the first line of x0 + n*d that is not below v.
func lineAbove(x0, d, v float64) int32 {
	n, on := nearestLine(x0, d, v)
	if !on && x0+float64(float64(n)*d) < v {
		n++
	}
	return n
}

func nearestLine(x0, d, v float64) (n int32, on bool) {
	f := math.Round((v - x0) / d)
	f = math.Max(-MaxIndex-1, math.Min(MaxIndex+1, f))
	// Far out, neighbouring numbers are further apart than the tolerance. Then use a few of their steps, but
	// never so many that two lines qualify.
	far := math.Max(math.Abs(v), math.Max(math.Abs(x0), math.Abs(f*d)))
	ulp := math.Nextafter(far, math.Inf(1)) - far
	return int32(f), math.Abs(v-(x0+float64(f*d))) <= math.Max(lineTolerance*d, math.Min(4*ulp, d/4))
}

func finite(f float64) bool {
	return !math.IsInf(f, 0) && !math.IsNaN(f)
}

// number formats f with as few digits as give it again, and without an exponent where people would not write one.
func number(f float64) string {
	if a := math.Abs(f); a >= 1e-5 && a < 1e15 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

func pair(a, b float64) string {
	return number(a) + "," + number(b)
}
