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

// RunAfter runs the hook of publish in its transaction, when shown is the table that readers will
// see. It reports whether the hook has written to the table. settings are the settings for the rest
// of the transaction, which the hook may have changed.
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

// resetStatements reset what the hook has set for the session, as far as it affects the rest of the
// transaction: the ledger is written as the run's own user, without a time limit, and in the
// encoding of this client.
//
// The hook's statement time-out still applies to the first of them, so that one must be as short as
// possible. "reset all" restores the time-outs and the search_path of the role.
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

// resumeSession continues in the transaction of the hook, after its settings are reset and while
// the run holds the table.
func resumeSession(ctx context.Context, tx pgx.Tx, lock *tablelock.Lock, settings []setting.Parameter) error {
	err := tx.Conn().DeallocateAll(ctx) // the hook may have deallocated the driver's prepared statements

	if err == nil {
		err = setting.SetLocal(ctx, tx, settings...)
	}

	if err == nil { // the hook may have released the lock
		err = lock.CheckHeld(ctx, tx)
	}

	if errors.As(err, new(*tablelock.LockedError)) {
		return err
	}

	return pg.Wrap(err, doingReset)
}

// ResetSession resets what the hook has set for the session that holds the table's lock. Later
// statements of the run use it, until the lock is released and the connection closed. It is best
// effort: the table is published.
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
