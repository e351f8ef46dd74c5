package loader

import (
	"context"
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
	err := retry(ctx, l.log, l.options.PublishFor, "publish", func() error {
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
	if err == nil {
		l.analyzeParent(ctx)
	}
	return err
}

// analyzeParent gathers the statistics of a parent that has new partitions. They
// have theirs; the parent's are for joins, and would keep readers waiting inside
// the transaction that publishes. It is best effort: the table is published.
func (l *load) analyzeParent(ctx context.Context) {
	if !l.partitioned || l.target.oid == 0 {
		return
	}
	var err error
	if l.plan.Method == MethodPartitions {
		err = l.analyzePartitioned(ctx, l.target)
	} else {
		err = l.exec(ctx, "analyze "+l.target.sql())
	}
	if err != nil {
		l.log.Warn("the table is published, but its statistics as a whole are those from before: run ANALYZE on it", "error", serverMessage(err))
	}
}

func (l *load) swap(ctx context.Context) error {
	err := pgx.BeginFunc(ctx, l.lock.conn, func(tx pgx.Tx) error {
		if err := setLocal(ctx, tx, setting{"lock_timeout", fmt.Sprint(publishLockTimeout.Milliseconds())}); err != nil {
			return err
		}
		now := l.target
		if err := now.find(ctx, tx); err != nil {
			return err
		}
		if now.oid != l.target.oid {
			return fmt.Errorf("table %s is not the one that was there when the run began: somebody made, dropped or replaced it; rename it and run the same command again", l.target)
		}
		if err := l.checkWhole(ctx, tx); err != nil {
			return err
		}
		oid, err := l.show(ctx, tx)
		if err != nil {
			return err
		}
		return l.ledger.published(ctx, tx, l.run, oid)
	})
	return serverError(lost(l.lock.conn.Conn(), err), "publishing table %s", l.target)
}

// show puts the rows where readers see them, and returns the table that has them.
func (l *load) show(ctx context.Context, tx pgx.Tx) (oid uint32, err error) {
	switch {
	case l.plan.Method == MethodPartitions && l.target.oid != 0:
		return l.target.oid, l.takePartitionsPlace(ctx, tx)
	case l.appends():
		return l.target.oid, l.appendRows(ctx, tx)
	}
	return l.staging.oid, l.takePlace(ctx, tx)
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
	if l.plan.Method == MethodPartitions {
		if err := l.namePartitions(ctx, tx, 0); err != nil {
			return err
		}
	} else if _, err := tx.Exec(ctx, "alter table "+l.staging.sql()+" reset (autovacuum_enabled)"); err != nil {
		return serverError(err, "giving %s back to autovacuum", l.staging.Table)
	}
	name := pgx.Identifier{l.target.Name}.Sanitize()
	if _, err := tx.Exec(ctx, "alter table "+l.staging.sql()+" rename to "+name); err != nil {
		return serverError(err, "renaming %s to %s", l.staging.Table, name)
	}
	indexes := func(t Table) []indexDef {
		return append(spatialDefs(t, l.plan.Job, l.index), codeDefs(t, l.plan.Job)...)
	}
	wanted := indexes(l.target.Table)
	for i, d := range indexes(l.staging.Table) {
		if _, err := l.renameIndex(ctx, tx, d.name, wanted[i].name); err != nil {
			return err
		}
	}
	if _, err := l.renameIndex(ctx, tx, keyIndex(l.staging.Table), keyIndex(l.target.Table)); err != nil {
		return err
	}
	return l.commentKey(ctx, tx)
}

// commentKey writes on the primary key who made the table: the table's own
// comment is the user's.
func (l *load) commentKey(ctx context.Context, tx pgx.Tx) error {
	var comment string
	err := tx.QueryRow(ctx, `
		select coalesce((select format('comment on constraint %I on %I.%I is %L', conname, $2::text, $3::text, $4::text)
		                 from pg_constraint where conrelid = ($1::text)::regclass and contype = 'p'), '')`,
		l.target.sql(), l.target.Schema, l.target.Name, fmt.Sprintf("loadgrid %s, run %d", l.options.Version, l.run)).Scan(&comment)
	if err == nil {
		_, err = tx.Exec(ctx, comment)
	}
	return serverError(err, "writing the comment of the primary key")
}

// checkWhole sees to it that nothing has emptied the staging table since its rows
// were counted: no part of it is gone or without a page. A crash of the server
// does that to an unlogged table, and somebody may to any.
func (l *load) checkWhole(ctx context.Context, tx pgx.Tx) error {
	var whole bool
	parts := int64(1)
	if l.plan.Method == MethodPartitions {
		parts = l.plan.Chunks
	}
	err := tx.QueryRow(ctx, `
		with recursive tables (oid) as (select $1::oid union all select i.inhrelid from pg_inherits i join tables t on t.oid = i.inhparent)
		select count(*) = $2 and coalesce(bool_and(pg_relation_size(c.oid) > 0), false)
		from tables join pg_class c using (oid) where c.relkind = 'r'`, l.staging.oid, parts).Scan(&whole)
	if err != nil {
		return serverError(err, "looking at table %s", l.staging.Table)
	}
	if whole {
		return nil
	}
	if l.plan.Job.Unlogged {
		return errUnloggedLost
	}
	return fmt.Errorf("staging table %s is not whole any more: somebody changed it: drop the run with %s and start over",
		l.staging.Table, runsCommand("drop", l.run, l.ledger.schema))
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
