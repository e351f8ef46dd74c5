package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/internal/options"
	"github.com/loadgrid/loadgrid/loader"
)

func newRunsHoldCommand() *cobra.Command {
	var reason string
	reasonOption := options.Option{Name: "reason", Value: options.Text(&reason, "the reason is empty"),
		Help: "reason for the hold, a `TEXT` that loads and 'runs list' show"}

	cmd := newTableCommand("hold", "Keep loads off a table until you release it", options.Table{reasonOption},
		func(ctx context.Context, server serverOptions, t loader.Table, std streams) error {
			return runHold(ctx, server, t, reason, std)
		})
	cmd.Long = `hold keeps loads off a table until you run 'loadgrid runs release'. Use it after a failed
night, so that the schedule does not replace a table that you have rolled back.

A load of a table on hold does nothing, reports the hold, and ends with exit code 0. The
other jobs of its file run as usual. hold does not stop a load that is already running; it
names that load. Rollback, drop and prune work as usual.`
	cmd.Example = `  loadgrid runs hold stats.grid
  loadgrid runs hold stats.grid --reason 'the source has half of its rows'`

	return cmd
}

func newRunsReleaseCommand() *cobra.Command {
	return newTableCommand("release", "Allow loads again on a table that is on hold", nil, runRelease)
}

// newTableCommand makes a subcommand of runs that takes the name of a table and its own options.
func newTableCommand(name, short string, own options.Table, do func(context.Context, serverOptions, loader.Table, streams) error) *cobra.Command {
	var server serverOptions
	table := append(own, server.Table()...)
	cmd := &cobra.Command{
		Use:     name + " [SCHEMA.]TABLE",
		Short:   short,
		Example: "  loadgrid runs " + name + " stats.grid",
		Args:    oneArg("the name of the table, as [SCHEMA.]TABLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := table.Apply(givenValues(cmd)); err != nil {
				return err
			}

			t, err := loader.ParseTable(args[0])
			if err != nil {
				return err
			}
			return do(cmd.Context(), server, t, streamsOf(cmd))
		},
	}

	addFlags(cmd, table)
	return cmd
}

func runHold(ctx context.Context, server serverOptions, t loader.Table, reason string, std streams) error {
	var placed loader.PlacedHold
	err := server.withPool(ctx, func(ctx context.Context, pool *pgxpool.Pool) (err error) {
		placed, err = server.ledgerOn(pool).Hold(ctx, t, reason)
		return err
	})
	if err != nil {
		return err
	}

	name := oneLine(placed.Table.String())
	if placed.Unknown {
		fmt.Fprintf(std.err, "loadgrid: table %s does not exist, and the ledger has no run for it: check the name\n", name)
	}

	if placed.Running != "" {
		fmt.Fprintf(std.err, "loadgrid: a load of table %s is running (%s) and will publish: stop it, or roll the table back after it ends\n", name, placed.Running)
	}

	if placed.Before {
		_, err = fmt.Fprintf(std.out, "%s; it stays on hold\n", describeHold(placed.Hold))
		return err
	}

	_, err = fmt.Fprintf(std.out, "table %s is on hold: no load will start on it until you run %s\n", name, tableCommand("release", server, placed.Table))
	return err
}

func runRelease(ctx context.Context, server serverOptions, t loader.Table, std streams) error {
	var held loader.Hold
	err := server.withPool(ctx, func(ctx context.Context, pool *pgxpool.Pool) (err error) {
		held, err = server.ledgerOn(pool).Release(ctx, t)
		return err
	})
	if err != nil {
		return err
	}

	_, err = fmt.Fprintf(std.out, "table %s is released; it had been on hold since %s, by %s%s\n",
		oneLine(held.Table.String()), held.Since.Format(time.RFC3339), oneLine(held.By()), reasonOf(held))
	return err
}

// describeHold describes a hold: which table, since when, by whom and why.
func describeHold(h loader.Hold) string {
	return fmt.Sprintf("table %s is on hold (since %s, by %s)%s", oneLine(h.Table.String()), h.Since.Format(time.RFC3339), oneLine(h.By()), reasonOf(h))
}

// reasonOf returns the reason of a hold, to append to a sentence, or "" if it has none.
func reasonOf(h loader.Hold) string {
	if h.Reason == "" {
		return ""
	}
	return ": " + oneLine(h.Reason)
}

// holdsOf returns the holds by the names of their tables.
func holdsOf(list []loader.Hold) map[loader.Table]*loader.Hold {
	holds := make(map[loader.Table]*loader.Hold, len(list))
	for _, h := range list {
		holds[h.Table] = &h
	}
	return holds
}

// printHolds writes a line for each table that is on hold.
func printHolds(w io.Writer, list []loader.Hold) error {
	for _, h := range list {
		if _, err := fmt.Fprintln(w, describeHold(h)); err != nil {
			return err
		}
	}
	return nil
}

// tableCommand returns a command of runs for a table, in single quotes if no word of it contains any.
func tableCommand(verb string, server serverOptions, t loader.Table) string {
	words := []string{"loadgrid", "runs", verb, shellWord(t.String())}
	if server.ledger() != loader.DefaultLedgerSchema {
		words = append(words, "--ledger-schema", shellWord(server.ledger()))
	}

	command := strings.Join(words, " ")
	if strings.Contains(command, "'") {
		return command
	}
	return "'" + command + "'"
}

// shellWord returns a name as a word for a POSIX shell.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r == '.' || r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
	}

	if s = oneLine(s); s != "" && s[0] != '-' && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
