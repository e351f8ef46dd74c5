package geomgen

import (
	"slices"
	"testing"

	"github.com/loadgrid/loadgrid/internal/testrand"
)

// idsOf returns the cell_ids of a range by brute force, in order.
func idsOf(r Range) []int64 {
	var ids []int64
	for row := r.MinRow; row < r.MaxRow; row++ {
		for col := r.MinCol; col < r.MaxCol; col++ {
			ids = append(ids, textbookID(Cell{col, row}))
		}
	}
	slices.Sort(ids)
	return ids
}

// walk returns the cell_ids of a walk in its order. It fails for a block that is not what it claims to be.
func walk(t *testing.T, r Range, first, last int64) []int64 {
	t.Helper()
	var ids []int64
	order := NewBlockOrder()

	w := r.Walk(first, last)
	for b, ok := w.Next(); ok; b, ok = w.Next() {
		for k, off := range order.Offsets(b) {
			c := Cell{b.Col + int32(off&15), b.Row + int32(off>>4)}
			if !r.Contains(c) {
				t.Fatalf("walk of %+v yields %v, which lies outside", r, c)
			}
			if id := textbookID(c); id != b.ID+int64(k) {
				t.Fatalf("cell %v has id %d, the walk says %d", c, id, b.ID+int64(k))
			}
			ids = append(ids, b.ID+int64(k))
		}
	}

	return ids
}

func checkCover(t *testing.T, r Range, pick func(n int) int) {
	t.Helper()
	ids := idsOf(r)
	if int64(len(ids)) != r.Count() {
		t.Fatalf("%+v counts %d cells, has %d", r, r.Count(), len(ids))
	}
	if got := walk(t, r, 0, MaxID); !slices.Equal(got, ids) {
		t.Fatalf("walk of %+v: %d cells, want each of %d once, in order", r, len(got), len(ids))
	}
	if len(ids) == 0 {
		return
	}

	i := pick(len(ids))
	j := i + pick(len(ids)-i)
	if got := walk(t, r, ids[i], ids[j]); !slices.Equal(got, ids[i:j+1]) {
		t.Fatalf("walk of %+v from cell %d to %d: %d cells, want %d", r, i, j, len(got), j+1-i)
	}

	for _, n := range []int{0, i, j, len(ids) - 1} {
		if got := r.At(int64(n)); got != ids[n] {
			t.Fatalf("%+v.At(%d) = %d, want %d", r, n, got, ids[n])
		}
	}
}

func TestWalkYieldsEachCellOnceInOrder(t *testing.T) {
	rng := testrand.New(t, 506)
	for range 300 {
		col, row := rng.Int32N(200)-100, rng.Int32N(200)-100
		checkCover(t, Range{col, row, col + rng.Int32N(90), row + rng.Int32N(90)}, rng.IntN)
	}
}

func TestWalkAtTheEndsOfTheIndexRange(t *testing.T) {
	rng := testrand.New(t, 708)
	for _, r := range []Range{
		{-MaxIndex, -MaxIndex, -MaxIndex + 20, -MaxIndex + 33},
		{MaxIndex - 20, MaxIndex - 17, MaxIndex, MaxIndex},
		{-3, MaxIndex - 40, 2, MaxIndex},
		{5, 5, 5, 9},
		{9, 5, 5, 9},
	} {
		checkCover(t, r, rng.IntN)
	}
}

// A walk must not visit what is outside. Among 2^62 cells, the only blocks that it takes off its list for a
// handful of cells are the blocks above them.
func TestWalkCostsNothingForWhatLiesOutside(t *testing.T) {
	for _, r := range []Range{
		{123456789, 987654321, 123456789 + 3, 987654321 + 3},
		{-1, -1, 1, 1},
		{-MaxIndex, MaxIndex - 1, -MaxIndex + 1, MaxIndex},
	} {
		w := r.Walk(0, MaxID)
		// A cell has 30 blocks above it, and each has four quarters.
		limit := 4 + 4*curveOrder*int(r.Count())
		steps := 0
		for w.n > 0 {
			w.step(MaxBlockLevel)
			steps++
		}

		if steps > limit {
			t.Errorf("walk of %+v looked at %d blocks, want at most %d", r, steps, limit)
		}
	}
}

func TestHugeRanges(t *testing.T) {
	all := Range{-MaxIndex, -MaxIndex, MaxIndex, MaxIndex}
	if n := all.Count(); n != 1<<62 {
		t.Fatalf("all cells: %d, want 2^62", n)
	}
	for _, n := range []int64{0, 1, 1<<60 - 1, 1 << 60, 3<<60 + 12345, MaxID} {
		if id := all.At(n); id != n {
			t.Errorf("At(%d) = %d among all cells, want the same", n, id)
		}
	}
}
