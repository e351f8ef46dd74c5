package hook

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/ownpath"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// RunBefore runs the hook before the load. Each statement has its own transaction, and the hook has
// its own connection: its session settings and locks must not reach the load. The caller holds the
// table's lock.
func RunBefore(ctx context.Context, pool *pgxpool.Pool, h job.Hook, t job.Table) error {
	if h.SQL == "" {
		return nil
	}

	conn, release, err := pg.OpenConn(ctx, pool)
	if err != nil {
		return pg.Wrap(err, "connecting for the step before")
	}
	defer release()

	if err := ownpath.Use(ctx, conn); err != nil {
		return err
	}

	if _, err := conn.Exec(ctx, "select pg_catalog.set_config('statement_timeout', $1, false)", fmt.Sprint(h.Limit().Milliseconds())); err != nil {
		return pg.Wrap(err, "setting the time-out of the step before")
	}

	err = run(ctx, h, conn, t)
	if err == nil && conn.PgConn().TxStatus() != 'I' {
		return &pg.ServerError{Doing: "running the step before",
			Err: errors.New("it leaves a transaction open, which would be rolled back"), Advice: "end it with commit"}
	}

	return err
}
