package pg

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// NewBackOff returns pauses from half a second to ten seconds, with jitter.
func NewBackOff() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.MaxInterval = 10 * time.Second
	return b
}

// TransactionTimeout is the SQLSTATE of transaction_timeout, which PostgreSQL 17 has but pgerrcode does not.
const TransactionTimeout = "25P04"

// IsTransient reports, by SQLSTATE or by the type of the error, whether the same step may succeed later. An error
// with a method Transient decides for itself.
func IsTransient(err error) bool {
	if errors.Is(err, ErrStatementTimeout) {
		return false // this end closed the connection, and would do so again
	}

	var own interface {
		error
		Transient() bool
	}
	if errors.As(err, &own) {
		return own.Transient()
	}

	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		switch pgErr.Code {
		case pgerrcode.SerializationFailure, pgerrcode.DeadlockDetected, pgerrcode.TooManyConnections, pgerrcode.LockNotAvailable,
			// The server ended the session. Other codes of class 57 are not transient: somebody cancelled the
			// statement, or dropped the database.
			pgerrcode.AdminShutdown, pgerrcode.CrashShutdown, pgerrcode.CannotConnectNow, pgerrcode.IdleSessionTimeout,
			pgerrcode.IdleInTransactionSessionTimeout, TransactionTimeout:
			return true
		}

		// The connection. Poolers also use this class for what happens behind them. Citus has no code for a lost
		// node; an error without a code on the node itself looks the same.
		return strings.HasPrefix(pgErr.Code, "08") ||
			slices.Contains([]string{"remote_transaction.c", "remote_commands.c", "multi_copy.c"}, pgErr.File) &&
				(pgErr.Code == pgerrcode.InternalError || pgErr.Code == pgerrcode.IOError)
	}

	var lost *lostError

	return errors.As(err, &lost) || pgconn.SafeToRetry(err) || isNetwork(err)
}

// lostError reports that a connection broke, whatever the driver calls it.
type lostError struct{ err error }

func (e *lostError) Error() string { return "the connection broke: " + e.err.Error() }

func (e *lostError) Unwrap() error { return e.err }

// MarkConnClosed marks an error after which the connection is closed. A closed connection causes different
// errors, depending on what the driver was doing.
func MarkConnClosed(conn *pgx.Conn, err error) error {
	var pgErr *pgconn.PgError
	if err == nil || !conn.IsClosed() || errors.As(err, &pgErr) {
		return err
	}

	if c := watched(conn.PgConn().Conn()); c != nil && errors.Is(err, pgconn.ErrConnClosed) {
		if cause := c.closeError(); cause != nil {
			err = cause
		}
	}

	if errors.As(err, new(*lostError)) || errors.As(err, new(*StallError)) {
		return err // it is marked already
	}

	return &lostError{err}
}
