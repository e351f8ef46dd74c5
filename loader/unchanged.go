package loader

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// errUnchanged ends a run that has nothing to do.
var errUnchanged = errors.New("the table holds what the job says already")

// readTableState looks at the table.
func readTableState(ctx context.Context, q pg.Querier, t catalog.Relation) (look ledger.TableState, err error) {
	if look.Columns, err = t.ColumnTypes(ctx, q); err != nil {
		return look, err
	}
	err = q.QueryRow(ctx, `
		with recursive tables (oid) as (select $1::oid union all select i.inhrelid from pg_inherits i join tables t on t.oid = i.inhparent)
		select coalesce(md5(string_agg(concat_ws(' ', c.oid, pg_relation_filenode(c.oid), c.relpersistence), ',' order by c.oid)), ''),
		       (select array_agg(a.attnum order by a.attnum) from pg_attribute a where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped),
		       (select coalesce(array_agg(d.def order by d.def), '{}') from (
		           select m.amname || case when i.indisunique then ' unique' else '' end || ' (' ||
		                  (select string_agg(pg_get_indexdef(i.indexrelid, k, true), ', ' order by k) from generate_series(1, i.indnkeyatts) k) || ')' ||
		                  coalesce(' where ' || pg_get_expr(i.indpred, i.indrelid), '') as def
		           from pg_index i join pg_class x on x.oid = i.indexrelid join pg_am m on m.oid = x.relam
		           where i.indrelid = $1 and i.indisvalid and i.indisready) d)
		from tables join pg_class c using (oid)`, t.OID).Scan(&look.Files, &look.Numbers, &look.Indexes)
	return look, pg.Wrap(err, "looking at the files and indexes of table %s", t.Table)
}

// recordTableState writes down how the run leaves the table with this oid.
func (l *load) recordTableState(ctx context.Context, tx pgx.Tx, oid uint32) error {
	shown := l.target
	shown.OID = oid
	err := shown.CheckNamed(ctx, tx)
	if err != nil {
		return err
	}
	look, err := readTableState(ctx, tx, shown)
	// Readers may wait meanwhile: only for a job that looks at it the next time.
	if err == nil && (l.hookWroteRows || l.modifiedBefore) && l.options.SkipUnchanged {
		err = l.countWriters(ctx, tx, &look)
	}
	if err != nil {
		return err
	}
	wrote := l.hookWroteRows || l.plan.Rows > l.summary.RowsSkipped
	return l.ledger.RecordState(ctx, tx, l.run, look, wrote)
}

// skipUnchanged returns errUnchanged where that is asked for and the table holds what
// the job says, and else tells why not.
func (l *load) skipUnchanged(ctx context.Context) error {
	if !l.options.SkipUnchanged {
		return nil
	}
	why, err := l.changed(ctx)
	if err != nil {
		return err
	}
	if why != "" {
		l.log.Info("the table is loaded anew", "why", why)
		return nil
	}
	l.log.Log(ctx, LevelEvent, "the table is unchanged", "made_by_run", l.summary.Run, "known", l.unchangedBy)
	// What another start of another job has left would be in nobody's way, for ever.
	run, found, err := l.ledger.Unfinished(ctx, l.lock.conn, l.target.Table)
	if err == nil && found && !l.mustKeepUnfinished(run) {
		l.log.Warn("dropping an unfinished run: the table holds what the job says", "unfinished_run", run.ID)
		err = dropRun(ctx, l.lock.conn, l.ledger, run)
	}
	return errors.Join(err, errUnchanged)
}

