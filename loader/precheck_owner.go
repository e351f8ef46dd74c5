package loader

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
)

// checkOwner sees to it that what takes the table's place can be given to its owner,
// who may be another role than the one that loads, which is a member of it.
func checkOwner(ctx context.Context, conn pg.Querier, t catalog.Relation) error {
	var owner, role string
	var creates, may bool
	err := conn.QueryRow(ctx, `
		select o.rolname, r.rolname, o.oid = r.oid or r.rolsuper or has_schema_privilege(o.oid, c.relnamespace, 'CREATE'),
		       case when current_setting('server_version_num')::int < 160000 then true else pg_has_role(o.oid, 'SET') end
		from pg_class c join pg_roles o on o.oid = c.relowner, pg_roles r where c.oid = $1 and r.rolname = current_user`,
		t.OID).Scan(&owner, &role, &creates, &may)
	quote := func(name string) string { return pgx.Identifier{name}.Sanitize() }
	fail := func(what, advice string) error {
		return &pg.ServerError{Doing: "replacing table " + t.String(), Err: errors.New(what + " (SQLSTATE 42501)"), Advice: advice}
	}
	switch {
	case err != nil:
		return pg.Wrap(err, "looking up the owner of table %s", t.Table)
	case !creates:
		return fail("its owner "+owner+" may not create tables in schema "+t.Schema+", so that the new one cannot be given to it",
			"grant create on schema "+quote(t.Schema)+" to "+quote(owner))
	case !may:
		return fail("the role may not give tables to its owner "+owner, "grant "+quote(owner)+" to "+quote(role)+" with set true")
	}
	return nil
}
