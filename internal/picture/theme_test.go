package picture

import (
	"image/color"
	"math"
	"path/filepath"
	"strings"
	"testing"
)

// luminance is the relative luminance of WCAG 2.
func luminance(c color.NRGBA) float64 {
	linear := func(v uint8) float64 {
		f := float64(v) / 255
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

func contrast(a, b color.NRGBA) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// Text can be read in each theme, and lines can be seen.
func TestThemesHaveContrast(t *testing.T) {
	for _, name := range Themes() {
		k := Theme(name).inks()
		for what, tt := range map[string]struct {
			a, b  color.NRGBA
			least float64
		}{
			"text on the page":              {k.text, k.page, 7},
			"text on a panel":               {k.text, k.panel, 7},
			"text of less weight":           {k.subtext, k.page, 4.5},
			"text of less weight, on panel": {k.subtext, k.panel, 4.5},
			"frame":                         {k.frame, k.page, 3},
			"edge of the area":              {k.area, k.panel, 4.5},
			"bars of loadgrid":              {k.strongBar, k.panel, 3},
			"bars of others":                {k.bar, k.panel, 1.8},
			"highest value":                 {k.scale(1), k.panel, 7},
			"lowest value":                  {k.scale(0), k.panel, 1.3},
			"highest value and lowest":      {k.scale(1), k.scale(0), 3},
		} {
			if got := contrast(tt.a, tt.b); got < tt.least {
				t.Errorf("%s, %s: contrast %.2f, at least %g", name, what, got, tt.least)
			}
		}
	}

	if l, d := luminance(Light.inks().page), luminance(Dark.inks().page); l < 0.9 || d > 0.02 {
		t.Errorf("the pages have luminance %.2f and %.2f", l, d)
	}
}

// A dark picture is dark to its edges, as PNG and SVG.
func TestDarkPictures(t *testing.T) {
	m := testMap()
	m.Theme = Dark
	img := saved(t, m)
	b, page := img.Bounds(), Dark.inks().page
	for x := range b.Max.X {
		for _, y := range []int{0, b.Max.Y - 1} {
			if c := color.NRGBAModel.Convert(img.At(x, y)); c != page {
				t.Fatalf("the pixel at %d,%d is %v", x, y, c)
			}
		}
	}

	data, err := m.Encode("x.svg")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range strings.SplitAfter(string(data), "\n") {
		if strings.HasPrefix(text, "<text") && !strings.Contains(text, hex(Dark.inks().text)) && !strings.Contains(text, hex(Dark.inks().subtext)) {
			t.Errorf("a text has another colour: %s", text)
		}
	}
	if !strings.Contains(string(data), `fill="`+hex(page)+`"`) {
		t.Error("the SVG has another background")
	}

	if err := SaveBars(filepath.Join(t.TempDir(), "bars.png"), Dark, []Panel{testPanel()}); err != nil {
		t.Error(err)
	}
}

// The scale goes one way in lightness, so that it can be read without colours, too.
func TestScaleIsMonotonous(t *testing.T) {
	for _, name := range Themes() {
		k := Theme(name).inks()
		up := luminance(k.scale(1)) > luminance(k.scale(0))
		for i := range 100 {
			a, b := luminance(k.scale(float64(i)/100)), luminance(k.scale(float64(i+1)/100))
			if a == b || b > a != up {
				t.Errorf("%s: at %d the luminance goes from %.4f to %.4f", name, i, a, b)
			}
		}
	}
}
