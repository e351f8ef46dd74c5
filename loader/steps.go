package loader

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loadgrid/loadgrid/geomgen"
)

// DefaultHookTimeout is how long a statement of Job.Before or Job.After may take when
// the job does not say.
const DefaultHookTimeout = 5 * time.Minute

// HookError reports a statement of Job.Before or Job.After that failed.
type HookError struct {
	Hook         string // before or after
	No, Of       int    // the statement, from 1, of so many
	Line, Column int    // where it begins in the step's SQL, or where the server saw the error; from 1
	Limit        time.Duration
	Err          error
}

func (e *HookError) Error() string {
	s := fmt.Sprintf("%s, statement %d of %d, line %d, column %d: %s", e.Hook, e.No, e.Of, e.Line, e.Column, serverMessage(e.Err))
	if hasCode(e.Err, "57014") || errors.Is(e.Err, errSQLTimeout) {
		s += fmt.Sprintf(": a statement has %s, see --%s-timeout", e.Limit, e.Hook)
	}
	return s
}

func (e *HookError) Unwrap() error { return e.Err }

// tablePlaceholder is what stands for the table in a step's SQL.
const tablePlaceholder = "{{table}}"

// hook is SQL of the user's that runs around a load.
type hook struct {
	name, sql string
	timeout   time.Duration
}

func (j Job) beforeHook() hook { return hook{"before", j.Before, j.BeforeTimeout} }
func (j Job) afterHook() hook  { return hook{"after", j.After, j.AfterTimeout} }

func (s hook) limit() time.Duration {
	if s.timeout == 0 {
		return DefaultHookTimeout
	}
	return s.timeout
}

// endsTransaction are the first words of statements that begin or end one, or a part.
func endsTransaction(word string) bool {
	switch word {
	case "begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare":
		return true
	}
	return false
}

// validateHooks checks what can be known of them without a server.
func (j Job) validateHooks() error {
	for _, s := range []hook{j.beforeHook(), j.afterHook()} {
		if s.sql == "" && s.timeout != 0 {
			return &geomgen.ParamError{Param: s.name + "-timeout", Value: s.timeout.String(), Reason: "needs SQL: " + s.name}
		}
		if err := checkTimeout(s.name+"-timeout", s.limit()); err != nil {
			return err
		}
		if at, reason := lint(s.sql); reason != "" {
			line, column := lineColumn(s.sql, at)
			return &geomgen.ParamError{Param: s.name, Value: oneLine(s.sql[at:]), Reason: fmt.Sprintf("line %d, column %d: %s", line, column, reason)}
		}
		list := statements(s.sql)
		if s.sql != "" && len(list) == 0 {
			return &geomgen.ParamError{Param: s.name, Value: oneLine(s.sql), Reason: "has no statement"}
		}
		for i, st := range list {
			bad := func(reason string) error {
				line, column := lineColumn(s.sql, st.offset)
				return &geomgen.ParamError{Param: s.name, Value: oneLine(st.text),
					Reason: fmt.Sprintf("statement %d of %d, line %d, column %d: %s", i+1, len(list), line, column, reason)}
			}
			switch {
			case strings.ContainsRune(st.text, 0):
				return bad("SQL has no zero bytes")
			case s.name == "after" && endsTransaction(st.word):
				return bad("it runs in the transaction that publishes, which it must neither end nor take apart")
			case st.word == "copy" && st.has("stdin", "stdout"):
				return bad("copy needs a program at this end: use psql's \\copy before or after the load")
			}
		}
	}
	return nil
}

// checkTimeout refuses what the server takes for no timeout, or not at all.
func checkTimeout(param string, d time.Duration) error {
	const most = (1<<31 - 1) * time.Millisecond
	if d < time.Millisecond || d > most {
		return &geomgen.ParamError{Param: param, Value: d.String(), Reason: fmt.Sprintf("must lie between %s and %s", time.Millisecond, most)}
	}
	return nil
}

// runBefore runs the step that comes first, each statement in a transaction of its
// own, on a connection of its own: what it sets for the session, or locks, must not
// reach the load. The caller holds the table's lock.
func (l *load) runBefore(ctx context.Context) (err error) {
	s := l.plan.Job.beforeHook()
	if s.sql == "" {
		return nil
	}
	conn, err := connectApart(ctx, l.pool)
	if err != nil {
		return serverError(err, "connecting for the step before")
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), sqlGrace)
		defer cancel()
		_ = conn.Close(closing)
	}()
	self, err := readBackend(ctx, conn)
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "select set_config('statement_timeout', $1, false)", fmt.Sprint(s.limit().Milliseconds())); err != nil {
		return serverError(err, "setting the time-out of the step before")
	}
	err = s.run(ctx, conn, l.target.Table)
	if err == nil && conn.PgConn().TxStatus() != 'I' {
		return &ServerError{Doing: "running the step before", Err: errors.New("it leaves a transaction open, which would be rolled back"), Advice: "end it with commit"}
	}
	if errors.Is(err, errSQLTimeout) {
		err = errors.Join(err, self.end(ctx, l.pool)) // a backend that computes does not see that its client is gone
	}
	return err
}

