package gather

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/testrand"
)

// square adds a square at x to a sink.
func square(s feature.Sink, x float64) {
	for _, q := range [][2]float64{{0, 0}, {1, 0}, {1, 1}, {0, 1}, {0, 0}} {
		s.Position(x+q[0], q[1])
	}
	s.CloseRing()
	s.ClosePolygon()
}

// squareAt is the square as a polygon.
func squareAt(x float64) geomgen.Polygon {
	return geomgen.Polygon{{{X: x, Y: 0}, {X: x + 1, Y: 0}, {X: x + 1, Y: 1}, {X: x, Y: 1}, {X: x, Y: 0}}}
}

// evenOnly keeps features whose first value is even.
func evenOnly(values []feature.Value) (bool, error) {
	n, ok := values[0].(int64)
	if !ok {
		return false, errors.New("not a number")
	}
	return n%2 == 0, nil
}

// Exactly the features for which the condition is true are kept, whatever their order and size.
// Skipped features leave nothing behind.
func TestFeaturesAreKeptOrPassedOver(t *testing.T) {
	rng := testrand.New(t, 61)

	for range 50 {
		var c Collector
		c.Select(Selection{Features: true, Names: []string{"n", "t"}, Where: evenOnly})
		var polygons []geomgen.Polygon
		var features []feature.Feature
		parts, positions, passed := 0, int64(0), 0

		for n := range int64(300) {
			of := feature.Feature{First: len(polygons)}
			squares, even := rng.IntN(4), rng.IntN(2) == 0
			if rng.IntN(50) == 0 {
				squares = 3000 // beyond a group of positions
			}

			for i := range squares {
				x := float64(n) + float64(i)/4096
				if rng.IntN(2) == 0 {
					square(&c, x)
				} else if _, err := c.WKB(geomgen.AppendPolygon(nil, squareAt(x))); err != nil {
					t.Fatal(err)
				}

				if even {
					polygons = append(polygons, squareAt(x))
				}
			}

			number := 2*n + 1
			if even {
				number--
				positions += int64(5 * squares)
			} else if squares > 0 {
				c.Dropped()
				passed++
			}

			values := []feature.Value{number, "x", "not kept"}
			if err := c.EndFeature(values); err != nil {
				t.Fatal(err)
			}
			values[0] = nil // the collector has copied it

			if of.End = len(polygons); of.End > of.First {
				of.Values = []feature.Value{number, "x"}
				features = append(features, of)
				parts++
			}
		}

		if c.Positions != positions || c.PassedOver != passed || c.Parts < parts || c.Warnings() != nil {
			t.Errorf("%d positions, %d skipped, %d parts, warnings %v; want %d, %d, %d", c.Positions, c.PassedOver, c.Parts, c.Warnings(), positions, passed, parts)
		}

		got, err := c.Polygons()
		if err != nil || !reflect.DeepEqual(got, polygons) {
			t.Fatalf("different polygons: %v", err)
		}

		if got := c.Features(); !reflect.DeepEqual(got, features) {
			t.Fatalf("got %v, want %v", got, features)
		}
	}
}

// An error counts only for a feature that is kept.
func TestFaultsOfFeatures(t *testing.T) {
	open := func(c *Collector) {
		c.Position(0, 0)
		c.Position(1, 0)
		c.CloseRing()
		c.ClosePolygon()
	}

	for name, spoil := range map[string]func(c *Collector){
		"an open ring": open,
		"a point":      func(c *Collector) { _ = c.Refuse("Point") },
		"a point in WKB": func(c *Collector) {
			_, _ = c.WKB(append([]byte{1, 1, 0, 0, 0}, make([]byte, 16)...))
		},
		"an open ring in WKB": func(c *Collector) {
			_, _ = c.WKB(geomgen.AppendPolygon(nil, geomgen.Polygon{{{X: 0, Y: 0}, {X: 1, Y: 1}}}))
		},
	} {
		for _, n := range []int64{1, 2} {
			var c Collector
			c.Select(Selection{Where: evenOnly})
			square(&c, 0)
			spoil(&c)
			square(&c, 2)

			var param *geomgen.ParamError
			err := c.EndFeature([]feature.Value{n})
			if n == 1 && err != nil || n == 2 && !errors.As(err, &param) {
				t.Errorf("%s, %d: got %v", name, n, err)
			}

			if n == 1 {
				square(&c, 5)
				if err := c.EndFeature([]feature.Value{int64(2)}); err != nil {
					t.Error(err)
				}

				if got, err := c.Polygons(); err != nil || !reflect.DeepEqual(got, []geomgen.Polygon{squareAt(5)}) {
					t.Errorf("%s: got %v: %v", name, got, err)
				}
			}
		}
	}

	var c Collector
	c.Select(Selection{Where: evenOnly})
	square(&c, 0)
	if err := c.EndFeature([]feature.Value{nil}); err == nil || err.Error() != "not a number" {
		t.Errorf("got %v", err)
	}
}

func TestValuesAreBounded(t *testing.T) {
	var c Collector
	c.Max = 1000
	c.Select(Selection{Features: true, Names: []string{"a"}})
	text := strings.Repeat("x", 1<<20)

	for n := 0; ; n++ {
		square(&c, 0)
		err := c.EndFeature([]feature.Value{text})
		if err == nil {
			continue
		}

		var param *geomgen.ParamError
		if !errors.As(err, &param) || param.Param != "attribute" || param.Value != "a" || n != leastValues>>20-1 {
			t.Errorf("after %d MiB: %v", n, err)
		}
		return
	}
}
