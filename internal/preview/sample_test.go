package preview

import "testing"

// Of a sequence of unknown length a bounded number is kept, about one of each group.
func TestThinned(t *testing.T) {
	for _, rows := range []int64{0, 1, 100, 101, 1000, 54_321} {
		kept := sampler{every: 1, most: 100}
		for n := range rows {
			if kept.wants() {
				v := float64(n)
				kept.add(Cell{Value: &v})
			}

			if len(kept.cells) > 100 {
				t.Fatalf("%d rows: %d are kept", rows, len(kept.cells))
			}
		}

		if kept.seen != rows || rows <= 100 && int64(len(kept.cells)) != rows || rows > 100 && len(kept.cells) < 50 {
			t.Errorf("of %d rows %d are kept, %d seen", rows, len(kept.cells), kept.seen)
		}

		last := -1.0

		for _, c := range kept.cells {
			if gap := *c.Value - last; gap <= 0 || gap > float64(3*kept.every) {
				t.Errorf("%d rows, one of %d: %v comes after %v", rows, kept.every, *c.Value, last)
			}

			last = *c.Value
		}
	}
}
