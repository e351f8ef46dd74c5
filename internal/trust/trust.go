// Package trust owns the question whose code a load could run: that of untrusted roles that own or may alter the
// objects that it writes to.
package trust

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
)

// Stranger is an untrusted role.
type Stranger struct {
	Role string // public for all roles
	May  string // what it owns or may do, such as: owns table runs
	Cure string // a statement that fixes this, "" if there is none
}

// trustedSQL begins a statement that looks for roles who could make a load run their code. Trusted are the role
// itself, superusers, roles that it is a member of, and the role $1 with its members. pg_has_role is true for every
// superuser, so memberships are looked up instead.
const trustedSQL = `
	with recursive mine (role) as (
		select oid from pg_roles where rolname = current_user
		union select m.roleid from pg_auth_members m join mine on m.member = mine.role),
	named (role) as (
		select oid from pg_roles where rolname = $1
		union select m.member from pg_auth_members m join named on m.roleid = named.role),
	-- pg_database_owner has one member, which pg_auth_members does not list.
	owner_of_database (role) as (select datdba from pg_database where datname = current_database()),
	trusted (role) as (
		select role from mine union select role from named union select oid from pg_roles where rolsuper
		union select r.oid from pg_roles r, owner_of_database o where r.rolname = 'pg_database_owner'
		and (o.role in (select role from mine union select role from named) or exists (select from pg_roles s where s.oid = o.role and s.rolsuper)))`

// codeSQL continues with tables (oid, name), and returns the functions that run when their rows are written or read:
// triggers with their conditions, rules, policies, defaults, checks and indexes.
const codeSQL = `
	parts (oid, name, classid, objid) as (
		select t.oid, t.name, p.* from tables t cross join lateral (
			select 'pg_trigger'::regclass::oid, g.oid from pg_trigger g where g.tgrelid = t.oid and not g.tgisinternal
			union all select 'pg_rewrite'::regclass, r.oid from pg_rewrite r where r.ev_class = t.oid
			union all select 'pg_policy'::regclass, p.oid from pg_policy p where p.polrelid = t.oid
			union all select 'pg_attrdef'::regclass, d.oid from pg_attrdef d where d.adrelid = t.oid
			union all select 'pg_constraint'::regclass, k.oid from pg_constraint k where k.conrelid = t.oid
			union all select 'pg_class'::regclass, i.indexrelid from pg_index i where i.indrelid = t.oid) p),
	code (oid, name, role, function) as (
		select u.oid, u.name, f.proowner, f.proname from parts u join pg_depend d on (d.classid, d.objid) = (u.classid, u.objid)
		left join pg_operator o on d.refclassid = 'pg_operator'::regclass and o.oid = d.refobjid
		join pg_proc f on f.oid = case d.refclassid when 'pg_proc'::regclass then d.refobjid else o.oprcode::oid end)`

