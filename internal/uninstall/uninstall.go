package uninstall

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/publish"
	"github.com/loadgrid/loadgrid/internal/setting"
	"github.com/loadgrid/loadgrid/internal/tablelock"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// lockTimeout is how long the removal waits for the locks of others on a table. More sessions queue
// behind it during that time.
const lockTimeout = 2 * time.Second

// DependentsError reports objects of users that depend on the objects to remove.
type DependentsError struct{ Objects []string }

func (e *DependentsError) Error() string {
	return "nothing was removed, because these depend on what would be removed: " + strings.Join(e.Objects, ", ") + ": drop them or change what they refer to"
}

// OwnerError reports that another role owns a part of the ledger.
type OwnerError struct{ Object, Owner string }

func (e *OwnerError) Error() string {
	return fmt.Sprintf("nothing was removed: role %s owns %s: run the command as that role or as a member of it", e.Owner, e.Object)
}

// Remove removes in one transaction what Look lists, and kept versions if kept is set. It returns what it
// removed. A live run is a *tablelock.LockedError, and dependents of the ledger a *DependentsError; it then
// removes nothing.
func Remove(ctx context.Context, pool *pgxpool.Pool, l ledger.Ledger, kept bool) (i Inventory, err error) {
	if err := tablelock.RefusePooler(ctx, pool); err != nil {
		return i, err
	}

	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) (err error) {
		if err := setting.SetLocal(ctx, tx, setting.Parameter{Name: "lock_timeout", Value: fmt.Sprint(lockTimeout.Milliseconds())}); err != nil {
			return err
		}

		if i, err = Look(ctx, tx, l); err != nil || i.Empty() {
			return err
		}

		if err := i.lock(ctx, tx); err != nil {
			return err
		}

		// Look again, now that nobody else can change the ledger. A run may have started on another table.
		if i, err = Look(ctx, tx, l); err != nil {
			return err
		}

		if err := tablelock.TryAll(ctx, tx, i.tables); err != nil {
			return err
		}

		if err := i.check(ctx, tx, kept); err != nil {
			return err
		}

		return i.remove(ctx, tx, l, kept)
	})

	if pg.SQLState(err) != "" {
		err = pg.Wrap(err, "removing what loadgrid has made with the ledger in schema %s", l.Schema)
	}

	return i, err
}

// lock locks the tables that the ledger knows against runs, and the ledger against everyone.
func (i Inventory) lock(ctx context.Context, tx pgx.Tx) error {
	if err := tablelock.TryAll(ctx, tx, i.tables); err != nil {
		return err
	}

	for _, r := range i.Relations {
		if !r.owned {
			return &OwnerError{"table " + r.Name + " of the ledger", r.owner}
		}

		if r.Kind != "r" {
			continue
		}

		if _, err := tx.Exec(ctx, "lock table "+pgx.Identifier{i.Schema, r.Name}.Sanitize()+" in access exclusive mode"); err != nil {
			return pg.Wrap(err, "locking table %s of the ledger", r.Name)
		}
	}

	return nil
}

