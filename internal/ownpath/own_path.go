// Package ownpath owns the search_path that a session has of its role, its database or its DSN:
// statements of the user's run with it, where those of a run have pg.SearchPath.
package ownpath

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
)

// The search_path of the session itself, of the rest of a transaction, and that of runs again.
const (
	ownPathSQL      = "select pg_catalog.set_config('search_path', pg_catalog.current_setting('" + pg.OwnPathSetting + "'), false)"
	ownPathLocalSQL = "select pg_catalog.set_config('search_path', pg_catalog.current_setting('" + pg.OwnPathSetting + "'), true)"
	runPathLocalSQL = "set local search_path = " + pg.SearchPath
)

// Use gives a connection the search_path back that its role, its database or its DSN
// has set. It is for statements of the user's, on a connection that runs nothing else.
func Use(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, ownPathSQL, pgx.QueryExecModeExec)
	return pg.Wrap(err, "setting the search_path of the role")
}

// With runs do in a transaction, with the search_path that the role, the database or
// the DSN has set. An error of do's leaves it to the transaction, which has failed then.
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

// UseLocal gives the rest of a transaction the search_path that the role, the database
// or the DSN has set.
func UseLocal(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, ownPathLocalSQL, pgx.QueryExecModeExec)
	return pg.Wrap(err, "setting the search_path of the role")
}

// Schemas returns the schemas of the search_path that the role, the database or the DSN
// has set, those that are there and may be used.
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
