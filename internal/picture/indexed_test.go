package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
)

func encoded(t *testing.T, img *image.NRGBA, most int) (image.Image, int) {
	t.Helper()
	data, err := encodePNG(img, most)
	if err != nil {
		t.Fatal(err)
	}
	got, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return got, len(data)
}

// An image keeps each of its colours while it is small enough, in a palette if it has up to 256.
func TestPNGKeepsColours(t *testing.T) {
	for _, colors := range []int{1, 2, 256, 257, 5000} {
		img := image.NewNRGBA(image.Rect(0, 0, 100, 100))
		for i := range 100 * 100 {
			n := i % colors
			img.SetNRGBA(i%100, i/100, color.NRGBA{R: uint8(n), G: uint8(n >> 8), A: 255 - uint8(n%2)})
		}

		got, _ := encoded(t, img, maxPixelBytes)
		if _, ok := got.(*image.Paletted); ok != (colors <= 256) {
			t.Errorf("%d colours are in a %T", colors, got)
		}
		for i := range 100 * 100 {
			if x, y := i%100, i/100; color.NRGBAModel.Convert(got.At(x, y)) != color.Color(img.NRGBAAt(x, y)) {
				t.Fatalf("%d colours: %v instead of %v", colors, got.At(x, y), img.NRGBAAt(x, y))
			}
		}
	}
}

// The worst that can be drawn, another colour for each pixel, stays below the limit, and the page keeps its colour.
func TestPNGIsSmallEnough(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 960, 900))
	random := rand.New(rand.NewPCG(1, 2))
	k := Light.inks()
	for i := range 960 * 900 {
		c := k.page
		if y := i / 960; y > 100 && y < 850 {
			c = mix(k.scale(random.Float64()), k.panel, random.Float64())
		}
		img.SetNRGBA(i%960, i/960, c)
	}

	got, n := encoded(t, img, maxPixelBytes)
	if n > maxPixelBytes {
		t.Errorf("%d bytes", n)
	}
	if c := color.NRGBAModel.Convert(got.At(5, 5)); c != color.Color(k.page) {
		t.Errorf("the page is %v", c)
	}
}

// Pictures of many cells with random values are at most 300 kB, as PNG and SVG.
func TestPicturesAreSmallEnough(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, cols := range []int{30, 250} {
		m := Map{Title: "random", Edges: true, Legend: Legend{Name: "value", High: 1}, Sample: testMap().Sample}
		for i := range cols * cols {
			m.Pieces = append(m.Pieces, Piece{Ring: boxRing(float64(i%cols), float64(i/cols), 1), Value: random.Float64()})
		}

		var coast []geomgen.Point // of an area with many corners
		for i := range 100_000 {
			p := circle(point{float64(cols) / 2, float64(cols) / 2}, float64(cols)/3)[i*16/100_000]
			coast = append(coast, geomgen.Point{X: p.x + random.Float64(), Y: p.y + random.Float64()})
		}
		m.Area = []geomgen.Polygon{{append(coast, coast[0])}}

		for _, name := range []string{"a.png", "a.svg"} {
			data, err := m.Encode(name)
			if err != nil || len(data) > 300_000 {
				t.Errorf("%d x %d cells, %s: %d bytes, %v", cols, cols, name, len(data), err)
			}
		}
	}
}
