package geomgen

import (
	"errors"
	"strings"
	"testing"
)

func TestINSPIREGolden(t *testing.T) {
	for _, row := range readGolden(t, "inspire_codes.csv") {
		size := float64(goldenInt(t, row["cell_size_m"]))
		g := Grid{DX: size, DY: size, SRID: goldenInt(t, row["epsg"])}
		cell := Cell{goldenInt(t, row["xmin"]) / int32(size), goldenInt(t, row["ymin"]) / int32(size)}
		for code, want := range map[Code]string{INSPIRE: row["long_code"], INSPIREShort: row["short_code"]} {
			c, err := NewCoder(g, code, "")
			if err != nil {
				t.Fatal(err)
			}

			if got := string(c.Append(nil, cell)); got != want {
				t.Errorf("%s of cell %v of %v m: %s, want %s", code, cell, size, got, want)
			}
			e, err := NewCoder(g, code, EastFirst)
			if err != nil {
				t.Fatal(err)
			}

			north := want[strings.LastIndexByte(want, 'N'):strings.LastIndexByte(want, 'E')]
			east := want[strings.LastIndexByte(want, 'E'):]
			turned := strings.TrimSuffix(want, north+east) + east + north
			if got := string(e.Append(nil, cell)); got != turned {
				t.Errorf("%s of cell %v, east first: %s, want %s", code, cell, got, turned)
			}
		}
	}
}

