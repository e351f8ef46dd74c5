package picture_test

import (
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/picture"
)

// order is the picture of a small grid's cells, each a block of its own.
func order(cols, rows int32) picture.Order {
	grid := geomgen.Grid{DX: 1, DY: 1}
	cells := geomgen.Range{MaxCol: cols, MaxRow: rows}
	o := picture.Order{Title: "cells", Extent: geomgen.Box{XMax: float64(cols), YMax: float64(rows)}}
	for n := range cells.Count() {
		c, _ := geomgen.CellOf(cells.At(n))
		o.Blocks = append(o.Blocks, grid.Bounds(c))
	}
	return o
}

func ExampleOrder_Save() {
	dir, err := os.MkdirTemp("", "picture-*")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	err = order(16, 12).Save(filepath.Join(dir, "cells.png"))
	fmt.Println(err)
	// Output: <nil>
}

// The colours along the order must be in the picture: yellow where it begins, green, and violet
// where it ends, and the dark frame of the extent around them.
func TestSaveDrawsTheOrder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cells.png")
	if err := order(16, 12).Save(file); err != nil {
		t.Fatal(err)
	}

	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}

	var yellow, green, violet, dark int
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			r, g, b, _ := img.At(x, y).RGBA()
			switch r, g, b := r>>8, g>>8, b>>8; {
			case r > 160 && g > 200 && b < 80:
				yellow++
			case r < 60 && g > 150 && b > 100 && b < 150:
				green++
			case r > 50 && r < 90 && g < 50 && b > 70:
				violet++
			case r < 35 && g < 40 && b < 45:
				dark++
			}
		}
	}

	if yellow < 100 || green < 100 || violet < 100 || dark < 1000 {
		t.Errorf("%d yellow, %d green, %d violet, %d dark pixels", yellow, green, violet, dark)
	}
}

func TestSaveShapesAndErrors(t *testing.T) {
	dir := t.TempDir()
	for _, o := range []picture.Order{order(1, 1), order(40, 1), order(1, 40)} {
		if err := o.Save(filepath.Join(dir, "a.svg")); err != nil {
			t.Errorf("%d blocks: %v", len(o.Blocks), err)
		}
	}

	svg, err := os.ReadFile(filepath.Join(dir, "a.svg"))
	if err != nil || !strings.Contains(string(svg), "<svg") {
		t.Errorf("no SVG was written: %v", err)
	}
	if err := (picture.Order{}).Save(filepath.Join(dir, "none.png")); err == nil {
		t.Error("no cells are drawn without an error")
	}
	if err := order(2, 2).Save(filepath.Join(dir, "a.xyz")); err == nil || !strings.Contains(err.Error(), "a.xyz") {
		t.Errorf("an unknown kind of file: %v", err)
	}
	if err := order(2, 2).Save(filepath.Join(dir, "nowhere", "a.png")); err == nil {
		t.Error("a folder that is not there: no error")
	}
}
