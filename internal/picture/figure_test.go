package picture

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
)

func testTypeface(t *testing.T) typeface {
	t.Helper()
	letters, err := newTypeface("test.png")
	if err != nil {
		t.Fatal(err)
	}
	return letters
}

// A name in any script can be read: what the font lacks has its number.
func TestSpell(t *testing.T) {
	letters := testTypeface(t)
	for text, want := range map[string]string{
		"grid: 1,000 rows": "grid: 1,000 rows",
		"Großräume_Ελλάδα": "Großräume_Ελλάδα",
		"сетка":            "сетка",
		"国土_1km":           `\u56fd\u571f_1km`,
		"grid😀":            `grid\U0001f600`,
	} {
		if got := letters.spell(text); got != want {
			t.Errorf("%q is spelled %q, want %q", text, got, want)
		}
	}
}

func TestFit(t *testing.T) {
	letters := testTypeface(t)
	if got := letters.fit("short", 10, 100); got != 10 {
		t.Errorf("a short text has size %g", got)
	}

	long := strings.Repeat("MW", 100)
	size := letters.fit(long, 10, 100)
	if wide := letters.width(long, size); math.Abs(wide-100) > 1 {
		t.Errorf("a long text is %g points wide in size %g", wide, size)
	}
}

// An SVG is well-formed whatever a name is, and has the name as it is.
func TestSVGIsWellFormed(t *testing.T) {
	for _, name := range []string{`a<b>&"c'`, "国土", "x]]>", "<script>alert(1)</script>"} {
		m := testMap()
		m.Title, m.Legend.Name = name, name
		file := filepath.Join(t.TempDir(), "map.svg")
		if err := m.Save(file); err != nil {
			t.Fatal(err)
		}

		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}

		var texts []string
		decoder := xml.NewDecoder(bytes.NewReader(data))
		for {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%q: %v", name, err)
			}

			switch token := token.(type) {
			case xml.CharData:
				texts = append(texts, string(token))
			case xml.StartElement:
				if !slices.Contains([]string{"svg", "rect", "path", "text"}, token.Name.Local) {
					t.Errorf("%q makes an element %s", name, token.Name.Local)
				}
			}
		}

		if !slices.Contains(texts, name) {
			t.Errorf("%q is not among the texts %q", name, texts)
		}
	}
}

func TestTicks(t *testing.T) {
	v := viewport{letters: testTypeface(t)}
	for _, tt := range []struct {
		low, high float64
		want      []string
	}{
		{0, 1000, []string{"0", "200", "400", "600", "800", "1,000"}},
		{-0.1, 0.12, []string{"-0.10", "-0.05", "0.00", "0.05", "0.10"}},
		{2999000, 4401000, []string{"3,000,000", "3,200,000", "3,400,000", "3,600,000", "3,800,000", "4,000,000", "4,200,000", "4,400,000"}},
		{45.0001, 45.0009, []string{"45.0001", "45.0002", "45.0003", "45.0004", "45.0005", "45.0006", "45.0007", "45.0008", "45.0009"}},
	} {
		var texts []string
		last, tiny := math.Inf(-1), (tt.high-tt.low)/1e6
		for _, tick := range v.ticks(tt.low, tt.high, mapWidth) {
			if tick.value < tt.low-tiny || tick.value > tt.high+tiny || tick.value <= last {
				t.Errorf("%g to %g has a tick at %g behind %g", tt.low, tt.high, tick.value, last)
			}

			last = tick.value
			if tick.text != "" {
				texts = append(texts, tick.text)
			}
		}

		if !slices.Equal(texts, tt.want) {
			t.Errorf("%g to %g has ticks %q, want %q", tt.low, tt.high, texts, tt.want)
		}
	}

	// Where float64 has no room between the ends, ticks come to an end all the same.
	if n := len(v.ticks(1e18, 1e18+256, mapWidth)); n > 100 {
		t.Errorf("%d ticks", n)
	}
}

func TestClipRing(t *testing.T) {
	page := rect{0, 0, 10, 10}
	for name, tt := range map[string]struct {
		ring []point
		area float64
	}{
		"inside":       {rect{1, 1, 3, 4}.ring(), 6},
		"outside":      {rect{11, 1, 13, 4}.ring(), 0},
		"across":       {rect{5, 5, 15, 7}.ring(), 10},
		"all around":   {rect{-1e12, -1e12, 1e12, 1e12}.ring(), 100},
		"over corners": {[]point{{-5, 5}, {5, -5}, {15, 5}, {5, 15}}, 100},
		"a triangle":   {[]point{{0, 0}, {20, 0}, {0, 20}}, 100},
		"an edge":      {[]point{{5, 0}, {15, 0}, {15, 10}, {5, 10}}, 50},
	} {
		ring := clipRing(tt.ring, page)
		twice := 0.0
		for i, p := range ring {
			next := ring[(i+1)%len(ring)]
			twice += p.x*next.y - next.x*p.y
			if p.x < 0 || p.x > 10 || p.y < 0 || p.y > 10 {
				t.Errorf("%s: %v is outside", name, p)
			}
		}

		if area := math.Abs(twice) / 2; math.Abs(area-tt.area) > 1e-3 {
			t.Errorf("%s: area %g, want %g: %v", name, area, tt.area, ring)
		}
	}
}

func TestClipLine(t *testing.T) {
	page := rect{0, 0, 10, 10}
	for name, tt := range map[string]struct {
		line []point
		want [][]point
	}{
		"inside":         {[]point{{1, 1}, {2, 2}, {3, 1}}, [][]point{{{1, 1}, {2, 2}, {3, 1}}}},
		"outside":        {[]point{{11, 1}, {12, 2}}, nil},
		"through":        {[]point{{-5, 5}, {15, 5}}, [][]point{{{0, 5}, {10, 5}}}},
		"out and in":     {[]point{{5, 5}, {15, 5}, {15, 8}, {5, 8}}, [][]point{{{5, 5}, {10, 5}}, {{10, 8}, {5, 8}}}},
		"past a corner":  {[]point{{-3, 2}, {2, -4}}, nil},
		"along the edge": {[]point{{0, -5}, {0, 5}}, [][]point{{{0, 0}, {0, 5}}}},
	} {
		got := clipLine(tt.line, page)
		if !slices.EqualFunc(got, tt.want, slices.Equal[[]point]) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

// An area many times as large as the extent stays within the map.
func TestMapCutsTheAreaAtItsFrame(t *testing.T) {
	m := Map{
		Area: []geomgen.Polygon{{append(boxRing(-1e9, -1e9, 2e9), geomgen.Point{X: -1e9, Y: -1e9})}}, Extent: &geomgen.Box{XMax: 10, YMax: 10},
		Pieces: []Piece{{boxRing(0, 0, 4), 1, 0}},
	}
	img := saved(t, m)
	box, n := pixels(img, Light.inks().areaFill)
	if n < 100000 || box.Min.X < 10 || box.Max.X > img.Bounds().Max.X-10 || box.Min.Y < 10 {
		t.Errorf("the area has %d pixels in %v of %v", n, box, img.Bounds())
	}
}

func TestSaveSaysWhatTheSystemSays(t *testing.T) {
	name := filepath.Join(t.TempDir(), "nowhere", "map.png")
	err := testMap().Save(name)
	if !errors.Is(err, fs.ErrNotExist) || strings.Count(err.Error(), name) != 1 {
		t.Errorf("error %v", err)
	}
}
