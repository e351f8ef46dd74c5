package integration

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/testrand"
	"github.com/loadgrid/loadgrid/loader"
)

// backendEnder ends the backend just before it gets one particular statement of a run.
type backendEnder struct {
	pool     *pgxpool.Pool // to end the backend
	progress *loader.Progress
	nth      int64 // the statement's number up to the end of the stage plan, from 1

	seen atomic.Int64
	sql  string // of the statement
}

func (b *backendEnder) TraceQueryStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if stage := b.progress.Snapshot().Stage; stage != "" && stage != loader.StagePlan || b.seen.Add(1) != b.nth {
		return ctx
	}

	b.sql = data.SQL
	_, _ = b.pool.Exec(context.Background(), "select pg_terminate_backend($1)", int64(conn.PgConn().PID()))

	return ctx
}

func (b *backendEnder) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// planStride is the distance between the statements of the stage plan that are tried. There are about 80.
const planStride = 5

// Whichever statement of the stage plan loses its server, the run continues.
func TestBackendEndedInTheStagePlan(t *testing.T) {
	s := newSandbox(t)
	if err := loader.NewLedger(s.pool, s.schema).MigrateUp(t.Context()); err != nil {
		t.Fatal(err)
	}

	const workers = 4
	var next, runs atomic.Int64
	var working sync.WaitGroup
	next.Store(testrand.New(t, 14).Int64N(planStride) + 1 - planStride)

	for worker := range workers {
		working.Go(func() {
			job := loader.Job{Table: loader.Table{Schema: s.schema, Name: fmt.Sprintf("grid%d", worker)}, LedgerSchema: s.schema,
				Grid: geomgen.Grid{DX: 1, DY: 1}, IfExists: loader.Replace, Keep: 1}

			for width := 1; s.runWithBackendEnded(job, width, next.Add(planStride)); width++ {
				runs.Add(1)
			}
		})
	}
	working.Wait()

	if n := runs.Load(); n < 8 {
		t.Errorf("a backend was ended in only %d runs", n)
	}
}

// runWithBackendEnded replaces a table by one with this many columns. It ends the backend under the nth
// statement of the stage plan, and returns false if there are fewer statements.
func (s sandbox) runWithBackendEnded(job loader.Job, width int, n int64) bool {
	job.Area = &loader.Area{SQL: fmt.Sprintf("select st_makeenvelope(0.5, 0.5, %d.5, 3.5)", width)}
	ender := &backendEnder{pool: s.pool, progress: new(loader.Progress), nth: n}
	pool := openPool(s.t, s.dsn, func(c *pgxpool.Config) { c.ConnConfig.Tracer = ender })
	ender.seen.Store(0)

	sum, err := loader.Run(context.Background(), pool, job, loader.Options{Progress: ender.progress, SkipUnchanged: true})
	if want := int64(width+1) * 4; err != nil || sum.Rows != want {
		s.t.Errorf("backend ended under statement %d of the stage plan, %q: %d rows, want %d: %v", n, ender.sql, sum.Rows, want, err)
	}

	return err == nil && ender.seen.Load() >= n
}