// runAfter runs the step that comes with publish, in its transaction, when the table
// with this oid is the one that readers will see.
func (l *load) runAfter(ctx context.Context, tx pgx.Tx, oid uint32) error {
	s := l.plan.Job.afterHook()
	if s.sql == "" {
		return nil
	}
	shown := l.target
	shown.oid = oid
	before, err := shown.rowsWrittenInTx(ctx, tx)
	if err != nil {
		return err
	}
	if err := setLocal(ctx, tx, setting{"statement_timeout", fmt.Sprint(s.limit().Milliseconds())}); err != nil {
		return err
	}
	l.lockSessionDirty = true
	if err := s.run(ctx, tx.Conn(), l.target.Table); err != nil {
		return err
	}
	if err := l.resetSession(ctx, tx); err != nil {
		return err
	}
	now, err := shown.rowsWrittenInTx(ctx, tx)
	l.hookWroteRows = now != before
	return err
}

// resetSession takes back what the step after has done to the session, as far as the rest
// of the transaction would meet it: the ledger is written as who the run is, however
// long that takes, in the encoding of this end, and while the run holds the table.
func (l *load) resetSession(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, "reset all; set local statement_timeout = 0; reset session authorization; reset role", pgx.QueryExecModeSimpleProtocol)
	if err == nil { // what the role has set against stray sessions is in force again
		_, err = tx.Exec(ctx, "select set_config(name, '0', true) from pg_settings where name = any($1::text[])", pgx.QueryExecModeExec, sessionTimeouts())
	}
	if err == nil { // the step may have deallocated what the driver has prepared
		err = tx.Conn().DeallocateAll(ctx)
	}
	if err == nil {
		err = setLocal(ctx, tx, publishLock())
	}
	held := false // the session may take it any number of times
	if err == nil {
		err = tx.QueryRow(ctx, "select pg_try_advisory_lock($1)", l.lock.key).Scan(&held)
	}
	if err != nil {
		return serverError(err, "taking back what the step after has set for the session")
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
		l.log.Warn("what the step after has set for the session could not be taken back", "error", serverMessage(err))
	}
}

// run sends one statement after the other, and tells which one failed.
func (s hook) run(ctx context.Context, conn *pgx.Conn, t Table) error {
	list := statements(s.sql)
	for i, st := range list {
		sql := strings.ReplaceAll(st.text, tablePlaceholder, t.sql())
		if err := s.send(ctx, conn, sql); err != nil {
			e := &HookError{Hook: s.name, No: i + 1, Of: len(list), Limit: s.limit(), Err: err}
			e.Line, e.Column = lineColumn(s.sql, st.offset+positionIn(st.text, t.sql(), err))
			return e
		}
	}
	return nil
}

// send runs a statement and reads what it returns to the end. The server has a time
// limit for it; should a function catch that, this end has one, too.
func (s hook) send(ctx context.Context, conn *pgx.Conn, sql string) error {
	bounded, cancel := context.WithTimeoutCause(ctx, s.limit()+sqlGrace, errSQLTimeout)
	defer cancel()
	_, err := conn.PgConn().ExecParams(bounded, sql, nil, nil, nil, nil).Close()
	switch {
	case err != nil && context.Cause(bounded) == errSQLTimeout:
		return errSQLTimeout
	case err != nil && ctx.Err() != nil:
		return errors.Join(markConnClosed(conn, err), ctx.Err())
	}
	return markConnClosed(conn, err)
}

// positionIn returns where in the text of a statement the server has seen the error,
// in bytes. The server counts characters of what was sent, with the table's name in it.
func positionIn(text, name string, err error) int {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Position < 1 {
		return 0
	}
	left, at := int(pgErr.Position)-1, 0
	for i, part := range strings.Split(text, tablePlaceholder) {
		if i > 0 {
			if left -= utf8.RuneCountInString(name); left < 0 {
				return at // inside the name
			}
			at += len(tablePlaceholder)
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
