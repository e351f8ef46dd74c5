//go:build maps

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/internal/mdblocks"
)

const (
	mapsPage       = "../docs/maps.md"
	largestPicture = 300_000 // bytes of a picture in the repository
)

// mapPage is docs/maps.md on a database.
type mapPage struct {
	*cookbook
	address string // of serve.py, when it runs
}

// Each block of docs/maps.md runs as it stands, in order, and gives the answer that the page shows. Then QGIS, GDAL and a
// browser must find in the tables what the database has. LOADGRID_UPDATE_GOLDEN=1 writes answers and pictures into docs.
func TestMapsPage(t *testing.T) {
	s := sandboxIn(t, pgtest.Database(t), "public")
	// The role of the tests has the name of the ledger's schema, and would create the page's tables there.
	s.exec("alter database " + queryOne[string](t, s.pool, "select current_database()") + " set search_path = public")
	c := newCookbook(t, s, s.dsn, s.dsn)
	c.page = mapsPage
	var err error
	if c.shown, err = mdblocks.Read(mapsPage); err != nil {
		t.Fatal(err)
	}

	p := &mapPage{cookbook: c}
	p.link("python3", "/usr/bin/python3") // Debian's, which has QGIS
	p.link("docs", "../docs")
	p.link("integration", "../integration")
	for i, b := range c.shown {
		p.block(b, c.shown[i+1:])
	}

	p.checkTiles()
	p.checkQGIS()
	p.checkExports()
	p.checkBrowser()
	p.keepPicture("qgis.png", p.read("qgis.png"))
	if os.Getenv("LOADGRID_UPDATE_GOLDEN") != "" {
		c.update()
	}
}

// link makes a file of this machine known in the folder where commands run.
func (p *mapPage) link(name, target string) {
	p.t.Helper()
	target, err := filepath.Abs(target)
	if err == nil {
		_, err = os.Stat(target)
	}
	if err == nil {
		err = os.Symlink(target, filepath.Join(p.folder, name))
	}
	if err != nil {
		p.t.Fatalf("%v: run make test-maps, which installs what is missing", err)
	}
}

func (p *mapPage) read(name string) []byte {
	p.t.Helper()
	content, err := os.ReadFile(filepath.Join(p.folder, name))
	if err != nil {
		p.t.Fatal(err)
	}
	return content
}

// block runs a block of the page.
func (p *mapPage) block(b mdblocks.Block, following []mdblocks.Block) {
	p.t.Helper()
	switch {
	case b.Language == "console":
		for _, command := range consoleCommands(b.Text) {
			p.runCommand(b, command)
		}
	case b.Language == "sql":
		p.compareShown(b, following, p.ask(b.Name(), b.Text))
	case b.Language == "text": // compared with the query before
	case b.Language == "ini":
		p.writeService(b)
	case b.Language == "sh" && strings.Contains(b.Text, "serve.py"):
		p.serve(strings.TrimSpace(b.Text))
	case b.Language == "sh" && (b.Heading == "pg_tileserv" || b.Heading == "Martin"): // the page says that they are not run
	default:
		p.t.Fatalf("%s: the test does not know how to run this", b.Name())
	}
}

// writeService writes the page's pg_service.conf, with the values of the test's server.
func (p *mapPage) writeService(b mdblocks.Block) {
	p.t.Helper()
	config, err := pgx.ParseConfig(p.reader)
	if err != nil {
		p.t.Fatal(err)
	}
	values := map[string]string{"host": config.Host, "port": strconv.Itoa(int(config.Port)), "dbname": config.Database, "user": config.User}

	var file strings.Builder
	for line := range strings.Lines(b.Text) {
		key, _, isSetting := strings.Cut(line, "=")
		if isSetting {
			if values[key] == "" {
				p.t.Fatalf("%s: the test has no value for %s", b.Name(), key)
			}
			line = key + "=" + values[key] + "\n"
		}
		file.WriteString(line)
	}
	if err := os.WriteFile(filepath.Join(p.folder, ".pg_service.conf"), []byte(file.String()), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// checkTiles looks at the plans of cells_tile: the spatial indexes that the page names must be in them.
func (p *mapPage) checkTiles() {
	p.t.Helper()
	for zoom, want := range map[int][]string{6: {"cells_geom_idx"}, 4: {"map_coarse_geom_idx"}} {
		plan := p.plan(fmt.Sprintf("select length(cells_tile(%d, %d, %d))", zoom, 33>>(6-zoom), 22>>(6-zoom)))
		for _, index := range want {
			if !strings.Contains(plan, index) {
				p.t.Errorf("a tile of zoom %d is looked up without %s:\n%s", zoom, index, plan)
			}
		}
	}
}

// plan returns the plans of all statements that a statement runs, those in functions, too.
func (p *mapPage) plan(statement string) string {
	p.t.Helper()
	config, err := pgx.ParseConfig(p.s.dsn)
	if err != nil {
		p.t.Fatal(err)
	}
	var plans strings.Builder
	config.OnNotice = func(_ *pgxNoticeConn, n *pgxNotice) { plans.WriteString(n.Message) }
	conn, err := pgx.ConnectConfig(p.t.Context(), config)
	if err != nil {
		p.t.Fatal(err)
	}
	defer conn.Close(p.t.Context())

	const settings = `load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on;
		set auto_explain.log_analyze = on; set client_min_messages = log; `
	if _, err := conn.Exec(p.t.Context(), settings+statement); err != nil {
		p.t.Fatalf("%s: %v", statement, err)
	}

	// What was planned and never run is no part of the answer.
	var ran []string
	for line := range strings.Lines(plans.String()) {
		if !strings.Contains(line, "never executed") {
			ran = append(ran, line[:min(len(line), 200)])
		}
	}
	return strings.Join(ran, "\n")
}

// keepPicture checks a picture, and writes it into docs where answers are written.
func (p *mapPage) keepPicture(name string, content []byte) {
	p.t.Helper()
	picture, err := png.Decode(bytes.NewReader(content))
	if err != nil {
		p.t.Fatalf("%s: %v", name, err)
	}
	colours := make(map[[3]uint32]int)
	box := picture.Bounds()
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			r, g, b, _ := picture.At(x, y).RGBA()
			colours[[3]uint32{r >> 8, g >> 8, b >> 8}]++
		}
	}

	// The colours of the classes, of which each has cells.
	for _, class := range [][3]uint32{{0xf6, 0xf0, 0xd8}, {0xd5, 0xe5, 0xc3}, {0x9d, 0xd0, 0xb5}, {0x5c, 0xb3, 0xb0}, {0x31, 0x89, 0xa6}, {0x22, 0x5f, 0x8f}, {0x1d, 0x34, 0x6c}} {
		if colours[class] < 1000 {
			p.t.Errorf("%s has %d pixels of the colour %x", name, colours[class], class)
		}
	}
	if len(content) > largestPicture {
		p.t.Errorf("%s has %d bytes, more than %d", name, len(content), largestPicture)
	}

	if os.Getenv("LOADGRID_UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(filepath.Join("../docs", name), content, 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
}

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
