package geomgen

import (
	"encoding/csv"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/loadgrid/loadgrid/internal/testrand"
)

// golden returns the rows of a file under testdata, without its heading.
func golden(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}

	if len(rows) < 2 {
		t.Fatalf("%s holds no vectors", name)
	}
	return rows[1:]
}

func atoi(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestCellIDGolden(t *testing.T) {
	for _, v := range golden(t, "cell_ids.csv") {
		c := Cell{int32(atoi(t, v[0])), int32(atoi(t, v[1]))}
		id := atoi(t, v[2])
		if got := CellID(c); got != id {
			t.Errorf("CellID(%v) = %d, want %d", c, got, id)
		}
		if got, ok := CellOf(id); !ok || got != c {
			t.Errorf("CellOf(%d) = %v, %v, want %v", id, got, ok, c)
		}
	}
}

// textbookID is the definition in DESIGN's words, written without orientations: a quadrant, and the loop of xy2d
// that turns the coordinates on the way.
func textbookID(c Cell) int64 {
	var quadrant, d int64
	x, y := int64(c.Col), int64(c.Row)
	if x < 0 {
		x, quadrant = -1-x, quadrant|1
	}
	if y < 0 {
		y, quadrant = -1-y, quadrant|2
	}

	for s := int64(1) << 29; s > 0; s >>= 1 {
		var rx, ry int64
		if x&s != 0 {
			rx = 1
		}
		if y&s != 0 {
			ry = 1
		}

		d += s * s * (3*rx ^ ry)
		x, y = x&(s-1), y&(s-1)
		if ry == 0 {
			if rx == 1 {
				x, y = s-1-x, s-1-y
			}
			x, y = y, x
		}
	}

	return quadrant<<60 | d
}

// randomCell favours cells near the origin and near the ends of the index range.
func randomCell(rng *rand.Rand) Cell {
	index := func() int32 {
		switch rng.IntN(4) {
		case 0:
			return rng.Int32N(64) - 32
		case 1:
			return MaxIndex - 1 - rng.Int32N(64)
		case 2:
			return -MaxIndex + rng.Int32N(64)
		}
		return int32(rng.Int64N(2*MaxIndex) - MaxIndex)
	}
	return Cell{index(), index()}
}

func TestCellIDIsTheTextbookCurve(t *testing.T) {
	rng := testrand.New(t, 102)
	for range 20000 {
		c := randomCell(rng)
		id := CellID(c)
		if want := textbookID(c); id != want {
			t.Fatalf("CellID(%v) = %d, want %d", c, id, want)
		}
		if got, ok := CellOf(id); !ok || got != c {
			t.Fatalf("CellOf(%d) = %v, %v, want %v", id, got, ok, c)
		}
	}
}

func TestCellOfRefusesWhatIsNoID(t *testing.T) {
	for _, id := range []int64{-1, MaxID + 1, -1 << 63, 1<<63 - 1} {
		if c, ok := CellOf(id); ok {
			t.Errorf("CellOf(%d) = %v, want none", id, c)
		}
	}
}

func TestNeighboursInIDAreNeighboursInSpace(t *testing.T) {
	for q := range int64(4) {
		before, _ := CellOf(q << 60)
		for id := q<<60 + 1; id < q<<60+1<<16; id++ {
			c, _ := CellOf(id)
			dx, dy := c.Col-before.Col, c.Row-before.Row
			if dx*dx+dy*dy != 1 {
				t.Fatalf("cells %d and %d are %v and %v", id-1, id, before, c)
			}
			before = c
		}
	}
}

func TestSmallGridsHaveSmallIDs(t *testing.T) {
	for _, c := range []Cell{{999, 0}, {0, 799}, {999, 799}} {
		if id := CellID(c); id >= 1<<20 {
			t.Errorf("CellID(%v) = %d, want less than 2^20", c, id)
		}
	}
}

func TestBlockOffsetsAreTheCurve(t *testing.T) {
	order := NewBlockOrder()
	rng := testrand.New(t, 304)
	for range 200 {
		b := quadrant(rng.Int32N(4))
		for level := rng.IntN(MaxBlockLevel + 1); int(b.Level) > level; {
			b = b.quarter(rng.Int32N(4))
		}

		for k, off := range order.Offsets(b) {
			want, _ := CellOf(b.ID + int64(k))
			if got := (Cell{b.Col + int32(off&15), b.Row + int32(off>>4)}); got != want {
				t.Fatalf("cell %d of block %+v is %v, want %v", k, b, got, want)
			}
		}
	}
}

func FuzzCellID(f *testing.F) {
	f.Add(int32(0), int32(0))
	f.Add(int32(-1), int32(MaxIndex-1))
	f.Add(int32(-MaxIndex), int32(-MaxIndex))

	f.Fuzz(func(t *testing.T, col, row int32) {
		c := Cell{col >> 1, row >> 1} // 31 bits: every possible cell
		id := CellID(c)
		if want := textbookID(c); id != want {
			t.Fatalf("CellID(%v) = %d, want %d", c, id, want)
		}
		if back, ok := CellOf(id); !ok || back != c {
			t.Fatalf("CellOf(%d) = %v, %v, want %v", id, back, ok, c)
		}
	})
}
