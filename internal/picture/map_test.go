package picture

import (
	"errors"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
)

func boxRing(x, y, side float64) []geomgen.Point {
	return []geomgen.Point{{X: x, Y: y}, {X: x + side, Y: y}, {X: x + side, Y: y + side}, {X: x, Y: y + side}}
}

func testMap() Map {
	area := append(boxRing(1, 1, 6), geomgen.Point{X: 1, Y: 1})
	return Map{
		Title: "three cells", Lines: []string{"and a half"}, SRID: 3035, Area: []geomgen.Polygon{{area}},
		Extent: &geomgen.Box{XMax: 10, YMax: 10}, Legend: Legend{Name: "coverage", Low: "0", High: "1"},
		Pieces: []Piece{{boxRing(0, 0, 4), 0}, {boxRing(4, 4, 4), 1}, {boxRing(4, 0, 4), math.NaN()}},
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
	side := 0 // of a piece, in pixels
	for what, c := range map[string]color.Color{"low": scale(0), "high": scale(1), "no value": scale(math.NaN())} {
		n := seen[color.NRGBAModel.Convert(c)]
		if n < 1000 {
			t.Errorf("%s: %d pixels", what, n)
		}
		side = max(side, int(math.Sqrt(float64(n))))
	}
	if n := seen[areaColor()]; n < 100 {
		t.Errorf("the area has %d pixels", n)
	}
	// One unit is as long in each direction: the piece of the highest colour is a square.
	lo, hi := [2]int{b.Max.X, b.Max.Y}, [2]int{}
	want := color.NRGBAModel.Convert(scale(1))
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

func TestScaleBarText(t *testing.T) {
	for _, test := range []struct {
		most float64
		srid int32
		want string
	}{{7, 4326, "5 degrees"}, {0.3, 4326, "0.2 degrees"}, {480000, 3035, "200 km"}, {999, 25832, "500 m"}, {1200, 0, "1000 units"}, {19, 31287, "10 units"}} {
		if got := lengthText(roundLength(test.most), test.srid); got != test.want {
			t.Errorf("up to %v in %d: %s, want %s", test.most, test.srid, got, test.want)
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
