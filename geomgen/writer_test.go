package geomgen

import (
	"encoding/csv"
	"encoding/hex"
	"os"
	"strconv"
	"testing"
)

// Each writer must agree with AppendCorners and Centre in all blocks.
func TestWriters(t *testing.T) {
	for name, g := range map[string]Grid{
		"square": {X0: 0.1, Y0: -7, DX: 0.1, DY: 0.3}, "turned": {X0: 3, DX: 0.1, DY: 0.2, Rotate: 33},
		"flat": {X0: 1, DX: 0.7, DY: 0.7, Shape: HexagonFlat}, "pointy": {DX: 10.5, DY: 10.5, Shape: HexagonPointy},
		"turned flat": {DX: 2, DY: 2, Shape: HexagonFlat, Rotate: -90}, "tiles": Tiles(5),
	} {
		t.Run(name, func(t *testing.T) {
			r := Range{-19, -37, 23, 18}
			if g.Shape == XYZ {
				r = g.World()
			}

			rings, centres := g.NewWriter(AsPolygon), g.NewWriter(AsPoint)
			order := NewBlockOrder()
			dst, point := make([]byte, g.PointsLen(AsPolygon)), make([]byte, g.PointsLen(AsPoint))
			l := g.lattice()

			for w := r.Walk(0, MaxID); ; {
				b, ok := w.Next()
				if !ok {
					break
				}

				rings.SetBlock(b)
				centres.SetBlock(b)
				for _, off := range order.Offsets(b) {
					c := b.cell(off)
					rings.Put(dst, off)
					centres.Put(point, off)
					var want, wantPoint []byte
					k, m := g.Shape.base(c)
					ring := g.Shape.ring()
					steps := ring[:g.Shape.Corners():g.Shape.Corners()]
					for _, s := range append(steps, steps[0]) {
						want = append(want, make([]byte, 16)...)
						putPoint(want[len(want)-16:], l.at(k+int64(s.k), m+int64(s.m)))
					}

					if string(dst) != string(want) {
						t.Fatalf("cell %v of block %+v: ring %x, want %x", c, b, dst, want)
					}

					wantPoint = append(wantPoint, make([]byte, 16)...)
					putPoint(wantPoint, g.Centre(c))
					if string(point) != string(wantPoint) {
						t.Fatalf("cell %v: centre %x, want %x", c, point, wantPoint)
					}
				}
			}
		})
	}
}

func readGolden(t *testing.T, name string) []map[string]string {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%s: %d rows, %v", name, len(rows), err)
	}

	var list []map[string]string
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, column := range rows[0] {
			m[column] = row[i]
		}
		list = append(list, m)
	}

	return list
}

func goldenInt(t *testing.T, s string) int32 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return int32(n)
}

// cellEWKB returns the EWKB of a cell as the loader assembles it.
func cellEWKB(g Grid, c Cell) []byte {
	w := g.NewWriter(AsPolygon)
	dst := g.AppendHeader(nil, AsPolygon)
	at := len(dst)
	dst = append(dst, make([]byte, g.PointsLen(AsPolygon))...)
	w.SetBlock(Block{Col: c.Col, Row: c.Row})
	w.Put(dst[at:], 0)
	return dst
}

// The vectors are PostGIS's: select i, j, st_asewkb(geom) from
// st_hexagongrid(10.5, st_makeenvelope(-20, -15, 30, 25, 3857)).
func TestHexagonGolden(t *testing.T) {
	g := Grid{DX: 10.5, DY: 10.5, SRID: 3857, Shape: HexagonFlat}
	for _, row := range readGolden(t, "hexagon_flat_10.5_-20_-15_30_25_3857.csv") {
		c := Cell{goldenInt(t, row["i"]), goldenInt(t, row["j"])}
		if got := hex.EncodeToString(cellEWKB(g, c)); got != row["ewkb_hex"] {
			t.Errorf("hexagon %v: %s, want %s", c, got, row["ewkb_hex"])
		}
	}
}

// The vectors are PostGIS's: select st_asewkb(st_tileenvelope(z, x, y)).
func TestTilesGolden(t *testing.T) {
	for _, row := range readGolden(t, "xyz_tiles.csv") {
		c := Cell{goldenInt(t, row["x"]), goldenInt(t, row["y"])}
		if got := hex.EncodeToString(cellEWKB(Tiles(goldenInt(t, row["z"])), c)); got != row["ewkb_hex"] {
			t.Errorf("tile %s %v: %s, want %s", row["z"], c, got, row["ewkb_hex"])
		}
	}
}

// sinCos is exact where an exact result exists, and does not lose digits.
func TestSinCos(t *testing.T) {
	for _, test := range []struct{ degrees, sin, cos float64 }{
		{90, 1, 0}, {180, 0, -1}, {270, -1, 0}, {-90, -1, 0}, {359.99999999999994, -9.921048172113442e-16, 1},
		{30, 0.5, 0.8660254037844386}, {45, 0.7071067811865476, 0.7071067811865476}, {60, 0.8660254037844386, 0.5},
	} {
		if sin, cos := sinCos(test.degrees); sin != test.sin || cos != test.cos {
			t.Errorf("sinCos(%v) = %v, %v, want %v, %v", test.degrees, sin, cos, test.sin, test.cos)
		}
	}
}
