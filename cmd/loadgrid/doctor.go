package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/internal/doctor"
	"github.com/loadgrid/loadgrid/internal/options"
	"github.com/loadgrid/loadgrid/internal/serverfacts"
	"github.com/loadgrid/loadgrid/loader"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
	"github.com/loadgrid/loadgrid/loader/plan"
)

func newDoctorCommand() *cobra.Command {
	o := doctorOptions{streams: plan.DefaultStreams}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check whether a server, a role and the network are ready for a load",
		Long: `doctor checks the server, PostGIS, the privileges of the role, the settings, the disk and
the network. Each finding has a level:

  ok       a load works
  advice   a load works, but could be faster or safer
  problem  a load is refused, fails, or never ends

A finding explains what it means for a load, and shows the SQL that changes it and the
measured cost, where there is one. doctor itself changes nothing. It reads in read-only
transactions, and sends up to 8 MB within about 2 seconds to measure the network.

The exit code is 1 if there is a problem, and 0 otherwise.`,
		Example: `  loadgrid doctor
  loadgrid doctor --dsn postgresql://me@localhost/gis --schema grids --streams 4
  loadgrid doctor --json`,
		Args: noArgs,
	}

	table := append(options.Table{
		{Name: "schema", Value: options.Text(&o.schema, "the name is empty"),
			Help: "`schema` that you load tables into; defaults to the first schema of the search_path, as in load"},
		{Name: "streams", Value: options.Int(&o.streams, 1, job.MaxStreams), Default: fmt.Sprint(plan.DefaultStreams),
			Help: "`number` of streams that your loads use, which determines how many connections they need"},
		{Name: "json", Value: options.Bool(&o.json), Help: "write JSON"},
	}, o.server.Table()...)
	addFlags(cmd, table)

	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := table.Apply(givenValues(cmd)); err != nil {
			return err
		}
		return runDoctor(cmd.Context(), o, streamsOf(cmd))
	}

	return cmd
}

// doctorOptions select the server to check, and for what load.
type doctorOptions struct {
	server  serverOptions
	schema  string
	streams int
	json    bool
}

// problemsError is the error of a report with problems. The report has been printed.
type problemsError struct{ problems int }

func (e problemsError) Error() string { return "doctor found " + plural(e.problems, "problem") }

func runDoctor(ctx context.Context, o doctorOptions, std streams) error {
	config, err := await(ctx, func() (*pgxpool.Config, error) { return o.server.config(o.streams) })
	if err != nil {
		return err
	}

	pool, err := loader.OpenConfig(ctx, serverfacts.Prepare(config))
	if err != nil {
		return err
	}
	defer loader.Close(pool)

	facts, err := serverfacts.Read(ctx, pool, serverfacts.Options{
		Schema: o.schema, Ledger: ledger.New(o.server.ledger(), o.server.LedgerOwner),
		Streams: o.streams, Connections: loader.PoolSize(o.streams),
	})
	if err != nil {
		return err
	}

	report := doctor.NewReport(facts)
	write := printReport
	if o.json {
		write = printJSONReport
	}

	if err := write(std.out, report); err != nil {
		return err
	}
	if report.Counts.Problems > 0 {
		return problemsError{report.Counts.Problems}
	}

	return nil
}
