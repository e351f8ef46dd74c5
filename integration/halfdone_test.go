package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/integration/pgtest"
)

// TestHalfDone restores runs that an older program left half-way, and resumes them: with the same
// command, and from the job in the ledger.
func TestHalfDone(t *testing.T) {
	for _, h := range halfDones() {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			want := h.undisturbed(t)
			if want.rows != h.tableRows || want.content != h.content {
				t.Errorf("undisturbed, the table has %d rows, digest %s, want %d, %s", want.rows, want.content, h.tableRows, h.content)
			}
			for name, args := range map[string][]string{
				"the same command": gridLoad(h.load),
				"runs resume":      {"runs", "resume", fmt.Sprint(h.run), "--progress", "json"},
			} {
				t.Run(name, func(t *testing.T) {
					h.resume(t, args, want)
				})
			}
		})
	}
}

// resume restores the dump, resumes its run, and compares the table.
func (h halfDone) resume(t *testing.T, args []string, want madeTable) {
	s := h.restored(t)
	committed, job := s.chunksOf(h.run), s.jobOf(h.run)
	if n := strings.Count(committed, "\n"); int64(n) != h.done {
		t.Fatalf("the dump has %d committed chunks, want %d", n, h.done)
	}

	r := cli(t, s.dsn, args...)
	if r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	sum := r.summary(t)
	t.Logf("%s: run %d, %s, %d of %d chunks and %d of %d rows resumed, %d chunks and %d rows copied", h.name, sum.Run, sum.Method,
		sum.ChunksResumed, sum.Chunks, sum.RowsResumed, sum.Rows, sum.ChunksCopied, sum.RowsCopied)
	if sum.Run != h.run || sum.Chunks != h.chunks || sum.ChunksResumed != h.done || sum.ChunksCopied != h.chunks-h.done {
		t.Errorf("run %d with %d chunks, %d resumed, %d copied, want run %d with %d, %d and %d", sum.Run, sum.Chunks, sum.ChunksResumed, sum.ChunksCopied,
			h.run, h.chunks, h.done, h.chunks-h.done)
	}
	if sum.Rows != h.rows || sum.RowsResumed != h.rowsDone || sum.RowsCopied != h.rows-h.rowsDone {
		t.Errorf("%d rows, %d resumed, %d copied, want %d, %d and %d", sum.Rows, sum.RowsResumed, sum.RowsCopied, h.rows, h.rowsDone, h.rows-h.rowsDone)
	}

	s.checkResumed(h, committed)
	if now := s.jobOf(h.run); now != job {
		t.Errorf("the ledger has the job\n%s, want\n%s", now, job)
	}
	if got := s.madeTable(); got != want {
		t.Errorf("resumed, the table is\n%+v, want\n%+v", got, want)
	}
}

// checkResumed checks the ledger's record of a run that was resumed once.
func (s sandbox) checkResumed(h halfDone, committed string) {
	s.t.Helper()
	now := s.chunksOf(h.run)
	for line := range strings.Lines(committed) {
		if !strings.Contains(now, line) {
			s.t.Errorf("a committed chunk has changed: %s", line)
		}
	}
	if n := strings.Count(now, "\n"); int64(n) != h.chunks {
		s.t.Errorf("the ledger has %d chunks, want %d", n, h.chunks)
	}

	state := queryOne[string](s.t, s.pool, `select concat_ws(' ', state, starts, (select string_agg(coalesce(outcome, 'killed'), ',' order by no) from loadgrid.starts where run_id = r.id),
		case when table_oid = 'public.grid'::regclass then 'this table' end, case when shown then 'shown' end, last_error) from loadgrid.runs r where id = $1`, h.run)
	first := "killed"
	if h.signal {
		first = "stopped"
	}
	if want := "published 2 " + first + ",published this table shown"; state != want {
		s.t.Errorf("the ledger shows %q for the run, want %q", state, want)
	}
	if left := queryOne[string](s.t, s.pool, "select coalesce(string_agg(relname, ', '), '') from pg_class where relname like 'loadgrid\\_staging%'"); left != "" {
		s.t.Errorf("these remain: %s", left)
	}
}

