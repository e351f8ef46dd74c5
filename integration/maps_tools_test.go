//go:build maps

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/mdblocks"
)

// layer is what qgis_check.py says of a table.
type layer struct {
	Valid           bool
	Key             []string
	Columns         []string
	Count           int64
	IDs             []int64
	Extent          []float64
	CRS, Type       string
	EstimatedValid  bool
	EstimatedCount  int64
	EstimatedExtent []float64
	Listed          bool
	ListedKey       []string
}

// checkQGIS compares what QGIS knows of each table with what the database has.
func (p *mapPage) checkQGIS() {
	p.t.Helper()
	tables := map[string]struct {
		key  []string
		kind string
	}{
		"cells":         {[]string{"cell_id"}, "Polygon"},
		"cells_parts":   {[]string{"cell_id"}, "Polygon"},
		"cells_clipped": {[]string{"cell_id"}, "MultiPolygon"},
		"hexagons":      {[]string{"cell_id"}, "MultiPolygon"},
		"countries":     {[]string{"cell_id", "name"}, "MultiPolygon"},
		"map_hexagons":  {[]string{"cell_id"}, "MultiPolygon"},
		"map_cells":     {[]string{"cell_id"}, "Polygon"}, // a view, whose key is given
	}

	output := p.shell(mdblocks.Block{File: "qgis_check.py"},
		"QT_QPA_PLATFORM=offscreen python3 integration/maps/qgis_check.py gis cells cells_parts cells_clipped hexagons countries map_hexagons map_cells map_cells:cell_id")
	var layers map[string]layer
	if err := json.Unmarshal([]byte(output), &layers); err != nil {
		p.t.Fatalf("%v in %s", err, output)
	}
	if layers["map_cells"].Valid {
		p.t.Error("QGIS opens a view without a key, and the page says that it refuses it")
	}
	layers["map_cells"] = layers["map_cells:cell_id"]

	for name, want := range tables {
		got := layers[name]
		if !got.Valid || !got.EstimatedValid || !got.Listed || got.CRS != "EPSG:3035" || got.Type != want.kind || !slices.Equal(got.Key, want.key) {
			got.IDs = nil
			p.t.Errorf("QGIS opens %s as %+v, want the key %v and %s in EPSG:3035", name, got, want.key, want.kind)
		}
		p.checkLayer(name, got)
	}
}

// checkLayer compares rows and extent of a layer with the database.
func (p *mapPage) checkLayer(name string, got layer) {
	p.t.Helper()
	ids := queryOne[[]int64](p.t, p.s.pool, "select array_agg(cell_id order by cell_id) from "+name)
	if !slices.Equal(got.IDs, ids) || got.Count != int64(len(ids)) {
		p.t.Errorf("QGIS finds %d rows of %s, and counts %d; the table has %d", len(got.IDs), name, got.Count, len(ids))
	}
	// The number of rows of a view is an estimate of the planner.
	if name != "map_cells" && got.EstimatedCount != int64(len(ids)) {
		p.t.Errorf("QGIS estimates %d rows of %s; the table has %d", got.EstimatedCount, name, len(ids))
	}

	extent := queryOne[[]float64](p.t, p.s.pool,
		"select array[st_xmin(e), st_ymin(e), st_xmax(e), st_ymax(e)] from (select st_extent(geom) as e from "+name+") x")
	if !slices.Equal(got.Extent, extent) {
		p.t.Errorf("QGIS finds the extent %v of %s; the table has %v", got.Extent, name, extent)
	}
	for i, want := range extent {
		if len(got.EstimatedExtent) != 4 || max(got.EstimatedExtent[i]-want, want-got.EstimatedExtent[i]) > 1 {
			p.t.Errorf("QGIS estimates the extent %v of %s; the table has %v", got.EstimatedExtent, name, extent)
		}
	}
}

// checkExports reads back into the database what the page has exported.
func (p *mapPage) checkExports() {
	p.t.Helper()
	for name, table := range map[string]string{"cells.gpkg": "map_cells", "cells.fgb": "map_cells", "clipped.gpkg": "cells_clipped", "clipped.fgb": "cells_clipped"} {
		p.shell(mdblocks.Block{File: name}, "ogr2ogr -f PostgreSQL PG:service=gis "+name+" -nln back -overwrite -lco GEOMETRY_NAME=geom")
		// ogr2ogr writes numbers of 32 bits with 8 digits into PostgreSQL.
		const differ = `select count(*) from back b full join %s t using (cell_id)
			where (abs(b.coverage - t.coverage) < 1e-7 and st_orderingequals(st_multi(b.geom), st_multi(t.geom))) is not true`
		if n := queryOne[int64](p.t, p.s.pool, fmt.Sprintf(differ, table)); n != 0 {
			p.t.Errorf("%d rows of %s differ from %s", n, name, table)
		}
	}

	p.checkRaster()
	tile := p.read("tile.json")
	if n := bytes.Count(tile, []byte(`"mvt_id"`)); n == 0 {
		p.t.Errorf("GDAL finds no cell in the tile:\n%.500s", tile)
	}
}

// checkRaster compares each pixel of the raster with its cell.
func (p *mapPage) checkRaster() {
	p.t.Helper()
	p.shell(mdblocks.Block{File: "km.tif"}, "gdal_translate -q -of XYZ km.tif km.xyz")
	want := make(map[[2]int64]float32)
	rows, err := p.s.pool.Query(p.t.Context(), "select col, row, km from cells join distances using (cell_id)")
	if err != nil {
		p.t.Fatal(err)
	}
	var col, row int64
	var km float32
	if _, err := pgx.ForEachRow(rows, []any{&col, &row, &km}, func() error { want[[2]int64{col, row}] = km; return nil }); err != nil {
		p.t.Fatal(err)
	}

	found := 0
	for line := range strings.Lines(string(p.read("km.xyz"))) {
		var x, y, value float64
		if _, err := fmt.Sscan(line, &x, &y, &value); err != nil {
			p.t.Fatalf("%q: %v", line, err)
		}
		if value == -1 {
			continue
		}
		found++
		if cell := want[[2]int64{int64(x) / 10000, int64(y) / 10000}]; max(float64(cell)-value, value-float64(cell)) > 1e-3 {
			p.t.Errorf("the pixel at %g, %g is %g, the cell has %g", x, y, value, cell)
		}
	}
	if found != len(want) {
		p.t.Errorf("the raster has %d pixels, the table %d cells", found, len(want))
	}
}
