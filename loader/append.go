package loader

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// ErrCellsExist reports cells to append that the table holds already.
var ErrCellsExist = errors.New("cells are in the table already")

// appendRows adds the rows of the staging table to those of the target, all in
// this transaction, and drops the staging table.
func (l *load) appendRows(ctx context.Context, tx pgx.Tx) error {
	columns := catalog.ColumnList(l.plan.Job.Columns())
	id := pgx.Identifier{l.plan.Job.IDColumn}.Sanitize()
	var both int64
	err := tx.QueryRow(ctx, "select count(*) from "+l.staging.SQL()+" s join "+l.target.SQL()+" t using ("+id+")").Scan(&both)
	if err != nil {
		return pg.Wrap(err, "looking for cells that table %s holds already", l.target)
	}
	skip := l.plan.Job.OnConflict == job.ConflictSkip
	if both > 0 && !skip {
		return fmt.Errorf("%d of %d %w, nothing was added: on-conflict skip would leave them as they are", both, l.plan.Rows, ErrCellsExist)
	}
	if l.partitioned {
		if err := l.createMissingPartitions(ctx, tx); err != nil {
			return err
		}
	}
	if err := l.lockForMaintenance(ctx, tx); err != nil {
		return err
	}
	sql := "insert into " + l.target.SQL() + " (" + columns + ") select " + columns + " from " + l.staging.SQL() + " s"
	if both > 0 {
		sql += " where not exists (select from " + l.target.SQL() + " t where t." + id + " = s." + id + ")"
	}
	sql += " order by " + id
	if skip { // one that somebody else adds at this moment, too
		sql += " on conflict (" + id + ") do nothing"
	}
	tag, err := tx.Exec(ctx, sql)
	if err != nil {
		return pg.Wrap(err, "adding the rows to table %s", l.target)
	}
	l.summary.RowsSkipped = l.plan.Rows - tag.RowsAffected()
	if err := l.checkAdded(ctx, tx, skip); err != nil {
		return err
	}
	if err := l.afterAppend(ctx, tx); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "drop table "+l.staging.SQL())
	return pg.Wrap(err, "dropping staging table %s", l.staging.Table)
}

// checkAdded sees to it that all cells are in the table now: the new ones, and
// those that were skipped.
func (l *load) checkAdded(ctx context.Context, tx pgx.Tx, skip bool) error {
	skipped := l.summary.RowsSkipped
	if skipped == 0 {
		return nil
	}
	if !skip {
		return fmt.Errorf("adding to table %s: %d rows planned, %d inserted", l.target, l.plan.Rows, l.plan.Rows-skipped)
	}
	id := pgx.Identifier{l.plan.Job.IDColumn}.Sanitize()
	var there int64
	err := tx.QueryRow(ctx, "select count(*) from "+l.staging.SQL()+" s join "+l.target.SQL()+" t using ("+id+")").Scan(&there)
	if err != nil {
		return pg.Wrap(err, "counting the cells of table %s", l.target)
	}
	if there != l.plan.Rows {
		return fmt.Errorf("adding to table %s: %d rows planned, %d of them are there", l.target, l.plan.Rows, there)
	}
	return nil
}

// warnSkipped says whose share of the cells on a shared border stays. It is for a
// table that is published: a try to publish may be thrown away and done again.
func (l *load) warnSkipped() {
	if l.summary.RowsSkipped == 0 {
		return
	}
	if l.plan.Job.Coverage {
		l.log.Warn("cells were in the table already and keep their coverage, which is the share of the area that was loaded first", "cells", l.summary.RowsSkipped)
	}
	if l.plan.Job.Clip {
		l.log.Warn("cells were in the table already and keep their geometry, which is cut by the area that was loaded first", "cells", l.summary.RowsSkipped)
	}
}

// lockForMaintenance takes the lock that afterAppend needs before the rows are
// added: met only then, a VACUUM that holds it would throw them all away again.
// Readers and writers go on. Who does not own the table gives it no maintenance.
func (l *load) lockForMaintenance(ctx context.Context, tx pgx.Tx) error {
	var owned bool
	err := tx.QueryRow(ctx, "select pg_has_role(relowner, 'USAGE') and has_table_privilege(oid, 'UPDATE') from pg_class where oid = $1", l.target.OID).Scan(&owned)
	if err == nil && owned {
		_, err = tx.Exec(ctx, "lock table "+l.target.SQL()+" in share update exclusive mode")
	}
	return pg.Wrap(err, "locking table %s for its statistics", l.target)
}

// afterAppend brings up to date what the server would only later: statistics,
// since the rows are more than they know, and the summaries of BRIN indexes, in
// which pages that are not summed up are read by each query. The latter needs
// the table's owner; from others, autovacuum does it.
func (l *load) afterAppend(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `
		with recursive tables (oid) as (select $1::oid union all select i.inhrelid from pg_inherits i join tables t on t.oid = i.inhparent)
		select brin_summarize_new_values(i.indexrelid) from tables t join pg_index i on i.indrelid = t.oid
		join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam
		where m.amname = 'brin' and c.relkind = 'i' and pg_has_role(c.relowner, 'USAGE')`, l.target.OID)
	if err != nil {
		return pg.Wrap(err, "summing up the BRIN indexes of table %s", l.target)
	}
	if l.partitioned {
		return nil // as a whole, once it is published
	}
	_, err = tx.Exec(ctx, "analyze "+l.target.SQL())
	return pg.Wrap(err, "analyzing table %s", l.target)
}
