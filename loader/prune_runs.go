package loader

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
)

// PruneRuns removes from a ledger what it knows of runs that ended longer ago than
// age, at least a second: those that were dropped, whose rows were replaced, whose
// table somebody has dropped, or that found all their cells there and added none, but
// for the last of each job. Runs that are unfinished, and those whose rows a table
// shows or keeps, stay. It returns how many it has removed. Where there is no ledger,
// the error is a *NoLedgerError.
func PruneRuns(ctx context.Context, pool *pgxpool.Pool, ledgerSchema string, age time.Duration) (int64, error) {
	if age < time.Second {
		return 0, &geomgen.ParamError{Param: "older-than", Value: age.String(), Reason: "must be at least a second"}
	}
	l := newLedger(ledgerSchema)
	if err := l.find(ctx, pool); err != nil {
		return 0, err
	}
	if err := MigrateUp(ctx, pool, ledgerSchema); err != nil {
		return 0, err
	}
	return l.prune(ctx, pool, Table{}, age)
}

// prune removes runs of a table, or of all where that has no name.
func (l ledger) prune(ctx context.Context, q querier, t Table, age time.Duration) (int64, error) {
	tag, err := q.Exec(ctx, "delete from "+l.runs+` r
		where state <> 'loading' and finished_at < now() - make_interval(secs => $1)
		  and ($3 = '' or schema_name = $2 and table_name = $3)
		  and (not shown and kept_name is null or `+l.addedNothing()+`
		       or state = 'published' and not exists (select from pg_class c where c.oid = r.table_oid)
		          and not exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
		                          where n.nspname = r.schema_name and c.relname in (r.table_name, r.kept_name)))`,
		age.Seconds(), t.Schema, t.Name)
	return tag.RowsAffected(), serverError(err, "removing old runs from the ledger in schema %s", l.schema)
}

// addedNothing is SQL for whether a run, r, that the table shows has given it no row,
// and nobody will ask for it: a newer one is of the same job, and, where this one has
// noted how many rows there were, has noted it anew. A job that finds its cells there
// each night would fill the ledger with such runs.
func (l ledger) addedNothing() string {
	newer := "select from " + l.runs + " n where n.shown and n.id > r.id and (n.schema_name, n.table_name, n.table_oid) = (r.schema_name, r.table_name, r.table_oid)"
	return `shown and version_id <> id and rows_added = 0 and published_xid is null and imprint is not null
		       and exists (` + newer + ` and n.fingerprint = r.fingerprint)
		       and (not imprint ? 'rows' or exists (` + newer + ` and n.imprint ? 'rows'))`
}

// pruneRuns removes old runs of the table from the ledger. It is best effort: the
// table is published, and the next run tries again.
func (l *load) pruneRuns(ctx context.Context) {
	if l.options.PruneRuns == 0 {
		return
	}
	n, err := l.ledger.prune(ctx, l.lock.conn, l.target.Table, l.options.PruneRuns)
	if err != nil {
		l.log.Warn("old runs of the table are still in the ledger", "error", serverMessage(err))
	} else if n > 0 {
		l.log.Log(ctx, LevelEvent, "old runs were removed from the ledger", "runs", n)
	}
}
