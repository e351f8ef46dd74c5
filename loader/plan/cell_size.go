package plan

import (
	"math"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/crs"
)

// CellSize is how large the cells of a plan are.
type CellSize struct {
	// Map is their size in units of the CRS.
	Map Size `json:"map"`
	// Ground is about their size on the ground in metres, at X, Y in the middle of what the
	// plan covers. It is nil where the scale there is not known.
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

// CellSize returns how large the cells are, in the CRS and on the ground.
func (p *Plan) CellSize() CellSize {
	box := p.Job.Grid.BoxAround(p.Cells)
	s := CellSize{Map: sizeOf(p.Job.Grid), X: middle(box.XMin, box.XMax), Y: middle(box.YMin, box.YMax)}

	if mx, my, ok := p.CRS.Ground(s.X, s.Y); ok && mx > 0 && my > 0 {
		s.Ground = s.Map.onGround(mx, my, p.Job.Grid.Rotate)
	}

	return s
}

// sizeOf returns the size of a cell on the map.
func sizeOf(g geomgen.Grid) Size {
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

// knownCRS returns what is known of a CRS without a server: of some, the SRID alone.
func knownCRS(srid int32) crs.CRS {
	if c, ok := crs.Known(srid); ok {
		return c
	}

	return crs.CRS{SRID: srid}
}

// WithCRS returns the plan with what a server knows of the grid's CRS.
func (p *Plan) WithCRS(c crs.CRS) *Plan {
	with := *p
	with.CRS = c

	return &with
}

// Unchecked says, for people, what of the job only a server can check, as no more is known
// of the CRS than its SRID; "" where there is nothing.
func (p *Plan) Unchecked() string {
	switch {
	case p.Job.Grid.SRID == 0, p.CRS.Kind != crs.Unknown:
		return ""
	case p.Job.NeedsMetres():
		return "loadgrid does not know this CRS: the server checks whether it is there, and whether it is in metres, as the codes must be"
	}

	return "loadgrid does not know this CRS: the server checks whether it is there"
}
