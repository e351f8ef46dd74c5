package geomgen

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
)

// FuzzCode compares codes with ones assembled digit by digit from numbers of any size.
func FuzzCode(f *testing.F) {
	f.Add(uint8(3), int64(1000), int64(0), int64(0), int32(4321), int32(2689), int32(3035))
	f.Add(uint8(0), int64(250), int64(-4), int64(7), int32(3), int32(5), int32(3035))
	f.Add(uint8(1), int64(1), int64(1<<30), int64(-1<<30), int32(-9), int32(1<<30-1), int32(1))
	f.Add(uint8(2), int64(1<<23), int64(0), int64(0), int32(1<<30-1), int32(1<<30-1), int32(25832))
	f.Add(uint8(7), int64(100_000_000_000), int64(0), int64(0), int32(0), int32(1), int32(25832))

	f.Fuzz(func(t *testing.T, kind uint8, size, x0, y0 int64, col, row, srid int32) {
		checkQuadkey(t, int32(kind)%(MaxZoom+1), col, row)
		// The products may be anything: NewCoder refuses inexact ones.
		g := Grid{X0: float64(x0) * float64(size), Y0: float64(y0) * float64(size), DX: float64(size), DY: float64(size), SRID: srid}
		cell := Cell{col >> 1, row >> 1}
		code, order := []Code{INSPIRE, INSPIREShort}[kind%2], []CodeOrder{NorthFirst, EastFirst}[kind/2%2]
		c, err := NewCoder(g, code, order)
		r := Range{cell.Col, cell.Row, cell.Col + 1, cell.Row + 1}
		if err != nil || g.Validate() != nil || c.CheckRange(r) != nil {
			return
		}

		want := slowCode(g, code, order, cell)
		if got := string(c.Append([]byte("x"), cell)); got != "x"+want || c.MaxLen(r) != len(want) {
			t.Fatalf("%s of cell %v of %+v: %s, of %d bytes, want %s", code, cell, g, got, c.MaxLen(r), want)
		}
	})
}

// slowCode writes an INSPIRE code by its definition, as text. The short code drops as many digits at the end of a
// coordinate as the size has trailing zeros.
func slowCode(g Grid, code Code, order CodeOrder, c Cell) string {
	size, _ := big.NewFloat(g.DX).Int(nil)
	coordinate := func(origin float64, n int32) string {
		at, _ := big.NewFloat(origin).Int(nil)
		text := at.Add(at, new(big.Int).Mul(size, big.NewInt(int64(n)))).String()
		if code == INSPIREShort && text != "0" {
			text = text[:len(text)-trailingZeros(size.String())]
		}
		return text
	}

	prefix := fmt.Sprintf("CRS%dRES%sm", g.SRID, size)
	if code == INSPIREShort {
		prefix = size.String() + "m"
		if kilometres, ok := strings.CutSuffix(size.String(), "000"); ok {
			prefix = kilometres + "km"
		}
	}

	north, east := "N"+coordinate(g.Y0, c.Row), "E"+coordinate(g.X0, c.Col)
	if order == EastFirst {
		north, east = east, north
	}

	return prefix + north + east
}

func trailingZeros(digits string) int { return len(digits) - len(strings.TrimRight(digits, "0")) }

// A quadkey read back, digit by digit, is the tile.
func checkQuadkey(t *testing.T, zoom, x, y int32) {
	t.Helper()
	cell := Cell{x & (1<<zoom - 1), y & (1<<zoom - 1)}
	c, err := NewCoder(Tiles(zoom), Quadkey, "")
	if err != nil {
		t.Fatal(err)
	}

	key := string(c.Append(nil, cell))
	if len(key) != int(zoom) || c.MaxLen(Tiles(zoom).World()) != int(zoom) {
		t.Fatalf("quadkey %q at zoom %d", key, zoom)
	}

	var back Cell
	for _, d := range key {
		n := strings.IndexRune("0123", d)
		if n < 0 {
			t.Fatalf("quadkey %q", key)
		}
		back = Cell{back.Col<<1 | int32(n&1), back.Row<<1 | int32(n>>1)}
	}

	if back != cell {
		t.Fatalf("quadkey %q of tile %v is that of %v", key, cell, back)
	}
}
