package loader

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/sqltext"
	"github.com/loadgrid/loadgrid/loader/job"
)

// runBefore runs the step that comes first, each statement in a transaction of its
// own, on a connection of its own: what it sets for the session, or locks, must not
// reach the load. The caller holds the table's lock.
func (l *load) runBefore(ctx context.Context) (err error) {
	s := l.plan.Job.BeforeHook()
	if s.SQL == "" {
		return nil
	}
	conn, err := pg.OpenConn(ctx, l.pool)
	if err != nil {
		return pg.Wrap(err, "connecting for the step before")
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), pg.StatementGrace)
		defer cancel()
		_ = conn.Close(closing)
	}()
	self, err := pg.ReadBackend(ctx, conn)
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "select set_config('statement_timeout', $1, false)", fmt.Sprint(s.Limit().Milliseconds())); err != nil {
		return pg.Wrap(err, "setting the time-out of the step before")
	}
	err = runHook(ctx, s, conn, l.target.Table)
	if err == nil && conn.PgConn().TxStatus() != 'I' {
		return &pg.ServerError{Doing: "running the step before", Err: errors.New("it leaves a transaction open, which would be rolled back"), Advice: "end it with commit"}
	}
	if errors.Is(err, pg.ErrStatementTimeout) {
		err = errors.Join(err, self.Terminate(ctx, l.pool)) // a backend that computes does not see that its client is gone
	}
	return err
}

// runAfter runs the step that comes with publish, in its transaction, when the table
// with this oid is the one that readers will see.
func (l *load) runAfter(ctx context.Context, tx pgx.Tx, oid uint32) error {
	s := l.plan.Job.AfterHook()
	if s.SQL == "" {
		return nil
	}
	shown := l.target
	shown.OID = oid
	before, err := shown.RowsWrittenInTx(ctx, tx)
	if err != nil {
		return err
	}
	if err := pg.SetLocal(ctx, tx, pg.Setting{Name: "statement_timeout", Value: fmt.Sprint(s.Limit().Milliseconds())}); err != nil {
		return err
	}
	l.lockSessionDirty = true
	if err := runHook(ctx, s, tx.Conn(), l.target.Table); err != nil {
		return err
	}
	if err := l.resetSession(ctx, tx); err != nil {
		return err
	}
	now, err := shown.RowsWrittenInTx(ctx, tx)
	l.hookWroteRows = now != before
	return err
}

// resetSession takes back what the step after has done to the session, as far as the rest
// of the transaction would meet it: the ledger is written as who the run is, however
// long that takes, in the encoding of this end, and while the run holds the table.
func (l *load) resetSession(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, "reset all; set local statement_timeout = 0; reset session authorization; reset role", pgx.QueryExecModeSimpleProtocol)
	if err == nil { // what the role has set against stray sessions is in force again
		_, err = tx.Exec(ctx, "select set_config(name, '0', true) from pg_settings where name = any($1::text[])", pgx.QueryExecModeExec, pg.SessionTimeouts())
	}
	if err == nil { // the step may have deallocated what the driver has prepared
		err = tx.Conn().DeallocateAll(ctx)
	}
	if err == nil {
		err = pg.SetLocal(ctx, tx, publishLock())
	}
	held := false // the session may take it any number of times
	if err == nil {
		err = tx.QueryRow(ctx, "select pg_try_advisory_lock($1)", l.lock.key).Scan(&held)
	}
	if err != nil {
		return pg.Wrap(err, "taking back what the step after has set for the session")
	}
	if !held { // the step has given it back
		return &LockedError{Table: l.target.Table, Holder: l.lock.holder(ctx)}
	}
	return nil
}

// restoreSession takes back what the step after has set for the session of the
// connection that holds the table's lock. It is best effort: the table is published.
func (l *load) restoreSession(ctx context.Context) {
	if !l.lockSessionDirty {
		return
	}
	conn := l.lock.conn.Conn()
	_, err := conn.Exec(ctx, "reset all", pgx.QueryExecModeSimpleProtocol)
	if prepare := l.pool.Config().AfterConnect; err == nil && prepare != nil {
		err = prepare(ctx, conn)
	}
	if err != nil {
		l.log.Warn("what the step after has set for the session could not be taken back", "error", pg.Message(err))
	}
}

// runHook sends one statement after the other, and reports which one failed.
func runHook(ctx context.Context, s job.Hook, conn *pgx.Conn, t job.Table) error {
	list := sqltext.Statements(s.SQL)
	for i, st := range list {
		sql := strings.ReplaceAll(st.Text, sqltext.TablePlaceholder, catalog.QuoteTable(t))
		if err := sendStatement(ctx, s, conn, sql); err != nil {
			e := &HookError{Hook: s.Name, No: i + 1, Of: len(list), Limit: s.Limit(), Err: err}
			e.Line, e.Column = sqltext.LineColumn(s.SQL, st.Offset+positionIn(st.Text, catalog.QuoteTable(t), err))
			return e
		}
	}
	return nil
}

// sendStatement runs a statement and reads what it returns to the end. The server has a time
// limit for it; should a function catch that, this end has one, too.
func sendStatement(ctx context.Context, s job.Hook, conn *pgx.Conn, sql string) error {
	bounded, cancel := context.WithTimeoutCause(ctx, s.Limit()+pg.StatementGrace, pg.ErrStatementTimeout)
	defer cancel()
	_, err := conn.PgConn().ExecParams(bounded, sql, nil, nil, nil, nil).Close()
	switch {
	case err != nil && context.Cause(bounded) == pg.ErrStatementTimeout:
		return pg.ErrStatementTimeout
	case err != nil && ctx.Err() != nil:
		return errors.Join(pg.MarkConnClosed(conn, err), ctx.Err())
	}
	return pg.MarkConnClosed(conn, err)
}

// positionIn returns where in the text of a statement the server has seen the error,
// in bytes. The server counts characters of what was sent, with the table's name in it.
func positionIn(text, name string, err error) int {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Position < 1 {
		return 0
	}
	left, at := int(pgErr.Position)-1, 0
	for i, part := range strings.Split(text, sqltext.TablePlaceholder) {
		if i > 0 {
			if left -= utf8.RuneCountInString(name); left < 0 {
				return at // inside the name
			}
			at += len(sqltext.TablePlaceholder)
		}
		for j := range part {
			if left == 0 {
				return at + j
			}
			left--
		}
		at += len(part)
	}
	return len(text)
}
