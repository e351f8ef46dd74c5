// Package precheck decides, before a load begins, what the load does about server and table: what it refuses
// because it could not finish, and how it publishes.
package precheck

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/citus"
	"github.com/loadgrid/loadgrid/internal/distribution"
	"github.com/loadgrid/loadgrid/internal/ownpath"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/crs"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// Minimum versions, in the form in which a server reports its own.
const (
	MinPostgres = 130000
	MinPostGIS  = "3.1"
)

// Server checks the job against the server. Before anything is written, it refuses what could not be finished. It
// returns the table, which may not exist, and the Citus cluster if the server is a coordinator.
func Server(ctx context.Context, conn *pgx.Conn, j job.Job) (t catalog.Relation, cluster citus.Cluster, err error) {
	if t, err = FindSchemas(ctx, conn, j.Table); err != nil {
		return t, cluster, err
	}

	if cluster, err = citus.Read(ctx, conn); err != nil {
		return t, cluster, err
	}

	if err := cluster.Refuse(); err != nil {
		return t, cluster, err
	}

	if err := distribution.CheckCluster(ctx, conn, cluster, j, t.Schema); err != nil {
		return t, cluster, err
	}

	if err := t.CheckReserved(j.LedgerSchema); err != nil {
		return t, cluster, err
	}

	if _, err := CheckCRS(ctx, conn, t.GeometrySchema, j); err != nil {
		return t, cluster, err
	}

	if err := CheckCreate(ctx, conn, t); err != nil {
		return t, cluster, err
	}

	if err := checkLedgerSchema(ctx, conn, j.LedgerSchema); err != nil {
		return t, cluster, err
	}

	if spread, err := cluster.SchemaDistributed(ctx, conn, j.LedgerSchema); err != nil {
		return t, cluster, err
	} else if spread {
		return t, cluster, &geomgen.ParamError{Param: "ledger-schema", Value: j.LedgerSchema,
			Reason: "is distributed by Citus, but the ledger must be on the coordinator: choose another schema"}
	}

	if err := ledger.New(j.LedgerSchema, j.LedgerOwner).CheckOwner(ctx, conn); err != nil {
		return t, cluster, err
	}

	err = t.Find(ctx, conn)

	return t, cluster, err
}

const serverSQL = `
	select current_setting('server_version_num')::int, pg_is_in_recovery(),
	       current_setting('transaction_read_only') = 'on',
	       e.extversion,
	       n.nspname, coalesce(has_schema_privilege(n.oid, 'USAGE'), false), current_user
	from (select 1) one
	left join pg_extension e on e.extname = 'postgis'
	left join pg_namespace n on n.oid = e.extnamespace`

// FindSchemas checks that the server accepts writes, and finds the schemas of the table and of PostGIS.
func FindSchemas(ctx context.Context, conn *pgx.Conn, table job.Table) (catalog.Relation, error) {
	t := catalog.Relation{Table: table}
	var version int
	var standby, readOnly, usesPostGIS bool
	var postgis, postgisSchema *string
	var role string
	err := conn.QueryRow(ctx, serverSQL).Scan(&version, &standby, &readOnly, &postgis, &postgisSchema, &usesPostGIS, &role)
	if err != nil {
		return t, pg.Wrap(err, "asking the server for its version")
	}

	fail := func(what, advice string) (catalog.Relation, error) {
		return t, &pg.ServerError{Doing: "checking the server", Err: errors.New(what), Advice: advice}
	}

	switch {
	case version < MinPostgres:
		return fail(fmt.Sprintf("it is PostgreSQL %d", version/10000), "loadgrid needs version 13 or newer")
	case standby:
		return fail("it is a read-only standby (SQLSTATE 25006)", "connect to the primary")
	case readOnly:
		return fail("transactions are read-only (SQLSTATE 25006)", "turn default_transaction_read_only off for the database or in the connection string")
	case postgis == nil:
		return fail("PostGIS is not in this database", "run 'create extension postgis' in it as its owner")
	case VersionLess(*postgis, MinPostGIS):
		return fail("it has PostGIS "+*postgis, "loadgrid needs "+MinPostGIS+" or newer")
	case !usesPostGIS:
		return t, denied(role, "it may not use schema "+*postgisSchema+", which contains PostGIS",
			"grant usage on schema "+pgx.Identifier{*postgisSchema}.Sanitize()+" to "+pgx.Identifier{role}.Sanitize())
	}

	t.GeometrySchema = *postgisSchema
	if t.Schema == "" {
		t.Schema, err = defaultSchema(ctx, conn, table)
	}

	return t, err
}

