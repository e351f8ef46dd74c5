package integration

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// reader queries a table continuously while a fault happens to its load.
type reader struct {
	s       sandbox
	table   string
	cancel  context.CancelFunc
	done    chan struct{}
	seen    []string // what it saw, without repetitions in a row
	queries int
	longest time.Duration // of a query
	failed  error         // an error that no fault explains
}

// readerEvery is the pause between two queries, which leaves time for other work on the machine.
const readerEvery = 25 * time.Millisecond

// startReader starts a reader. If the server goes away, the reader reconnects as often as necessary.
func (s sandbox) startReader(table string) *reader {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &reader{s: s, table: table, cancel: cancel, done: make(chan struct{})}
	s.t.Cleanup(cancel)
	go func() {
		defer close(r.done)
		r.read(ctx)
	}()
	return r
}

func (r *reader) read(ctx context.Context) {
	var conn *pgx.Conn
	defer func() {
		if conn != nil {
			_ = conn.Close(context.Background())
		}
	}()

	for ; ctx.Err() == nil; time.Sleep(readerEvery) {
		if conn == nil || conn.IsClosed() {
			var err error
			if conn, err = pgx.ConnectConfig(ctx, r.s.pool.Config().ConnConfig); err != nil {
				conn = nil
				continue // the server is away
			}
		}

		began := time.Now()
		now, err := describeTable(ctx, conn, r.s.name(r.table))
		if err != nil {
			var pgErr *pgconn.PgError
			if ctx.Err() == nil && !conn.IsClosed() && errors.As(err, &pgErr) {
				r.failed = err
				return
			}
			continue
		}

		r.queries++
		r.longest = max(r.longest, time.Since(began))
		if len(r.seen) == 0 || r.seen[len(r.seen)-1] != now {
			r.seen = append(r.seen, now)
		}
	}
}

// describeTable describes the contents of a table.
func describeTable(ctx context.Context, conn *pgx.Conn, table string) (string, error) {
	var seen string
	err := conn.QueryRow(ctx, "select count(*) || ' rows, ' || count(distinct cell_id) || ' ids up to ' || coalesce(max(cell_id)::text, 'none') from "+table).Scan(&seen)
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Code == pgerrcode.UndefinedTable {
		return "no table", nil
	}
	return seen, err
}

// stop ends the reader. It checks that the reader saw only the old version followed by the new one, and
// no error.
func (r *reader) stop(before string) {
	r.s.t.Helper()
	// Look once more at the final state, independently of the reader's pace.
	after := r.s.tableState(r.table)
	r.cancel()
	<-r.done
	if r.failed != nil {
		r.s.t.Errorf("a reader of %s met an error: %v", r.table, r.failed)
	}
	if r.queries == 0 {
		r.s.t.Errorf("the reader of %s never ran a query", r.table)
	}
	if !slices.Equal(r.seen, []string{before, after}) && !slices.Equal(r.seen, []string{before}) && !slices.Equal(r.seen, []string{after}) {
		r.s.t.Errorf("a reader of %s saw %s, not %s and then %s", r.table, strings.Join(r.seen, ", then "), before, after)
	}
}

// tableState describes the contents of a table, on a connection of its own.
func (s sandbox) tableState(table string) string {
	conn, err := pgx.ConnectConfig(context.Background(), s.pool.Config().ConnConfig)
	if err != nil {
		return err.Error()
	}
	defer conn.Close(context.Background())
	seen, err := describeTable(context.Background(), conn, s.name(table))
	if err != nil {
		return err.Error()
	}

	return seen
}
