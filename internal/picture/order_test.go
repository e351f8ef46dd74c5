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

// The colours along the order must be in the picture: blue where it begins, red
// where it ends, and the black frame of the extent around them.
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

	var blue, green, red, black int
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			r, g, b, _ := img.At(x, y).RGBA()
			switch r, g, b := r>>8, g>>8, b>>8; {
			case b > 150 && r < 60 && g < 60:
				blue++
			case g > 150 && r < 60 && b < 60:
				green++
			case r > 150 && g < 60 && b < 60:
				red++
			case r < 30 && g < 30 && b < 30:
				black++
			}
		}
	}

	if blue < 100 || green < 100 || red < 100 || black < 1000 {
		t.Errorf("%d blue, %d green, %d red, %d black pixels", blue, green, red, black)
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
