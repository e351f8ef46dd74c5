package uninstall

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
)

// inSchemaSQL counts the objects in the schema other than the ledger's tables $2, the staging tables $3,
// the functions, and what belongs to them. Default privileges are dropped with the schema.
const inSchemaSQL = `
	with mine (classid, objid) as (
		select 'pg_class'::regclass::oid, o from unnest($2::oid[] || $3::oid[]) o
		union all select 'pg_proc'::regclass, p.oid from pg_proc p where coalesce(` + ours + `, false))
	select count(*) from pg_depend d join pg_namespace n on d.refclassid = 'pg_namespace'::regclass and d.refobjid = n.oid
	where n.nspname = $1 and d.deptype = 'n' and not exists (select from mine m where (m.classid, m.objid) = (d.classid, d.objid))
	  and not exists (select from pg_class c where d.classid = 'pg_class'::regclass and c.oid = d.objid and c.relkind in ('i', 'I', 'S', 't')
	                  and exists (select from pg_depend o join mine m on (m.classid, m.objid) = (o.refclassid, o.refobjid)
	                              where o.classid = d.classid and o.objid = d.objid and o.deptype in ('a', 'i')))`

// schemaGoes reports whether the ledger's schema is removed with the ledger, and otherwise why it stays:
// something else is in it, another role owns it, or it is public.
func schemaGoes(ctx context.Context, q pg.Querier, i Inventory) (goes bool, why string, err error) {
	var owner string
	var owned bool
	err = q.QueryRow(ctx, "select pg_get_userbyid(nspowner), pg_has_role(nspowner, 'USAGE') from pg_namespace where nspname = $1", i.Schema).Scan(&owner, &owned)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, "", nil
	} else if err != nil {
		return false, "", pg.Wrap(err, "looking at schema %s", i.Schema)
	}

	tables, staged := make([]uint32, len(i.Relations)), make([]uint32, len(i.Staging))
	for n, r := range i.Relations {
		tables[n] = r.oid
	}
	for n, t := range i.Staging {
		staged[n] = t.oid
	}

	var others int64
	if err := q.QueryRow(ctx, inSchemaSQL, i.Schema, tables, staged).Scan(&others); err != nil {
		return false, "", pg.Wrap(err, "looking for what is in schema %s", i.Schema)
	}

	switch {
	case len(i.Relations) == 0 && len(i.Functions) == 0: // the schema is not loadgrid's, even if it is empty
		return false, "", nil
	case i.Schema == "public":
		return false, "loadgrid did not make it", nil
	case others > 0:
		return false, "it contains other objects", nil
	case !owned:
		return false, "role " + owner + " owns it", nil
	}

	return true, "", nil
}
