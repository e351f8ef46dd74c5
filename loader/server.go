package loader

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
)

// connectTimeout is how long connecting may take when the DSN does not say.
const connectTimeout = 10 * time.Second

// Open connects to PostGIS: dsn is a URL or a list of keywords as psql takes
// them; what it leaves open comes from the PG* environment, the service file and
// the password file. The pool has room for a run with that many streams. Open
// gives up after connect_timeout, or after 10 seconds when that is not set.
func Open(ctx context.Context, dsn string, streams int) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, &geomgen.ParamError{Param: "dsn", Value: "(not shown)", Reason: dsnReason(err)}
	}
	if err := checkHosts(dsn, config.ConnConfig); err != nil {
		return nil, err
	}
	if streams == 0 {
		streams = defaultStreams
	}
	config.MaxConns = int32(poolSize(streams))
	config.MinConns = 0
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "loadgrid"
	}
	// Names and values go out as UTF-8, whatever the role's or the database's is.
	config.ConnConfig.RuntimeParams["client_encoding"] = "UTF8"
	config.AfterConnect = liftTimeouts
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, serverError(err, "connecting to %s", place(config.ConnConfig))
	}
	// A host with several addresses, or with TLS to fall back from, is tried
	// several times: all of them together have the same time.
	pingCtx, cancel := context.WithTimeout(ctx, config.ConnConfig.ConnectTimeout)
	defer cancel()
	if err := pool.Ping(pingCtx); err != nil {
		pool.Close()
		if errors.Is(err, context.DeadlineExceeded) || pgconn.Timeout(err) {
			err = fmt.Errorf("no answer within %s: %w", config.ConnConfig.ConnectTimeout, context.DeadlineExceeded)
		}
		return nil, serverError(err, "connecting to %s", place(config.ConnConfig))
	}
	return pool, nil
}

// liftTimeouts turns off what a role or database may have set against stray
// sessions: an index takes as long as it takes, and the connection that holds a
// table's lock is idle meanwhile. Not every server knows all of them.
func liftTimeouts(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `
		select set_config(name, '0', false) from pg_settings
		where name in ('statement_timeout', 'transaction_timeout', 'idle_session_timeout', 'idle_in_transaction_session_timeout')`,
		pgx.QueryExecModeExec)
	return err
}

// dsnReason says why a connection string cannot be read. The parser's own
// message may quote the string, and the password in it: only what is known to
// be free of it is passed on.
func dsnReason(err error) string {
	reason := "is no connection string: it must look like 'host=db dbname=gis user=me' or postgresql://me@db/gis"
	for known, hint := range map[string]string{
		"failed to read service":  " (service, PGSERVICE, PGSERVICEFILE)",
		"failed to configure TLS": " (sslmode, sslrootcert, sslcert, sslkey)",
		"invalid port":            "", "invalid connect_timeout": "", "invalid sslcertmode": "",
		"could not match": " the number of ports to that of hosts",
	} {
		if strings.Contains(err.Error(), "`: "+known) {
			reason = known + hint
		}
	}
	var file *fs.PathError
	if errors.As(err, &file) {
		reason += ": " + file.Error()
	}
	return reason
}

// checkHosts refuses a connection string of which the parser may have taken a
// part of the password for a host or a database: those are printed, and looked
// up in DNS.
func checkHosts(dsn string, c *pgx.ConnConfig) error {
	refuse := func() error {
		return &geomgen.ParamError{Param: "dsn", Value: "(not shown)",
			Reason: "where its host begins is in doubt: in a URL write %40, %2F, %3F, %23, %3A for @ / ? # : in user and password; in a list of keywords put spaces between them"}
	}
	if _, rest, ok := strings.Cut(dsn, "://"); ok {
		rest, _, _ = strings.Cut(rest, "?")
		_, path, _ := strings.Cut(rest, "/")
		if strings.Count(rest, "@") > 1 || strings.Contains(path, "@") {
			return refuse()
		}
	}
	hosts := []string{c.Host}
	for _, f := range c.Fallbacks {
		hosts = append(hosts, f.Host)
	}
	for _, h := range hosts {
		// A path is a socket's, and so is a name that begins with @.
		if !strings.HasPrefix(h, "/") && len(h) > 0 && strings.ContainsAny(h[1:], "@;= ") {
			return refuse()
		}
	}
	return nil
}

// poolSize is the number of connections that a run uses: its streams, the lock,
// and one that watches.
func poolSize(streams int) int {
	return max(streams, finishConns) + 2
}

func place(c *pgx.ConnConfig) string {
	database := c.Database
	if database == "" {
		database = c.User // as the server takes it
	}
	return fmt.Sprintf("%s:%d, database %s, as %s", c.Host, c.Port, database, c.User)
}

// Minimum versions, and how the server gives its own.
const (
	minPostgres = 130000
	minPostGIS  = "3.1"
)

// target is the table as it was found on the server.
type target struct {
	Table                 // with its schema
	geometrySchema string // where PostGIS lives
	oid            uint32 // 0: there is no such table
}

