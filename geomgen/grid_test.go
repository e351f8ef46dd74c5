package geomgen

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/internal/testrand"
)

func TestExtent(t *testing.T) {
	tests := []struct {
		name   string
		grid   Grid
		extent Box
		want   Range
	}{
		{"unit boxes", Grid{DX: 1, DY: 1}, Box{0, 0, 1000, 800}, Range{0, 0, 1000, 800}},
		{"touching is not meeting", Grid{DX: 1, DY: 1}, Box{1, 1, 2, 2}, Range{1, 1, 2, 2}},
		{"a part of a cell takes it whole", Grid{DX: 1, DY: 1}, Box{0.5, 0.5, 1.5, 1.25}, Range{0, 0, 2, 2}},
		{"inside one cell", Grid{DX: 10, DY: 10}, Box{1, 1, 2, 2}, Range{0, 0, 1, 1}},
		{"negative", Grid{DX: 2, DY: 3}, Box{-7, -7, -1, -1}, Range{-4, -3, 0, 0}},
		{"the origin is not the extent's corner", Grid{X0: 0.5, Y0: -0.5, DX: 1, DY: 1}, Box{0, 0, 2, 2}, Range{-1, 0, 2, 3}},
		{"0.3 at size 0.1 is line 3", Grid{DX: 0.1, DY: 0.1}, Box{0.3, 0.3, 0.7, 0.6}, Range{3, 3, 7, 6}},
		{"the world at 0.1 degrees", Grid{X0: -180, Y0: -90, DX: 0.1, DY: 0.1}, Box{-180, -90, 180, 90}, Range{0, 0, 3600, 1800}},
		{"the world at 0.1 degrees from 0,0", Grid{DX: 0.1, DY: 0.1}, Box{-180, -90, 180, 90}, Range{-1800, -900, 1800, 900}},
		{"within 1e-9 of a line", Grid{DX: 1, DY: 1}, Box{1 - 0.9e-9, 1 + 0.9e-9, 3 - 0.9e-9, 3 + 0.9e-9}, Range{1, 1, 3, 3}},
		{"further than 1e-9 from a line", Grid{DX: 1, DY: 1}, Box{1 - 1.1e-9, 1 + 1.1e-9, 3 - 1.1e-9, 3 + 1.1e-9}, Range{0, 1, 3, 4}},
		{"EU 1 km", Grid{DX: 1000, DY: 1000, SRID: 3035}, Box{900000, 900000, 7400000, 5500000}, Range{900, 900, 7400, 5500}},
		{"to the last index", Grid{DX: 1, DY: 1}, Box{-MaxIndex, -MaxIndex, MaxIndex, MaxIndex}, Range{-MaxIndex, -MaxIndex, MaxIndex, MaxIndex}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, _, err := test.grid.Extent(test.extent)
			if err != nil {
				t.Fatal(err)
			}
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// From -180 at size 0.1, most decimal bounds miss their line slightly. None of them may lose or gain a column.
func TestExtentTakesDecimalBoundsForLines(t *testing.T) {
	g := Grid{X0: -180, Y0: -90, DX: 0.1, DY: 0.1}
	missed := 0
	for n := range int32(3600) {
		lo, hi := float64(n-1800)/10, float64(n-1799)/10
		if lo != g.X(n) {
			missed++
		}

		r, _, err := g.Extent(Box{lo, -90, hi, -89})
		if err != nil {
			t.Fatal(err)
		}

		if r.MinCol != n || r.MaxCol != n+1 {
			t.Fatalf("from %v to %v: columns %d to %d, want %d alone", lo, hi, r.MinCol, r.MaxCol-1, n)
		}
	}

	if missed == 0 {
		t.Error("every bound is a line bit for bit: this test shows nothing")
	}
}

// Ten-centimetre cells in metric coordinates: there, 1e-9 of a cell is less than a step of the number format.
func TestExtentTakesDecimalBoundsForLinesFarOut(t *testing.T) {
	rng := testrand.New(t, 2122)
	for _, origin := range []float64{0, 0.05} {
		g := Grid{X0: origin, Y0: origin, DX: 0.1, DY: 0.1}
		for range 20000 {
			n := rng.Int64N(1e8)
			// The decimal numbers as people write them, in hundredths.
			hundredths := n*10 + int64(origin*100)
			lo, hi := float64(hundredths)/100, float64(hundredths+100)/100
			r, _, err := g.Extent(Box{lo, lo, hi, hi})
			if err != nil {
				t.Fatal(err)
			}

			if r.Count() != 100 || int64(r.MinCol) != n {
				t.Fatalf("origin %v, from %v to %v: %+v, want 100 cells from column %d", origin, lo, hi, r, n)
			}
		}
	}
}

func TestExtentRefuses(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	unit := Grid{DX: 1, DY: 1}
	tests := []struct {
		name   string
		grid   Grid
		extent Box
		param  string
		reason string
	}{
		{"size zero", Grid{DX: 0, DY: 1}, Box{0, 0, 1, 1}, "cell-size", "greater than 0"},
		{"size negative", Grid{DX: 1, DY: -1}, Box{0, 0, 1, 1}, "cell-size", "greater than 0"},
		{"size NaN", Grid{DX: nan, DY: 1}, Box{0, 0, 1, 1}, "cell-size", "greater than 0"},
		{"size infinite", Grid{DX: 1, DY: inf}, Box{0, 0, 1, 1}, "cell-size", "finite"},
		{"origin NaN", Grid{X0: nan, DX: 1, DY: 1}, Box{0, 0, 1, 1}, "origin", "finite"},
		{"origin infinite", Grid{Y0: -inf, DX: 1, DY: 1}, Box{0, 0, 1, 1}, "origin", "finite"},
		{"SRID negative", Grid{DX: 1, DY: 1, SRID: -1}, Box{0, 0, 1, 1}, "srid", "negative"},
		{"extent NaN", unit, Box{0, nan, 1, 1}, "extent", "finite"},
		{"extent infinite", unit, Box{0, 0, inf, 1}, "extent", "finite"},
		{"extent reversed in x", unit, Box{1, 0, 0, 1}, "extent", "reversed"},
		{"extent reversed in y", unit, Box{0, 1, 1, 0}, "extent", "reversed"},
		{"extent empty", unit, Box{0, 0, 0, 1}, "extent", "empty"},
		{"extent thinner than the tolerance", unit, Box{0, 0, 1e-12, 1}, "extent", "1e-9"},
		{"beyond 2^30 columns", unit, Box{0, 0, MaxIndex + 1, 1}, "extent", "2^30"},
		{"beyond -2^30 rows", unit, Box{0, -MaxIndex - 1, 1, 1}, "extent", "2^30"},
		{"far beyond", unit, Box{1e300, 0, 2e300, 1}, "extent", "2^30"},
		{"corners coincide far out", Grid{X0: 1e17, DX: 1, DY: 1}, Box{1e17, 0, 1e17 + 64, 1}, "cell-size", "coincide"},
		{"corners coincide in y", Grid{Y0: 4e6, DX: 1, DY: 1e-10}, Box{0, 4e6, 1, 4e6 + 1e-9}, "cell-size", "coincide"},
		{"overflow", Grid{X0: 1.7e308, DX: 1e305, DY: 1}, Box{1.7e308, 0, math.MaxFloat64, 1}, "cell-size", "largest number"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, _, err := test.grid.Extent(test.extent)
			var pe *ParamError
			if !errors.As(err, &pe) {
				t.Fatalf("got %+v, %v, want a ParamError", r, err)
			}
			if pe.Param != test.param || !strings.Contains(pe.Reason, test.reason) {
				t.Errorf("got %q, want parameter %s and %q in the reason", err, test.param, test.reason)
			}
		})
	}
}

// Lines that Within accepts must all differ. The test samples both ends, where numbers are furthest apart.
func TestAcceptedLinesDiffer(t *testing.T) {
	rng := testrand.New(t, 910)
	accepted := 0
	for range 20000 {
		g := Grid{
			X0: math.Ldexp(rng.Float64()-0.5, rng.IntN(40)), DY: 1,
			DX: math.Ldexp(1+rng.Float64(), -rng.IntN(50)),
		}

		r := Range{MinCol: -rng.Int32N(MaxIndex), MaxCol: 1 + rng.Int32N(MaxIndex-1), MaxRow: 1}
		if g.CheckRange(r) != nil {
			continue
		}

		accepted++
		for k := range int32(20) {
			for _, col := range []int32{r.MinCol + k, r.MaxCol - 1 - k} {
				if !(g.X(col) < g.X(col+1)) {
					t.Fatalf("%+v: lines %d and %d are both at %v", g, col, col+1, g.X(col))
				}
			}
		}
	}

	if accepted < 1000 {
		t.Errorf("only %d grids were accepted: this test shows little", accepted)
	}
}

func TestNeighboursShareTheirEdgesBitForBit(t *testing.T) {
	rng := testrand.New(t, 1112)
	for range 10000 {
		g := Grid{X0: rng.NormFloat64() * 1e3, Y0: rng.NormFloat64() * 1e6, DX: rng.Float64() + 0.01, DY: rng.Float64() + 0.01}
		c := Cell{rng.Int32N(2e6) - 1e6, rng.Int32N(2e6) - 1e6}
		b, right, above := g.Bounds(c), g.Bounds(Cell{c.Col + 1, c.Row}), g.Bounds(Cell{c.Col, c.Row + 1})
		if b.XMax != right.XMin || b.YMax != above.YMin {
			t.Fatalf("%+v, cell %v: %v, right of it %v, above it %v", g, c, b, right, above)
		}
	}
}

func FuzzExtent(f *testing.F) {
	f.Add(0.0, 0.0, 0.1, 0.1, 0.3, 0.3, 0.7, 0.6)
	f.Add(-180.0, -90.0, 0.1, 0.1, -180.0, -90.0, 180.0, 90.0)
	f.Add(1e17, 0.0, 1.0, 1.0, 1e17, 0.0, 1e17+64, 1.0)

	f.Fuzz(func(t *testing.T, x0, y0, dx, dy, xmin, ymin, xmax, ymax float64) {
		g := Grid{X0: x0, Y0: y0, DX: dx, DY: dy}
		r, _, err := g.Extent(Box{xmin, ymin, xmax, ymax})
		if err != nil {
			return
		}

		if r.Count() <= 0 || !r.valid() {
			t.Fatalf("accepted %+v", r)
		}

		// The first and the last column meet the extent's interior, and the next ones do not, up to the
		// tolerance.
		far := math.Max(math.Abs(x0), math.Max(math.Abs(xmin), math.Abs(xmax)))
		tol := math.Max(lineTolerance*dx, 8*(math.Nextafter(far, math.Inf(1))-far))
		if g.X(r.MinCol) > xmin+tol || g.X(r.MinCol+1) <= xmin-tol || g.X(r.MaxCol) < xmax-tol || g.X(r.MaxCol-1) >= xmax+tol {
			t.Fatalf("%+v: columns %d to %d for %v to %v", g, r.MinCol, r.MaxCol, xmin, xmax)
		}
	})
}
