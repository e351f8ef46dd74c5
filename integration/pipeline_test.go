package integration

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/pipeline"
	"github.com/loadgrid/loadgrid/internal/sqltext"
	"github.com/loadgrid/loadgrid/loader"
)

// Statements in a pipeline run in order, and the first that fails is the error. Then none of them has had
// an effect, and the connection can still be used.
func TestStatementsInAPipeline(t *testing.T) {
	s := newSandbox(t)
	conn := s.connect()
	table := s.name("t")

	run := func(statements ...string) error {
		return pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error { return pipeline.Exec(t.Context(), tx, statements...) })
	}

	many := []string{"create table " + table + " (n integer)"}
	for i := range 600 { // more than a socket's buffers can hold, including the answers
		many = append(many, fmt.Sprintf("insert into %s select %d where (select count(*) from %s) = %d -- %s", table, i, table, i, strings.Repeat("x", 4000)))
	}

	if err := run(many...); err != nil {
		t.Fatal(err)
	}

	if n := queryOne[int64](t, s.pool, "select count(*) from "+table); n != 600 {
		t.Errorf("%d statements of 600 arrived in order", n)
	}

	err := run("delete from "+table, "alter table "+table+" add m integer", "select 1 / 0", "drop table "+table, "nonsense")
	if pg.SQLState(err) != pgerrcode.DivisionByZero {
		t.Errorf("error %v, want that of the third statement", err)
	}

	if n := queryOne[int64](t, s.pool, "select count(*) from "+table); n != 600 {
		t.Errorf("of 600 rows, %d remain", n)
	}

	for _, statements := range [][]string{nil, {"select 1"}, {"select 1", "select 2"}} {
		if err := run(statements...); err != nil {
			t.Errorf("%q: %v", statements, err)
		}
	}
}

// textTracer records texts with several statements.
type textTracer struct {
	mu      sync.Mutex
	seen    int
	several []string
}

func (t *textTracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	t.mu.Lock()
	defer t.mu.Unlock()

	t.seen++
	if len(sqltext.Statements(data.SQL)) > 1 {
		t.several = append(t.several, data.SQL)
	}

	return ctx
}

func (t *textTracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// No text that a run sends contains several statements: Citus refuses such DDL.
func TestEachStatementIsSentByItself(t *testing.T) {
	for name, w := range scenarios() {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			mustCLI(t, s.dsn, "migrate", "up", "--ledger-schema", s.schema) // the texts of migrations are files with several statements
			tracer := &textTracer{}
			pool := openPool(t, s.dsn, func(config *pgxpool.Config) { config.ConnConfig.Tracer = tracer })

			if w.before != nil {
				mustCLI(t, s.dsn, s.load("grid", w.before...)...)
			}

			job := w.job
			job.Table.Schema, job.LedgerSchema = s.schema, s.schema
			job.Index = loader.IndexBoth
			if w.before != nil {
				job.IfExists, job.Keep = loader.Replace, 2
			}

			if strings.HasSuffix(name, "append") {
				job.IfExists, job.Keep, job.OnConflict = loader.Append, 0, loader.ConflictSkip
			}

			if strings.HasSuffix(name, "truncate") {
				job.Publish, job.Keep = loader.PublishTruncate, 0
			}

			if job.Partitions > 0 && job.IfExists == loader.Append {
				job.OnConflict = ""
			}

			if _, err := loader.Run(t.Context(), pool, job, loader.Options{}); err != nil {
				t.Fatal(err)
			}

			if job.Keep > 0 {
				if _, err := loader.NewLedger(pool, s.schema).Rollback(t.Context(), 1, nil); err != nil {
					t.Error(err)
				}
			}

			if tracer.seen < 20 {
				t.Errorf("only %d texts were seen, so this test proves nothing", tracer.seen)
			}

			for _, sql := range tracer.several {
				t.Errorf("several statements in one text: %s", sql)
			}
		})
	}
}