func TestCodeOfShiftedOrigin(t *testing.T) {
	c, err := NewCoder(Grid{X0: 4000000, Y0: 3000000, DX: 1000, DY: 1000, SRID: 3035}, INSPIRE, NorthFirst)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(c.Append(nil, Cell{-1, 2})), "CRS3035RES1000mN3002000E3999000"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Example from the Bing Maps Tile System's own page: tile 3,5 at level 3 is 213.
func TestQuadkeyVector(t *testing.T) {
	c, err := NewCoder(Tiles(3), Quadkey, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := string(c.Append(nil, Cell{3, 5})); got != "213" {
		t.Errorf("quadkey %s, want 213", got)
	}
}

func TestNewCoderRefuses(t *testing.T) {
	good := Grid{DX: 1000, DY: 1000, SRID: 3035}
	change := func(do func(*Grid)) Grid {
		g := good
		do(&g)
		return g
	}
	for name, test := range map[string]struct {
		grid  Grid
		code  Code
		order CodeOrder
		param string
		word  string
	}{
		"degrees":      {change(func(g *Grid) { g.DX, g.DY = 0.1, 0.1 }), INSPIRE, "", "code", "whole metres"},
		"not aligned":  {change(func(g *Grid) { g.X0 = 500 }), INSPIRE, "", "code", "multiple of the cell size"},
		"oblong":       {change(func(g *Grid) { g.DY = 500 }), INSPIREShort, "", "code", "squares"},
		"turned":       {change(func(g *Grid) { g.Rotate = 30 }), INSPIRE, "", "code", "rotate 30"},
		"hexagon":      {change(func(g *Grid) { g.Shape = HexagonFlat }), INSPIRE, "", "code", "hexagon"},
		"no SRID":      {change(func(g *Grid) { g.SRID = 0 }), INSPIRE, "", "code", "srid"},
		"tiles":        {Tiles(3), INSPIRE, "", "code", "xyz"},
		"no tiles":     {good, Quadkey, "", "code", "shape xyz"},
		"quadkey's":    {Tiles(3), Quadkey, EastFirst, "code-order", "alone"},
		"unknown code": {good, "what3words", "", "code", "must be"},
		"unknown way":  {good, INSPIRE, "ns", "code-order", "must be"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewCoder(test.grid, test.code, test.order)
			var param *ParamError
			if !errors.As(err, &param) || param.Param != test.param || !strings.Contains(err.Error(), test.word) {
				t.Errorf("error %v, want one of %s with %q", err, test.param, test.word)
			}
		})
	}
}

func TestCodesOfRanges(t *testing.T) {
	near := Grid{DX: 1000, DY: 1000, SRID: 3035}
	shifted := Grid{X0: 5000, Y0: -2000, DX: 1000, DY: 1000, SRID: 3035}

	// Columns and rows times the size overflow an int64 from 2^23 on.
	vast := Grid{DX: 1 << 40, DY: 1 << 40, SRID: 3035}
	for name, test := range map[string]struct {
		grid Grid
		r    Range
		want string // in the error; "" means none
	}{
		"good":           {near, Range{0, 0, 5, 5}, ""},
		"west":           {near, Range{-1, 0, 5, 5}, "negative coordinates, down to -1000,0"},
		"south":          {near, Range{0, -2, 5, 5}, "negative coordinates, down to 0,-2000"},
		"by the origin":  {shifted, Range{-5, 2, 1, 3}, ""},
		"south of 0":     {shifted, Range{-5, 1, 1, 3}, "negative coordinates, down to 0,-1000"},
		"up to 2^53":     {vast, Range{0, 0, 1 << 13, 1 << 13}, ""},
		"beyond in x":    {vast, Range{0, 0, 1<<13 + 1, 1}, "beyond 2^53"},
		"beyond in y":    {vast, Range{0, 0, 1, 1<<13 + 1}, "beyond 2^53"},
		"around to 0":    {vast, Range{0, 0, 1 << 24, 1 << 24}, "beyond 2^53"},
		"around from 0":  {vast, Range{-1 << 24, 0, 1, 1}, "negative coordinates, down to -1.8446744073709552e+19,0"},
		"tiles have one": {Tiles(30), Tiles(30).World(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			code := INSPIRE
			if test.grid.Shape == XYZ {
				code = Quadkey
			}

			c, err := NewCoder(test.grid, code, "")
			if err != nil {
				t.Fatal(err)
			}

			err = c.CheckRange(test.r)
			var param *ParamError
			switch {
			case test.want == "":
				if err != nil {
					t.Errorf("refused: %v", err)
				}
			case !errors.As(err, &param) || param.Param != "code" || !strings.Contains(err.Error(), test.want):
				t.Errorf("error %v, want one of code with %q", err, test.want)
			}
		})
	}
}

// MaxLen is the length of the longest code. Buffers of rows depend on it.
func TestMaxLenIsThatOfTheLongestCode(t *testing.T) {
	for _, g := range []Grid{
		{DX: 250, DY: 250, SRID: 3035},
		{X0: 9000, Y0: 98000, DX: 1000, DY: 1000, SRID: 3035},
	} {
		for _, code := range []Code{INSPIRE, INSPIREShort} {
			for _, order := range []CodeOrder{NorthFirst, EastFirst} {
				c, err := NewCoder(g, code, order)
				if err != nil {
					t.Fatal(err)
				}

				for n := int32(1); n < 50; n++ {
					r := Range{0, 0, n, 50 - n}
					longest := 0
					for col := range r.MaxCol {
						for row := range r.MaxRow {
							longest = max(longest, len(c.Append(nil, Cell{col, row})))
						}
					}

					if got := c.MaxLen(r); got != longest {
						t.Fatalf("%s of %v in %+v: MaxLen %d, the longest has %d", code, r, g, got, longest)
					}
				}
			}
		}
	}
}

func TestCodesAllocateNothing(t *testing.T) {
	for code, g := range map[Code]Grid{INSPIRE: {DX: 1000, DY: 1000, SRID: 3035}, INSPIREShort: {DX: 250, DY: 250, SRID: 3035}, Quadkey: Tiles(12)} {
		c, err := NewCoder(g, code, "")
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]byte, 0, 64)
		if n := testing.AllocsPerRun(100, func() { c.Append(dst, Cell{4000, 1234}) }); n != 0 {
			t.Errorf("%s allocates %v times", code, n)
		}
	}
}
