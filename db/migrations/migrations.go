// Package migrations contains the ledger's schema and migrates it with golang-migrate.
package migrations

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database"
	migratepgx "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

//go:embed *.sql
var files embed.FS

// versionTable is golang-migrate's own table, in the ledger's schema.
const versionTable = "schema_migrations"

// closeTimeout is how long closing a connection may take.
const closeTimeout = time.Second

// Latest returns the version to which this program brings a ledger.
func Latest() (uint, error) {
	names, err := fs.Glob(files, "*.up.sql")
	if err != nil || len(names) == 0 {
		return 0, fmt.Errorf("no migrations are embedded: %w", err)
	}
	var v uint
	if _, err := fmt.Sscanf(names[len(names)-1], "%d_", &v); err != nil {
		return 0, fmt.Errorf("migration %s has no number: %w", names[len(names)-1], err)
	}
	return v, nil
}

// NewerError reports a ledger from a newer loadgrid.
type NewerError struct {
	Schema       string
	Have, Latest uint
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("the ledger in schema %s has version %d, but this loadgrid supports versions up to %d: use the newer loadgrid that made it",
		e.Schema, e.Have, e.Latest)
}

// Up brings the ledger in schema to the latest version. The schema must exist. Up repeats a migration that was
// killed before it finished: each file is one transaction, and can run again if it was committed but not
// recorded. Connections are opened as a pool of config opens them.
func Up(ctx context.Context, config *pgxpool.Config, schema string) error {
	return withMigrate(ctx, config, schema, func(m *migrate.Migrate) error {
		if err := refuseNewer(m, schema); err != nil {
			return err
		}

		err := m.Up()
		var dirty migrate.ErrDirty
		if errors.As(err, &dirty) {
			if err := m.Force(previous(dirty.Version)); err != nil {
				return fmt.Errorf("removing the mark of killed migration %d: %w", dirty.Version, err)
			}
			err = m.Up()
		}
		return err
	})
}

// Down removes the ledger, with its record of runs. The schema stays.
func Down(ctx context.Context, config *pgxpool.Config, schema string) error {
	return withMigrate(ctx, config, schema, func(m *migrate.Migrate) error {
		if err := refuseNewer(m, schema); err != nil {
			return err
		}

		err := m.Down()
		var dirty migrate.ErrDirty
		if errors.As(err, &dirty) {
			// Migrations up can be repeated, and so can those down: run all files from the latest version.
			latest, lerr := Latest()
			if lerr != nil {
				return lerr
			}
			if err := m.Force(int(latest)); err != nil {
				return fmt.Errorf("removing the mark of killed migration %d: %w", dirty.Version, err)
			}
			err = m.Down()
		}

		return err
	})
}

// Version returns the ledger's version, or 0 if there is none. dirty is true if the migration to that version was
// killed before it finished. Version writes nothing.
func Version(ctx context.Context, conn *pgx.Conn, schema string) (version uint, dirty bool, err error) {
	table := pgx.Identifier{schema, versionTable}.Sanitize()
	var there bool
	if err := conn.QueryRow(ctx, "select to_regclass($1) is not null", table).Scan(&there); err != nil || !there {
		return 0, false, err
	}

	var v int64
	err = conn.QueryRow(ctx, "select version, dirty from "+table).Scan(&v, &dirty)
	if errors.Is(err, pgx.ErrNoRows) || v < 0 {
		return 0, dirty, nil
	}

	return uint(v), dirty, err
}

// previous returns the version to force on a ledger so that version runs again.
func previous(version int) int {
	if version <= 1 {
		return database.NilVersion
	}
	return version - 1
}

func refuseNewer(m *migrate.Migrate, schema string) error {
	have, _, err := m.Version()
	if errors.Is(err, migrate.ErrNilVersion) {
		return nil
	}
	if err != nil {
		return err
	}

	latest, err := Latest()
	if err != nil {
		return err
	}

	if have > latest {
		return &NewerError{schema, have, latest}
	}
	return nil
}

