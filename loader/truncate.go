package loader

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// truncates tells whether the rows take the place of those of a table that stays.
func (l *load) truncates() bool {
	return l.target.OID != 0 && l.plan.Job.Publish == job.PublishTruncate
}

// fills tells whether the rows go into a table that is there.
func (l *load) fills() bool { return l.appends() || l.truncates() }

// checkTruncate sees to it that the table can be emptied and filled.
func (l *load) checkTruncate(ctx context.Context, conn pg.Querier) error {
	t := &l.target
	var may bool
	err := conn.QueryRow(ctx, `select has_table_privilege($1::oid, 'SELECT') and has_table_privilege($1::oid, 'INSERT')
		and has_table_privilege($1::oid, 'TRUNCATE')`, t.OID).Scan(&may)
	if err != nil {
		return pg.Wrap(err, "looking up privileges on table %s", t.Table)
	}
	if !may {
		return &pg.ServerError{Doing: "emptying and filling table " + t.String(), Err: errors.New("the role may not do that (SQLSTATE 42501)"),
			Advice: "grant select, insert, truncate on " + t.SQL() + " to it"}
	}
	return t.CheckForeignKeys(ctx, conn)
}

// truncateRows gives the table the rows of the staging table in place of its own,
// all in this transaction, and drops the staging table. Readers wait meanwhile.
// Indexes that no constraint needs are built over the new rows at the end: filled
// row by row, a spatial one takes several times as long.
func (l *load) truncateRows(ctx context.Context, tx pgx.Tx) error {
	owned, err := l.ownsTarget(ctx, tx)
	if err != nil {
		return err
	}
	var drop, build []string
	if owned {
		if drop, build, err = l.target.RebuildableIndexes(ctx, tx); err != nil {
			return err
		}
	}
	columns := catalog.ColumnList(l.plan.Job.Columns())
	// The lock comes first, and is waited for only as long as readers may queue.
	if _, err := tx.Exec(ctx, strings.Join(append([]string{"truncate table " + l.target.SQL()}, drop...), "; ")); err != nil {
		return pg.Wrap(err, "emptying table %s", l.target)
	}
	tag, err := tx.Exec(ctx, "insert into "+l.target.SQL()+" ("+columns+") select "+columns+" from "+l.staging.SQL()+
		" order by "+pgx.Identifier{l.plan.Job.IDColumn}.Sanitize())
	if err != nil {
		return pg.Wrap(err, "filling table %s", l.target)
	}
	if n := tag.RowsAffected(); n != l.plan.Rows {
		return fmt.Errorf("filling table %s: %d rows planned, %d inserted", l.target, l.plan.Rows, n)
	}
	if err := pg.SetLocal(ctx, tx, l.settings.SortMemory(l.plan.Rows, catalog.SortedBox, 1)); err != nil {
		return err
	}
	for _, sql := range build {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return pg.Wrap(err, "building the indexes of table %s: %s", l.target, sql)
		}
	}
	if err := l.afterAppend(ctx, tx); err != nil {
		return err
	}
	if owned {
		if err := l.commentKey(ctx, tx); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, "drop table "+l.staging.SQL())
	return pg.Wrap(err, "dropping staging table %s", l.staging.Table)
}

func (l *load) ownsTarget(ctx context.Context, q pg.Querier) (owned bool, err error) {
	err = q.QueryRow(ctx, "select pg_has_role(relowner, 'USAGE') from pg_class where oid = $1", l.target.OID).Scan(&owned)
	return owned, pg.Wrap(err, "looking up the owner of table %s", l.target)
}
