package loader

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// retryFor bounds how long one step is tried again while the server is away:
	// long enough for a restart, short enough for somebody who waits.
	retryFor = 2 * time.Minute
	// publishFor bounds how long publish waits for readers to leave the table, when
	// the options do not say.
	publishFor = 10 * time.Minute
)

// retry runs do until it succeeds, its error is not one that time mends, or
// limit has passed since it first failed. Each failed try is logged once, with attrs,
// and counted.
func (l *load) retry(ctx context.Context, limit time.Duration, doing string, do func() error, attrs ...any) error {
	try := 0
	var failed time.Time // the first time in a row
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		began := time.Now()
		err := do()
		// A try that went well for longer than the limit is a new beginning.
		if failed.IsZero() || time.Since(began) > limit {
			failed = time.Now()
		}
		if err != nil && (!transient(err) || ctx.Err() != nil || time.Since(failed) > limit) {
			return struct{}{}, backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithMaxElapsedTime(0), backoff.WithBackOff(waits()), backoff.WithNotify(func(err error, wait time.Duration) {
		try++
		l.retries.add(l.progress.Snapshot().Stage, doing, err)
		about := slices.Clip(attrs)
		if code := sqlState(err); code != "" {
			about = append(about, "sqlstate", code)
		}
		l.log.With(about...).Warn("trying again", "doing", doing, "try", try, "wait", wait.Round(time.Millisecond).String(), "error", serverMessage(err))
	}))
	return err
}

// waits are half a second at first, and ten at most, with jitter.
func waits() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.MaxInterval = 10 * time.Second
	return b
}

// transient tells, by SQLSTATE or by the type of the error, whether the same
// step may succeed in a while.
func transient(err error) bool {
	if errors.Is(err, errSQLTimeout) {
		return false // this end has hung up, and would again
	}
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		switch pgErr.Code {
		case "40001", "40P01", // serialization failure, deadlock
			"53300", // too many connections
			"55P03", // lock timeout
			// Shut down by an administrator, crashed, starting or stopping, too long
			// idle. Not the others of the class: somebody has cancelled the statement
			// (57014), or dropped the database (57P04).
			"57P01", "57P02", "57P03", "57P05",
			"25P03", "25P04": // too long in a transaction: the server has ended the session
			return true
		}
		// The connection. Poolers give what happens behind them this class, too.
		return strings.HasPrefix(pgErr.Code, "08")
	}
	var lost *lostError
	return errors.As(err, &lost) || pgconn.SafeToRetry(err) || isNetwork(err)
}

// lostError reports that a connection broke, whatever the driver called it.
type lostError struct{ err error }

func (e *lostError) Error() string { return "the connection broke: " + e.err.Error() }
func (e *lostError) Unwrap() error { return e.err }

// markConnClosed marks an error after which the connection is closed. A closed connection
// shows as different errors, by what the driver was doing.
func markConnClosed(conn *pgx.Conn, err error) error {
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