// withMigrate opens golang-migrate on connections of its own, whose search_path is only the ledger's schema.
func withMigrate(ctx context.Context, config *pgxpool.Config, schema string, do func(*migrate.Migrate) error) (err error) {
	c := connections{ctx: ctx, config: config, schema: schema}
	defer c.close()

	// Not from a pool: if golang-migrate fails, it keeps a connection, and closing the pool would wait for that.
	db := stdlib.OpenDB(*config.ConnConfig, stdlib.OptionBeforeConnect(c.prepare), stdlib.OptionAfterConnect(c.connected))
	defer func() { err = errors.Join(err, db.Close()) }()

	err = migrateOn(ctx, db, schema, do)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("the migration of the ledger in schema %s was stopped: %w", schema, context.Cause(ctx))
	}

	return err
}

// connections opens connections as a pool does, with its hooks.
type connections struct {
	ctx    context.Context // golang-migrate accepts no context
	config *pgxpool.Config
	schema string

	mu    sync.Mutex
	ended []func()
}

// prepare is called before each connection.
func (c *connections) prepare(ctx context.Context, config *pgx.ConnConfig) error {
	if c.config.BeforeConnect == nil {
		return nil
	}

	*config = *config.Copy()

	return c.config.BeforeConnect(ctx, config)
}

// connected is called with each connection.
func (c *connections) connected(ctx context.Context, conn *pgx.Conn) error {
	// golang-migrate's GracefulStop has a data race, so stop the connection instead. pgx then cancels the
	// statement on the server, and its work is rolled back.
	stop := context.AfterFunc(c.ctx, func() { _ = conn.PgConn().Conn().SetDeadline(time.Unix(1, 0)) })

	c.mu.Lock()
	c.ended = append(c.ended, func() {
		stop()

		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), closeTimeout)
		defer cancel()
		_ = conn.Close(ctx)
	})
	c.mu.Unlock()

	if c.config.AfterConnect != nil {
		if err := c.config.AfterConnect(ctx, conn); err != nil {
			return err
		}
	}

	if c.config.PrepareConn != nil {
		if ok, err := c.config.PrepareConn(ctx, conn); err != nil {
			return err
		} else if !ok {
			return driver.ErrBadConn // another connection may do
		}
	}

	// Set this on the connection, not at its start: poolers refuse the latter.
	_, err := conn.Exec(ctx, "set search_path to "+pgx.Identifier{c.schema}.Sanitize()+", pg_temp")

	return err
}

// close closes the connections that are still open.
func (c *connections) close() {
	c.mu.Lock()
	defer c.mu.Unlock()

	for _, end := range c.ended {
		end()
	}
}

func migrateOn(ctx context.Context, db *sql.DB, schema string, do func(*migrate.Migrate) error) (err error) {
	source, err := iofs.New(files, ".")
	if err != nil {
		return fmt.Errorf("reading the embedded migrations: %w", err)
	}

	if err := db.PingContext(ctx); err != nil {
		return err
	}

	driver, err := migratepgx.WithInstance(db, &migratepgx.Config{MigrationsTable: versionTable, SchemaName: schema})
	if err != nil {
		return err
	}

	m, err := migrate.NewWithInstance("iofs", source, "pgx5", driver)
	if err != nil {
		return err
	}
	defer func() {
		sourceErr, dbErr := m.Close()
		err = errors.Join(err, sourceErr, dbErr)
	}()

	err = do(m)
	if errors.Is(err, migrate.ErrNoChange) {
		return nil
	}

	return withoutSQL(err)
}

// withoutSQL returns the server's error of a failed migration: golang-migrate adds the text of the whole file.
func withoutSQL(err error) error {
	var failed database.Error
	var pointed *database.Error
	if errors.As(err, &pointed) {
		failed = *pointed
	} else if !errors.As(err, &failed) {
		return err
	}

	if failed.OrigErr != nil {
		return failed.OrigErr
	}

	return err
}
