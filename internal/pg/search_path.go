package pg

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// A session of a run finds nothing but the server's own functions, operators, types and
// catalogue without a schema: whoever may create in a schema of the role's search_path could
// otherwise have a run call theirs, with the rights of the role that loads. The role's own
// path is kept in a setting of the session, for statements of the user's.

// SearchPath is the search_path of sessions. pg_temp comes last: it is searched first where it
// is not named.
const SearchPath = "pg_catalog, pg_temp"

// ownPath is the setting that keeps the search_path that a session has of its own.
const ownPath = "loadgrid.search_path"

// runPathSQL comes before any other statement, so all that it names has its schema. A
// session that has the path already keeps what it had before, unless "reset all" took that
// away.
const runPathSQL = `
	select pg_catalog.set_config('` + ownPath + `', pg_catalog.current_setting('search_path'), false),
	       pg_catalog.set_config('search_path', '` + SearchPath + `', false)
	where pg_catalog.current_setting('search_path') operator(pg_catalog.<>) '` + SearchPath + `'
	   or pg_catalog.current_setting('` + ownPath + `', true) is null`

// The search_path of the session itself, of the rest of a transaction, and that of runs again.
const (
	ownPathSQL      = "select pg_catalog.set_config('search_path', pg_catalog.current_setting('" + ownPath + "'), false)"
	ownPathLocalSQL = "select pg_catalog.set_config('search_path', pg_catalog.current_setting('" + ownPath + "'), true)"
	runPathLocalSQL = "set local search_path = " + SearchPath
)

// UseOwnPath gives a connection the search_path back that its role, its database or its DSN
// has set. It is for statements of the user's, on a connection that runs nothing else.
func UseOwnPath(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, ownPathSQL, pgx.QueryExecModeExec)
	return Wrap(err, "setting the search_path of the role")
}

// WithOwnPath runs do in a transaction, with the search_path that the role, the database or
// the DSN has set. An error of do's leaves it to the transaction, which has failed then.
func WithOwnPath(ctx context.Context, tx pgx.Tx, do func() error) error {
	if err := UseOwnPathLocal(ctx, tx); err != nil {
		return err
	}

	if err := do(); err != nil {
		return err
	}

	_, err := tx.Exec(ctx, runPathLocalSQL, pgx.QueryExecModeExec)

	return Wrap(err, "setting the search_path of the run")
}

// UseOwnPathLocal gives the rest of a transaction the search_path that the role, the database
// or the DSN has set.
func UseOwnPathLocal(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, ownPathLocalSQL, pgx.QueryExecModeExec)
	return Wrap(err, "setting the search_path of the role")
}

// OwnSchemas returns the schemas of the search_path that the role, the database or the DSN
// has set, those that are there and may be used.
func OwnSchemas(ctx context.Context, b Beginner) (schemas []string, err error) {
	tx, err := b.Begin(ctx)
	if err != nil {
		return nil, Wrap(err, "beginning a transaction")
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()

	err = WithOwnPath(ctx, tx, func() error {
		return tx.QueryRow(ctx, "select pg_catalog.current_schemas(false)").Scan(&schemas)
	})

	return schemas, Wrap(err, "reading the search_path of the role")
}
