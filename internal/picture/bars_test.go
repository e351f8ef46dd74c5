package picture

import (
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func testPanel() Panel {
	return Panel{Title: "a race", Axis: "seconds", Bars: []Bar{
		{Name: "one", Label: "1 s", Value: 1, Low: 0.9, High: 1.2}, {Name: "loadgrid", Label: "<0.5 s", Value: 0.5, Low: 0.5, High: 0.5, Strong: true},
	}}
}

func TestBarsHaveTheirTexts(t *testing.T) {
	name := filepath.Join(t.TempDir(), "bars.svg")
	if err := SaveBars(name, Light, []Panel{testPanel(), testPanel()}); err != nil {
		t.Fatal(err)
	}

	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"a race", "seconds", "one", "1 s", "loadgrid", "&lt;0.5 s", "0.2"} {
		if n := strings.Count(string(data), ">"+text+"<"); n != 2 {
			t.Errorf("%q is there %d times", text, n)
		}
	}
}

// A bar is as long as its value.
func TestBarsAreAsLongAsTheirValues(t *testing.T) {
	name := filepath.Join(t.TempDir(), "bars.png")
	if err := SaveBars(name, Light, []Panel{testPanel()}); err != nil {
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

	longest := map[color.Color]int{}
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		run := map[color.Color]int{}
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			c := color.NRGBAModel.Convert(img.At(x, y))
			run[c]++
			longest[c] = max(longest[c], run[c])
		}
	}

	gray, blue := longest[Light.inks().bar], longest[Light.inks().strongBar]
	if blue < 100 || math.Abs(float64(gray)-2*float64(blue)) > 4 {
		t.Errorf("the bar of 1 s has %d pixels, that of 0.5 s has %d", gray, blue)
	}
}

func TestSaveBarsRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, panels := range map[string][]Panel{"a.png": {{Title: "none"}}, "a.gif": {testPanel()}} {
		name = filepath.Join(dir, name)
		if err := SaveBars(name, Dark, panels); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