// defaultSchema returns the schema for a table without one. It skips the ledger's schema: a role called loadgrid
// would find it as "$user" from its second run on.
func defaultSchema(ctx context.Context, conn *pgx.Conn, table job.Table) (string, error) {
	schemas, err := ownpath.Schemas(ctx, conn)
	if err != nil {
		return "", err
	}

	if s := FirstSchema(schemas); s != "" {
		return s, nil
	}

	return "", &geomgen.ParamError{Param: "table", Value: table.String(), Reason: "no schema of the search_path exists: name a schema"}
}

// FirstSchema returns the schema of a search_path for a table without a schema, or "" if there is none.
func FirstSchema(schemas []string) string {
	for _, s := range schemas {
		if s != job.DefaultLedgerSchema && !strings.HasPrefix(s, "pg_") {
			return s
		}
	}

	return ""
}

// VersionLess compares the first two numbers of versions like 3.3.2.
func VersionLess(a, b string) bool {
	number := func(s string) int {
		parts := append(strings.Split(s, "."), "0")
		major, _ := strconv.Atoi(parts[0])
		minor, _ := strconv.Atoi(parts[1])

		return major*1000 + minor
	}

	return number(a) < number(b)
}

// CheckCRS looks up the grid's CRS, because PostGIS itself accepts any number, and refuses a job that does not
// fit it. postgis is the schema of PostGIS.
func CheckCRS(ctx context.Context, q pg.Querier, postgis string, j job.Job) (crs.CRS, error) {
	if j.Grid.SRID == 0 {
		return crs.CRS{}, nil
	}

	c, known, err := catalog.ReadCRS(ctx, q, postgis, j.Grid.SRID)

	switch {
	case err != nil:
		return c, err
	case !known:
		return c, &geomgen.ParamError{Param: "srid", Value: strconv.Itoa(int(j.Grid.SRID)), Reason: "the server does not know it: it is not in spatial_ref_sys"}
	}

	if err := j.CheckCRS(c); err != nil {
		return c, err
	}

	// For a CRS that it knows without a server, the plan has checked and placed the area.
	if _, known := crs.Known(j.Grid.SRID); !known && j.Area != nil {
		return c, j.Area.CheckPlaced(ctx, c)
	}

	return c, nil
}

// CheckCreate checks that the role can create tables in the table's schema.
func CheckCreate(ctx context.Context, conn *pgx.Conn, t catalog.Relation) error {
	var there, may bool
	var role string
	err := conn.QueryRow(ctx, `
		select s.oid is not null, coalesce(has_schema_privilege(s.oid, 'CREATE') and has_schema_privilege(s.oid, 'USAGE'), false), current_user
		from (select 1) one left join pg_namespace s on s.nspname = $1`, t.Schema).Scan(&there, &may, &role)

	switch {
	case err != nil:
		return pg.Wrap(err, "looking up schema %s and the privileges on it", t.Schema)
	case !there:
		return &geomgen.ParamError{Param: "table", Value: t.String(), Reason: "schema " + t.Schema + " does not exist"}
	case !may:
		return denied(role, "it may not create tables in schema "+t.Schema,
			"grant usage, create on schema "+pgx.Identifier{t.Schema}.Sanitize()+" to "+pgx.Identifier{role}.Sanitize())
	}

	return nil
}

// checkLedgerSchema checks that the ledger's schema exists or can be created.
func checkLedgerSchema(ctx context.Context, conn *pgx.Conn, schema string) error {
	var there, use, create bool
	var role, database string
	err := conn.QueryRow(ctx, `
		select l.oid is not null, coalesce(has_schema_privilege(l.oid, 'USAGE'), false),
		       has_database_privilege(current_database(), 'CREATE'), current_user, current_database()
		from (select 1) one left join pg_namespace l on l.nspname = $1`, schema).Scan(&there, &use, &create, &role, &database)
	roleName := pgx.Identifier{role}.Sanitize()

	switch {
	case err != nil:
		return pg.Wrap(err, "looking up the ledger's schema %s and the privileges on it", schema)
	case !there && !create:
		return denied(role, fmt.Sprintf("the ledger's schema %s does not exist, and it may not create schemas in database %s", schema, database),
			fmt.Sprintf("grant create on database %s to %s, or set ledger-schema to an existing schema", pgx.Identifier{database}.Sanitize(), roleName))
	case there && !use:
		return denied(role, "it may not use the ledger's schema "+schema,
			fmt.Sprintf("grant usage, create on schema %s to %s", pgx.Identifier{schema}.Sanitize(), roleName))
	}

	return nil
}

func denied(role, what, advice string) error {
	return &pg.ServerError{Doing: "checking privileges of role " + role, Err: errors.New(what + " (SQLSTATE 42501)"), Advice: advice}
}
