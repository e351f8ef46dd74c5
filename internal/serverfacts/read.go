package serverfacts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/citus"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/precheck"
	"github.com/loadgrid/loadgrid/internal/tablelock"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// conns is the number of connections: finding a pooler needs two.
const conns = 2

// topicTimeout is how long the server may take over one statement.
const topicTimeout = 10 * time.Second

// Options describe the load that the facts are for.
type Options struct {
	// Schema is the schema of its tables. Defaults to the schema of a load that names none.
	Schema string
	// Ledger has the schema and the owner of the ledger.
	Ledger ledger.Ledger
	// Streams is the number of streams of the load, and Connections the number of connections that it needs.
	Streams, Connections int
}

// Prepare returns a configuration for a pool to read facts with. It does not use prepared statements,
// because a pooler that pools transactions mixes them up.
func Prepare(config *pgxpool.Config) *pgxpool.Config {
	config = config.Copy()
	config.MaxConns, config.MinConns, config.MinIdleConns = conns, 0, 0
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec

	return config
}

// Read reads the facts from the server, and measures the link. pool must have the configuration of
// Prepare. All statements run in read-only transactions. An error means that the connection failed. Topics
// that the role may not read are in Facts.Unread.
func Read(ctx context.Context, pool *pgxpool.Pool, o Options) (Facts, error) {
	pooler, err := findPooler(ctx, pool)
	if err != nil {
		return Facts{}, err
	}

	conn, err := pool.Acquire(ctx)
	if err != nil {
		return Facts{}, pg.Wrap(err, "connecting")
	}
	defer conn.Release()

	config := conn.Conn().Config()
	r := reader{pool: pool, conn: conn.Conn(), options: o}
	r.facts = Facts{Host: config.Host, Port: config.Port, Pooler: pooler, Unread: make(map[Topic]string)}

	err = r.read(ctx)

	return r.facts, err
}

// findPooler looks for a connection pooler. A pooler that a load cannot use is not an error.
func findPooler(ctx context.Context, pool *pgxpool.Pool) (p Pooler, err error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return p, pg.Wrap(err, "connecting")
	}

	var backend uint32
	err = conn.QueryRow(ctx, "select pg_catalog.pg_backend_pid()").Scan(&backend)
	p.Present = err == nil && backend != conn.Conn().PgConn().PID()
	conn.Release()

	if err != nil || !p.Present {
		return p, pg.Wrap(err, "looking for a connection pooler")
	}

	err = tablelock.RefusePooler(ctx, pool)

	var refused *pg.ServerError
	if errors.As(err, &refused) && ctx.Err() == nil {
		p.Trouble, p.Cure = pg.Message(refused.Err), refused.Advice
		return p, nil
	}

	return p, err
}

// reader reads facts on one connection.
type reader struct {
	pool    *pgxpool.Pool
	conn    *pgx.Conn
	options Options
	facts   Facts
}

// read reads all facts.
func (r *reader) read(ctx context.Context) error {
	if err := r.look(ctx, TopicServer, r.readServer); err != nil {
		return err
	}

	if words, failed := r.facts.Unread[TopicServer]; failed {
		return &pg.ServerError{Doing: "asking the server for its version", Err: errors.New(words)}
	}

	for _, step := range []struct {
		topic Topic
		do    func(context.Context, pgx.Tx) error
	}{
		{TopicRole, r.readRole},
		{TopicStandbys, r.readStandbys},
		{TopicSystems, r.readSystems},
		{TopicSchema, r.readSchema},
		{TopicLedger, r.readLedger},
		{TopicConnections, r.readConnections},
		{TopicSettings, r.readSettings},
		{TopicDisk, r.readDisk},
		{TopicLink, r.measureLink},
	} {
		if err := r.look(ctx, step.topic, step.do); err != nil {
			return err
		}
	}

	return nil
}

// look reads one topic in a read-only transaction. It sets the session up as for a load, because a
// pooler may have changed it. If the server refuses to answer, that is a fact, too.
func (r *reader) look(ctx context.Context, topic Topic, do func(context.Context, pgx.Tx) error) error {
	err := pgx.BeginTxFunc(ctx, r.conn, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		prepare := fmt.Sprintf("set local search_path = %s; set local statement_timeout = %d", pg.SearchPath, topicTimeout.Milliseconds())
		if _, err := tx.Exec(ctx, prepare, pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}

		return do(ctx, tx)
	})

	if pg.SQLState(err) != "" && !r.conn.IsClosed() {
		r.facts.Unread[topic] = pg.Message(err)
		return nil
	}

	return pg.Wrap(err, "asking the server about %s", topic)
}

const serverSQL = `
	select current_setting('server_version_num')::int4, split_part(current_setting('server_version'), ' ', 1), current_database(),
	       pg_is_in_recovery(), current_setting('default_transaction_read_only') = 'on',
	       coalesce((select min(rolname) from pg_roles where rolname = any($1::text[])), ''),
	       coalesce(e.extversion, ''), coalesce(n.nspname, ''), coalesce(has_schema_privilege(n.oid, 'USAGE'), false),
	       coalesce((select default_version from pg_available_extensions a where a.name = 'postgis'), '')
	from (select 1) one left join pg_extension e on e.extname = 'postgis' left join pg_namespace n on n.oid = e.extnamespace`

func (r *reader) readServer(ctx context.Context, tx pgx.Tx) (err error) {
	s, p := &r.facts.Server, &r.facts.PostGIS

	var role string
	err = tx.QueryRow(ctx, serverSQL, providerRoles()).Scan(&s.VersionNum, &s.Version, &s.Database,
		&s.InRecovery, &s.ReadOnly, &role, &p.Version, &p.Schema, &p.Usable, &p.Installed)
	if err != nil {
		return err
	}
	s.Provider = providerOf(role)

	if s.Traits, err = precheck.Traits(ctx, tx); err != nil {
		return err
	}

	r.facts.Citus, err = citus.Read(ctx, tx)

	return err
}
