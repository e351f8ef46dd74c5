package pg

import (
	"context"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
)

// SessionTimeouts returns the time limits that a role or database can set for all sessions.
func SessionTimeouts() []string {
	return []string{"statement_timeout", "transaction_timeout", "lock_timeout", "idle_session_timeout", "idle_in_transaction_session_timeout"}
}

// sessionSQL removes the limits in $1, and sets what else a run relies on. Not every server knows all of these
// settings.
const sessionSQL = `
	select set_config(name, case when name = any($1::text[]) then '0' when name = 'default_transaction_isolation' then 'read committed' else 'off' end, false)
	from pg_settings
	where name = any($1::text[]) or name = 'default_transaction_isolation'
	   or name = 'default_transaction_read_only' and setting = 'on' and source in ('user', 'database user')`

// liftAttempts is how often a session's limit on statements may cancel the statement that removes it. A busy
// machine needs a few attempts for a limit of one millisecond.
const liftAttempts = 100

// liftTimeout comes first: preparing a session may take longer than the role's limit for statements.
func liftTimeout(ctx context.Context, exec func(ctx context.Context, sql string) error) (err error) {
	for range liftAttempts {
		if err = exec(ctx, "set statement_timeout to 0"); !HasCode(err, pgerrcode.QueryCanceled) {
			return err
		}
	}

	return err
}

// prepareSession turns off what a role or database may have set to stop stray sessions: an index takes as long as
// it takes, and the connection that holds a table's lock is idle meanwhile. The steps of a run read what others
// have committed in the meantime, so sessions use read committed. If a role's sessions default to read-only, a
// run overrides that. If the connection string, the database or the server sets read-only, a run is refused: a
// database may be read-only because its disk is full.
//
// A backend notices that its client is gone when it next reads from it, which an index build does not do.
// PostgreSQL 14 or newer can check from time to time, on most platforms. If it cannot, a rerun waits for the old
// backend.
//
// A limit of a role may still cancel the first statement after it is removed, if its timer expired when the
// removing statement finished. All of these statements can run again.
func prepareSession(ctx context.Context, conn *pgx.Conn) (err error) {
	for range liftAttempts {
		if err = prepareOnce(ctx, conn); !HasCode(err, pgerrcode.QueryCanceled) {
			return err
		}
	}

	return err
}

func prepareOnce(ctx context.Context, conn *pgx.Conn) error {
	err := liftTimeout(ctx, func(ctx context.Context, sql string) error {
		_, err := conn.Exec(ctx, sql, pgx.QueryExecModeExec)
		return err
	})
	if err != nil {
		return err
	}

	// Before any other statement: see search_path.go.
	if _, err := conn.Exec(ctx, runPathSQL, pgx.QueryExecModeExec); err != nil {
		return err
	}

	if err := refuseImposedRole(ctx, conn); err != nil {
		return err
	}

	if _, err := conn.Exec(ctx, sessionSQL, pgx.QueryExecModeExec, SessionTimeouts()); err != nil {
		return err
	}

	_, err = conn.Exec(ctx, `
		select set_config(name, '2s', false) from pg_settings
		where name = 'client_connection_check_interval' and setting = '0'`, pgx.QueryExecModeExec)
	if HasCode(err, pgerrcode.InvalidParameterValue) { // not on this platform
		return nil
	}

	return err
}
