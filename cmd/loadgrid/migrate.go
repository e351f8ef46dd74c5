package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/loader"
)

func newMigrateCommand() *cobra.Command {
	var server serverFlags
	with := func(do func(cmd *cobra.Command, pool *pgxpool.Pool) error) func(*cobra.Command, []string) error {
		return func(cmd *cobra.Command, _ []string) error {
			return server.withPool(cmd, func(_ context.Context, pool *pgxpool.Pool) error { return do(cmd, pool) })
		}
	}
	up := &cobra.Command{
		Use:     "up",
		Short:   "Make the ledger, or bring it up to date; load does this by itself",
		Example: "  loadgrid migrate up",
		Args:    noArgs,
		RunE: with(func(cmd *cobra.Command, pool *pgxpool.Pool) error {
			if err := loader.MigrateUp(cmd.Context(), pool, server.ledger); err != nil {
				return err
			}
			return printLedgerVersion(cmd, pool, server.ledger)
		}),
	}
	down := &cobra.Command{
		Use:     "down",
		Short:   "Take the ledger's tables away; loaded tables stay, but cannot be appended to any more",
		Example: "  loadgrid migrate down --ledger-schema audit",
		Args:    noArgs,
		RunE: with(func(cmd *cobra.Command, pool *pgxpool.Pool) error {
			if err := loader.MigrateDown(cmd.Context(), pool, server.ledger); err != nil {
				return err
			}
			return printLedgerVersion(cmd, pool, server.ledger)
		}),
	}
	ver := &cobra.Command{
		Use:     "version",
		Short:   "Print the version of the ledger",
		Example: "  loadgrid migrate version",
		Args:    noArgs,
		RunE: with(func(cmd *cobra.Command, pool *pgxpool.Pool) error {
			return printLedgerVersion(cmd, pool, server.ledger)
		}),
	}
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Make, update or remove the ledger's tables",
		Example: `  loadgrid migrate version
  loadgrid migrate up --ledger-schema audit`,
	}
	for _, c := range []*cobra.Command{up, down, ver} {
		server.register(c)
		cmd.AddCommand(c)
	}
	return withSubcommands(cmd)
}

func printLedgerVersion(cmd *cobra.Command, pool *pgxpool.Pool, schema string) error {
	v, dirty, err := loader.MigrateVersion(cmd.Context(), pool, schema)
	if err != nil {
		return err
	}
	state := fmt.Sprintf("version %d", v)
	if v == 0 {
		state = "none"
	}
	if dirty {
		state += ", a migration was killed: the next start mends it"
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "ledger in schema %s: %s\n", schema, state)
	return err
}
