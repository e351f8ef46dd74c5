//go:build maps

package integration

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"

	"github.com/jackc/pgx/v5"
)

// serve starts the page's tile server on a free port. It ends with the test.
func (p *mapPage) serve(line string) {
	p.t.Helper()
	cmd := exec.Command("/bin/sh", "-c", "exec env "+line+" --port 0")
	cmd.Dir = p.folder
	config, err := pgx.ParseConfig(p.reader)
	if err != nil {
		p.t.Fatal(err)
	}
	cmd.Env = []string{"PATH=" + p.folder + ":" + os.Getenv("PATH"), "HOME=" + p.folder, "PGPASSWORD=" + config.Password}
	var stderr output
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		p.t.Fatalf("%s: %v", line, err)
	}
	p.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if p.t.Failed() {
			p.t.Logf("serve.py wrote:\n%s", stderr.String())
		}
	})

	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		p.t.Fatalf("%s prints no address: %v\n%s", line, err, stderr.String())
	}
	p.address = strings.TrimSpace(address)
}

// checkRequests sends requests that the tile server must refuse, and some that it must not.
func (p *mapPage) checkRequests() {
	p.t.Helper()
	host := strings.TrimSuffix(strings.TrimPrefix(p.address, "http://"), "/")
	_, port, _ := strings.Cut(host, ":")
	for _, test := range []struct {
		host, path string
		status     int
	}{
		{host, "/index.html", 200}, {"localhost:" + port, "/tiles/cells_tile/4/8/5.mvt", 200}, {host, "/leaflet/leaflet.js", 200},
		// The name of a page elsewhere, which leads here.
		{"example.com", "/tiles/cells_tile/4/8/5.mvt", 403}, {"127.0.0.1.example.com:" + port, "/index.html", 403}, {"", "/index.html", 403},
		// What is not in the folder.
		{host, "/../maps.md", 404}, {host, "/%2e%2e/maps.md", 404}, {host, "//../..//README.md", 404}, {host, "/leaflet/../../maps.md", 404},
		{host, "/leaflet/images/..%2f..%2fmaps.md", 404}, {host, "/..%2f..%2fREADME.md", 404},
		// Functions that the command line does not name, and tiles that do not exist.
		{host, "/tiles/pg_sleep/1/1/1.mvt", 404}, {host, "/tiles/cells_tile/1/2/1.mvt", 404}, {host, "/tiles/cells_tile/99/1/1.mvt", 404},
	} {
		if got := p.request(host, test.host, test.path); got != test.status {
			p.t.Errorf("GET %s with the host %q gives status %d, want %d", test.path, test.host, got, test.status)
		}
	}
}

// request sends a path as it is to the tile server, and returns the status of the answer.
func (p *mapPage) request(address, host, path string) (status int) {
	p.t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		p.t.Fatal(err)
	}
	defer conn.Close()

	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", path, host); err != nil {
		p.t.Fatal(err)
	}
	var version string
	if _, err := fmt.Fscan(conn, &version, &status); err != nil {
		p.t.Fatalf("GET %s: %v", path, err)
	}

	return status
}

// settled waits until all tiles of the map are there, and opaque. Leaflet fades them in.
const settled = `new Promise((resolve) => {
	const look = () => {
		const tiles = [...document.querySelectorAll(".leaflet-tile-container canvas")];
		if (!gridMap.cells.isLoading() && tiles.length > 0 && tiles.every((tile) => tile.style.opacity === "1")) resolve(tiles.length);
		else setTimeout(look, 20);
	};
	look();
})`

// foundCells is a list of the cells on the map, each once, with its values. A cell whose parts differ is a trouble.
const foundCells = `(() => {
	const found = new Map(), troubles = [];
	for (const { id, properties } of gridMap.cells.features("cells")) {
		const cell = { id, km: properties.km, coverage: properties.coverage }, before = found.get(id);
		if (before && JSON.stringify(before) !== JSON.stringify(cell)) troubles.push(String(id));
		found.set(id, cell);
	}
	return { cells: [...found.values()], troubles };
})()`

// mapCell is a cell as the map or the database has it.
type mapCell struct {
	ID           int64
	KM, Coverage float32
}

// checkBrowser opens the page in a browser, and compares the cells on it with the database.
func (p *mapPage) checkBrowser() {
	p.t.Helper()
	if p.address == "" {
		p.t.Fatal("the page starts no tile server")
	}
	b := openBrowser(p.t, 1900, 1500) // all five countries at zoom 6
	b.open(p.address + "#6/46.5/6")
	for zoom, sql := range map[int]string{
		6: "select cell_id, km, coverage from cells join distances using (cell_id)",
		5: "select cell_id, km, coverage from map_coarse where factor = 2",
		4: "select cell_id, km, coverage from map_coarse where factor = 4",
		3: "select cell_id, km, coverage from map_coarse where factor = 8",
		2: "select cell_id, km, coverage from map_coarse where factor = 8",
	} {
		b.evaluate(fmt.Sprintf("gridMap.map.setZoom(%d, { animate: false }) && null", zoom), nil)
		b.evaluate(settled, nil)
		p.compareCells(b, zoom, sql)
	}

	p.checkPointer(b)
	p.photograph(b)
	p.checkTrouble(b)
	b.checkQuiet(strings.TrimSuffix(p.address, "/") + "/")
}