// inspect checks the job against the server and refuses, before anything is
// written, what could not be finished.
func inspect(ctx context.Context, conn *pgx.Conn, job Job) (target, error) {
	t := target{Table: job.Table}
	var version int
	var standby, readOnly bool
	var schema, postgis, postgisSchema *string
	err := conn.QueryRow(ctx, `
		select current_setting('server_version_num')::int, pg_is_in_recovery(),
		       current_setting('transaction_read_only') = 'on',
		       -- The ledger's own schema is not where tables go: a role called loadgrid
		       -- would find it in "$user" from its second run on.
		       (select s from unnest(current_schemas(false)) with ordinality u (s, n)
		        where s <> $1 and s !~ '^pg_' order by n limit 1),
		       (select extversion from pg_extension where extname = 'postgis'),
		       (select nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace where extname = 'postgis')`,
		DefaultLedgerSchema).Scan(&version, &standby, &readOnly, &schema, &postgis, &postgisSchema)
	if err != nil {
		return t, serverError(err, "asking the server for its version")
	}
	fail := func(what, advice string) (target, error) {
		return t, &ServerError{Doing: "checking the server", Err: errors.New(what), Advice: advice}
	}
	switch {
	case version < minPostgres:
		return fail(fmt.Sprintf("it is PostgreSQL %d", version/10000), "loadgrid needs 13 or newer")
	case standby:
		return fail("it is a read-only standby (SQLSTATE 25006)", "connect to the primary")
	case readOnly:
		return fail("transactions are read-only (SQLSTATE 25006)", "turn default_transaction_read_only off for this role or database")
	case postgis == nil:
		return fail("PostGIS is not in this database", "run 'create extension postgis' in it as its owner")
	case versionLess(*postgis, minPostGIS):
		return fail("it has PostGIS "+*postgis, "loadgrid needs "+minPostGIS+" or newer")
	}
	t.geometrySchema = *postgisSchema
	if t.Schema == "" {
		if schema == nil {
			return t, &geomgen.ParamError{Param: "table", Value: job.Table.String(), Reason: "no schema of the search_path exists: name one"}
		}
		t.Schema = *schema
	}
	if err := t.checkReserved(job.LedgerSchema); err != nil {
		return t, err
	}
	if err := t.checkSRID(ctx, conn, job.Grid.SRID); err != nil {
		return t, err
	}
	if err := t.checkPrivileges(ctx, conn, job.LedgerSchema); err != nil {
		return t, err
	}
	return t, t.find(ctx, conn)
}

// versionLess compares the first two numbers of versions like 3.3.2.
func versionLess(a, b string) bool {
	number := func(s string) int {
		parts := append(strings.Split(s, "."), "0")
		major, _ := strconv.Atoi(parts[0])
		minor, _ := strconv.Atoi(parts[1])
		return major*1000 + minor
	}
	return number(a) < number(b)
}

// checkSRID looks the SRID up: PostGIS itself takes any number.
func (t *target) checkSRID(ctx context.Context, conn *pgx.Conn, srid int32) error {
	if srid == 0 {
		return nil
	}
	var known bool
	err := conn.QueryRow(ctx, "select exists (select from "+
		pgx.Identifier{t.geometrySchema, "spatial_ref_sys"}.Sanitize()+" where srid = $1)", srid).Scan(&known)
	if err != nil {
		return serverError(err, "looking up SRID %d in spatial_ref_sys", srid)
	}
	if !known {
		return &geomgen.ParamError{Param: "srid", Value: strconv.Itoa(int(srid)), Reason: "the server does not know it: it is not in spatial_ref_sys"}
	}
	return nil
}

// checkPrivileges sees to it that tables can be made in the table's schema, and
// that the ledger's schema is there or can be made.
func (t *target) checkPrivileges(ctx context.Context, conn *pgx.Conn, ledgerSchema string) error {
	var tableSchema, tableCreate, ledgerThere, ledgerUse, databaseCreate bool
	var role, database string
	err := conn.QueryRow(ctx, `
		select s.oid is not null, coalesce(has_schema_privilege(s.oid, 'CREATE') and has_schema_privilege(s.oid, 'USAGE'), false),
		       l.oid is not null, coalesce(has_schema_privilege(l.oid, 'USAGE'), false),
		       has_database_privilege(current_database(), 'CREATE'), current_user, current_database()
		from (select 1) one
		left join pg_namespace s on s.nspname = $1
		left join pg_namespace l on l.nspname = $2`, t.Schema, ledgerSchema).Scan(
		&tableSchema, &tableCreate, &ledgerThere, &ledgerUse, &databaseCreate, &role, &database)
	if err != nil {
		return serverError(err, "looking up schemas and privileges")
	}
	denied := func(what, advice string) error {
		return &ServerError{Doing: "checking privileges of role " + role, Err: errors.New(what + " (SQLSTATE 42501)"), Advice: advice}
	}
	schema, ledger := pgx.Identifier{t.Schema}.Sanitize(), pgx.Identifier{ledgerSchema}.Sanitize()
	roleName, databaseName := pgx.Identifier{role}.Sanitize(), pgx.Identifier{database}.Sanitize()
	switch {
	case !tableSchema:
		return &geomgen.ParamError{Param: "table", Value: t.String(), Reason: "schema " + t.Schema + " does not exist"}
	case !tableCreate:
		return denied("it may not create tables in schema "+t.Schema,
			fmt.Sprintf("grant usage, create on schema %s to %s", schema, roleName))
	case !ledgerThere && !databaseCreate:
		return denied(fmt.Sprintf("the ledger's schema %s does not exist, and it may not create schemas in database %s", ledgerSchema, database),
			fmt.Sprintf("grant create on database %s to %s, or name a schema that is there as ledger-schema", databaseName, roleName))
	case ledgerThere && !ledgerUse:
		return denied("it may not use the ledger's schema "+ledgerSchema,
			fmt.Sprintf("grant usage, create on schema %s to %s", ledger, roleName))
	}
	return nil
}
