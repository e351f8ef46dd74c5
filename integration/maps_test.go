//go:build maps

package integration

import (
	"bytes"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

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

// Each block of docs/maps.md runs unchanged, in order, and gives the answer that the page shows. Then QGIS, GDAL and a
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
	p.checkRequests()
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
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { plans.WriteString(n.Message) }
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

	// A plan also has branches that never ran.
	var ran []string
	for line := range strings.Lines(plans.String()) {
		if !strings.Contains(line, "never executed") {
			ran = append(ran, line[:min(len(line), 200)])
		}
	}
	return strings.Join(ran, "\n")
}

// classColours are the colours of the cells in both pictures. Each class has cells.
var classColours = [][3]uint32{
	{0xf6, 0xf0, 0xd8}, {0xd5, 0xe5, 0xc3}, {0x9d, 0xd0, 0xb5}, {0x5c, 0xb3, 0xb0}, {0x31, 0x89, 0xa6}, {0x22, 0x5f, 0x8f}, {0x1d, 0x34, 0x6c},
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

	for _, class := range classColours {
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
