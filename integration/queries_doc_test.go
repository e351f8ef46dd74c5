package integration

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/internal/mdblocks"
)

const (
	cookbookPage  = "../docs/queries.md"
	cookbookUsual = "../docs/queries_usual.sql"
	exportSection = "How do I export the result?"
	keptArea      = "area_run6" // the version of the table area that the page mentions
)

// cookbook runs docs/queries.md, or another page, on a database, with one way of loading its tables.
type cookbook struct {
	t        *testing.T
	page     string // its file
	s        sandbox
	loader   string              // DSN of the role that loads
	reader   string              // DSN of the role that reads
	conn     *pgx.Conn           // of the role that reads
	folder   string              // where commands run
	change   func(string) string // changes a command that loads; nil leaves the page unchanged
	keep     bool                // query kept versions of the tables
	versions map[string]string   // names of kept versions, by table
	usual    map[string]string   // SQL, by heading
	shown    []mdblocks.Block
	answered map[int]string // actual answers, by the line of the block that shows them
}

// Each block of docs/queries.md runs unchanged and in order, and gives the answer that the page shows.
// The usual way gives the same answer. LOADGRID_UPDATE_GOLDEN=1 writes the answers into the page.
func TestQueriesPage(t *testing.T) {
	t.Parallel()
	s := sandboxIn(t, pgtest.Database(t), "public")
	c := newCookbook(t, s, s.dsn, s.dsn)
	c.run()
	c.checkCountries()

	if os.Getenv("LOADGRID_UPDATE_GOLDEN") != "" {
		c.update()
	}
}

// The page works for the roles of docs/security.md: grid_loader loads and grid_reader reads. It works on
// plain and partitioned tables, and on versions that --keep has kept.
func TestQueriesPageAsReader(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*cookbook){
		"plain":       func(c *cookbook) { c.change = func(command string) string { return command } },
		"partitioned": func(c *cookbook) { c.change = func(command string) string { return command + " --partitions 3" } },
		"kept":        func(c *cookbook) { c.change, c.keep = func(command string) string { return command }, true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := readersCookbook(t)
			change(c)
			c.run()
		})
	}
}

func newCookbook(t *testing.T, s sandbox, loader, reader string) *cookbook {
	t.Helper()
	c := &cookbook{t: t, page: cookbookPage, s: s, loader: loader, reader: reader, folder: t.TempDir(), versions: make(map[string]string),
		answered: make(map[int]string)}

	var err error
	if c.usual, err = mdblocks.SQLParts(cookbookUsual); err != nil {
		t.Fatal(err)
	}
	if c.shown, err = mdblocks.Read(cookbookPage); err != nil {
		t.Fatal(err)
	}
	if c.conn, err = pgx.Connect(t.Context(), reader); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.conn.Close(context.Background()) })

	testdata, err := filepath.Abs("../testdata")
	if err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"testdata": testdata, "loadgrid": os.Getenv(binaryVariable)} {
		if err := os.Symlink(target, filepath.Join(c.folder, name)); err != nil {
			t.Fatal(err)
		}
	}

	return c
}

// readersCookbook returns a cookbook for the roles of docs/security.md. The reader has its own schema for
// results.
func readersCookbook(t *testing.T) *cookbook {
	t.Helper()
	s := sandboxIn(t, pgtest.Database(t), "grids")
	database := queryOne[string](t, s.pool, "select current_database()")
	role, reader := "loader_of_"+database, "reader_of_"+database
	t.Cleanup(func() {
		s.exec("drop owned by " + role)
		s.exec("drop owned by " + reader)
		s.exec("drop role " + role + ", " + reader)
	})

	s.exec(documentedSQL(t, "Privileges", "database gis", "database "+database, "grid_loader", role, "grid_reader", reader))
	password := newPassword()
	for r, path := range map[string]string{role: "grids, public", reader: "work, grids, public"} {
		s.exec("alter role " + r + " login password '" + password + "'")
		s.exec("alter role " + r + " in database " + database + " set search_path = " + path)
	}
	s.exec("create schema work authorization " + reader)

	as := func(name string) string {
		return changeDSN(t, s.dsn, func(u *url.URL, _ url.Values) { u.User = url.UserPassword(name, password) })
	}

	return newCookbook(t, s, as(role), as(reader))
}

