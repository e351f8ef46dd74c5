package main

import (
	"context"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/credential"
	"github.com/loadgrid/loadgrid/internal/options"
	"github.com/loadgrid/loadgrid/loader"
)

// serverOptions select the server and its ledger.
type serverOptions struct{ options.Server }

// resolveDSN returns the connection string to use; empty leaves it to the PG*
// environment.
func resolveDSN(dsn string) string {
	if dsn == "" {
		return os.Getenv("LOADGRID_DSN")
	}
	return dsn
}

// config returns the configuration of the connections, for a run with this many streams.
func (o *serverOptions) config(streams int) (*pgxpool.Config, error) {
	config, err := loader.ParseConfig(resolveDSN(o.DSN), streams)
	if err != nil {
		return nil, err
	}

	// The password is for a connection string that has none itself. One in the environment or in the
	// password file does not count.
	if o.Password != "" && !credential.HasPassword(resolveDSN(o.DSN)) {
		config.ConnConfig.Password = o.Password
	}
	return config, nil
}

func (o *serverOptions) open(ctx context.Context, streams int) (*pgxpool.Pool, error) {
	// It reads files, such as the password file.
	config, err := await(ctx, func() (*pgxpool.Config, error) { return o.config(streams) })
	if err != nil {
		return nil, err
	}
	return loader.OpenConfig(ctx, config)
}

// ledger is the ledger's schema.
func (o *serverOptions) ledger() string {
	if o.LedgerSchema == "" {
		return loader.DefaultLedgerSchema
	}
	return o.LedgerSchema
}

// ledgerOn returns the ledger, for a command that reads it.
func (o *serverOptions) ledgerOn(pool *pgxpool.Pool) *loader.Ledger {
	return loader.NewLedger(pool, o.ledger()).OwnedBy(o.LedgerOwner)
}

// withPool opens the server for a command that uses the ledger, and closes it afterwards.
func (o *serverOptions) withPool(ctx context.Context, do func(context.Context, *pgxpool.Pool) error) error {
	pool, err := o.open(ctx, 1)
	if err != nil {
		return err
	}
	defer loader.Close(pool)

	return do(ctx, pool)
}
