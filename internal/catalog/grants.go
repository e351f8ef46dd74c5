package catalog

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

const copyGrantsSQL = `
	with old as (select * from pg_class where oid = $1), new as (select * from pg_class where oid = ($2::text)::regclass),
	cols as (
		select o.attname, o.attacl, n.attacl as new_acl,
		       col_description(o.attrelid, o.attnum) as comment, col_description(n.attrelid, n.attnum) as new_comment
		from old join pg_attribute o on o.attrelid = old.oid, new join pg_attribute n on n.attrelid = new.oid
		where o.attnum > 0 and not o.attisdropped and n.attname = o.attname),
	comments (object, wanted, has) as (
		select 'table ' || $2::text, obj_description(old.oid, 'pg_class'), obj_description(new.oid, 'pg_class') from old, new
		union all
		select format('column %s.%I', $2::text, attname), comment, new_comment from cols),
	-- Who has grants on the new table, or not all of an owner's on the old one.
	had (grantee) as (
		select grantee from new, aclexplode(relacl)
		union select grantee from cols, aclexplode(new_acl)
		union select relowner from old where relacl is not null),
	grants (grantee, privilege, is_grantable) as (
		select grantee, privilege_type, is_grantable from old, new, aclexplode(coalesce(old.relacl, acldefault('r', old.relowner)))
		where old.relacl is not null or new.relacl is not null
		union all
		select grantee, format('%s (%I)', privilege_type, attname), is_grantable from cols, aclexplode(attacl)),
	roles (oid, name) as (select oid, quote_ident(rolname) from pg_roles union all select 0, 'public')
	select statement from (
		select 1, format('comment on %s is %L', object, wanted) from comments where wanted is distinct from has
		union all
		select 2, format('alter table %s owner to %s', $2::text, name) from new, old join roles on roles.oid = old.relowner
		where old.relowner <> new.relowner
		union all -- with what they, in turn, have granted others
		select 3, format('revoke all on table %s from %s cascade', $2::text, name) from had join roles on oid = grantee
		union all
		select 4, format('grant %s on table %s to %s%s', privilege, $2::text, name, case when is_grantable then ' with grant option' else '' end)
		from grants join roles on oid = grantee) s (step, statement)
	order by step`

// CopyGrants gives a table what people have set on another one: its owner, its grants, its comment, and the
// grants and comments of the columns that both have. It removes what the table had of these.
func CopyGrants(ctx context.Context, tx pgx.Tx, from Relation, to job.Table) error {
	rows, err := tx.Query(ctx, copyGrantsSQL, from.OID, QuoteTable(to))
	if err != nil {
		return pg.Wrap(err, "reading owner, grants and comments of table %s", from.Table)
	}

	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return pg.Wrap(err, "reading owner, grants and comments of table %s", from.Table)
	}

	for _, sql := range statements {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return pg.Wrap(err, "giving table %s the owner, grants and comments of %s: %s", to, from.Table, sql)
		}
	}

	return nil
}
