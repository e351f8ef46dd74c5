package loader

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// publishLockTimeout is how long publish lets readers queue behind it before it
// steps back and tries again later.
const publishLockTimeout = 2 * time.Second

// publish makes the finished table visible, in one transaction together with
// its state in the ledger: readers see what was there before, or all of it. It
// runs on the connection that holds the table's lock, so that a run which has
// lost the lock cannot publish.
func (l *load) publish(ctx context.Context) error {
	return retry(ctx, l.log, publishFor, "publish", func() error {
		if err := l.keepLock(ctx); err != nil {
			return err
		}
		// An earlier try may have been committed although its answer was lost.
		run, found, err := l.ledger.run(ctx, l.lock.conn, l.run)
		if err != nil {
			return err
		}
		if !found || run.State == StateDropped {
			return fmt.Errorf("run %d was dropped from the ledger in the meantime", l.run)
		}
		if run.State == StatePublished {
			return nil
		}
		return l.swap(ctx)
	})
}

func (l *load) swap(ctx context.Context) error {
	err := pgx.BeginFunc(ctx, l.lock.conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "select set_config('lock_timeout', $1, true)", fmt.Sprint(publishLockTimeout.Milliseconds()))
		if err != nil {
			return err
		}
		now := l.target
		if err := now.find(ctx, tx); err != nil {
			return err
		}
		if now.oid != l.target.oid {
			return fmt.Errorf("table %s is not the one that was there when the run began: somebody made, dropped or replaced it; rename it and run the same command again", l.target)
		}
		oid := l.staging.oid
		if l.appends() {
			oid = l.target.oid
			err = l.appendRows(ctx, tx)
		} else {
			err = l.takePlace(ctx, tx)
		}
		if err != nil {
			return err
		}
		return l.ledger.published(ctx, tx, l.run, oid)
	})
	return serverError(lost(l.lock.conn.Conn(), err), "publishing table %s", l.target)
}

// takePlace drops the old table, if there is one, and gives the new one its name.
func (l *load) takePlace(ctx context.Context, tx pgx.Tx) error {
	if l.target.oid != 0 {
		if err := l.inherit(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "drop table "+l.target.sql()); err != nil {
			return serverError(err, "dropping the old table %s", l.target)
		}
	}
	name := pgx.Identifier{l.target.Name}.Sanitize()
	if _, err := tx.Exec(ctx, "alter table "+l.staging.sql()+" rename to "+name); err != nil {
		return serverError(err, "renaming %s to %s", l.staging.Table, name)
	}
	if _, err := l.renameIndex(ctx, tx, spatialIndex(l.staging.Table, l.plan.Job), spatialIndex(l.target.Table, l.plan.Job)); err != nil {
		return err
	}
	key, err := l.renameIndex(ctx, tx, keyIndex(l.staging.Table), keyIndex(l.target.Table))
	if err != nil {
		return err
	}
	// The table's own comment is the user's.
	var comment string
	err = tx.QueryRow(ctx, "select format('comment on constraint %I on %I.%I is %L', $1::text, $2::text, $3::text, $4::text)",
		key, l.target.Schema, l.target.Name, fmt.Sprintf("loadgrid %s, run %d", l.options.Version, l.run)).Scan(&comment)
	if err == nil {
		_, err = tx.Exec(ctx, comment)
	}
	return serverError(err, "writing the comment of the primary key")
}

// inherit gives the staging table what people have set on the old one: its
// owner, its grants, its comment.
func (l *load) inherit(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `
		with old as (select * from pg_class where oid = $1)
		select format('comment on table %s is %L', $2::text, obj_description(oid, 'pg_class'))
		from old where obj_description(oid, 'pg_class') is not null
		union all
		select format('alter table %s owner to %I', $2::text, pg_get_userbyid(relowner)) from old
		where pg_get_userbyid(relowner) <> current_user
		union all
		select format('revoke all on table %s from %I', $2::text, pg_get_userbyid(relowner)) from old where relacl is not null
		union all
		select format('grant %s on table %s to %s%s', privilege_type, $2::text,
		              case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end,
		              case when is_grantable then ' with grant option' else '' end)
		from old, aclexplode(relacl)`, l.target.oid, l.staging.sql())
	if err != nil {
		return serverError(err, "reading owner, grants and comment of table %s", l.target)
	}
	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return serverError(err, "reading owner, grants and comment of table %s", l.target)
	}
	for _, sql := range statements {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return serverError(err, "giving the new table what the old one had: %s", sql)
		}
	}
	return nil
}

// renameIndex gives an index of the staging table its name on the published one,
// or that name with a number where it is taken, as PostgreSQL does.
func (l *load) renameIndex(ctx context.Context, tx pgx.Tx, old, wanted string) (string, error) {
	name := wanted
	for n := 1; ; n++ {
		there := target{Table: Table{l.target.Schema, name}}
		if err := there.find(ctx, tx); err != nil {
			return "", err
		}
		if there.oid == 0 {
			break
		}
		number := strconv.Itoa(n)
		name = wanted
		for len(name)+len(number) > maxIdentifier {
			name = withoutLastRune(name)
		}
		name += number
	}
	_, err := tx.Exec(ctx, "alter index "+Table{l.target.Schema, old}.sql()+" rename to "+pgx.Identifier{name}.Sanitize())
	return name, serverError(err, "renaming index %s to %s", old, name)
}

// ErrCellsExist reports cells to append that the table holds already.
var ErrCellsExist = errors.New("cells are in the table already")

// appendRows adds the rows of the staging table to those of the target, all in
// this transaction, and drops the staging table.
func (l *load) appendRows(ctx context.Context, tx pgx.Tx) error {
	columns := columnList(l.plan.Job.columns())
	id := pgx.Identifier{l.plan.Job.IDColumn}.Sanitize()
	var both int64
	err := tx.QueryRow(ctx, "select count(*) from "+l.staging.sql()+" s join "+l.target.sql()+" t using ("+id+")").Scan(&both)
	if err != nil {
		return serverError(err, "looking for cells that table %s holds already", l.target)
	}
	if both > 0 {
		return fmt.Errorf("%d of %d %w, nothing was added", both, l.plan.Rows, ErrCellsExist)
	}
	tag, err := tx.Exec(ctx, "insert into "+l.target.sql()+" ("+columns+") select "+columns+" from "+l.staging.sql()+" order by "+id)
	if err != nil {
		return serverError(err, "adding the rows to table %s", l.target)
	}
	if tag.RowsAffected() != l.plan.Rows {
		return fmt.Errorf("adding to table %s: %d rows planned, %d inserted", l.target, l.plan.Rows, tag.RowsAffected())
	}
	// Its rows are more than those that its statistics know.
	if _, err := tx.Exec(ctx, "analyze "+l.target.sql()); err != nil {
		return serverError(err, "analyzing table %s", l.target)
	}
	_, err = tx.Exec(ctx, "drop table "+l.staging.sql())
	return serverError(err, "dropping staging table %s", l.staging.Table)
}
