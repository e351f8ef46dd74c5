package unchanged

import (
	"context"
	"slices"
	"time"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// quietPeriod is how long another session must have been idle for its writes to be in the server's
// counters: from PostgreSQL 15 on, an idle session reports them within ten seconds.
const quietPeriod = 15 * time.Second

const countersSQL = catalog.WithTree + `
	select (select coalesce(sum(pg_stat_get_tuples_inserted(oid)) = $2 and sum(pg_stat_get_tuples_updated(oid) + pg_stat_get_tuples_deleted(oid)) = 0
	                        and bool_and(pg_stat_get_last_analyze_time(oid) <= (select finished_at from {runs} where id = $5)), false)
	        from tables join pg_class c using (oid) where c.relkind = 'r')
	   and not exists (select from pg_stat_activity
	                   where datname = current_database() and pid <> all ($3) and backend_type is distinct from 'autovacuum worker'
	                     and (state is distinct from 'idle' or state_change is null or state_change > clock_timestamp() - make_interval(secs => $4)))`

// unwrittenByCounters reports whether the server's counters prove that nobody has written to the
// table since it was filled, so that it need not be read. For the proof, the total number of
// inserted rows must equal the number that the run copied, no row was updated or deleted, and no
// other session may have uncounted writes.
//
// A crash of the server resets the counters to zero, and people may reset them, too. Later writes
// could add up to the same numbers. The run's own ANALYZE is therefore counted as well, and must be
// the last. A role without pg_read_all_stats sees nulls instead of the state, times and kind of
// another role's session, which prove nothing.
func (q Question) unwrittenByCounters(ctx context.Context, runs []ledger.ShownRun, rows int64) (bool, error) {
	made := runs[0].Job
	if len(runs) > 1 || made.SharesFiles() || made.After != "" {
		return false, nil // others have written to the same files
	}

	own, err := q.flushOwnCounters(ctx)
	if err != nil || own == nil {
		return false, err
	}

	var quiet bool
	err = q.Lock.Conn().QueryRow(ctx, q.Ledger.SQL(countersSQL),
		q.Table.OID, rows, own, quietPeriod.Seconds(), runs[0].ID).Scan(&quiet)

	return quiet, pg.Wrap(err, "asking the server what was written to table %s", q.Table)
}

// flushOwnCounters makes this client's own sessions report their writes: a caller's pool may have
// written to the table a moment ago. It returns their process IDs, or none if the server does not
// count, or not in this way.
func (q Question) flushOwnCounters(ctx context.Context) (own []uint32, err error) {
	var counts bool
	err = q.Lock.Conn().QueryRow(ctx,
		"select current_setting('server_version_num')::int >= 150000 and current_setting('track_counts')::bool").Scan(&counts)
	if err != nil || !counts {
		return nil, pg.Wrap(err, "asking the server whether it counts what is written")
	}

	idle := q.Pool.AcquireAllIdle(ctx)
	if q.Callers != q.Pool {
		idle = append(idle, q.Callers.AcquireAllIdle(ctx)...)
	}
	defer func() {
		for _, conn := range idle {
			conn.Release()
		}
	}()

	for _, conn := range append(slices.Clip(idle), q.Lock.Conn()) {
		// A session that is broken, or refuses, counts as another client's.
		if _, err := conn.Exec(ctx, "select pg_stat_force_next_flush()"); err == nil {
			own = append(own, conn.Conn().PgConn().PID())
		}
	}

	return own, nil
}
