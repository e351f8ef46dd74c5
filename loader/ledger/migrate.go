package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/db/migrations"
	"github.com/loadgrid/loadgrid/internal/pg"
)

// MigrateUp creates the ledger's schema if it is missing, and brings the ledger to the version of this program.
// The pool must come from package pg: see pg.Own.
func (l Ledger) MigrateUp(ctx context.Context, pool *pgxpool.Pool) error {
	schema := l.Schema
	version, dirty, err := l.MigrateVersion(ctx, pool)
	if err != nil {
		return err
	}

	latest, err := migrations.Latest()
	if err != nil {
		return err
	}

	if version == latest && !dirty {
		return nil
	}

	// Look first: create schema if not exists needs CREATE on the database even if the schema exists.
	var there bool
	if err := pool.QueryRow(ctx, "select exists (select from pg_namespace where nspname = $1)", schema).Scan(&there); err != nil {
		return pg.Wrap(err, "looking for schema %s", schema)
	}

	if !there {
		if err := createSchema(ctx, pool, schema); err != nil && !pg.HasCode(err, pgerrcode.UniqueViolation) {
			return pg.Wrap(err, "creating the ledger's schema %s", schema)
		}

		// Another role may have created it meanwhile, and migrations run with it in the search_path.
		if err := l.CheckOwner(ctx, pool); err != nil {
			return err
		}
	}

	if err := migrations.Up(ctx, pool.Config(), schema); err != nil {
		return pg.Wrap(err, "creating the ledger in schema %s", l.Schema)
	}

	return l.CheckOwner(ctx, pool) // another role may have created the schema meanwhile
}

// createSchema creates a schema that stays on this server: Citus can be configured to distribute new schemas over
// its nodes.
func createSchema(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "select set_config('citus.enable_schema_based_sharding', 'off', true) where exists (select from pg_extension where extname = 'citus')")
		if err == nil {
			_, err = tx.Exec(ctx, "create schema if not exists "+pgx.Identifier{schema}.Sanitize())
		}

		return err
	})
}

// MigrateDown removes the ledger from its schema, with its record of runs.
func (l Ledger) MigrateDown(ctx context.Context, pool *pgxpool.Pool) error {
	if err := l.CheckOwner(ctx, pool); err != nil {
		return err
	}

	schema := l.Schema
	var there bool
	if err := pool.QueryRow(ctx, "select exists (select from pg_namespace where nspname = $1)", schema).Scan(&there); err != nil {
		return pg.Wrap(err, "looking for schema %s", schema)
	}

	if !there {
		return nil
	}

	runs, err := l.Runs(ctx, pool, RunFilter{})
	var none *NoLedgerError
	if err != nil && !errors.As(err, &none) { // remove a half-made ledger, too
		return err
	}

	for _, r := range runs {
		if r.State == StateLoading {
			return &UnfinishedError{Run: r.ID, Schema: schema,
				Err: fmt.Errorf("the ledger in schema %s has run %d, which is unfinished and has a staging table", schema, r.ID)}
		}
	}

	err = migrations.Down(ctx, pool.Config(), schema)

	return pg.Wrap(err, "removing the ledger in schema %s", l.Schema)
}

// MigrateVersion returns the ledger's version, or 0 if there is no ledger. dirty is true if the migration to that
// version was killed before it finished.
func (l Ledger) MigrateVersion(ctx context.Context, pool *pgxpool.Pool) (version uint, dirty bool, err error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return 0, false, pg.Wrap(err, "connecting")
	}
	defer conn.Release()

	if err := l.CheckOwner(ctx, conn); err != nil {
		return 0, false, err
	}

	version, dirty, err = migrations.Version(ctx, conn.Conn(), l.Schema)
	if pg.HasCode(err, pgerrcode.InsufficientPrivilege) {
		return 0, false, &pg.ServerError{Doing: fmt.Sprintf("reading the version of the ledger in schema %s", l.Schema), Err: err,
			Advice: "another role made the ledger; docs/security.md has the SQL that gives it to this one"}
	}

	return version, dirty, pg.Wrap(err, "reading the version of the ledger in schema %s", l.Schema)
}
