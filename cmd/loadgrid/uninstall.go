package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/internal/options"
	"github.com/loadgrid/loadgrid/internal/uninstall"
	"github.com/loadgrid/loadgrid/loader"
)

func newUninstallCommand() *cobra.Command {
	var (
		server    serverOptions
		yes, kept bool
	)
	cmd := &cobra.Command{
		Use:   "uninstall",
		Short: "List or remove everything that loadgrid has created in a database",
		Long: `uninstall lists what loadgrid has created in a database: the ledger with its functions, and
the staging tables that runs have left behind. With --yes it removes them in one transaction.
With --kept it also includes the table versions that --keep has kept.

The tables that you loaded stay, and so does everything that loadgrid did not create. The
schema of the ledger is removed only if nothing else is in it. uninstall removes nothing
while a run is active, or if your views, functions or indexes depend on the ledger; it
then names them.`,
		Example: `  loadgrid uninstall
  loadgrid uninstall --yes
  loadgrid uninstall --kept --yes`,
		Args: noArgs,
	}

	table := append(options.Table{
		{Name: "yes", Value: options.Bool(&yes), Help: "remove the listed objects"},
		{Name: "kept", Value: options.Bool(&kept), Help: "include kept versions of tables"},
	}, server.Table()...)
	addFlags(cmd, table)

	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := table.Apply(givenValues(cmd)); err != nil {
			return err
		}
		return runUninstall(cmd.Context(), server, yes, kept, streamsOf(cmd))
	}

	return cmd
}

func runUninstall(ctx context.Context, server serverOptions, yes, kept bool, std streams) error {
	var found loader.Inventory
	err := server.withPool(ctx, func(ctx context.Context, pool *pgxpool.Pool) (err error) {
		ledger := server.ledgerOn(pool)
		if yes {
			found, err = ledger.Uninstall(ctx, kept)
		} else {
			found, err = ledger.Inventory(ctx)
		}
		return err
	})
	if err != nil {
		return err
	}

	if found.Empty() {
		fmt.Fprintf(std.out, "found nothing of loadgrid with a ledger in schema %s\n", oneLine(found.Schema))
		printOtherLedgers(std.out, found)
		return nil
	}

	verb := "removes"
	if yes {
		verb = "removed"
	}

	printRemoved(std.out, found, kept, verb)
	printRemaining(std.out, found, kept)
	if yes {
		_, err = fmt.Fprintln(std.out, "done")
		return err
	}

	_, err = fmt.Fprintln(std.out, "nothing was removed: run the same command with --yes to remove it")
	return err
}

// printRemoved writes what is removed, or was, as verb says.
func printRemoved(w io.Writer, i loader.Inventory, kept bool, verb string) {
	line := func(format string, args ...any) { fmt.Fprintf(w, "%-8s "+format+"\n", append([]any{verb}, args...)...) }

	if len(i.Relations) > 0 {
		var relations []string
		for _, r := range i.Relations {
			relations = append(relations, oneLine(r.Name))
		}
		line("the ledger in schema %s, with %s: %s", oneLine(i.Schema), pluralCount(i.Runs, "run"), strings.Join(relations, ", "))
	}

	if n := len(i.Functions); n > 0 {
		line("%s of the ledger", plural(n, "function"))
	}
	if i.SchemaToo {
		line("schema %s", oneLine(i.Schema))
	}

	for _, t := range i.Staging {
		of := "which belongs to no run in the ledger"
		if t.Run != 0 {
			of = fmt.Sprintf("of the unfinished run %d", t.Run)
		}
		line("staging table %s, %s", oneLine(t.Table.String()), of)
	}

	if kept {
		printKeptVersions(line, i.Kept)
	}
}

func printKeptVersions(line func(string, ...any), kept []uninstall.Table) {
	for _, t := range kept {
		line("kept version %s of table %s (%s)", oneLine(t.Table.String()), oneLine(t.Of.String()), formatBytes(t.Bytes))
	}
}

// printRemaining writes what is not removed.
func printRemaining(w io.Writer, i loader.Inventory, kept bool) {
	line := func(format string, args ...any) { fmt.Fprintf(w, "keeps    "+format+"\n", args...) }

	for _, t := range i.Loaded {
		line("table %s, which loadgrid loaded", oneLine(t.String()))
	}

	if !kept {
		printKeptVersions(func(format string, args ...any) { line(format+": --kept removes it", args...) }, i.Kept)
	}
	if i.SchemaStays != "" {
		line("schema %s: %s", oneLine(i.Schema), i.SchemaStays)
	}

	for _, c := range i.Callers {
		line("%s, which calls the ledger and will fail from then on", oneLine(c))
	}

	printOtherLedgers(w, i)
}

func printOtherLedgers(w io.Writer, i loader.Inventory) {
	for _, schema := range i.Others {
		fmt.Fprintf(w, "keeps    the ledger in schema %s: --ledger-schema %s\n", oneLine(schema), shellWord(schema))
	}
}
