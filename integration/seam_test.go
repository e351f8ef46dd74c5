package integration

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

func readSeamCase(t *testing.T, name string) *loader.Area {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "seam", name))
	if err != nil {
		t.Fatal(err)
	}

	return readText(t, string(b))
}

// degreesGrid has cells of a size in degrees of a CRS.
func degreesGrid(size float64, srid int32) geomgen.Grid {
	return geomgen.Grid{X0: -180, Y0: -90, DX: size, DY: size, SRID: srid}
}

// What crosses a seam or has a pole in it selects the cells that it meets, on both sides.
func TestAreasAcrossASeam(t *testing.T) {
	s := newSandbox(t)
	for _, test := range []struct {
		file  string
		grid  geomgen.Grid
		cells int64
	}{
		{"taveuni_3460.ewkt", geomgen.Tiles(12), 2},
		{"taveuni40_3460.ewkt", geomgen.Tiles(12), 36},
		{"pole_3995.ewkt", degreesGrid(1, 4326), 3912},
		{"beyond_3857.ewkt", geomgen.Tiles(8), 9},
	} {
		t.Run(test.file, func(t *testing.T) {
			job := loader.Job{Table: loader.Table{Name: "t"}, Grid: test.grid, Area: readSeamCase(t, test.file)}
			p, err := loader.PlanOn(context.Background(), s.pool, job)
			if err != nil {
				t.Fatal(err)
			}

			if p.Rows != test.cells {
				t.Errorf("%d cells, want %d", p.Rows, test.cells)
			}
		})
	}
}
