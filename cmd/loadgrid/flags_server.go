package main

import (
	"context"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

// serverFlags are the flags that say which server, and where its ledger is.
type serverFlags struct {
	dsn, ledger string
}

func (f *serverFlags) register(cmd *cobra.Command) {
	registerDSN(cmd, &f.dsn)
	cmd.Flags().StringVar(&f.ledger, "ledger-schema", loader.DefaultLedgerSchema, "`schema` of the ledger")
}

func registerDSN(cmd *cobra.Command, dsn *string) {
	cmd.Flags().StringVar(dsn, "dsn", "",
		"`connection` string or URL, as psql takes it; defaults to $LOADGRID_DSN, then to the PG* environment, service file and password file")
}

// resolveDSN returns the connection string to use; empty leaves it to the PG*
// environment.
func resolveDSN(dsn string) string {
	if dsn == "" {
		return os.Getenv("LOADGRID_DSN")
	}
	return dsn
}

func (f *serverFlags) open(ctx context.Context, streams int) (*pgxpool.Pool, error) {
	if f.ledger == "" {
		return nil, &geomgen.ParamError{Param: "ledger-schema", Value: `""`, Reason: "the name is empty"}
	}
	return loader.Open(ctx, resolveDSN(f.dsn), streams)
}

// withPool opens the server for a command that looks at the ledger, and closes it after.
func (f *serverFlags) withPool(ctx context.Context, do func(context.Context, *pgxpool.Pool) error) error {
	pool, err := f.open(ctx, 1)
	if err != nil {
		return err
	}
	defer loader.Close(pool)

	return do(ctx, pool)
}