// compareCells compares the cells of all tiles on the map with those of a query.
func (p *mapPage) compareCells(b *browser, zoom int, sql string) {
	p.t.Helper()
	var found struct {
		Cells    []mapCell
		Troubles []string
	}
	b.evaluate(foundCells, &found)
	if len(found.Troubles) > 0 {
		p.t.Errorf("zoom %d: cells that differ from tile to tile: %v", zoom, found.Troubles)
	}

	want := make(map[int64]mapCell)
	rows, err := p.s.pool.Query(p.t.Context(), sql)
	if err != nil {
		p.t.Fatal(err)
	}
	var c mapCell
	if _, err := pgx.ForEachRow(rows, []any{&c.ID, &c.KM, &c.Coverage}, func() error { want[c.ID] = c; return nil }); err != nil {
		p.t.Fatal(err)
	}

	if len(found.Cells) != len(want) {
		p.t.Errorf("zoom %d: the map has %d cells, the database %d", zoom, len(found.Cells), len(want))
	}
	for _, cell := range found.Cells {
		if cell != want[cell.ID] {
			p.t.Errorf("zoom %d: the map has %+v, the database %+v", zoom, cell, want[cell.ID])
			return
		}
	}
	p.t.Logf("zoom %d: the map and the database have the same %d cells", zoom, len(found.Cells))
}

// checkPointer moves the pointer to the middle of a cell near Bourges, and away: the page shows its attributes, and hides them.
func (p *mapPage) checkPointer(b *browser) {
	p.t.Helper()
	b.evaluate("gridMap.map.setView([47.08, 2.4], 8, { animate: false }) && null", nil)
	b.evaluate(settled, nil)
	id := queryOne[int64](p.t, p.s.pool, "select cell_id from cells where st_covers(geom, st_transform('SRID=4326;POINT(2.4 47.08)'::geometry, 3035))")
	want := queryOne[string](p.t, p.s.pool, "select 'cell_id '||cell_id||' coverage '||coverage||' km ' from map_cells where cell_id = $1", id)

	const attributes = `[...document.querySelectorAll("#attributes tr")].map((row) => [...row.cells].map((cell) => cell.textContent).join(" ")).join(" ")`
	var place struct{ X, Y float64 }
	b.evaluate("gridMap.map.latLngToContainerPoint([47.08, 2.4])", &place)
	var shown string
	for _, kind := range []string{"mouseMoved", "mousePressed", "mouseReleased"} { // a tap is a press and a release
		b.mouse(kind, place.X, place.Y)
		if b.evaluate(attributes, &shown); !strings.HasPrefix(shown, want) {
			p.t.Errorf("after %s at cell %d, the page shows %q, want %q", kind, id, shown, want)
		}
	}

	b.evaluate("gridMap.map.latLngToContainerPoint([47.5, -3.9])", &place) // in the sea
	b.mouse("mouseMoved", place.X, place.Y)
	if b.evaluate(attributes, &shown); shown != "" {
		p.t.Errorf("with the pointer in the sea, the page shows %q", shown)
	}
}

// photograph takes the picture of docs/maps.md.
func (p *mapPage) photograph(b *browser) {
	p.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": 1000, "height": 700, "deviceScaleFactor": 1, "mobile": false}, nil)
	b.open("about:blank") // from here to the page, the browser loads it again
	b.open(p.address + "#5/46.3/8.2")
	b.evaluate(settled, nil)

	var place struct{ X, Y float64 }
	b.evaluate("gridMap.map.latLngToContainerPoint([47.08, 2.4])", &place)
	b.mouse("mouseMoved", place.X, place.Y)
	b.evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))).then(() => null)", nil)
	p.keepPicture("map.png", b.screenshot())
}

// checkTrouble renames the database's function: the page must show the server's error.
func (p *mapPage) checkTrouble(b *browser) {
	p.t.Helper()
	p.s.exec("alter function cells_tile(integer, integer, integer) rename to cells_tile_away")
	b.evaluate("gridMap.cells.redraw() && null", nil)
	const trouble = `new Promise((resolve) => {
		const look = () => document.getElementById("trouble").textContent ? resolve(document.getElementById("trouble").textContent) : setTimeout(look, 20);
		look();
	})`
	var shown string
	if b.evaluate(trouble, &shown); !strings.Contains(shown, "function cells_tile(integer, integer, integer) does not exist") {
		p.t.Errorf("the page shows %q where the database has no such function", shown)
	}
	b.expectTroubles("500")
	p.s.exec("alter function cells_tile_away(integer, integer, integer) rename to cells_tile")
}

// expectTroubles removes the errors of the console that have a word. There must be one.
func (b *browser) expectTroubles(word string) {
	b.t.Helper()
	var others []string
	for _, trouble := range b.troubles {
		if !strings.Contains(trouble, word) {
			others = append(others, trouble)
		}
	}
	if len(others) == len(b.troubles) {
		b.t.Errorf("the console has no error with %q", word)
	}
	b.troubles = others
}
