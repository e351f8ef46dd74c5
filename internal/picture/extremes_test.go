package picture

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
)

// A scale whose range is too small or too large for a step has no ticks, and any other one has a bounded number.
func TestTicksOfExtremeRanges(t *testing.T) {
	v := viewport{letters: testTypeface(t), inks: Light.inks()}
	for _, r := range [][2]float64{
		{0, 5e-324}, {0, 0}, {1e17, 1e17}, {-math.MaxFloat64, math.MaxFloat64}, {math.Inf(-1), math.Inf(1)}, {math.NaN(), 1},
	} {
		if got := v.ticks(r[0], r[1], 200); len(got) > 0 {
			t.Errorf("%g to %g has the ticks %v", r[0], r[1], got)
		}
	}

	for _, r := range [][2]float64{{0, 1e-290}, {0, 1e300}, {1e15, 1e15 + 1}, {-1e-5, 1e5}} {
		if got := v.ticks(r[0], r[1], 200); len(got) > 100 {
			t.Errorf("%g to %g has %d ticks", r[0], r[1], len(got))
		}
	}
}

// Coordinates that no picture can have are an error, and large ones that are close together are drawn.
func TestMapOfExtremeCoordinates(t *testing.T) {
	at := func(points ...geomgen.Point) (m Map) {
		for _, p := range points {
			m.Pieces = append(m.Pieces, Piece{Ring: []geomgen.Point{p}})
		}
		return m
	}

	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e308, -1e200} {
		for _, name := range []string{"map.png", "map.svg"} {
			_, err := at(geomgen.Point{X: 1, Y: f}, geomgen.Point{X: 2, Y: 2}).Encode(name)
			if err == nil || !strings.Contains(err.Error(), "coordinates") {
				t.Errorf("%s with the coordinate %g: %v", name, f, err)
			}
		}
	}

	for _, p := range []geomgen.Point{{X: 1e17, Y: 1}, {X: -maxCoordinate, Y: 3}, {X: 0, Y: 1e-320}, {X: 1e9, Y: 1e9}} {
		if _, err := at(p, geomgen.Point{X: p.X, Y: p.Y + 1}).Encode("map.png"); err != nil {
			t.Errorf("%v: %v", p, err)
		}
	}
}

// Values at the ends of a scale that differ have texts that differ.
func TestValueTexts(t *testing.T) {
	for _, test := range []struct {
		low, high float64
		want      [2]string
	}{
		{0, 1, [2]string{"0", "1"}}, {7, 7, [2]string{"7", "7"}}, {3.24817, 9.5, [2]string{"3.248", "9.5"}},
		{1_000_000.001, 1_000_000.004, [2]string{"1,000,000.001", "1,000,000.004"}}, {0.1, math.Nextafter(0.1, 1), [2]string{"0.1", "0.10000000000000002"}},
	} {
		if low, high := valueTexts(test.low, test.high); low != test.want[0] || high != test.want[1] {
			t.Errorf("%v and %v are %q and %q, want %q", test.low, test.high, low, high, test.want)
		}
	}
}

// coordinates returns the numbers in the paths of an SVG.
func coordinates(t *testing.T, svg []byte) (numbers []float64) {
	t.Helper()
	for _, path := range regexp.MustCompile(` d="([^"]*)"`).FindAllSubmatch(svg, -1) {
		for _, text := range regexp.MustCompile(`[^MLZ ]+`).FindAllString(string(path[1]), -1) {
			n, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			numbers = append(numbers, n)
		}
	}

	return numbers
}

// What fills the gaps of a sample stays within the map, in an SVG, too.
func TestGapsStayWithinTheMap(t *testing.T) {
	m := Map{Pieces: []Piece{{Ring: boxRing(0, 0, 1)}, {Ring: boxRing(9, 9, 1)}}, Gaps: 20}
	data, err := m.Encode("map.svg")
	if err != nil {
		t.Fatal(err)
	}

	numbers := coordinates(t, data)
	if len(numbers) == 0 || slices.Min(numbers) < 0 || slices.Max(numbers) > 1000 {
		t.Errorf("the paths of the SVG have coordinates from %v to %v", slices.Min(numbers), slices.Max(numbers))
	}
}

// Letters that the font lacks are spelled by their numbers in a PNG. In an SVG they take the room of one letter.
func TestWidthOfOtherScripts(t *testing.T) {
	png := testTypeface(t)
	svg, err := newTypeface("map.svg")
	if err != nil {
		t.Fatal(err)
	}

	const text = "日本語の名前"
	if got, want := png.width(text, 10), png.width(png.spell(text), 10); got != want {
		t.Errorf("the text is %v wide in a PNG, and %v as it is spelled", got, want)
	}
	if got := svg.width(text, 10); got != 60 {
		t.Errorf("six letters are %v wide in an SVG, want 60", got)
	}
	if got, want := svg.width("grid", 10), png.width("grid", 10); got != want {
		t.Errorf("a text is %v wide in an SVG, and %v in a PNG", got, want)
	}
}

// The title of a sample leaves room for the keys, however long it is.
func TestLongTitleOfASample(t *testing.T) {
	m := testMap()
	m.Sample.Title = "around column -1,073,741,824, row -1,073,741,824"
	v := viewport{letters: testTypeface(t), inks: Light.inks()}
	for _, k := range m.explanation(v, leastWidth).keys.keys {
		got := m.explanation(v, leastWidth).keys.width - keyWidth - 7
		if want := v.letters.width(k.text, textSize); got < want {
			t.Errorf("the key %q has %v points, and needs %v", k.text, got, want)
		}
	}

	data, err := m.Encode("map.svg")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), ">area of interest<") {
		t.Error("a key is cut off")
	}
}

// A long name of a bar leaves half of the chart for the bars.
func TestLongNameOfABar(t *testing.T) {
	panel := testPanel()
	panel.Bars[0].Name = strings.Repeat("long ", 60)
	data, err := encodeBars("bars.svg", Light, []Panel{panel})
	if err != nil {
		t.Fatal(err)
	}

	numbers := coordinates(t, data)
	if slices.Min(numbers) < 0 || slices.Max(numbers) > chartWidth || !strings.Contains(string(data), "…<") {
		t.Errorf("the chart has coordinates from %v to %v", slices.Min(numbers), slices.Max(numbers))
	}
}
