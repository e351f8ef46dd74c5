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

// NewBackOff are half a second at first, and ten at most, with jitter.
func NewBackOff() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.MaxInterval = 10 * time.Second
	return b
}

// TransactionTimeout is the SQLSTATE of transaction_timeout, which PostgreSQL 17 has
// and pgerrcode does not.
const TransactionTimeout = "25P04"

// IsTransient tells, by SQLSTATE or by the type of the error, whether the same
// step may succeed in a while. An error with a method Transient says so itself.
func IsTransient(err error) bool {
	if errors.Is(err, ErrStatementTimeout) {
		return false // this end has hung up, and would again
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
			// The server has ended the session. Not the others of the class 57: somebody
			// has cancelled the statement, or dropped the database.
			pgerrcode.AdminShutdown, pgerrcode.CrashShutdown, pgerrcode.CannotConnectNow, pgerrcode.IdleSessionTimeout,
			pgerrcode.IdleInTransactionSessionTimeout, TransactionTimeout:
			return true
		}

		// The connection. Poolers give what happens behind them this class, too. Citus has no code for
		// a node that is lost; an error without a code on the node itself looks the same.
		return strings.HasPrefix(pgErr.Code, "08") ||
			slices.Contains([]string{"remote_transaction.c", "remote_commands.c", "multi_copy.c"}, pgErr.File) &&
				(pgErr.Code == pgerrcode.InternalError || pgErr.Code == pgerrcode.IOError)
	}

	var lost *lostError

	return errors.As(err, &lost) || pgconn.SafeToRetry(err) || isNetwork(err)
}

// lostError reports that a connection broke, whatever the driver called it.
type lostError struct{ err error }

func (e *lostError) Error() string { return "the connection broke: " + e.err.Error() }

func (e *lostError) Unwrap() error { return e.err }

// MarkConnClosed marks an error after which the connection is closed. A closed connection
// shows as different errors, by what the driver was doing.
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
		return err // it says so already
	}

	return &lostError{err}
}
