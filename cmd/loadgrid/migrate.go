package main

import (
	"context"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/loader"
)

func newMigrateCommand() *cobra.Command {
	var server serverOptions
	table := server.Table()
	runE := func(do func(*loader.Ledger, context.Context) error) func(*cobra.Command, []string) error {
		return func(cmd *cobra.Command, _ []string) error {
			if err := table.Apply(givenValues(cmd)); err != nil {
				return err
			}
			return runMigrate(cmd.Context(), server, do, streamsOf(cmd))
		}
	}

	up := &cobra.Command{
		Use:     "up",
		Short:   "Create the ledger or bring it up to date; load does this automatically",
		Example: "  loadgrid migrate up",
		Args:    noArgs,
		RunE:    runE((*loader.Ledger).MigrateUp),
	}

	down := &cobra.Command{
		Use:     "down",
		Short:   "Drop the ledger's tables; loaded tables stay, but you can no longer append to them",
		Example: "  loadgrid migrate down --ledger-schema audit",
		Args:    noArgs,
		RunE:    runE((*loader.Ledger).MigrateDown),
	}

	ver := &cobra.Command{
		Use:     "version",
		Short:   "Print the version of the ledger",
		Example: "  loadgrid migrate version",
		Args:    noArgs,
		RunE:    runE(func(*loader.Ledger, context.Context) error { return nil }),
	}

	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Create, update or remove the tables of the ledger",
		Long: `The ledger records the runs of loads in its own schema of the database. load creates and
updates it automatically. Use migrate to do that at another time, to print the version
of the ledger, or to remove it.`,
		Example: `  loadgrid migrate version
  loadgrid migrate up --ledger-schema audit`,
	}

	for _, c := range []*cobra.Command{up, down, ver} {
		addFlags(c, table)
		cmd.AddCommand(c)
	}
	return withSubcommands(cmd)
}

// runMigrate changes the ledger, and prints the version that it then has.
func runMigrate(ctx context.Context, server serverOptions, change func(*loader.Ledger, context.Context) error, std streams) error {
	return server.withPool(ctx, func(ctx context.Context, pool *pgxpool.Pool) error {
		ledger := server.ledgerOn(pool)
		if err := change(ledger, ctx); err != nil {
			return err
		}

		return printLedgerVersion(ctx, ledger, server.ledger(), std.out)
	})
}

func printLedgerVersion(ctx context.Context, ledger *loader.Ledger, schema string, out io.Writer) error {
	v, dirty, err := ledger.Version(ctx)
	if err != nil {
		return err
	}

	state := fmt.Sprintf("version %d", v)
	if v == 0 {
		state = "none"
	}
	if dirty {
		state += ", a migration was killed: the next start repairs it"
	}

	_, err = fmt.Fprintf(out, "ledger in schema %s: %s\n", schema, state)
	return err
}
