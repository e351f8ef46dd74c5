// Package hook owns the SQL of the user's that runs before and after a load.
package hook

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/sqltext"
	"github.com/loadgrid/loadgrid/loader/job"
)

// Error reports a statement of Job.Before or Job.After that failed.
type Error struct {
	Hook         string // before or after
	No, Of       int    // the statement, from 1, of so many
	Line, Column int    // where it begins in the hook's SQL, or where the server saw the error; from 1
	Limit        time.Duration
	Err          error
}

func (e *Error) Error() string {
	s := fmt.Sprintf("%s, statement %d of %d, line %d, column %d: %s", e.Hook, e.No, e.Of, e.Line, e.Column, pg.Message(e.Err))
	if pg.HasCode(e.Err, pgerrcode.QueryCanceled) || errors.Is(e.Err, pg.ErrStatementTimeout) {
		s += fmt.Sprintf(": a statement may take %s, see %s-timeout", e.Limit, e.Hook)
	}

	return s
}

func (e *Error) Unwrap() error { return e.Err }

// Transient reports whether the same step may succeed in a while: see pg.IsTransient. A
// session that was idle or in its transaction for too long is not: only the hook itself
// has set such a time-out, and would do so again. Nor are the statements of the hook before,
// some of which are committed: whoever starts the command again knows whether they may be done twice.
// An internal error may come from a node of a cluster that was lost, and from a function that the hook calls.
func (e *Error) Transient() bool {
	switch pg.SQLState(e.Err) {
	case pgerrcode.IdleInTransactionSessionTimeout, pg.TransactionTimeout, pgerrcode.InternalError:
		return false
	}

	return e.Hook != "before" && pg.IsTransient(e.Err)
}

// ServerMessage returns the message for people, which names the statement: see package
// pg.
func (e *Error) ServerMessage() string { return e.Error() }

const doingReset = "resetting the session settings of the step after"

// resetError reports that the server has ended the statements that take back what the
// hook has set for the session. A time-out that the hook has set does that on a machine
// that is busy at that moment: the next try will do.
type resetError struct{ err error }

func (e *resetError) Error() string { return doingReset + ": " + e.err.Error() }

func (e *resetError) Unwrap() error { return e.err }

// Transient reports whether the same step may succeed in a while: see pg.IsTransient.
func (e *resetError) Transient() bool {
	return pg.HasCode(e.err, pgerrcode.QueryCanceled) || pg.IsTransient(e.err)
}

// run sends one statement after the other, and reports which one failed. The statements
// of reset go out together with the last one: a session that is idle for a moment in
// between may be one too long for what the hook has set.
func run(ctx context.Context, h job.Hook, conn *pgx.Conn, t job.Table, reset ...string) error {
	name := catalog.QuoteTable(t)
	list := sqltext.Statements(h.SQL)

	for i, st := range list {
		var more []string
		if i == len(list)-1 {
			more = reset
		}

		sql := strings.ReplaceAll(st.Text, sqltext.TablePlaceholder, name)
		err := send(ctx, h, conn, sql, more...)

		if errors.As(err, new(*resetError)) {
			return pg.Wrap(err, doingReset)
		}

		if err != nil {
			e := &Error{Hook: h.Name, No: i + 1, Of: len(list), Limit: h.Limit(), Err: err}
			e.Line, e.Column = sqltext.LineColumn(h.SQL, st.Offset+positionIn(st.Text, name, err))
			return e
		}
	}

	return nil
}

// send runs a statement, with others behind it, and reads what they return to the end.
// The server has a time limit for it; should a function catch that, this end has one, too.
func send(ctx context.Context, h job.Hook, conn *pgx.Conn, sql string, reset ...string) error {
	bounded, cancel := context.WithTimeoutCause(ctx, h.Limit()+pg.StatementGrace, pg.ErrStatementTimeout)
	defer cancel()

	err := sendBatch(bounded, conn, sql, reset)

	switch {
	case err != nil && context.Cause(bounded) == pg.ErrStatementTimeout:
		return pg.ErrStatementTimeout
	case err != nil && ctx.Err() != nil:
		return errors.Join(pg.MarkConnClosed(conn, err), ctx.Err())
	}

	return pg.MarkConnClosed(conn, err)
}

// sendBatch sends statements in one go. The server skips what comes after one that fails.
func sendBatch(ctx context.Context, conn *pgx.Conn, sql string, reset []string) error {
	var batch pgconn.Batch
	batch.ExecParams(sql, nil, nil, nil, nil)

	for _, r := range reset {
		batch.ExecParams(r, nil, nil, nil, nil)
	}

	results := conn.PgConn().ExecBatch(ctx, &batch)

	done := false
	if results.NextResult() {
		_, err := results.ResultReader().Close()
		done = err == nil
	}

	err := results.Close()
	if err != nil && done {
		return &resetError{pg.MarkConnClosed(conn, err)}
	}

	return err
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
