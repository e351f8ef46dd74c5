package hook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/ownpath"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/setting"
	"github.com/loadgrid/loadgrid/internal/tablelock"
	"github.com/loadgrid/loadgrid/loader/job"
)

// RunAfter runs the hook that comes with publish, in its transaction, when shown is the
// table that readers will see. It reports whether the hook has written to the table.
// The settings are those of the rest of the transaction, which the hook may have changed.
func RunAfter(ctx context.Context, tx pgx.Tx, h job.Hook, shown catalog.Relation, lock *tablelock.Lock, settings ...setting.Parameter) (wroteRows bool, err error) {
	if h.SQL == "" {
		return false, nil
	}

	before, err := shown.RowsWrittenInTx(ctx, tx)
	if err != nil {
		return false, err
	}

	if err := setting.SetLocal(ctx, tx, setting.Parameter{Name: "statement_timeout", Value: fmt.Sprint(h.Limit().Milliseconds())}); err != nil {
		return false, err
	}

	lock.MarkSessionDirty()

	if err := ownpath.UseLocal(ctx, tx); err != nil {
		return false, err
	}

	if err := run(ctx, h, tx.Conn(), shown.Table, resetStatements()...); err != nil {
		return false, err
	}

	if err := resumeSession(ctx, tx, lock, settings); err != nil {
		return false, err
	}

	now, err := shown.RowsWrittenInTx(ctx, tx)

	return now != before, err
}

// resetStatements take back what the hook has set for the session, as far as the rest of
// the transaction would meet it: the ledger is written as who the run is, however long
// that takes, and in the encoding of this end.
//
// The hook's time-out for statements still holds for the first of them, so that is as
// short as can be. "reset all" puts the time-outs and the search_path of the role in force
// again.
func resetStatements() []string {
	const noStatementTimeout = "set local statement_timeout = 0"

	return []string{
		noStatementTimeout,
		"reset all",
		noStatementTimeout,
		"reset session authorization",
		"reset role",
		"select pg_catalog.set_config(name, '0', true) from pg_catalog.pg_settings where name operator(pg_catalog.=) any ('{" + strings.Join(pg.SessionTimeouts(), ",") + "}')",
		"set search_path = " + pg.SearchPath,
	}
}

// resumeSession goes on in the transaction of the hook, once its settings are taken back,
// and while the run holds the table.
func resumeSession(ctx context.Context, tx pgx.Tx, lock *tablelock.Lock, settings []setting.Parameter) error {
	err := tx.Conn().DeallocateAll(ctx) // the hook may have deallocated what the driver has prepared

	if err == nil {
		err = setting.SetLocal(ctx, tx, settings...)
	}

	if err == nil { // the hook may have given the lock back
		err = lock.CheckHeld(ctx, tx)
	}

	if errors.As(err, new(*tablelock.LockedError)) {
		return err
	}

	return pg.Wrap(err, doingReset)
}

// ResetSession takes back what the hook has set for the session of the connection
// that holds the table's lock: later statements of the run use it, until the lock is
// released and the connection closed. It is best effort: the table is published.
func ResetSession(ctx context.Context, pool *pgxpool.Pool, lock *tablelock.Lock, log *slog.Logger) {
	if !lock.SessionDirty() {
		return
	}

	conn := lock.Conn().Conn()
	_, err := conn.Exec(ctx, "reset all; discard temp", pgx.QueryExecModeSimpleProtocol)

	if prepare := pool.Config().AfterConnect; err == nil && prepare != nil {
		err = prepare(ctx, conn)
	}

	if err != nil {
		log.Warn("the session settings of the step after could not be reset", "error", pg.Message(err))
	}
}
