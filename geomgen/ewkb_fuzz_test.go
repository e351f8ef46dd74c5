package geomgen

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/ewkb"
)

// reread decodes EWKB with go-geom and encodes it again. It fails unless the bytes and the SRID stay the same.
func reread(t *testing.T, wkb []byte, srid int32) geom.T {
	t.Helper()
	g, err := ewkb.Unmarshal(wkb)
	if err != nil {
		t.Fatalf("%x does not decode: %v", wkb, err)
	}

	back, err := ewkb.Marshal(g, binary.LittleEndian)
	if err != nil || !bytes.Equal(back, wkb) {
		t.Fatalf("%x is read as %x, %v", wkb, back, err)
	}

	if srid >= 0 && g.SRID() != int(srid) {
		t.Fatalf("%x has SRID %d, want %d", wkb, g.SRID(), srid)
	}
	return g
}

// FuzzEWKB writes a cell in all geometries, and any box, and reads them with go-geom. It must read the corners or
// the centre, and write the same bytes.
func FuzzEWKB(f *testing.F) {
	shell := []byte{0, 0, 9, 1, 8, 9, 1, 10}
	f.Add(uint8(0), 0.0, 0.0, 1.0, 1.0, 0.0, int32(0), int32(0), int32(0), shell)
	f.Add(uint8(1), -0.1, 1e300, 0.3, 0.3, 30.0, int32(3035), int32(2), int32(-1), shell)
	f.Add(uint8(2), 3.0, -4.0, 10.5, 10.5, math.Copysign(0, -1), int32(math.MaxInt32), int32(-7), int32(9), shell)
	f.Add(uint8(3), 0.0, math.Inf(1), math.NaN(), 5.0, 0.0, int32(-5), int32(3), int32(11), []byte{0, 0, 1, 0})
	shapes := []Shape{Square, HexagonFlat, HexagonPointy, XYZ}
	f.Fuzz(func(t *testing.T, kind uint8, x0, y0, dx, dy, turn float64, srid, col, row int32, shell []byte) {
		reread(t, AppendBox(nil, Box{x0, y0, dx, dy}, srid), srid)
		g := Grid{X0: x0, Y0: y0, DX: dx, DY: dy, SRID: srid, Shape: shapes[kind%4], Rotate: turn}
		if g.Shape.Hexagon() {
			g.DY = dx
		}

		c := Cell{col >> 1, row >> 1}
		if g.Shape == XYZ {
			g = Tiles(int32(kind) % (MaxZoom + 1))
			c = Cell{c.Col & (1<<g.Zoom - 1), c.Row & (1<<g.Zoom - 1)}
		}

		r := Range{c.Col, c.Row, c.Col + 1, c.Row + 1}
		if g.Validate() != nil || g.CheckRange(r) != nil {
			return
		}

		checkCellEWKB(t, g, c)
		if len(shell) <= 64 && g.checkStep(r) == nil {
			checkPartEWKB(t, g, c, shell)
		}
	})
}

// checkCellEWKB compares what the writers write for a cell with its corners and its centre.
func checkCellEWKB(t *testing.T, g Grid, c Cell) {
	t.Helper()
	// As one cell of the block around it, and as a block of its own.
	id := CellID(c)
	order, w := NewBlockOrder(), Range{c.Col &^ 15, c.Row &^ 15, c.Col&^15 + 16, c.Row&^15 + 16}.Walk(0, MaxID)
	around, ok := w.Next()
	if !ok || around.Level != MaxBlockLevel {
		t.Fatalf("no block around cell %v: %+v", c, around)
	}

	var want []float64
	for _, p := range g.AppendCorners(nil, c) {
		want = append(want, p.X, p.Y)
	}

	for _, as := range []Geometry{AsPolygon, AsMultiPolygon, AsPoint} {
		wkb := g.AppendHeader(nil, as)
		at := len(wkb)
		wkb = append(wkb, make([]byte, g.PointsLen(as))...)
		writer := g.NewWriter(as)
		writer.SetBlock(Block{ID: id, Col: c.Col, Row: c.Row})
		writer.Put(wkb[at:], 0)
		again := make([]byte, g.PointsLen(as))
		writer.SetBlock(around)
		writer.Put(again, order.Offsets(around)[id-around.ID])
		if !bytes.Equal(again, wkb[at:]) {
			t.Fatalf("cell %v of %+v as %q: %x, in its block %x", c, g, as, wkb[at:], again)
		}

		read := reread(t, wkb, g.SRID)
		if p, ok := read.(*geom.MultiPolygon); ok && p.NumPolygons() == 1 {
			read = p.Polygon(0)
		}

		flat := read.FlatCoords()
		if as == AsPoint {
			if centre := g.Centre(c); len(flat) != 2 || flat[0] != centre.X || flat[1] != centre.Y {
				t.Fatalf("the centre of %v is %v, want %v", c, flat, centre)
			}
			continue
		}

		if read.(*geom.Polygon).NumLinearRings() != 1 || !sameRing(flat, want) {
			t.Fatalf("cell %v of %+v as %q is %v, want %v", c, g, as, flat, want)
		}
	}
}

// sameRing reports whether closed is a closed ring of the same corners, starting at any of them and in either
// direction.
func sameRing(closed, corners []float64) bool {
	n := len(corners)
	if len(closed) != n+2 || closed[0] != closed[n] || closed[1] != closed[n+1] {
		return false
	}

	var backwards []float64
	for i := n - 2; i >= 0; i -= 2 {
		backwards = append(backwards, corners[i], corners[i+1])
	}

	for i := 0; i < n; i += 2 {
		for _, ring := range [][]float64{corners, backwards} {
			if slices.Equal(closed[:n], append(slices.Clone(ring[i:]), ring[:i]...)) {
				return true
			}
		}
	}

	return false
}

// checkPartEWKB clips a cell by an area near its corner, and compares the area that go-geom reads with the share.
func checkPartEWKB(t *testing.T, g Grid, c Cell, shell []byte) {
	t.Helper()
	corner := g.Centre(c)
	m, err := NewMask(g, []Polygon{{fuzzedRing(Grid{X0: corner.X, Y0: corner.Y, DX: g.DX / 8, DY: g.DY / 8}, shell)}}, Intersects)
	if err != nil {
		return
	}

	part, err := NewClipper(m).Clip(c)
	if err != nil {
		t.Fatal(err)
	}

	read, ok := reread(t, part.AppendEWKB(nil, g.SRID), g.SRID).(*geom.MultiPolygon)
	if !ok || read.NumPolygons() != len(part.Shells) {
		t.Fatalf("a part of %d shells is read as %v", len(part.Shells), read)
	}

	if part.Share == 0 || part.Share == 1 {
		return
	}

	bounds := g.Bounds(c)
	for i, v := range read.FlatCoords() {
		lo, hi := bounds.XMin, bounds.XMax
		if i%2 == 1 {
			lo, hi = bounds.YMin, bounds.YMax
		}
		if slack := 1e-9 * (hi - lo); v < lo-slack || v > hi+slack {
			t.Fatalf("the part of %v reaches %v, outside of %v", c, v, bounds)
		}
	}
}