// changed says why the table is not, or may not be, what the job says; it is empty
// where it is.
func (l *load) changed(ctx context.Context) (why string, err error) {
	conn, t, j := l.lock.conn, l.target, l.plan.Job
	if t.OID == 0 {
		return "there is no table", nil
	}
	there, err := l.ledger.Exists(ctx, conn)
	if err != nil || !there {
		return "there is no ledger", err
	}
	if err := l.ledger.MigrateUp(ctx, l.pool); err != nil {
		return "", err
	}
	runs, err := l.ledger.ShownRuns(ctx, conn, t)
	if err != nil {
		return "", err
	}
	if len(runs) == 0 {
		return "the ledger does not know the table", nil
	}
	last, own, fingerprint := runs[0], runs[0], j.WithTable(t.Table).Fingerprint(l.plan.Cells)
	// A run that has noted how many rows there were in all knows those of the runs before.
	since := runs[:1+slices.IndexFunc(runs, func(r ledger.ShownRun) bool { return r.State != nil && r.State.Rows != nil })]
	if len(since) == 0 {
		since = runs
	}
	older := slices.IndexFunc(since, func(r ledger.ShownRun) bool { return r.State == nil })
	if j.IfExists == job.Append { // others may have added theirs since
		if i := slices.IndexFunc(runs, func(r ledger.ShownRun) bool { return r.Fingerprint == fingerprint }); i >= 0 {
			own = runs[i]
		}
	}
	switch {
	case own.Fingerprint != fingerprint:
		return fmt.Sprintf("the job is not that of run %d, which the table shows", own.ID), nil
	case len(runs) > 1 && j.IfExists != job.Append:
		return fmt.Sprintf("the table also has what %d runs have added", len(runs)-1), nil
	case own.Job.After != j.After:
		return "the step after has changed", nil
	}
	// Appending does not make the table what the runs have left: it is noted anew, else
	// it would count as touched for ever.
	l.modifiedBefore = j.IfExists == job.Append
	if older >= 0 {
		return fmt.Sprintf("run %d is of an older loadgrid, which has not noted how it left the table", runs[older].ID), nil
	}
	look, err := readTableState(ctx, conn, t)
	switch {
	case err != nil:
		return "", err
	case look.Files != last.State.Files:
		return "somebody has rewritten the table, or its partitions", nil
	case !slices.Equal(look.Columns, last.State.Columns), !slices.Equal(look.Numbers, last.State.Numbers):
		return "somebody has altered the columns", nil
	case slices.ContainsFunc(last.State.Indexes, func(d string) bool { return !slices.Contains(look.Indexes, d) }):
		return "somebody has dropped an index", nil
	}
	l.summary.Run, l.summary.Rows = own.ID, 0
	for _, r := range since {
		if r.State.Rows != nil { // with those of the runs before
			l.summary.Rows += *r.State.Rows
		} else {
			l.summary.Rows += r.Rows
		}
	}
	return l.rowsChanged(ctx, runs, since)
}

// rowsChanged reads the table, and looks whether each row is still the one that a run
// has written: a row bears the number of the transaction that wrote it, and so does
// the ledger's row of each chunk, which was written by the same. Freezing leaves both.
// runs are those whose rows the table shows, since the newest of them, down to one that
// has noted all rows.
func (l *load) rowsChanged(ctx context.Context, runs, since []ledger.ShownRun) (why string, err error) {
	quick, err := l.unwrittenByCounters(ctx, runs)
	if err != nil || quick {
		l.unchangedBy = "by the server's counters"
		return "", err
	}
	l.unchangedBy = "by reading it"
	ids, writers := make([]int64, len(runs)), []string{}
	for i, r := range runs {
		ids[i] = r.ID
	}
	for _, r := range since {
		writers = append(writers, r.State.Writers...)
	}
	var rows, others int64
	err = l.lock.conn.QueryRow(ctx, `
		select count(*), count(*) filter (where (t.xmin = any ((
			select array(select k.xmin from `+l.ledger.ChunksTable+` k where k.run_id = any ($1)
			             union all select r.published_xid::xid from `+l.ledger.RunsTable+` r where r.id = any ($1)
			             union all select w::xid from unnest($2::text[]) w))::xid[])) is not true)
		from `+l.target.SQL()+" t", ids, writers).Scan(&rows, &others)
	switch {
	case pg.HasCode(err, "42501"): // its owner, who has revoked his own grants, may replace it all the same
		return "it may not be read", nil
	case err != nil:
		return "", pg.Wrap(err, "looking for rows of table %s that somebody has changed", l.target)
	case others > 0:
		return fmt.Sprintf("%d of its rows were written by others", others), nil
	case rows != l.summary.Rows:
		return fmt.Sprintf("it has %d rows, the run has written %d", rows, l.summary.Rows), nil
	}
	return "", nil
}
