package integration

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/loader"
)

// When its pool is closed, the library leaves no goroutine: after a run that finished, was refused,
// failed or was stopped. The test is not parallel to others, because it would see their goroutines.
func TestTheLibraryLeavesNoGoroutine(t *testing.T) {
	s := sandboxIn(t, pgtest.DSN(t), pgtest.Schema(t))
	job := func(table string) loader.Job {
		return loader.Job{Table: loader.Table{Schema: s.schema, Name: table}, LedgerSchema: s.schema,
			Grid: geomgen.Grid{DX: 1, DY: 1}, Cols: 300, Rows: 200}
	}

	run := func(ctx context.Context, pool *pgxpool.Pool, job loader.Job) error {
		_, err := loader.Run(ctx, pool, job, loader.Options{})
		return err
	}

	// The first run also makes the ledger, with golang-migrate.
	for _, tt := range []struct {
		name string
		do   func(context.Context, *pgxpool.Pool) error
		fail bool
	}{
		{"a run in one transaction", func(ctx context.Context, pool *pgxpool.Pool) error { return run(ctx, pool, job("frozen")) }, false},
		{"a run in chunks", func(ctx context.Context, pool *pgxpool.Pool) error {
			j := job("in_chunks")
			j.ChunkRows, j.Streams = 5000, 4
			return run(ctx, pool, j)
		}, false},
		{"a run in partitions", func(ctx context.Context, pool *pgxpool.Pool) error {
			j := job("partitions")
			j.Partitions, j.Streams = 8, 3
			return run(ctx, pool, j)
		}, false},
		{"a refused run", func(ctx context.Context, pool *pgxpool.Pool) error { return run(ctx, pool, job("frozen")) }, true},
		{"a run that fails in the middle", func(ctx context.Context, pool *pgxpool.Pool) error {
			s.exec(`create function ` + s.name("refuse") + `() returns trigger language plpgsql as $$
				begin if new.chunk_no = 5 then raise exception 'enough'; end if; return new; end $$`)
			s.exec("create trigger refuse before insert on " + s.name("chunks") + " for each row execute function " + s.name("refuse") + "()")
			defer s.exec("drop trigger refuse on " + s.name("chunks"))
			j := job("failed")
			j.ChunkRows, j.Streams = 5000, 4
			return run(ctx, pool, j)
		}, true},
		{"a run that is stopped", func(ctx context.Context, pool *pgxpool.Pool) error {
			ctx, cancel := context.WithCancelCause(ctx)
			defer cancel(nil)
			b := s.pauseAtChunk(3)
			go func() {
				b.waitUntilReached()
				cancel(errors.New("enough"))
			}()

			j := job("stopped")
			j.ChunkRows, j.Streams = 5000, 4
			err := run(ctx, pool, j)
			b.release()
			return err
		}, true},
		{"a run whose context has ended", func(ctx context.Context, pool *pgxpool.Pool) error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return run(ctx, pool, job("ended"))
		}, true},
		{"a plan with a query", func(ctx context.Context, pool *pgxpool.Pool) error {
			j := job("planned")
			j.Area = &loader.Area{SQL: "select st_makeenvelope(3, 3, 50, 60)"}
			_, err := loader.PlanOn(ctx, pool, j)
			return err
		}, false},
		{"an area query that fails", func(ctx context.Context, pool *pgxpool.Pool) error {
			_, err := loader.ResolveArea(ctx, pool, &loader.Area{SQL: "select 1 / 0"}, 0)
			return err
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			pool, err := loader.Open(context.Background(), s.dsn, 4)
			if err != nil {
				t.Fatal(err)
			}

			err = tt.do(context.Background(), pool)
			pool.Close()
			if (err != nil) != tt.fail {
				t.Errorf("the error is %v", err)
			}
			if err := pgtest.NoLeaks(before); err != nil {
				t.Error(err)
			}
		})
	}
}
