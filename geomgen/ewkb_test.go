package geomgen

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"testing"

	"github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/ewkb"

	"github.com/loadgrid/loadgrid/internal/testrand"
)

// The vectors were made by shapely.geometry.box and shapely.to_wkb.
func TestAppendBoxGolden(t *testing.T) {
	for _, v := range golden(t, "box_ewkb.csv") {
		var f [4]float64
		for i := range f {
			var err error
			if f[i], err = strconv.ParseFloat(v[i], 64); err != nil {
				t.Fatal(err)
			}
		}

		got := hex.EncodeToString(AppendBox(nil, Box{f[0], f[1], f[2], f[3]}, int32(atoi(t, v[4]))))
		if got != v[5] {
			t.Errorf("box %v: got %s, want %s", v[:5], got, v[5])
		}
	}
}

func goGeomBox(b Box, srid int32) *geom.Polygon {
	return geom.NewPolygonFlat(geom.XY, []float64{
		b.XMax, b.YMin, b.XMax, b.YMax, b.XMin, b.YMax, b.XMin, b.YMin, b.XMax, b.YMin,
	}, []int{10}).SetSRID(int(srid))
}

func TestAppendBoxIsWhatGoGeomEncodes(t *testing.T) {
	rng := testrand.New(t, 1314)
	for range 1000 {
		b := Box{rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()}
		srid := 1 + rng.Int32N(32767)
		want, err := ewkb.Marshal(goGeomBox(b, srid), binary.LittleEndian)
		if err != nil {
			t.Fatal(err)
		}

		if got := AppendBox([]byte("x"), b, srid); !bytes.Equal(got[1:], want) || got[0] != 'x' {
			t.Fatalf("%v: got %x, want %x", b, got, want)
		}
	}
}

func TestSquaresWriteWhatBoundsSay(t *testing.T) {
	rng := testrand.New(t, 1516)
	order := NewBlockOrder()
	for range 200 {
		g := Grid{X0: rng.NormFloat64(), Y0: rng.NormFloat64(), DX: rng.Float64(), DY: rng.Float64()}
		s := NewSquares(g)
		col, row := rng.Int32N(100)-50, rng.Int32N(100)-50

		w := Range{col, row, col + rng.Int32N(40), row + rng.Int32N(40)}.Walk(0, MaxID)
		for b, ok := w.Next(); ok; b, ok = w.Next() {
			s.SetBlock(b)
			for _, off := range order.Offsets(b) {
				var ring [BoxRingLen]byte
				s.PutRing(&ring, off)
				c := Cell{b.Col + int32(off&15), b.Row + int32(off>>4)}
				if want := AppendBox(nil, g.Bounds(c), 0)[13:]; !bytes.Equal(ring[:], want) {
					t.Fatalf("%+v, cell %v: got %x, want %x", g, c, ring, want)
				}
			}
		}
	}
}

// The grid of the story: 1000 x 800 unit boxes, x-1..x and y-1..y for x from 1 to 1000 and y from 1 to 800.
func TestTheStorysGrid(t *testing.T) {
	g := Grid{DX: 1, DY: 1}
	n := 0
	for x := int32(1); x <= 1000; x++ {
		for y := int32(1); y <= 800; y++ {
			want := Box{float64(x - 1), float64(y - 1), float64(x), float64(y)}
			if got := g.Bounds(Cell{x - 1, y - 1}); got != want {
				t.Fatalf("cell %d,%d: got %v, want %v", x-1, y-1, got, want)
			}
			n++
		}
	}

	if n != 800000 {
		t.Fatalf("%d boxes", n)
	}
}
