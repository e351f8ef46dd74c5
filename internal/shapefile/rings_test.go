package shapefile

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/testrand"
)

// square is a square ring, clockwise like the shells of shapefiles.
func square(x, y, width float64) []geomgen.Point {
	return []geomgen.Point{{X: x, Y: y}, {X: x, Y: y + width}, {X: x + width, Y: y + width}, {X: x + width, Y: y}, {X: x, Y: y}}
}

func turned(ring []geomgen.Point) []geomgen.Point {
	ring = slices.Clone(ring)
	slices.Reverse(ring)
	return ring
}

func TestAssemble(t *testing.T) {
	shell, hole, island := square(0, 0, 10), square(1, 1, 8), square(2, 2, 2)
	touching, beside := square(1, 1, 4), square(10, 0, 5)

	for _, test := range []struct {
		name  string
		rings [][]geomgen.Point
		want  [][]int
	}{
		{"none", nil, nil},
		{"as the format says", [][]geomgen.Point{shell, turned(hole), island}, [][]int{{0, 1}, {2}}},
		{"holes before shells", [][]geomgen.Point{island, turned(hole), shell}, [][]int{{0}, {2, 1}}},
		{"all clockwise", [][]geomgen.Point{shell, hole, island}, [][]int{{0, 1}, {2}}},
		{"all counter-clockwise", [][]geomgen.Point{turned(shell), turned(hole), turned(island)}, [][]int{{0, 1}, {2}}},
		{"all in the wrong direction", [][]geomgen.Point{turned(shell), hole, turned(island)}, [][]int{{0, 1}, {2}}},
		{"a hole without its shell", [][]geomgen.Point{turned(hole), square(20, 0, 5)}, [][]int{{0}, {1}}},
		{"two shells next to each other", [][]geomgen.Point{shell, beside, square(11, 1, 1)}, [][]int{{0}, {1, 2}}},
		{"holes that touch", [][]geomgen.Point{shell, turned(touching), turned(square(5, 5, 3))}, [][]int{{0, 1, 2}}},
	} {
		before := cloneRings(test.rings)
		got, err := assemble(t.Context(), test.rings)
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %v, %v; want %v", test.name, got, err, test.want)
		}

		if !reflect.DeepEqual(test.rings, before) {
			t.Errorf("%s: the rings have changed", test.name)
		}
	}
}

func cloneRings(rings [][]geomgen.Point) (clone [][]geomgen.Point) {
	for _, ring := range rings {
		clone = append(clone, slices.Clone(ring))
	}
	return clone
}

// Squares within squares, in any order and either direction: their widths show how deep each is.
func TestAssembleNested(t *testing.T) {
	random := testrand.New(t, 1)

	for range 200 {
		var rings [][]geomgen.Point
		var depths []int
		for tower := range 1 + random.IntN(3) {
			for depth := range 1 + random.IntN(6) {
				d := float64(depth)
				rings = append(rings, square(100*float64(tower)+d, d, 50-2*d))
				depths = append(depths, 10*tower+depth)
			}
		}

		random.Shuffle(len(rings), func(i, k int) {
			rings[i], rings[k] = rings[k], rings[i]
			depths[i], depths[k] = depths[k], depths[i]
		})
		turnSome(random, rings)

		polygons, err := assemble(t.Context(), rings)
		if err != nil {
			t.Fatal(err)
		}

		for _, p := range polygons {
			shell := depths[p[0]]
			if shell%10%2 != 0 || len(p) > 2 || len(p) == 2 && depths[p[1]] != shell+1 ||
				len(p) == 1 && slices.Contains(depths, shell+1) {
				t.Fatalf("depths %v: polygons %v", depths, polygons)
			}
		}
	}
}

func turnSome(random *rand.Rand, rings [][]geomgen.Point) {
	for i := range rings {
		if random.IntN(2) == 0 {
			rings[i] = turned(rings[i])
		}
	}
}

func TestRingFaults(t *testing.T) {
	var bad *ringError
	if _, err := assemble(t.Context(), [][]geomgen.Point{square(0, 0, 1), square(5, 5, 1)[:4]}); !errors.As(err, &bad) || bad.ring != 2 || bad.at != (geomgen.Point{X: 6, Y: 5}) {
		t.Errorf("%+v", err)
	}
}

// Rings that cross or are equal have some result.
func TestAssembleInvalid(t *testing.T) {
	random := testrand.New(t, 2)

	for range 2000 {
		var rings [][]geomgen.Point
		for range 2 + random.IntN(8) {
			rings = append(rings, square(float64(random.IntN(6)), float64(random.IntN(6)), float64(1+random.IntN(4))))
		}
		turnSome(random, rings)

		polygons, err := assemble(t.Context(), rings)
		if err != nil {
			t.Fatal(err)
		}

		var all []int
		for _, p := range polygons {
			all = append(all, p...)
		}
		slices.Sort(all)
		for i, ring := range all {
			if i != ring || len(all) != len(rings) {
				t.Fatalf("%d rings: %v", len(rings), polygons)
			}
		}
	}
}