// run runs the page section by section and compares each section with the usual way.
func (c *cookbook) run() {
	c.t.Helper()
	seen := make(map[string]bool)
	for i := 0; i < len(c.shown); {
		n := i + 1
		for n < len(c.shown) && c.shown[n].Heading == c.shown[i].Heading {
			n++
		}

		heading := c.shown[i].Heading
		if seen[heading] {
			c.t.Fatalf("two sections have the heading %q", heading)
		}
		seen[heading] = true
		c.section(heading, c.shown[i:n])
		i = n
	}

	for heading := range c.usual {
		if !seen[heading] {
			c.t.Errorf("%s has a part for %q, which the page does not have", cookbookUsual, heading)
		}
	}
}

// section runs the blocks of a section and compares its answers with the page and with the usual way.
func (c *cookbook) section(heading string, blocks []mdblocks.Block) {
	c.t.Helper()
	if heading == exportSection {
		c.export(blocks)
		return
	}

	var got []string
	for i, b := range blocks {
		switch b.Language {
		case "console":
			for _, command := range consoleCommands(b.Text) {
				c.runCommand(b, command)
			}
		case "sql":
			tables := c.ask(b.Name(), c.rewritten(b.Text))
			c.compareShown(b, blocks[i+1:], tables)
			got = append(got, tables...)
		case "text": // compared with the preceding query
		default:
			c.t.Fatalf("%s: the test does not know how to run this", b.Name())
		}
	}

	usual, ok := c.usual[heading]
	if !ok || len(got) == 0 {
		c.t.Fatalf("%q has %d answers, and a usual way to check them: %v", heading, len(got), ok)
	}
	want := c.ask("the usual way of "+heading, c.rewritten(usual))
	if !slices.Equal(got, want) {
		c.t.Errorf("%s: the page's way gives\n%s\nthe usual way gives\n%s", heading, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// compareShown compares the answers of a block with the answer that follows it.
func (c *cookbook) compareShown(b mdblocks.Block, following []mdblocks.Block, tables []string) {
	c.t.Helper()
	shows := len(following) > 0 && following[0].Language == "text"
	if shows != (len(tables) == 1) {
		c.t.Fatalf("%s gives %d answers; an answer is shown: %v", b.Name(), len(tables), shows)
	}
	if !shows {
		return
	}

	c.answered[following[0].Line] = tables[0]
	if shown := trimLines(following[0].Text); shown != tables[0] && os.Getenv("LOADGRID_UPDATE_GOLDEN") == "" {
		c.t.Errorf("%s gives\n%s\nthe page shows\n%s", b.Name(), tables[0], shown)
	}
}

// ask runs statements as the reader.
func (c *cookbook) ask(what, sql string) []string {
	c.t.Helper()
	tables, err := answers(c.t.Context(), c.conn, sql)
	if err != nil {
		c.t.Fatalf("%s: %v", what, err)
	}
	return tables
}

// rewritten returns the SQL with the names of kept versions.
func (c *cookbook) rewritten(sql string) string {
	for table, version := range c.versions {
		if table == "area" {
			sql = strings.ReplaceAll(sql, keptArea, version)
			continue
		}
		sql = regexp.MustCompile(`((?:from|join) |')`+table+`\b`).ReplaceAllString(sql, "${1}"+version)
	}
	return sql
}

// runCommand runs a command of the page, which must succeed and print the shown output.
func (c *cookbook) runCommand(b mdblocks.Block, shown command) {
	c.t.Helper()
	line := strings.TrimSpace(shown.line)
	load := regexp.MustCompile(`^loadgrid load --table (\w+) `).FindStringSubmatch(line)
	if c.change == nil || load == nil {
		if output := c.shell(b, line); c.change == nil && !isShown(shown.shown, output) {
			c.t.Errorf("%s: %s\nprints\n%s\nthe page shows\n%s", b.Name(), line, output, shown.shown)
		}
		return
	}

	if load[1] != "countries" { // has only one cell
		line = c.change(line)
	}
	c.shell(b, line)
	if c.keep && slices.Contains([]string{"cells", "land", "model"}, load[1]) {
		c.shell(b, regexp.MustCompile(`--cell-size \w+`).ReplaceAllString(line, "--cell-size 70km")+" --if-exists replace --keep 1")
	}

	kept := queryOne[*string](c.t, c.s.pool, "select max(kept_name) from loadgrid.runs where table_name = $1", load[1])
	if kept != nil {
		c.versions[load[1]] = *kept
	}
}

// shell runs a line in a shell: loadgrid as the role that loads, other programs as the role that reads.
// It returns the output.
func (c *cookbook) shell(b mdblocks.Block, line string) string {
	c.t.Helper()
	config, err := pgx.ParseConfig(c.reader)
	if err != nil {
		c.t.Fatal(err)
	}

	cmd := exec.CommandContext(c.t.Context(), "/bin/sh", "-c", line)
	cmd.Dir = c.folder
	cmd.Env = []string{"PATH=" + c.folder + ":" + os.Getenv("PATH"), "HOME=" + c.folder, "LOADGRID_DSN=" + c.loader,
		"PGHOST=" + config.Host, fmt.Sprintf("PGPORT=%d", config.Port), "PGUSER=" + config.User, "PGPASSWORD=" + config.Password, "PGDATABASE=" + config.Database}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		c.t.Fatalf("%s: %s: %v\n%s", b.Name(), line, err, stderr.String())
	}

	return string(output)
}

// export runs the section about files, and reads both files back into the database.
func (c *cookbook) export(blocks []mdblocks.Block) {
	c.t.Helper()
	if len(blocks) != 2 || blocks[0].Language != "console" || blocks[1].Language != "sh" || !strings.Contains(blocks[1].Text, "-f Parquet") {
		c.t.Fatalf("%q has other blocks than a console to run and a command for GeoParquet, which is not tried", exportSection)
	}

	ran := c.t.Run("export", func(t *testing.T) {
		if _, err := exec.LookPath("ogr2ogr"); err != nil {
			t.Skipf("exports were not tested: %v; bench/setup.sh installs it", err)
		}

		for _, command := range consoleCommands(blocks[0].Text) {
			command.line = c.rewritten(command.line)
			c.runCommand(blocks[0], command)
		}

		for _, file := range []string{"density.gpkg", "density.fgb"} {
			c.shell(blocks[0], "ogr2ogr -f PostgreSQL PG: "+file+" -nln back -overwrite -lco GEOMETRY_NAME=geom -lco LAUNDER=NO")
			got := c.ask(file, c.rewritten(`select count(*), count(*) filter (where b.count = d.count and st_orderingequals(st_multi(b.geom), st_multi(c.geom))) as same
				from back b full join (density d join cells c using (cell_id)) using (cell_id)`))
			want := c.ask("density", "select count(*), count(*) as same from density")
			if !slices.Equal(got, want) {
				t.Errorf("the rows of %s differ from the table:\n%s\n%s", file, got, want)
			}
		}
	})
	if !ran {
		c.t.Fatal("exports failed")
	}
}

// checkCountries compares the page's countries with countries that PostGIS transforms itself.
func (c *cookbook) checkCountries() {
	c.t.Helper()
	text, err := os.ReadFile("../testdata/countries.geojson")
	if err != nil {
		c.t.Fatal(err)
	}

	const differ = `
		with oracle as (
			select f #>> '{properties, name}' as name, st_transform(st_setsrid(st_geomfromgeojson(f -> 'geometry'), 4326), 3035) as geom
			from jsonb_array_elements($1::jsonb -> 'features') f)
		select count(*) from countries c left join oracle o using (name) where (st_area(st_symdifference(c.geom, o.geom)) < 1e-9 * st_area(o.geom)) is not true`
	if n := queryOne[int64](c.t, c.s.pool, differ, string(text)); n != 0 {
		c.t.Errorf("the position of %d countries differs from PostGIS", n)
	}
}

// update writes the answers into the page.
func (c *cookbook) update() {
	c.t.Helper()
	text, err := os.ReadFile(c.page)
	if err != nil {
		c.t.Fatal(err)
	}

	lines := strings.SplitAfter(string(text), "\n")
	for _, b := range slices.Backward(c.shown) {
		if answer, ok := c.answered[b.Line]; ok {
			lines = slices.Replace(lines, b.Line-1, b.Line-1+strings.Count(b.Text, "\n"), answer)
		}
	}

	if err := os.WriteFile(c.page, []byte(strings.Join(lines, "")), 0o644); err != nil {
		c.t.Fatal(err)
	}
}
