package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// pruneSQL removes runs that ended longer than $1 seconds ago, of table $2.$3, or of all tables if the name is
// empty.
//
// It also removes runs that the table shows but that added nothing, if nobody needs them: there is a newer run of
// the same job, which has recorded the number of rows if this one has. Otherwise, a nightly job that finds all
// its cells in the table would fill the ledger with such runs.
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

// pruneSharedSQL removes shared attempts that ended as long ago, if they began no run, or their run has ended.
const pruneSharedSQL = `
	delete from {shared} s
	where s.ended_at < now() - make_interval(secs => $1) and ($3 = '' or s.schema_name = $2 and s.table_name = $3)
	  and not exists (select from {runs} r where r.id = s.run_id and r.state = 'loading')`

// Prune removes runs of a table, or of all tables if the name is empty. PruneRuns first looks for the ledger and
// migrates it.
func (l Ledger) Prune(ctx context.Context, q pg.Querier, t job.Table, age time.Duration) (int64, error) {
	tag, err := q.Exec(ctx, l.SQL(pruneSQL), age.Seconds(), t.Schema, t.Name)
	if err == nil { // in addition to those deleted with their runs
		_, err = q.Exec(ctx, l.SQL(pruneSharedSQL), age.Seconds(), t.Schema, t.Name)
	}

	return tag.RowsAffected(), pg.Wrap(err, "removing old runs from the ledger in schema %s", l.Schema)
}

// PruneRuns removes ended runs older than age, which is at least a second, from the ledger. It removes runs that
// were dropped, whose rows were replaced, whose table was dropped, or that added nothing because all their cells
// existed. It keeps the last run of each job, unfinished runs, and runs whose rows are in a table or in a kept
// version. It returns how many runs it removed. If there is no ledger, the error is a *NoLedgerError.
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
