package picture

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/crs"
)

func boxRing(x, y, side float64) []geomgen.Point {
	return []geomgen.Point{{X: x, Y: y}, {X: x + side, Y: y}, {X: x + side, Y: y + side}, {X: x, Y: y + side}}
}

func testMap() Map {
	area := append(boxRing(1, 1, 6), geomgen.Point{X: 1, Y: 1})
	return Map{
		Title: "three cells", Lines: []string{"and a half"}, CRS: laea(), Area: []geomgen.Polygon{{area}},
		Extent: &geomgen.Box{XMax: 10, YMax: 10}, Legend: Legend{Name: "coverage", Low: 0, High: 1},
		Pieces: []Piece{{boxRing(0, 0, 4), 0, 0}, {boxRing(4, 4, 4), 1, 0}, {boxRing(4, 0, 4), math.NaN(), 0}},
		Sample: Sample{Title: "a sample", Cells: [][]geomgen.Point{boxRing(0, 0, 1)}, Others: [][]geomgen.Point{boxRing(1, 0, 1)}},
	}
}

// The colours of the scale, of the area and of what has no value are there.
func TestMapHasItsColours(t *testing.T) {
	name := filepath.Join(t.TempDir(), "map.png")
	if err := testMap().Save(name); err != nil {
		t.Fatal(err)
	}

	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}

	seen := map[color.Color]int{}
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			seen[color.NRGBAModel.Convert(img.At(x, y))]++
		}
	}

	inks := Light.inks()
	side := 0 // of a piece, in pixels
	for what, c := range map[string]color.Color{"low": inks.scale(0), "high": inks.scale(1), "no value": inks.noValue} {
		n := seen[color.NRGBAModel.Convert(c)]
		if n < 1000 {
			t.Errorf("%s: %d pixels", what, n)
		}
		side = max(side, int(math.Sqrt(float64(n))))
	}

	if n := seen[inks.area]; n < 100 {
		t.Errorf("the area has %d pixels", n)
	}

	// One unit is as long in each direction: the piece of the highest colour is a square.
	lo, hi := [2]int{b.Max.X, b.Max.Y}, [2]int{}
	want := color.NRGBAModel.Convert(inks.scale(1))
	for y := b.Min.Y; y < b.Max.Y*6/10; y++ { // above the legend
		for x := b.Min.X; x < b.Max.X; x++ {
			if color.NRGBAModel.Convert(img.At(x, y)) == want {
				lo, hi = [2]int{min(lo[0], x), min(lo[1], y)}, [2]int{max(hi[0], x), max(hi[1], y)}
			}
		}
	}

	if w, h := hi[0]-lo[0], hi[1]-lo[1]; w < 50 || math.Abs(float64(w-h)) > 3 {
		t.Errorf("a square is drawn %d pixels wide and %d high", w, h)
	}
}

// An SVG holds the texts.
func TestMapHasItsTexts(t *testing.T) {
	name := filepath.Join(t.TempDir(), "map.svg")
	if err := testMap().Save(name); err != nil {
		t.Fatal(err)
	}

	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}

	for _, text := range []string{"three cells", "and a half", "EPSG:3035", "2 m", "area of interest", "extent", "coverage", "a sample"} {
		if !strings.Contains(string(b), ">"+text+"<") {
			t.Errorf("the picture lacks %q", text)
		}
	}
}

func TestMapRefuses(t *testing.T) {
	var param *geomgen.ParamError
	if err := CheckName("map.gif"); !errors.As(err, &param) || param.Param != "picture" {
		t.Errorf("a GIF: %v", err)
	}
	if err := (Map{}).Save(filepath.Join(t.TempDir(), "map.png")); err == nil {
		t.Error("no cells: no error")
	}
}

// pixels returns the box around the pixels of a colour in the upper part of a picture,
// where the map is, and their number.
func pixels(img image.RGBA64Image, want color.Color) (box image.Rectangle, n int) {
	rgba := color.RGBA64Model.Convert(want)
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y*8/10; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if img.RGBA64At(x, y) == rgba {
				box, n = box.Union(image.Rect(x, y, x+1, y+1)), n+1
			}
		}
	}

	return box, n
}

func saved(t *testing.T, m Map) image.RGBA64Image {
	t.Helper()
	name := filepath.Join(t.TempDir(), "map.png")
	if err := m.Save(name); err != nil {
		t.Fatal(err)
	}

	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}

	return img.(image.RGBA64Image)
}