// dependentsSQL describes objects that depend on the tables $2 and the functions of schema $1, and are not part of them.
const dependentsSQL = `
	with tables (oid) as (select unnest($2::oid[])),
	functions (oid) as (select p.oid from pg_proc p where coalesce(` + ours + `, false)),
	mine (classid, objid) as (
		select 'pg_class'::regclass::oid, oid from tables
		union all select 'pg_class'::regclass, i.indexrelid from pg_index i join tables t on t.oid = i.indrelid
		union all select 'pg_type'::regclass, y.oid from pg_type y join tables t on t.oid = y.typrelid
		union all select 'pg_type'::regclass, y.typarray from pg_type y join tables t on t.oid = y.typrelid
		union all select 'pg_constraint'::regclass, k.oid from pg_constraint k join tables t on t.oid = k.conrelid
		union all select 'pg_attrdef'::regclass, d.oid from pg_attrdef d join tables t on t.oid = d.adrelid
		union all select 'pg_rewrite'::regclass, r.oid from pg_rewrite r join tables t on t.oid = r.ev_class
		union all select 'pg_trigger'::regclass, g.oid from pg_trigger g join tables t on t.oid = g.tgrelid
		union all select 'pg_policy'::regclass, p.oid from pg_policy p join tables t on t.oid = p.polrelid
		union all select 'pg_proc'::regclass, oid from functions)
	select distinct coalesce((select pg_describe_object('pg_class'::regclass, r.ev_class, 0) from pg_rewrite r where d.classid = 'pg_rewrite'::regclass and r.oid = d.objid),
	                         (select pg_describe_object('pg_class'::regclass, a.adrelid, a.adnum) from pg_attrdef a where d.classid = 'pg_attrdef'::regclass and a.oid = d.objid),
	                         pg_describe_object(d.classid, d.objid, d.objsubid))
	from pg_depend d join mine m on (m.classid, m.objid) = (d.refclassid, d.refobjid)
	where d.deptype = 'n' and not exists (select from mine o where (o.classid, o.objid) = (d.classid, d.objid))
	order by 1`

// check refuses to remove anything that other objects depend on, or that the role does not own.
func (i Inventory) check(ctx context.Context, tx pgx.Tx, kept bool) error {
	var owner, function string
	err := tx.QueryRow(ctx, `select coalesce(min(p.oid::regprocedure::text), ''), coalesce(min(pg_get_userbyid(p.proowner)), '') from pg_proc p
		where coalesce(`+ours+`, false) and not pg_has_role(p.proowner, 'USAGE')`, i.Schema).Scan(&function, &owner)

	switch {
	case err != nil:
		return pg.Wrap(err, "looking up who owns the ledger in schema %s", i.Schema)
	case function != "":
		return &OwnerError{"function " + function + " of the ledger", owner}
	}

	oids := []uint32{}
	for _, r := range i.Relations {
		oids = append(oids, r.oid)
	}
	for _, t := range i.Staging {
		oids = append(oids, t.oid)
	}
	if kept {
		for _, t := range i.Kept {
			oids = append(oids, t.oid)
		}
	}

	objects, err := names(ctx, tx, dependentsSQL, i.Schema, oids)
	if err == nil && len(objects) > 0 {
		err = &DependentsError{objects}
	}

	return err
}

// remove drops the objects. It does not use CASCADE.
func (i Inventory) remove(ctx context.Context, tx pgx.Tx, l ledger.Ledger, kept bool) error {
	drop := func(what, list string) error {
		if list == "" {
			return nil
		}

		_, err := tx.Exec(ctx, "drop "+what+" "+list)

		return pg.Wrap(err, "dropping %s %s", what, list)
	}

	if kept { // first, because the ledger tells which table is a version
		for _, t := range i.Kept {
			if err := publish.DropVersion(ctx, tx, l, t.Of, ledger.Version{ID: t.Run, Kept: t.Table, OID: t.oid}); err != nil {
				return err
			}
		}
	}

	for _, t := range i.Staging {
		if err := drop("table", catalog.QuoteTable(t.Table)); err != nil {
			return err
		}
	}

	if err := drop("view", i.list("v")); err != nil {
		return err
	}

	if err := drop("table", i.list("r")); err != nil {
		return err
	}

	if err := drop("function", strings.Join(i.Functions, ", ")); err != nil {
		return err
	}

	if !i.SchemaToo {
		return nil
	}

	return drop("schema", pgx.Identifier{i.Schema}.Sanitize())
}

// list returns the relations of a kind for SQL. All tables go into one statement, because they refer to each
// other.
func (i Inventory) list(kind string) string {
	var list []string
	for _, r := range i.Relations {
		if r.Kind == kind {
			list = append(list, catalog.QuoteTable(job.Table{Schema: i.Schema, Name: r.Name}))
		}
	}

	return strings.Join(list, ", ")
}
