package units

import (
	"math"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/crs"
)

// CellSize is how large the cells of a plan are.
type CellSize struct {
	// Map is their size in units of the CRS.
	Map Size `json:"map"`
	// Ground is about their size on the ground in metres, at X, Y in the middle of what they
	// cover. It is nil where the scale there is not known.
	Ground *Size   `json:"ground,omitempty"`
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
}

// Size is how large a cell is along its own axes, which a turned grid turns. A hexagon's
// width and height are those of the box around it.
type Size struct {
	Edge   float64 `json:"edge,omitempty"` // of hexagons
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
	Area   float64 `json:"area"`
}

// Measure returns how large the cells of a grid are, in its CRS and on the ground in the middle
// of a box, in CRS units.
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

// onGround returns the size on the ground where a unit of x is mx metres and one of y my, of
// a grid that is turned by so many degrees. Where the two differ, so do the edges of a
// hexagon, and there is no length that all have.
func (s Size) onGround(mx, my, rotate float64) *Size {
	sin, cos := math.Sincos(rotate * math.Pi / 180)
	along, across := math.Hypot(mx*cos, my*sin), math.Hypot(mx*sin, my*cos)
	ground := Size{Width: s.Width * along, Height: s.Height * across, Area: s.Area * mx * my}

	if math.Abs(mx-my) < 0.005*my {
		ground.Edge = s.Edge * my
	}

	return &ground
}

// middle is between two numbers, however large they are.
func middle(a, b float64) float64 { return a/2 + b/2 }
