package geomgen

import (
	"fmt"
	"math"
	"strconv"
)

// Code is a naming scheme for cells.
type Code string

// Values of Code.
const (
	NoCode Code = ""
	// INSPIRE is the cell code of INSPIRE's statistical grids: EPSG code, size in metres, and the coordinates of
	// the lower left corner, as in CRS3035RES1000mN2689000E4321000. Source: INSPIRE D2.8.III.1, Data
	// Specification on Statistical Units, and Commission Regulation (EU) 1089/2010.
	INSPIRE Code = "inspire"
	// INSPIREShort is the shorter form that Eurostat uses, as in 1kmN2689E4321. It drops as many digits from the
	// coordinates as the size in metres has trailing zeros.
	INSPIREShort Code = "inspire-short"
	// Quadkey is the code of web map tiles, with one digit from 0 to 3 per zoom level. Source: Microsoft's Bing
	// Maps Tile System.
	Quadkey Code = "quadkey"
)

// CodeOrder chooses which coordinate comes first in an INSPIRE code.
type CodeOrder string

// Values of CodeOrder.
const (
	NorthFirst CodeOrder = "ne" // the default
	EastFirst  CodeOrder = "en"
)

// Coder writes the codes of a grid's cells. It is immutable.
type Coder struct {
	code   Code
	prefix string // up to the letter of the first coordinate
	east   bool   // east comes first
	zoom   int32
	// Coordinates of the lower left corner are the sum of col*size and x, in units of divisor metres.
	x, y, size, divisor int64
}

// maxExact is the limit up to which a float64 can hold every integer.
const maxExact = 1 << 53

// NewCoder returns a Coder. The error is a *ParamError if the grid has no such codes. INSPIRE codes need squares
// along the axes, with a size in whole metres and an origin that is a multiple of it. Quadkeys need tiles.
func NewCoder(g Grid, code Code, order CodeOrder) (*Coder, error) {
	bad := func(reason string) (*Coder, error) { return nil, &ParamError{"code", string(code), reason} }
	switch order {
	case "", NorthFirst, EastFirst:
	default:
		return nil, &ParamError{"code-order", string(order), "must be ne or en"}
	}

	switch code {
	case Quadkey:
		switch {
		case g.Shape != XYZ:
			return bad("names web map tiles: it needs shape xyz")
		case order != "":
			return nil, &ParamError{"code-order", string(order), "goes with inspire and inspire-short alone"}
		}
		return &Coder{code: code, zoom: g.Zoom}, nil

	case INSPIRE, INSPIREShort:
	default:
		return bad("must be inspire, inspire-short or quadkey")
	}

	whole := func(f float64) bool { return f == math.Trunc(f) && math.Abs(f) < maxExact }
	switch {
	case g.Shape != Square:
		return bad("names squares, and these cells are of shape " + g.Shape.String())
	case g.Rotate != 0:
		return bad("names squares along the axes of the CRS, so it conflicts with rotate " + number(g.Rotate))
	case g.DX != g.DY:
		return bad("names squares, and these cells are " + g.size())
	case g.SRID == 0:
		return bad("begins with the number of the CRS: give srid")
	case !whole(g.DX) || g.DX < 1:
		return bad("needs a cell size in whole metres, and it is " + number(g.DX))
	case !whole(g.X0) || !whole(g.Y0) || math.Mod(g.X0, g.DX) != 0 || math.Mod(g.Y0, g.DY) != 0:
		return bad("needs an origin that is a multiple of the cell size, and it is " + pair(g.X0, g.Y0))
	}

	c := &Coder{code: code, east: order == EastFirst, x: int64(g.X0), y: int64(g.Y0), size: int64(g.DX), divisor: 1}
	c.prefix = fmt.Sprintf("CRS%dRES%dm", g.SRID, c.size)
	if code == INSPIREShort {
		c.prefix = strconv.FormatInt(c.size, 10) + "m"
		if c.size%1000 == 0 {
			c.prefix = strconv.FormatInt(c.size/1000, 10) + "km"
		}
		for c.size/c.divisor%10 == 0 {
			c.divisor *= 10
		}
	}

	return c, nil
}

// CheckRange returns a *ParamError for cells that have no code. An INSPIRE code has no sign, so coordinates must
// not be negative, and they end at 2^53.
func (c *Coder) CheckRange(r Range) error {
	if c.code == Quadkey {
		return nil
	}

	// Count in cells from coordinate 0, because the origin is on one of their lines. A coordinate itself may
	// overflow its type and wrap around to one in range.
	col, row, size := c.x/c.size, c.y/c.size, float64(c.size)
	if col, row := col+int64(r.MinCol), row+int64(r.MinRow); col < 0 || row < 0 {
		return &ParamError{"code", string(c.code), "has no sign, and there are cells with negative coordinates, down to " +
			pair(float64(col)*size, float64(row)*size)}
	}
	if most := maxExact / c.size; col+int64(r.MaxCol) > most || row+int64(r.MaxRow) > most {
		return &ParamError{"code", string(c.code), "has no room for coordinates beyond 2^53"}
	}

	return nil
}

// MaxLen returns the length in bytes of the longest code of a cell in a range that CheckRange accepts.
func (c *Coder) MaxLen(r Range) int {
	return len(c.Append(nil, Cell{r.MaxCol - 1, r.MaxRow - 1}))
}

// corner returns the lower left corner of a cell, in whole metres.
func (c *Coder) corner(cell Cell) (x, y int64) {
	return c.x + int64(cell.Col)*c.size, c.y + int64(cell.Row)*c.size
}

// Append appends the code of a cell, which must be in a range that CheckRange accepts.
func (c *Coder) Append(dst []byte, cell Cell) []byte {
	if c.code == Quadkey {
		return appendQuadkey(dst, cell, c.zoom)
	}

	x, y := c.corner(cell)
	x, y = x/c.divisor, y/c.divisor
	dst = append(dst, c.prefix...)
	if c.east {
		dst = strconv.AppendInt(append(dst, 'E'), x, 10)
		return strconv.AppendInt(append(dst, 'N'), y, 10)
	}
	dst = strconv.AppendInt(append(dst, 'N'), y, 10)

	return strconv.AppendInt(append(dst, 'E'), x, 10)
}

func appendQuadkey(dst []byte, c Cell, zoom int32) []byte {
	for z := zoom - 1; z >= 0; z-- {
		dst = append(dst, '0'+byte(c.Col>>z&1)+byte(c.Row>>z&1)<<1)
	}
	return dst
}
