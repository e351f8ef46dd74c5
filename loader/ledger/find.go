package ledger

import (
	"cmp"
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// Runs returns runs of a ledger, newest first. If there is no ledger, the error is a *NoLedgerError.
func (l Ledger) Runs(ctx context.Context, pool *pgxpool.Pool, f RunFilter) ([]RunInfo, error) {
	if err := l.check(ctx, pool); err != nil {
		return nil, err
	}

	where, args := "where ($1 = '' or r.table_name = $1) and ($2 = '' or r.schema_name = $2)", []any{f.Table.Name, f.Table.Schema, f.Limit}
	if f.Batch != "" {
		if shared, err := l.KnowsShared(ctx, pool); err != nil || !shared {
			return nil, err
		}
		where, args = where+l.SQL(" and r.id in (select run_id from {shared} where batch = $4 and attempt is not null)"), append(args, f.Batch)
	}

	runs, err := l.query(ctx, pool, where+" order by r.id desc limit nullif($3, 0)", args...)
	if err != nil {
		return nil, err
	}

	return runs, l.histories(ctx, pool, runs)
}

// Again reads runs again. Their order may change.
func (l Ledger) Again(ctx context.Context, pool *pgxpool.Pool, runs []RunInfo) ([]RunInfo, error) {
	ids := make([]int64, len(runs))
	for i, r := range runs {
		ids[i] = r.ID
	}

	now, err := l.query(ctx, pool, "where r.id = any($1)", ids)
	if err != nil {
		return nil, err
	}

	return now, l.histories(ctx, pool, now)
}

// FindRun returns a run by its number. The error is a *NoRunError if there is no such run, and a *NoLedgerError
// if there is no ledger.
func (l Ledger) FindRun(ctx context.Context, pool *pgxpool.Pool, id int64) (RunInfo, error) {
	if err := l.check(ctx, pool); err != nil {
		return RunInfo{}, err
	}

	run, found, err := l.Find(ctx, pool, id)
	if err != nil || !found {
		return run, cmp.Or(err, error(&NoRunError{l.Schema, id}))
	}

	if err := l.ReadArea(ctx, pool, &run); err != nil {
		return run, err
	}

	runs := []RunInfo{run}
	err = l.histories(ctx, pool, runs)

	return runs[0], err
}

// check returns a *NoLedgerError if there is no ledger.
func (l Ledger) check(ctx context.Context, pool *pgxpool.Pool) error {
	there, err := l.Exists(ctx, pool)
	if err == nil && !there {
		err = &NoLedgerError{l.Schema, pool.Config().ConnConfig.Database}
	}
	return err
}

func (l Ledger) query(ctx context.Context, q pg.Querier, where string, args ...any) ([]RunInfo, error) {
	rows, err := q.Query(ctx, "select r.*, c.* from "+l.fromRuns(runColumns)+" cross join lateral"+
		" (select count(*) as n, coalesce(sum(rows), 0)::bigint as rows from "+l.ChunksTable+" where run_id = r.id) c "+where, args...)
	if err != nil {
		return nil, pg.Wrap(err, "reading runs from the ledger in schema %s", l.Schema)
	}

	runs, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (RunInfo, error) {
		var r RunInfo
		var version *int64
		var kept, name *string
		err := row.Scan(&r.ID, &r.Table.Schema, &r.Table.Name, &r.State, &r.Chunks, &r.Rows, &r.Attempts, &r.StartedAt, &r.FinishedAt,
			&r.LastError, &r.Version, &r.Fingerprint, &r.Job, &r.Staging, &version, &r.Shown, &kept, &name, &r.Committed, &r.RowsDone)
		if version != nil {
			r.TableVersion = *version
		}

		if kept != nil {
			r.KeptAs = *kept
		}

		if name != nil {
			r.JobName = *name
		}

		r.Starts = r.Attempts

		return r, err
	})

	return runs, pg.Wrap(err, "reading runs from the ledger in schema %s", l.Schema)
}

// Unfinished returns the run of a table that has begun and not ended.
func (l Ledger) Unfinished(ctx context.Context, q pg.Querier, t job.Table) (run RunInfo, found bool, err error) {
	runs, err := l.query(ctx, q, "where r.schema_name = $1 and r.table_name = $2 and r.state = 'loading'", t.Schema, t.Name)
	if err != nil || len(runs) == 0 {
		return RunInfo{}, false, err
	}
	return runs[0], true, nil
}

// Unsettled returns the last published run of a table if it has an error: its commit may not have reached all
// nodes of a Citus cluster.
func (l Ledger) Unsettled(ctx context.Context, q pg.Querier, t job.Table) (run RunInfo, found bool, err error) {
	runs, err := l.query(ctx, q, "where r.schema_name = $1 and r.table_name = $2 and r.state = 'published' order by r.id desc limit 1", t.Schema, t.Name)
	if err != nil || len(runs) == 0 || runs[0].LastError == "" {
		return RunInfo{}, false, err
	}
	return runs[0], true, nil
}

// Find returns a run by its number.
func (l Ledger) Find(ctx context.Context, q pg.Querier, id int64) (run RunInfo, found bool, err error) {
	runs, err := l.query(ctx, q, "where r.id = $1", id)
	if err != nil || len(runs) == 0 {
		return RunInfo{}, false, err
	}
	return runs[0], true, nil
}

const runColumns = `id, schema_name, table_name, state, chunks, rows, starts, started_at, finished_at,
	coalesce(last_error, '') as last_error, version, fingerprint, job, staging_name`