// foreignSQL finds a role that could make a load run its code through the tables $3 of schema $2: a role that owns
// the schema, its tables or its functions, that may create others there, or that may give its tables triggers or
// reference them, which also creates a trigger. Functions and operators of any name count, because a migration has
// the schema in its search_path.
const foreignSQL = trustedSQL + `,
	space (oid, owner, acl) as (select oid, nspowner, nspacl from pg_namespace where nspname = $2),
	tables (oid, name, owner, acl) as (
		select c.oid, c.relname, c.relowner, c.relacl from pg_class c join space on c.relnamespace = space.oid where c.relname = any($3)),` + codeSQL + `,
	found (step, role, may, cure) as (
		select 1, owner, 'owns the schema', '' from space
		union all
		select 2, a.grantee, 'may create in the schema', format('revoke create on schema %I from ', $2::text)
		from space cross join lateral aclexplode(space.acl) a where a.privilege_type = 'CREATE'
		union all
		select 3, owner, 'owns table ' || name, '' from tables
		union all
		select 4, a.grantee, 'may give table ' || name || ' triggers', format('revoke trigger on %I.%I from ', $2::text, name)
		from tables t cross join lateral aclexplode(t.acl) a where a.privilege_type = 'TRIGGER'
		union all -- A foreign key that cascades runs triggers of the other table.
		select 4, a.grantee, 'may point foreign keys to table ' || name, format('revoke references on %I.%I from ', $2::text, name)
		from tables t cross join lateral (
			select x.* from aclexplode(t.acl) x
			union all select x.* from pg_attribute c, aclexplode(c.attacl) x where c.attrelid = t.oid) a
		where a.privilege_type = 'REFERENCES'
		union all
		select 5, p.proowner, 'owns function ' || p.proname, '' from pg_proc p join space on p.pronamespace = space.oid
		union all
		select 5, o.oprowner, 'owns operator ' || o.oprname, '' from pg_operator o join space on o.oprnamespace = space.oid
		union all
		select 6, p.proowner, 'owns the function of trigger ' || g.tgname || ' on table ' || t.name, format('drop trigger %I on %I.%I', g.tgname, $2::text, t.name)
		from pg_trigger g join tables t on g.tgrelid = t.oid join pg_proc p on g.tgfoid = p.oid where not g.tgisinternal
		union all
		select 7, role, 'owns function ' || function || ', which table ' || name || ' calls', '' from code
		union all
		select 8, k.relowner, 'has table ' || k.relname || ', whose foreign key points to table ' || t.name,
		       format('alter table %I.%I drop constraint %I', n.nspname, k.relname, f.conname)
		from tables t join pg_constraint f on f.confrelid = t.oid and f.contype = 'f'
		join pg_class k on k.oid = f.conrelid join pg_namespace n on n.oid = k.relnamespace)
	select coalesce(r.rolname, 'public'), f.may, case when f.cure like 'revoke%' then f.cure || coalesce(quote_ident(r.rolname), 'public') else f.cure end
	from found f left join pg_roles r on r.oid = f.role
	where f.role not in (select role from trusted)
	order by f.step, r.rolname nulls first, f.may limit 1`

// InSchema looks for a role that could make a load run its code through tables in a schema. found is false if there
// is none. Trusted are this role, the roles that it is a member of, superusers, and, if owner is not "", role owner
// with its members. InSchema reads only the catalogue.
func InSchema(ctx context.Context, q pg.Querier, owner, schema string, tables []string) (s Stranger, found bool, err error) {
	err = q.QueryRow(ctx, foreignSQL, owner, schema, tables).Scan(&s.Role, &s.May, &s.Cure)
	return s, err == nil, otherThanNone(err)
}

// writersSQL finds an untrusted role that may write to the table $2.
const writersSQL = trustedSQL + `
	select coalesce(r.rolname, 'public'), format('revoke %s on %s from ', lower(a.privilege_type), $2::text) || coalesce(quote_ident(r.rolname), 'public')
	from (select x.grantee, x.privilege_type from pg_class c, aclexplode(c.relacl) x where c.oid = $2::text::regclass
	      union all select x.grantee, x.privilege_type from pg_attribute c, aclexplode(c.attacl) x where c.attrelid = $2::text::regclass) a
	left join pg_roles r on r.oid = a.grantee
	where a.privilege_type in ('INSERT', 'UPDATE') and a.grantee not in (select role from trusted)
	order by r.rolname nulls first, 2 limit 1`

// Writing looks for an untrusted role that may write to a table, given by its name in SQL. The trusted roles are
// those of InSchema.
func Writing(ctx context.Context, q pg.Querier, owner, table string) (s Stranger, found bool, err error) {
	err = q.QueryRow(ctx, writersSQL, owner, table).Scan(&s.Role, &s.Cure)
	return s, err == nil, otherThanNone(err)
}

// strangersSQL returns the objects of the table $2 that could run the code of untrusted roles, "" for none.
const strangersSQL = trustedSQL + `,
	tables (oid, name) as (select oid, relname from pg_class where oid = $2),` + codeSQL + `
	select coalesce(string_agg(distinct f.what, ', '), '') from (
		select 'role ' || r.rolname || ' owns it' from pg_class c join pg_roles r on r.oid = c.relowner
		where c.oid = $2 and c.relowner not in (select role from trusted)
		union all
		select 'it calls function ' || c.function || ' of role ' || r.rolname from code c join pg_roles r on r.oid = c.role
		where c.role not in (select role from trusted)) f (what)`

// AtTable names, for people, the objects of a table that could run the code of untrusted roles, "" for none. The
// trusted roles are those of InSchema.
func AtTable(ctx context.Context, q pg.Querier, owner string, oid uint32) (what string, err error) {
	err = q.QueryRow(ctx, strangersSQL, owner, oid).Scan(&what)
	return what, err
}

// otherThanNone returns an error, unless it is the error for no rows.
func otherThanNone(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	return err
}
