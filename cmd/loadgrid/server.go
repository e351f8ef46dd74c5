package main

import (
	"context"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/credential"
	"github.com/loadgrid/loadgrid/internal/options"
	"github.com/loadgrid/loadgrid/loader"
)

// serverOptions say which server, and where its ledger is.
type serverOptions struct{ options.Server }

// resolveDSN returns the connection string to use; empty leaves it to the PG*
// environment.
func resolveDSN(dsn string) string {
	if dsn == "" {
		return os.Getenv("LOADGRID_DSN")
	}
	return dsn
}

// connection returns the connection string to use, with the password.
func (o *serverOptions) connection() string {
	dsn := resolveDSN(o.DSN)
	if o.Password == "" {
		return dsn
	}
	return credential.WithPassword(dsn, o.Password)
}

func (o *serverOptions) open(ctx context.Context, streams int) (*pgxpool.Pool, error) {
	return loader.Open(ctx, o.connection(), streams)
}

// ledger is the ledger's schema.
func (o *serverOptions) ledger() string {
	if o.LedgerSchema == "" {
		return loader.DefaultLedgerSchema
	}
	return o.LedgerSchema
}

// withPool opens the server for a command that looks at the ledger, and closes it after.
func (o *serverOptions) withPool(ctx context.Context, do func(context.Context, *pgxpool.Pool) error) error {
	pool, err := o.open(ctx, 1)
	if err != nil {
		return err
	}
	defer loader.Close(pool)

	return do(ctx, pool)
}
