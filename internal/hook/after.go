package hook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/tablelock"
	"github.com/loadgrid/loadgrid/loader/job"
)

// RunAfter runs the hook that comes with publish, in its transaction, when shown is the
// table that readers will see. It reports whether the hook has written to the table.
// The settings are those of the rest of the transaction, which the hook may have changed.
func RunAfter(ctx context.Context, tx pgx.Tx, h job.Hook, shown catalog.Relation, lock *tablelock.Lock, settings ...pg.Setting) (wroteRows bool, err error) {
	if h.SQL == "" {
		return false, nil
	}

	before, err := shown.RowsWrittenInTx(ctx, tx)
	if err != nil {
		return false, err
	}

	if err := pg.SetLocal(ctx, tx, pg.Setting{Name: "statement_timeout", Value: fmt.Sprint(h.Limit().Milliseconds())}); err != nil {
		return false, err
	}

	lock.MarkSessionDirty()

	if err := run(ctx, h, tx.Conn(), shown.Table); err != nil {
		return false, err
	}

	if err := resetInTx(ctx, tx, lock, settings); err != nil {
		return false, err
	}

	now, err := shown.RowsWrittenInTx(ctx, tx)

	return now != before, err
}

// resetInTx takes back what the hook has done to the session, as far as the rest of
// the transaction would meet it: the ledger is written as who the run is, however long
// that takes, in the encoding of this end, and while the run holds the table.
func resetInTx(ctx context.Context, tx pgx.Tx, lock *tablelock.Lock, settings []pg.Setting) error {
	_, err := tx.Exec(ctx, "reset all; set local statement_timeout = 0; reset session authorization; reset role", pgx.QueryExecModeSimpleProtocol)
	if err == nil { // what the role has set against stray sessions is in force again
		_, err = tx.Exec(ctx, "select set_config(name, '0', true) from pg_settings where name = any($1::text[])", pgx.QueryExecModeExec, pg.SessionTimeouts())
	}

	if err == nil { // the hook may have deallocated what the driver has prepared
		err = tx.Conn().DeallocateAll(ctx)
	}

	if err == nil {
		err = pg.SetLocal(ctx, tx, settings...)
	}

	if err == nil { // the hook may have given the lock back
		err = lock.CheckHeld(ctx, tx)
	}

	if errors.As(err, new(*tablelock.LockedError)) {
		return err
	}

	return pg.Wrap(err, "taking back what the step after has set for the session")
}

// ResetSession takes back what the hook has set for the session of the connection
// that holds the table's lock: later statements of the run use it, until the lock is
// released and the connection closed. It is best effort: the table is published.
func ResetSession(ctx context.Context, pool *pgxpool.Pool, lock *tablelock.Lock, log *slog.Logger) {
	if !lock.SessionDirty() {
		return
	}

	conn := lock.Conn().Conn()
	_, err := conn.Exec(ctx, "reset all", pgx.QueryExecModeSimpleProtocol)

	if prepare := pool.Config().AfterConnect; err == nil && prepare != nil {
		err = prepare(ctx, conn)
	}

	if err != nil {
		log.Warn("what the step after has set for the session could not be taken back", "error", pg.Message(err))
	}
}
