package picture

import (
	"image"
	"image/color"
	"maps"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
)

// A mosaic measures areas exactly: the shares of all pixels add up to the area of the ring.
func TestMosaicMeasuresAreas(t *testing.T) {
	for name, tt := range map[string]struct {
		ring []point
		area float64
	}{
		"a square of pixels":       {rect{2, 3, 6, 7}.ring(), 16},
		"between pixels":           {rect{2.25, 3.5, 2.5, 3.75}.ring(), 0.0625},
		"across pixels":            {rect{2.3, 3.6, 9.1, 8.2}.ring(), 6.8 * 4.6},
		"a triangle":               {[]point{{1, 1}, {9.5, 1}, {1, 8}}, 8.5 * 7 / 2},
		"a thin one":               {[]point{{0.5, 0.5}, {11.5, 0.75}, {11.5, 1}}, 11 * 0.25 / 2},
		"the other way":            {[]point{{1, 8}, {9.5, 1}, {1, 1}}, 8.5 * 7 / 2},
		"beyond the page":          {rect{-5, -5, 4, 4}.ring(), 16},
		"all of it and more":       {rect{-1e6, -1e6, 1e6, 1e6}.ring(), 144},
		"up to the edge":           {rect{8, 8, 12, 12}.ring(), 16},
		"outside":                  {rect{20, 20, 30, 30}.ring(), 0},
		"a circle":                 {circle(point{6, 6}, 5), 16 / 2 * math.Sin(2*math.Pi/16) * 25},
		"narrower than a pixel":    {[]point{{3.2, 0}, {3.4, 0}, {8.4, 12}, {8.2, 12}}, 2.4},
		"a line, which has no one": {[]point{{1, 1}, {5, 5}, {9, 9}}, 0},
	} {
		m := newMosaic(12, 12)
		m.add(tile{ring: tt.ring, color: rgb(0xffffff)})
		sum := 0.0
		for i := perPixel - 1; i < len(m.sums); i += perPixel {
			sum += float64(m.sums[i])
		}
		if math.Abs(sum-tt.area) > 1e-3 {
			t.Errorf("%s: %g, want %g", name, sum, tt.area)
		}
	}
}

// A pixel has the mean colour of what covers it, and is as opaque as its share.
func TestMosaicMixesColours(t *testing.T) {
	m := newMosaic(3, 1)
	m.add(tile{ring: rect{0, 0, 0.5, 1}.ring(), color: rgb(0x000000)})
	m.add(tile{ring: rect{0.5, 0, 1, 1}.ring(), color: rgb(0xc86400)})
	m.add(tile{ring: rect{1, 0, 1.25, 1}.ring(), color: rgb(0x102030)})
	m.add(tile{ring: rect{2, 0, 3, 1}.ring(), color: rgb(0xffffff), behind: true})
	m.add(tile{ring: rect{2, 0, 2.5, 1}.ring(), color: rgb(0x405060)})

	got := map[image.Point]color.NRGBA{}
	for p, c := range m.pixels() {
		got[p] = c
	}
	want := map[image.Point]color.NRGBA{{X: 0}: {100, 50, 0, 255}, {X: 1}: {16, 32, 48, 64}, {X: 2}: {64, 80, 96, 255}}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// deviation returns the standard deviation of values.
func deviation(values []float64) float64 {
	mean, squares := 0.0, 0.0
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		squares += (v - mean) * (v - mean) / float64(len(values))
	}

	return math.Sqrt(squares)
}

// Cells near the size of a pixel make no moiré: those of one colour are a plain area without seams, straight or turned,
// and those of two colours in turn come near to the mean. With one sample a pixel they would be as far from it as they are.
func TestMosaicHasNoMoire(t *testing.T) {
	const side = 90
	black, white := rgb(0x000000), rgb(0xffffff)

	for _, size := range []float64{0.37, 0.71, 1.1, 1.3, 1.37} {
		for _, angle := range []float64{0, 0.01, 0.3} {
			plain, checked := newMosaic(side, side), newMosaic(side, side)
			sin, cos := math.Sincos(angle)
			n := int(1.5 * side / size)
			for i := -n; i < n; i++ {
				for j := -n; j < n; j++ {
					ring := rect{float64(i) * size, float64(j) * size, float64(i+1) * size, float64(j+1) * size}.ring()
					for k, p := range ring {
						ring[k] = point{cos*p.x - sin*p.y + side/2, sin*p.x + cos*p.y + side/2}
					}

					plain.add(tile{ring: ring, color: rgb(0x3366cc)})
					checked.add(tile{ring: ring, color: []color.NRGBA{black, white}[(i+j)&1]})
				}
			}

			for p, c := range plain.pixels() {
				if c != rgb(0x3366cc) {
					t.Fatalf("cells of %g pixels, turned by %g: pixel %v is %v", size, angle, p, c)
				}
			}

			var values []float64
			for _, c := range checked.pixels() {
				values = append(values, float64(c.G))
			}
			if got := deviation(values) / 127.5; len(values) != side*side || got > 0.75 {
				t.Errorf("cells of %g pixels in two colours, turned by %g: deviation %.2f of the most in %d pixels", size, angle, got, len(values))
			}
		}
	}
}

// Neither has the picture of a grid, of cells or points, outlined or not.
func TestPictureHasNoMoire(t *testing.T) {
	const cols = 640 // of 1.3 pixels
	for name, corners := range map[string]int{"cells": 4, "points": 1} {
		m := Map{Title: "a grid", Edges: true}
		for i := range cols * cols * 3 / 4 {
			m.Pieces = append(m.Pieces, Piece{Ring: boxRing(float64(i%cols), float64(i/cols), 1)[:corners], Value: 0.5})
		}

		img := saved(t, m)
		b := img.Bounds()
		var values []float64
		for y := b.Max.Y / 4; y < b.Max.Y*2/3; y++ {
			for x := b.Max.X / 4; x < b.Max.X*3/4; x++ {
				values = append(values, float64(img.RGBA64At(x, y).G>>8))
			}
		}
		if got := deviation(values); got > 0.7 {
			t.Errorf("%s: the deviation is %.2f of 255", name, got)
		}
	}
}

// A sample of cells at random has no gaps, and keeps the colours of its cells where they are.
func TestSampleFillsGaps(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	m := Map{Title: "a sample", Gaps: 3.2, Extent: &geomgen.Box{XMax: 200, YMax: 200}}
	for range 200 * 200 {
		x := 200 * random.Float64()
		m.Pieces = append(m.Pieces, Piece{Ring: boxRing(x-0.5, 200*random.Float64()-0.5, 1), Value: math.Floor(x / 100)})
	}

	img, inks := saved(t, m), Light.inks()
	b := img.Bounds()
	low, high, empty := 0, 0, 0
	for y := b.Max.Y / 4; y < b.Max.Y/2; y++ {
		for x := b.Max.X / 4; x < b.Max.X*3/4; x++ {
			switch color.NRGBAModel.Convert(img.At(x, y)) {
			case inks.scale(0):
				low++
			case inks.scale(1):
				high++
			case inks.panel, inks.graticule:
				empty++
			}
		}
	}

	all := b.Dx() / 2 * b.Dy() / 4
	if empty > 0 || low < all/3 || high < all/3 {
		t.Errorf("of %d pixels %d are empty, %d low, %d high", all, empty, low, high)
	}
}
