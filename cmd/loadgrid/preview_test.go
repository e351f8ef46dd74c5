package main

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/picture"
	"github.com/loadgrid/loadgrid/internal/preview"
)

func TestScalePosition(t *testing.T) {
	inf := math.Inf(1)
	for _, test := range []struct{ v, low, high, want float64 }{
		{5, 0, 10, 0.5}, {0, 0, 10, 0}, {10, 0, 10, 1}, {7, 7, 7, 0.5},
		{inf, 0, 1, 1}, {-inf, 0, 1, 0}, {inf, 7, 7, 1}, {-inf, 7, 7, 0},
		{math.NaN(), 0, 1, math.NaN()}, {math.NaN(), 7, 7, math.NaN()},
		{0, -math.MaxFloat64, math.MaxFloat64, 0.5}, {5e-324, 0, 1e-323, 0.5},
	} {
		if got := scalePosition(test.v, test.low, test.high); got != test.want && !(math.IsNaN(got) && math.IsNaN(test.want)) {
			t.Errorf("%v is at %v of the scale from %v to %v, want %v", test.v, got, test.low, test.high, test.want)
		}
	}
}

// The legend names each category, and counts those that have no colour of their own.
func TestCategories(t *testing.T) {
	p := &preview.Preview{Column: "kind", Texts: true}
	for i := range picture.MaxCategories {
		text := strings.Repeat("x", i) // the first is empty
		p.Cells = append(p.Cells, preview.Cell{Text: &text}, preview.Cell{Text: &text})
	}

	var m picture.Map
	if categories(p, &m); m.Categories.Other != "" || !slices.Contains(m.Categories.Values, "empty text") || slices.Contains(m.Categories.Values, "") {
		t.Errorf("the categories are %q and %q", m.Categories.Values, m.Categories.Other)
	}

	for _, want := range []string{"1 other", "2 others"} {
		text := "rare: " + want
		p.Cells = append(p.Cells, preview.Cell{Text: &text})
		m = picture.Map{}
		if numbers := categories(p, &m); m.Categories.Other != want || numbers[text] != picture.MaxCategories+1 {
			t.Errorf("the others are %q with number %d, want %q", m.Categories.Other, numbers[text], want)
		}
	}
}

// A cell of a sample grows by the number of rows that it is one of, even if most of them have no geometry.
func TestSampleFactor(t *testing.T) {
	p := &preview.Preview{Rows: 1_000_000, Sample: true, Each: 4, Cells: []preview.Cell{{Rings: [][]geomgen.Point{{{X: 1, Y: 1}}}}}}
	if factor, gaps := sampleFactor(p); factor != 2 || gaps <= 1 {
		t.Errorf("a cell of four rows grows %v times, and %v times behind the others", factor, gaps)
	}

	p.Sample = false
	if factor, gaps := sampleFactor(p); factor != 1 || gaps != 0 {
		t.Errorf("a cell of a whole table grows %v times, and %v times behind the others", factor, gaps)
	}
}

// demo checks the name of its picture before it connects to a server. An empty name means no picture.
func TestPictureOfTheDemo(t *testing.T) {
	clearEnv(t)
	code, _, stderr := call(t.Context(), "demo", "--dsn", "host=127.0.0.1 port=1", "--picture", "grid.jpg")
	if code != exitUsage || !strings.Contains(stderr, "--picture grid.jpg: must end in .png or .svg") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	if _, err := parseCommand([]string{"demo", "--picture", ""}); err != nil {
		t.Error(err)
	}
}
