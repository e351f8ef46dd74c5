package integration

import (
	"context"
	"fmt"
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

// page is a document whose blocks run in order on a database of their own: commands in one folder, SQL in one session.
type page struct {
	t      *testing.T
	s      sandbox
	conn   *pgx.Conn
	file   string
	home   string // the user's, with the file env and the program
	folder string // where commands run
	asked  map[int]string
}

// newPage prepares a database, and a folder below a home directory with the project's testdata and a file env that leads to both.
func newPage(t *testing.T, file, folder string) *page {
	t.Helper()
	s := sandboxIn(t, pgtest.Database(t), "public")
	p := &page{t: t, s: s, file: file, home: t.TempDir(), asked: make(map[int]string)}
	p.folder = filepath.Join(p.home, folder)

	conn, err := pgx.Connect(t.Context(), s.dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	p.conn = conn

	testdata, err := filepath.Abs("../testdata")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(p.folder, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"testdata": testdata, "bin/loadgrid": os.Getenv(binaryVariable)} {
		if err := os.Symlink(target, filepath.Join(p.folder, link)); err != nil {
			t.Fatal(err)
		}
	}

	c := conn.Config()
	p.write("env", fmt.Sprintf("export PATH='%s/bin':$PATH PGHOST='%s' PGPORT=%d PGUSER='%s' PGPASSWORD='%s' PGDATABASE='%s'\n",
		p.folder, c.Host, c.Port, c.User, c.Password, c.Database), 0o600)

	return p
}

func (p *page) write(name, text string, mode os.FileMode) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.folder, name), []byte(text), mode); err != nil {
		p.t.Fatal(err)
	}
}

// run runs the blocks of the page, except for commands in sh under the heading setup. A block whose first comment is a file's
// name becomes that file.
func (p *page) run(setup string) {
	p.t.Helper()
	blocks, err := mdblocks.Read(p.file)
	if err != nil {
		p.t.Fatal(err)
	}
	blocks = slices.DeleteFunc(blocks, func(b mdblocks.Block) bool { return b.Heading == setup && b.Language == "sh" })

	for i, b := range blocks {
		named := regexp.MustCompile(`(?m)\A(?:#!.*\n)?# ([\w.]+)$`).FindStringSubmatch(b.Text)
		switch {
		case b.Language == "console":
			for _, c := range consoleCommands(b.Text) {
				p.command(b, c)
			}
		case b.Language == "sql":
			p.ask(b, blocks[i+1:])
		case b.Language == "crontab":
			p.cron(b)
		case b.Language == "text" && p.asked[b.Line] != "":
		case named != nil:
			p.write(named[1], b.Text, 0o600)
		default:
			p.t.Fatalf("%s: the test does not know how to run this", b.Name())
		}
	}

	if os.Getenv("LOADGRID_UPDATE_GOLDEN") != "" {
		p.update()
	}
}

// command runs a command as a shell with the variables of env does, and compares its output with the page.
func (p *page) command(b mdblocks.Block, c command) {
	p.t.Helper()
	output, err := p.shell(". ./env; "+c.line, "PATH="+os.Getenv("PATH"))
	if err != nil {
		p.t.Fatalf("%s: %s: %v", b.Name(), c.line, err)
	}
	if !isShown(c.shown, trimLines(output)) {
		p.t.Errorf("%s: %s\nprints\n%s\nthe page shows\n%s", b.Name(), c.line, output, c.shown)
	}
}

// shell returns what a line writes to stdout. The error has what it writes to stderr.
func (p *page) shell(line, variable string) (string, error) {
	cmd := exec.CommandContext(p.t.Context(), "/bin/sh", "-c", line)
	cmd.Dir = p.folder
	cmd.Env = []string{variable, "HOME=" + p.home}
	var stderr strings.Builder
	cmd.Stderr = &stderr

	output, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, stderr.String())
	}

	return string(output), err
}

// ask runs SQL, and compares its last answer with the block that follows, where that is text.
func (p *page) ask(b mdblocks.Block, following []mdblocks.Block) {
	p.t.Helper()
	tables, err := answers(p.t.Context(), p.conn, b.Text)
	if err != nil {
		p.t.Fatalf("%s: %v", b.Name(), err)
	}
	if len(following) == 0 || following[0].Language != "text" {
		return
	}
	if len(tables) == 0 {
		p.t.Fatalf("%s has no answer, and the page shows one", b.Name())
	}

	got := tables[len(tables)-1]
	p.asked[following[0].Line] = got
	if shown := trimLines(following[0].Text); shown != got && os.Getenv("LOADGRID_UPDATE_GOLDEN") == "" {
		p.t.Errorf("%s gives\n%s\nthe page shows\n%s", b.Name(), got, shown)
	}
}

// cron runs the command of a line of a crontab as cron does, with few variables. A good night prints nothing.
func (p *page) cron(b mdblocks.Block) {
	p.t.Helper()
	line := regexp.MustCompile(`^(?:[\d*/,-]+ ){5}(.+)\n$`).FindStringSubmatch(b.Text)
	if line == nil {
		p.t.Fatalf("%s is not a line of a crontab: %q", b.Name(), b.Text)
	}

	if output, err := p.shell("exec 2>&1; "+line[1], "PATH=/usr/bin:/bin"); err != nil || output != "" {
		p.t.Errorf("%s: cron would mail %q (%v), want nothing", b.Name(), output, err)
	}
}

// update writes the answers into the page.
func (p *page) update() {
	p.t.Helper()
	raw, err := os.ReadFile(p.file)
	if err != nil {
		p.t.Fatal(err)
	}

	lines, text := strings.SplitAfter(string(raw), "\n"), ""
	for i := 0; i < len(lines); i++ {
		answer, ok := p.asked[i+1]
		if !ok {
			text += lines[i]
			continue
		}
		text += answer
		for i+1 < len(lines) && !strings.HasPrefix(lines[i+1], "```") {
			i++
		}
	}

	if err := os.WriteFile(p.file, []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// Each command of the tutorial runs in order, from the first step on, and the nightly job as cron runs it.
// LOADGRID_UPDATE_GOLDEN=1 writes the answers into the page.
func TestTutorial(t *testing.T) {
	t.Parallel()
	p := newPage(t, "../docs/tutorial.md", "grids")
	p.run("What you need")

	const left = `select count(*) from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
		and relname <> 'spatial_ref_sys' or relnamespace = to_regnamespace('loadgrid')`
	if n := queryOne[int64](t, p.s.pool, left); n != 0 {
		t.Errorf("%d tables are left after the last step, want 0", n)
	}
}

// The commands and queries of the README run in order, and print what it shows.
func TestReadme(t *testing.T) {
	t.Parallel()
	p := newPage(t, "../README.md", "loadgrid")
	p.s.exec(`create table shops as select st_setsrid(st_makepoint(3700000 + 1000 * i, 2800000 + 1000 * i), 3035) as geom from generate_series(1, 100) i;
		create table districts as select st_makeenvelope(4321000, 3210000, 4341000, 3220000, 3035) as geom`)
	p.run("Two commands")
}