// An area is filled except for its hole, whichever way its rings turn, and the bar is as
// long on the map as its text says.
func TestMapFillsTheAreaButNotItsHole(t *testing.T) {
	for name, turn := range map[string][2]bool{"as they are": {}, "both reversed": {true, true}, "one reversed": {false, true}} {
		shell, hole := boxRing(0, 0, 10), boxRing(4, 4, 2)
		for i, ring := range [][]geomgen.Point{shell, hole} {
			if turn[i] {
				slices.Reverse(ring)
			}
		}

		m := Map{CRS: crs.CRS{SRID: 4326}, Area: []geomgen.Polygon{{append(shell, shell[0]), append(hole, hole[0])}}, Pieces: []Piece{{boxRing(1, 1, 2), 1, 0}}}
		img, inks := saved(t, m), Light.inks()
		edge, n := pixels(img, inks.area)
		if n < 500 {
			t.Fatalf("%s: the edge has %d pixels", name, n)
		}

		at := func(x, y float64) color.Color { // in units of the map
			return color.NRGBAModel.Convert(img.At(edge.Min.X+int(x/10*float64(edge.Dx())), edge.Max.Y-int(y/10*float64(edge.Dy()))))
		}
		for _, want := range []struct {
			what  string
			x, y  float64
			color color.Color
		}{{"area", 8, 8, inks.areaFill}, {"area left of the hole", 3.5, 5, inks.areaFill}, {"hole", 5, 5, inks.panel}, {"cell", 2, 2, inks.scale(1)}} {
			if got := at(want.x, want.y); got != color.NRGBAModel.Convert(want.color) {
				t.Errorf("%s: %s has colour %v, want %v", name, want.what, got, want.color)
			}
		}

		longest := 0
		for y := img.Bounds().Max.Y * 8 / 10; y < img.Bounds().Max.Y; y++ {
			start := -1 // of dark pixels; those of the axis start further left
			for x := edge.Max.X / 2; x < img.Bounds().Max.X; x++ {
				switch dark := img.RGBA64At(x, y).G < 0x6000; {
				case !dark:
					start = x + 1
				case start > 0:
					longest = max(longest, x+1-start)
				}
			}
		}

		if want := float64(edge.Dx()) * 2 / 10; math.Abs(float64(longest)-want) > 4 {
			t.Errorf("%s: the bar of 2 degrees has %d pixels, want about %.0f", name, longest, want)
		}
	}
}

// A strip far longer than wide is drawn as a line, and points as dots that can be seen.
func TestMapDrawsThinAndSmallThings(t *testing.T) {
	strip := Map{Pieces: []Piece{{[]geomgen.Point{{X: 0, Y: 0}, {X: 10000, Y: 0}, {X: 10000, Y: 1}, {X: 0, Y: 1}}, 1, 0}}}
	if box, n := pixels(saved(t, strip), Light.inks().scale(1)); n < 500 || box.Dy() > 5 {
		t.Errorf("a strip is drawn in %v, %d pixels", box, n)
	}

	points := Map{Edges: true}
	for i := range 10 {
		points.Pieces = append(points.Pieces, Piece{[]geomgen.Point{{X: float64(i), Y: float64(i % 3)}}, 1, 0})
	}
	if _, n := pixels(saved(t, points), Light.inks().scale(1)); n < 10*40 {
		t.Errorf("ten points have %d pixels", n)
	}

	one := Map{Pieces: []Piece{{[]geomgen.Point{{X: 4e6, Y: 3e6}}, 1, 0}}}
	if _, n := pixels(saved(t, one), Light.inks().scale(1)); n < 20 {
		t.Errorf("a single point has %d pixels", n)
	}
}

// A long title is made to fit.
func TestMapTitleFits(t *testing.T) {
	m := testMap()
	m.Title = strings.Repeat("M", 140)
	img := saved(t, m)
	for y := range 60 {
		for _, x := range []int{0, 1, img.Bounds().Max.X - 2, img.Bounds().Max.X - 1} {
			if c := color.GrayModel.Convert(img.At(x, y)); c != (color.Gray{Y: 255}) {
				t.Fatalf("the title reaches the edge at %d,%d", x, y)
			}
		}
	}
}

// Categories have colours of their own, and each is in the legend; those without a colour are grey.
func TestCategories(t *testing.T) {
	m := Map{Title: "c", Categories: Categories{Name: "use of land", Other: "3 others"}}
	for i := range MaxCategories + 1 {
		if i < MaxCategories {
			m.Categories.Values = append(m.Categories.Values, fmt.Sprint("value <", i, ">"))
		}
		m.Pieces = append(m.Pieces, Piece{Ring: boxRing(float64(2*i), 0, 1), Category: i + 1})
	}
	m.Pieces = append(m.Pieces, Piece{Ring: boxRing(0, 3, 1), Value: math.NaN()})

	b, err := m.Encode("x.svg")
	if err != nil {
		t.Fatal(err)
	}

	text, colors := string(b), map[string]bool{}
	for i, p := range m.Pieces {
		fill := hex(m.Categories.color(Light.inks(), p))
		if colors[fill] {
			t.Errorf("piece %d has the colour %s of another one", i, fill)
		}
		colors[fill] = true
		if n := strings.Count(text, `fill="`+fill+`"`); n != 2 && i <= MaxCategories { // of the piece, and of the legend
			t.Errorf("the colour %s of piece %d is there %d times", fill, i, n)
		}
	}

	for _, words := range []string{">use of land<", ">value &lt;0&gt;<", ">value &lt;11&gt;<", ">3 others<", ">no value<"} {
		if !strings.Contains(text, words) {
			t.Errorf("the legend lacks %q", words)
		}
	}
	if _, err := m.Encode("x.png"); err != nil {
		t.Error(err)
	}
}
