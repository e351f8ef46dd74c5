package units

import (
	"math"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/crs"
)

// CellSize is the size of a plan's cells.
type CellSize struct {
	// Map is the size in units of the CRS.
	Map Size `json:"map"`
	// Ground is the approximate size on the ground in metres, at X, Y in the middle of the cells. It is nil if
	// the scale there is unknown.
	Ground *Size   `json:"ground,omitempty"`
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
}

// Size is the size of a cell along its own axes, which turn with a rotated grid. The width and height of a
// hexagon are those of its bounding box.
type Size struct {
	Edge   float64 `json:"edge,omitempty"` // only for hexagons
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
	Area   float64 `json:"area"`
}

// Measure returns the size of the cells of a grid, in its CRS and on the ground in the middle of a box. The box
// is in CRS units.
func Measure(g geomgen.Grid, c crs.CRS, box geomgen.Box) CellSize {
	s := CellSize{Map: SizeOf(g), X: middle(box.XMin, box.XMax), Y: middle(box.YMin, box.YMax)}

	if mx, my, ok := c.Ground(s.X, s.Y); ok && mx > 0 && my > 0 {
		s.Ground = s.Map.onGround(mx, my, g.Rotate)
	}

	return s
}

// SizeOf returns the size of a cell on the map.
func SizeOf(g geomgen.Grid) Size {
	a := g.DX

	switch g.Shape {
	case geomgen.HexagonFlat:
		return Size{Edge: a, Width: 2 * a, Height: math.Sqrt(3) * a, Area: 1.5 * math.Sqrt(3) * a * a}
	case geomgen.HexagonPointy:
		return Size{Edge: a, Width: math.Sqrt(3) * a, Height: 2 * a, Area: 1.5 * math.Sqrt(3) * a * a}
	}

	return Size{Width: g.DX, Height: g.DY, Area: g.DX * g.DY}
}

// onGround returns the size on the ground if a unit of x is mx metres and a unit of y is my metres, for a grid
// rotated by a number of degrees. If mx and my differ, the edges of a hexagon have different lengths, so it
// returns no edge length.
func (s Size) onGround(mx, my, rotate float64) *Size {
	sin, cos := math.Sincos(rotate * math.Pi / 180)
	along, across := math.Hypot(mx*cos, my*sin), math.Hypot(mx*sin, my*cos)
	ground := Size{Width: s.Width * along, Height: s.Height * across, Area: s.Area * mx * my}

	if math.Abs(mx-my) < 0.005*my {
		ground.Edge = s.Edge * my
	}

	return &ground
}

// middle returns the mean of two numbers, however large they are.
func middle(a, b float64) float64 { return a/2 + b/2 }
