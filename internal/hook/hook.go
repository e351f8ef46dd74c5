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
		s += fmt.Sprintf(": a statement has %s, see %s-timeout", e.Limit, e.Hook)
	}

	return s
}

func (e *Error) Unwrap() error { return e.Err }

// ServerMessage returns the message for people, which names the statement: see package
// pg.
func (e *Error) ServerMessage() string { return e.Error() }

// run sends one statement after the other, and reports which one failed.
func run(ctx context.Context, h job.Hook, conn *pgx.Conn, t job.Table) error {
	name := catalog.QuoteTable(t)
	list := sqltext.Statements(h.SQL)

	for i, st := range list {
		sql := strings.ReplaceAll(st.Text, sqltext.TablePlaceholder, name)
		if err := send(ctx, h, conn, sql); err != nil {
			e := &Error{Hook: h.Name, No: i + 1, Of: len(list), Limit: h.Limit(), Err: err}
			e.Line, e.Column = sqltext.LineColumn(h.SQL, st.Offset+positionIn(st.Text, name, err))
			return e
		}
	}

	return nil
}

// send runs a statement and reads what it returns to the end. The server has a time
// limit for it; should a function catch that, this end has one, too.
func send(ctx context.Context, h job.Hook, conn *pgx.Conn, sql string) error {
	bounded, cancel := context.WithTimeoutCause(ctx, h.Limit()+pg.StatementGrace, pg.ErrStatementTimeout)
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
