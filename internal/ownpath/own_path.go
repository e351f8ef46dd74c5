// Package ownpath owns the search_path that a session gets from its role, its database or its DSN.
// The user's statements run with it, while the statements of a run use pg.SearchPath.
package ownpath

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
)

// Statements that set the session's own search_path for the session, the same for the rest of a
// transaction, and the run's search_path again.
const (
	ownPathSQL      = "select pg_catalog.set_config('search_path', pg_catalog.current_setting('" + pg.OwnPathSetting + "'), false)"
	ownPathLocalSQL = "select pg_catalog.set_config('search_path', pg_catalog.current_setting('" + pg.OwnPathSetting + "'), true)"
	runPathLocalSQL = "set local search_path = " + pg.SearchPath
)

// Use restores the search_path of a connection that its role, its database or its DSN has set. It
// is for the user's statements, on a connection that runs nothing else.
func Use(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, ownPathSQL, pgx.QueryExecModeExec)
	return pg.Wrap(err, "setting the search_path of the role")
}

// With runs do in a transaction with the search_path that the role, the database or the DSN has
// set. If do fails, it does not set the path back, because the transaction has failed then.
func With(ctx context.Context, tx pgx.Tx, do func() error) error {
	if err := UseLocal(ctx, tx); err != nil {
		return err
	}

	if err := do(); err != nil {
		return err
	}

	_, err := tx.Exec(ctx, runPathLocalSQL, pgx.QueryExecModeExec)

	return pg.Wrap(err, "setting the search_path of the run")
}

// UseLocal restores, for the rest of a transaction, the search_path that the role, the database or
// the DSN has set.
func UseLocal(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, ownPathLocalSQL, pgx.QueryExecModeExec)
	return pg.Wrap(err, "setting the search_path of the role")
}

// Schemas returns the schemas of the search_path that the role, the database or the DSN has set,
// without those that do not exist or that the role may not use.
func Schemas(ctx context.Context, b pg.Beginner) (schemas []string, err error) {
	tx, err := b.Begin(ctx)
	if err != nil {
		return nil, pg.Wrap(err, "beginning a transaction")
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()

	err = With(ctx, tx, func() error {
		return tx.QueryRow(ctx, "select pg_catalog.current_schemas(false)").Scan(&schemas)
	})

	return schemas, pg.Wrap(err, "reading the search_path of the role")
}
