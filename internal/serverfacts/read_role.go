package serverfacts

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/db/migrations"
	"github.com/loadgrid/loadgrid/internal/ownpath"
	"github.com/loadgrid/loadgrid/internal/precheck"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

const roleSQL = `
	select current_user::text, session_user::text, rolsuper, has_database_privilege(current_database(), 'TEMP'),
	       has_database_privilege(current_database(), 'CREATE'), pg_has_role('pg_read_all_stats', 'USAGE')
	from pg_roles where rolname = current_user`

func (r *reader) readRole(ctx context.Context, tx pgx.Tx) error {
	role := &r.facts.Role
	return tx.QueryRow(ctx, roleSQL).Scan(&role.Name, &role.Session, &role.Superuser, &role.Temp, &role.CreateSchemas, &role.ReadsStats)
}

// schemaSQL reads the privileges on schema $1 and on the tablespace for new tables. Grantee 0 is every role.
const schemaSQL = `
	select n.oid is not null, coalesce(has_schema_privilege(n.oid, 'USAGE'), false), coalesce(has_schema_privilege(n.oid, 'CREATE'), false),
	       exists (select from aclexplode(n.nspacl) a where a.grantee = 0 and a.privilege_type = 'CREATE'),
	       coalesce(t.spcname, ''), coalesce(has_tablespace_privilege(t.oid, 'CREATE'), true)
	from (select 1) one left join pg_namespace n on n.nspname = $1
	left join pg_tablespace t on t.spcname = current_setting('default_tablespace')`

func (r *reader) readSchema(ctx context.Context, tx pgx.Tx) error {
	s := &r.facts.Schema
	s.Name = r.options.Schema

	if s.Name == "" {
		var schemas []string
		err := ownpath.With(ctx, tx, func() error {
			return tx.QueryRow(ctx, "select pg_catalog.current_schemas(false)").Scan(&schemas)
		})
		if err != nil {
			return err
		}

		s.Name = precheck.FirstSchema(schemas)
	}

	return tx.QueryRow(ctx, schemaSQL, s.Name).Scan(&s.Exists, &s.Usage, &s.Create, &s.Everyone, &s.Tablespace, &s.TablespaceUsable)
}

// ledgerSQL reads the state of the ledger in schema $1. Missing tables of an incomplete ledger count as writable.
const ledgerSQL = `
	select n.oid is not null, coalesce(has_schema_privilege(n.oid, 'USAGE'), false), coalesce(has_schema_privilege(n.oid, 'CREATE'), false),
	       coalesce(bool_or(c.relname = 'schema_migrations'), false),
	       coalesce(bool_or(c.relname = 'schema_migrations' and has_table_privilege(c.oid, 'SELECT')), false),
	       coalesce(bool_and(has_table_privilege(c.oid, 'SELECT') and has_table_privilege(c.oid, 'INSERT') and has_table_privilege(c.oid, 'UPDATE')
	           and has_table_privilege(c.oid, 'DELETE')) filter (where c.relname in ('runs', 'chunks', 'attempts')), true),
	       coalesce(bool_and(pg_has_role(c.relowner, 'USAGE')), true)
	from (select 1) one left join pg_namespace n on n.nspname = $1
	left join pg_class c on c.relnamespace = n.oid and c.relkind = 'r' and c.relname in ('runs', 'chunks', 'attempts', 'schema_migrations')
	group by n.oid`

func (r *reader) readLedger(ctx context.Context, tx pgx.Tx) (err error) {
	l := &r.facts.Ledger
	l.Schema = r.options.Ledger.Schema

	if l.Latest, err = migrations.Latest(); err != nil {
		return err
	}

	err = tx.QueryRow(ctx, ledgerSQL, l.Schema).Scan(&l.Exists, &l.Usage, &l.Create, &l.Present, &l.Readable, &l.Writable, &l.Owned)
	if err != nil || !l.Usage {
		return err
	}

	err = r.options.Ledger.CheckOwner(ctx, tx)

	var foreign *ledger.ForeignError
	if errors.As(err, &foreign) {
		l.Foreign, l.Cure = "role "+foreign.Role+" "+foreign.May, foreign.Cure
		return nil
	}
	if err != nil || !l.Readable {
		return err
	}

	l.Version, l.Dirty, err = migrations.Version(ctx, tx.Conn(), l.Schema)

	return err
}

// connectionsSQL counts sessions in a view that shows all of them to every role. The limit of a role does
// not apply to a superuser.
const connectionsSQL = `
	select current_setting('max_connections')::int4,
	       current_setting('superuser_reserved_connections')::int4 + coalesce(current_setting('reserved_connections', true)::int4, 0),
	       (select coalesce(sum(numbackends), 0)::int4 from pg_stat_database),
	       case when r.rolsuper then -1 else r.rolconnlimit end,
	       (select count(*)::int4 from pg_stat_activity a where a.usesysid = r.oid),
	       case when r.rolsuper then -1 else d.datconnlimit end,
	       (select coalesce(sum(numbackends), 0)::int4 from pg_stat_database b where b.datid = d.oid)
	from pg_roles r, pg_database d where r.rolname = session_user and d.datname = current_database()`

func (r *reader) readConnections(ctx context.Context, tx pgx.Tx) error {
	c := &r.facts.Connections
	c.Need, c.Streams, c.Own = r.options.Connections, r.options.Streams, int(r.pool.Stat().TotalConns())

	return tx.QueryRow(ctx, connectionsSQL).Scan(&c.Max, &c.Reserved, &c.Used, &c.RoleLimit, &c.RoleUsed, &c.DatabaseLimit, &c.DatabaseUsed)
}
