// Package hook owns the user's SQL that runs before and after a load.
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
	No, Of       int    // the statement, from 1, and the number of statements
	Line, Column int    // where it begins in the hook's SQL, or where the server found the error; from 1
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

// Transient reports whether the same step may succeed later: see pg.IsTransient. A time-out of an idle
// session or transaction is not transient: only the hook itself can have set it, and would do so again.
// Errors of the hook before are not transient either, because some of its statements are committed: only the
// user knows whether they may run twice. An internal error may come from a lost node of a cluster, or from a
// function that the hook calls.
func (e *Error) Transient() bool {
	switch pg.SQLState(e.Err) {
	case pgerrcode.IdleInTransactionSessionTimeout, pg.TransactionTimeout, pgerrcode.InternalError:
		return false
	}

	return e.Hook != "before" && pg.IsTransient(e.Err)
}

// ServerMessage returns the message for people, which names the statement: see package pg.
func (e *Error) ServerMessage() string { return e.Error() }

const doingReset = "resetting the session settings of the step after"

// resetError reports that the server ended the statements that reset the session. A time-out that the hook
// has set can cause this on a busy machine, so the next try may succeed.
type resetError struct{ err error }

func (e *resetError) Error() string { return doingReset + ": " + e.err.Error() }

func (e *resetError) Unwrap() error { return e.err }

// Transient reports whether the same step may succeed later: see pg.IsTransient.
func (e *resetError) Transient() bool {
	return pg.HasCode(e.err, pgerrcode.QueryCanceled) || pg.IsTransient(e.err)
}

// run sends the statements one after the other, and reports which one failed. It sends the statements of
// reset together with the last one: if the session were idle in between, a time-out that the hook has set
// could end it.
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

// send runs a statement, followed by others, and reads their results to the end. The server has a time limit
// for it. A function may catch that, so this client has a limit, too.
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

// sendBatch sends statements together. The server skips those after a failed one.
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

// positionIn returns where in the text of a statement the server found the error, in bytes. The server counts
// characters of the text that it received, with the table's name in it.
func positionIn(text, name string, err error) int {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Position < 1 {
		return 0
	}

	left, at := int(pgErr.Position)-1, 0

	for i, part := range strings.Split(text, sqltext.TablePlaceholder) {
		if i > 0 {
			if left -= utf8.RuneCountInString(name); left < 0 {
				return at // inside the table's name
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