// chunksOf returns the committed chunks of a run, one on each line.
func (s sandbox) chunksOf(run int64) string {
	s.t.Helper()
	return queryOne[string](s.t, s.pool, "select coalesce(string_agg(c::text || e'\\n', '' order by chunk_no), '') from loadgrid.chunks c where run_id = $1", run)
}

// jobOf returns the ledger's record of a run's job.
func (s sandbox) jobOf(run int64) string {
	s.t.Helper()
	return queryOne[string](s.t, s.pool, "select concat_ws(e'\\n', job, fingerprint, encode(aoi, 'hex'), job_name) from loadgrid.runs where id = $1", run)
}

// undisturbed runs the loads in a database of their own.
func (h halfDone) undisturbed(t *testing.T) madeTable {
	t.Helper()
	s := newHalfDoneSandbox(t)
	if h.before != nil {
		mustCLI(t, s.dsn, gridLoad(h.before)...)
	}
	mustCLI(t, s.dsn, gridLoad(h.load)...)
	return s.madeTable()
}

// gridLoad returns the arguments of a load into the table of all dumps.
func gridLoad(args []string) []string {
	return append([]string{"load", "--table", "public.grid", "--progress", "json"}, args...)
}

// newHalfDoneSandbox returns a sandbox with its own database and the ledger in its default schema.
func newHalfDoneSandbox(t *testing.T) sandbox {
	t.Helper()
	s := sandboxIn(t, pgtest.Database(t), "loadgrid")
	t.Cleanup(s.checkNoSecrets)
	return s
}

func (h halfDone) file() string { return filepath.Join("testdata", "halfdone", h.name+".sql") }

// restored returns a database with the contents of the dump.
func (h halfDone) restored(t *testing.T) sandbox {
	t.Helper()
	s := newHalfDoneSandbox(t)
	b, err := os.ReadFile(h.file())
	if err != nil {
		t.Fatal(err)
	}
	// On a connection of its own: pg_dump's settings last for the session.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, string(b), pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatalf("restore %s: %v", h.file(), err)
	}
	return s
}

// madeTable describes a finished table, as far as it does not depend on the server.
type madeTable struct {
	rows        int64
	content     string // a digest of all rows
	relations   string // the table and its partitions, with their bounds and settings
	columns     string
	indexes     string
	constraints string
}

// madeTable describes the table of all dumps.
func (s sandbox) madeTable() madeTable {
	s.t.Helper()
	m := madeTable{rows: queryOne[int64](s.t, s.pool, "select count(*) from public.grid"), content: s.contentOf("public.grid")}
	list := func(sql string) string {
		return queryOne[string](s.t, s.pool, "with tables as (select 'public.grid'::regclass::oid as oid union all select inhrelid from pg_inherits where inhparent = 'public.grid'::regclass)"+
			" select coalesce(string_agg(line, e'\\n' order by line), '') from ("+sql+") l")
	}
	m.relations = list(`select concat_ws(' ', relname, relkind, relpersistence, reloptions::text, pg_get_expr(relpartbound, oid)) as line from tables join pg_class using (oid)`)
	m.columns = list(`select concat_ws(' ', attrelid::regclass, attname, attnum, format_type(atttypid, atttypmod), attnotnull) as line
		from tables join pg_attribute on attrelid = oid where attnum > 0`)
	m.indexes = list(`select concat_ws(' ', indisvalid, indisready, indisprimary, pg_get_indexdef(indexrelid)) as line from tables join pg_index on indrelid = oid`)
	m.constraints = list(`select concat_ws(' ', conrelid::regclass, conname, convalidated, pg_get_constraintdef(k.oid)) as line from tables t join pg_constraint k on conrelid = t.oid`)
	return m
}

// contentOf returns a digest of a table's rows: the columns as text, the geometry as EWKB.
func (s sandbox) contentOf(table string) string {
	s.t.Helper()
	geom := queryOne[string](s.t, s.pool, "select quote_ident(attname) from pg_attribute where attrelid = $1::regclass and format_type(atttypid, null) like '%geometry'", table)
	return queryOne[string](s.t, s.pool, "select md5(string_agg(md5(g::text || encode(st_asewkb(g."+geom+", 'NDR'), 'hex')), '' order by col, row)) from "+table+" g")
}
