package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
)

// ForeignError reports a ledger that another role owns or may alter. A trigger or a function
// that this role puts there runs with the rights of the role that loads.
type ForeignError struct {
	Schema string // the ledger's
	Role   string // the other role, public for all of them
	May    string // what that role is or may, such as: owns table runs
	Cure   string
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("the ledger in schema %s is not safe to use: role %s %s, so that its code could run with the rights of this role", e.Schema, e.Role, e.May)
}

// foreignSQL finds a role that could have a load run its code through the ledger in schema
// $1: who owns the schema, its tables or its functions, who may make others there, and who may
// give its tables triggers. Trusted are the role itself, superusers, roles that it is a member
// of, and the role $2 with its members. pg_has_role says yes to a superuser, so that
// memberships are looked up. $3 and $4 are the names of the ledger's tables and functions.
const foreignSQL = `
	with recursive mine (role) as (
		select oid from pg_roles where rolname = current_user
		union select m.roleid from pg_auth_members m join mine on m.member = mine.role),
	named (role) as (
		select oid from pg_roles where rolname = $2
		union select m.member from pg_auth_members m join named on m.roleid = named.role),
	-- pg_database_owner has one member, who stands in no catalogue of members.
	owner_of_database (role) as (select datdba from pg_database where datname = current_database()),
	trusted (role) as (
		select role from mine union select role from named union select oid from pg_roles where rolsuper
		union select r.oid from pg_roles r, owner_of_database o where r.rolname = 'pg_database_owner'
		and (o.role in (select role from mine union select role from named) or exists (select from pg_roles s where s.oid = o.role and s.rolsuper))),
	space (oid, owner, acl) as (select oid, nspowner, nspacl from pg_namespace where nspname = $1),
	tables (oid, name, owner, acl) as (
		select c.oid, c.relname, c.relowner, c.relacl from pg_class c join space on c.relnamespace = space.oid where c.relname = any($3)),
	found (step, role, may, cure) as (
		select 1, owner, 'owns the schema', '' from space
		union all
		select 2, a.grantee, 'may create in the schema', format('revoke create on schema %I from ', $1::text)
		from space cross join lateral aclexplode(space.acl) a where a.privilege_type = 'CREATE'
		union all
		select 3, owner, 'owns table ' || name, '' from tables
		union all
		select 4, a.grantee, 'may give table ' || name || ' triggers', format('revoke trigger on %I.%I from ', $1::text, name)
		from tables t cross join lateral aclexplode(t.acl) a where a.privilege_type = 'TRIGGER'
		union all
		select 5, p.proowner, 'owns function ' || p.proname, '' from pg_proc p join space on p.pronamespace = space.oid where p.proname = any($4)
		union all
		select 6, p.proowner, 'owns the function of trigger ' || g.tgname || ' on table ' || t.name, format('drop trigger %I on %I.%I', g.tgname, $1::text, t.name)
		from pg_trigger g join tables t on g.tgrelid = t.oid join pg_proc p on g.tgfoid = p.oid where not g.tgisinternal)
	select coalesce(r.rolname, 'public'), f.may, case when f.cure like 'revoke%' then f.cure || coalesce(quote_ident(r.rolname), 'public') else f.cure end
	from found f left join pg_roles r on r.oid = f.role
	where f.role not in (select role from trusted)
	order by f.step, r.rolname nulls first, f.may limit 1`

// CheckOwner returns a *ForeignError for a ledger that a role could use to run code with the
// rights of this one. It reads the catalogue alone.
func (l Ledger) CheckOwner(ctx context.Context, q pg.Querier) error {
	e := &ForeignError{Schema: l.Schema}
	err := q.QueryRow(ctx, foreignSQL, l.Schema, l.Owner, tableNames(), functionNames()).Scan(&e.Role, &e.May, &e.Cure)

	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return pg.Wrap(err, "looking up who owns the ledger in schema %s", l.Schema)
	}

	advice := "choose another ledger-schema"
	if e.Cure != "" {
		advice = "run '" + e.Cure + "', or " + advice
	}
	if e.Role != "public" {
		advice = "if you trust that role, name it as ledger-owner; else " + advice
	}

	return &pg.ServerError{Doing: "checking the ledger", Err: e, Advice: advice}
}

// tableNames are the names of all tables and views that a ledger has or had.
func tableNames() []string {
	return []string{"runs", "chunks", "attempts", "starts", "identity", "marks", "schema_migrations"}
}

// functionNames are the names of a ledger's functions.
func functionNames() []string {
	return []string{"cell_id", "cell_col", "cell_row", "cell_neighbours", "cell_parent", "cell_at", "grid_of", "run_of", "key_mark", "key_text", "key_comment"}
}
