package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// pruneSQL removes runs that ended longer ago than $1 seconds, of table $2.$3, or of all
// where that has no name.
//
// Among them are runs that the table shows, but that have added nothing, where nobody will
// ask for them: a newer one is of the same job, and, where this one has recorded how many
// rows there were, has recorded that, too. A job that finds its cells there each night
// would fill the ledger with such runs.
const pruneSQL = `
	with newer as (select id, schema_name, table_name, table_oid, fingerprint, imprint from {runs} where shown),
	there as (select k.mark from pg_constraint c, {key_mark}(c.conrelid::regclass) k
	          where c.contype = 'p' and k.mark is not null)
	delete from {runs} r
	where state <> 'loading' and finished_at < now() - make_interval(secs => $1)
	  and ($3 = '' or schema_name = $2 and table_name = $3)
	  and (not shown and kept_name is null
	       or shown and version_id <> id and rows_added = 0 and published_xid is null and imprint is not null
	          and exists (select from newer n where n.id > r.id and n.fingerprint = r.fingerprint
	                      and (n.schema_name, n.table_name, n.table_oid) = (r.schema_name, r.table_name, r.table_oid))
	          and (not imprint ? 'rows' or exists (
	              select from newer n where n.id > r.id and n.imprint ? 'rows'
	              and (n.schema_name, n.table_name, n.table_oid) = (r.schema_name, r.table_name, r.table_oid)))
	       or state = 'published' and not exists (select from pg_class c where c.oid = r.table_oid)
	          and id not in (select m.run_id from {marks} m join there t using (mark))
	          and not exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
	                          where n.nspname = r.schema_name and c.relname in (r.table_name, r.kept_name)))`

// pruneSharedSQL removes shared attempts that ended as long ago, and began no run or are of one
// that has ended.
const pruneSharedSQL = `
	delete from {shared} s
	where s.ended_at < now() - make_interval(secs => $1) and ($3 = '' or s.schema_name = $2 and s.table_name = $3)
	  and not exists (select from {runs} r where r.id = s.run_id and r.state = 'loading')`

// Prune removes runs of a table, or of all where that has no name: see PruneRuns, which
// also looks for the ledger and migrates it.
func (l Ledger) Prune(ctx context.Context, q pg.Querier, t job.Table, age time.Duration) (int64, error) {
	tag, err := q.Exec(ctx, l.SQL(pruneSQL), age.Seconds(), t.Schema, t.Name)
	if err == nil { // beside those that went with their runs
		_, err = q.Exec(ctx, l.SQL(pruneSharedSQL), age.Seconds(), t.Schema, t.Name)
	}

	return tag.RowsAffected(), pg.Wrap(err, "removing old runs from the ledger in schema %s", l.Schema)
}

// PruneRuns removes from a ledger what it knows of runs that ended longer ago than
// age, at least a second: those that were dropped, whose rows were replaced, whose
// table somebody has dropped, or that found all their cells there and added none. The last
// of each job stays. Runs that are unfinished, and those whose rows a table
// shows or keeps, stay. It returns how many it has removed. Where there is no ledger,
// the error is a *NoLedgerError.
func (l Ledger) PruneRuns(ctx context.Context, pool *pgxpool.Pool, age time.Duration) (int64, error) {
	if age < time.Second {
		return 0, &geomgen.ParamError{Param: "older-than", Value: age.String(), Reason: "must be at least a second"}
	}

	if err := l.check(ctx, pool); err != nil {
		return 0, err
	}

	if err := l.MigrateUp(ctx, pool); err != nil {
		return 0, err
	}

	return l.Prune(ctx, pool, job.Table{}, age)
}
