package catalog

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/pg"
)

// What to do about objects that depend on a table.
const (
	DropDependents  = "drop them first, and create them again afterwards"
	TruncateInstead = "publish truncate keeps the table and them, and so does a table with partitions; or " + DropDependents
)

// CheckDependents refuses to replace a table that others depend on: they would follow the old table, which then
// could not be dropped. It also refuses a table with row security, without which everybody with a grant would see
// all rows.
func (t *Relation) CheckDependents(ctx context.Context, conn pg.Querier, advice string) error {
	names, err := Dependents(ctx, conn, []uint32{t.OID})
	var secured bool
	if err == nil {
		err = conn.QueryRow(ctx, "select relrowsecurity from pg_class where oid = $1", t.OID).Scan(&secured)
	}

	if err != nil {
		return pg.Wrap(err, "looking for what depends on table %s", t.Table)
	}

	if secured {
		names = append(names, "row security")
	}

	if len(names) == 0 {
		return nil
	}

	return &geomgen.ParamError{Param: "table", Value: t.String(),
		Reason: "cannot be replaced, because these depend on it: " + strings.Join(names, ", ") + ": " + advice}
}

const dependentsSQL = `
	with tables as (select c.oid, array[y.oid, y.typarray] as types from pg_class c join pg_type y on y.oid = c.reltype where c.oid = any($1::oid[])),
	uses as (
		select d.classid, d.objid from tables t join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = t.oid where d.deptype = 'n'
		union all
		select d.classid, d.objid from tables t join pg_depend d on d.refclassid = 'pg_type'::regclass and d.refobjid = any(t.types) where d.deptype = 'n')
	select distinct coalesce((select pg_describe_object('pg_class'::regclass, r.ev_class, 0) from pg_rewrite r
		where u.classid = 'pg_rewrite'::regclass and r.oid = u.objid and r.rulename = '_RETURN'), pg_describe_object(u.classid, u.objid, 0)) from uses u
	where not (u.classid = 'pg_class'::regclass and u.objid = any($1::oid[]))
	  and not exists (select from pg_constraint k where u.classid = 'pg_constraint'::regclass and k.oid = u.objid and k.conrelid = any($1::oid[]))
	order by 1`

// Dependents describes the objects that depend on tables and are not a part of one of them: a view by its own name,
// not by that of its rule. It queries the
// catalogue by its index, because there may be hundreds of partitions.
func Dependents(ctx context.Context, conn pg.Querier, oids []uint32) ([]string, error) {
	rows, err := conn.Query(ctx, dependentsSQL, oids)
	if err != nil {
		return nil, err
	}

	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// CheckForeignKeys refuses a table that other tables' foreign keys reference: its rows cannot be removed.
func (t *Relation) CheckForeignKeys(ctx context.Context, conn pg.Querier) error {
	var keys *string
	err := conn.QueryRow(ctx, `
		select string_agg(distinct pg_describe_object('pg_constraint'::regclass, oid, 0), ', ')
		from pg_constraint where contype = 'f' and confrelid = $1 and conrelid <> $1`, t.OID).Scan(&keys)
	if err != nil {
		return pg.Wrap(err, "looking for foreign keys to table %s", t.Table)
	}

	if keys != nil {
		return t.Refuse("cannot be replaced, because rows of other tables reference its rows: %s: %s", *keys, DropDependents)
	}

	return nil
}
