package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/internal/options"
	"github.com/loadgrid/loadgrid/internal/serverlimit"
	"github.com/loadgrid/loadgrid/loader"
)

func newBenchCommand() *cobra.Command {
	var o benchOptions
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure the speed limit of a server and how close loadgrid comes, in under a minute",
		Long: `bench measures how fast your server can take rows at best, and how fast it takes rows
from loadgrid. Both use the same unit cells, the same table definition and the same COPY
with FREEZE as 'loadgrid load' for a table of up to 50 million rows. They alternate for 3
to 7 rounds. The output shows the median, the slowest and the fastest round.

The limit is the server's own COPY of a file with the same bytes. This needs the file on
the server's machine, and a role that is a superuser or a member of
pg_read_server_files. Otherwise bench sends the prepared bytes from here, as psql's \copy
does; the limit then includes the network. The output states which of the two was used.

Each round creates its table in a transaction and rolls it back, so nothing remains in
the database. The numbers include neither the flush at commit nor the indexes. The server
does write WAL, about 160 bytes per row, which also goes to standbys and archives. The
file has 127 bytes per row. It is in the directory for temporary files (TMPDIR), and
bench removes it at the end and after Ctrl-C.`,
		Example: `  loadgrid bench --dsn postgresql://me@localhost/gis
  loadgrid bench --rows 200000 --schema scratch
  loadgrid bench --progress json 2> bench.jsonl`,
		Args: noArgs,
	}

	table := append(options.Table{
		options.DSNOption(&o.server.DSN),
		{Name: "rows", Value: options.Int(&o.Rows, 1, serverlimit.MaxRows), Default: "1000000",
			Help: "`number` of rows per COPY, at most 10,000,000; bench uses fewer if the server is too slow"},
		{Name: "schema", Value: options.Text(&o.Schema, "the name is empty"),
			Help: "`schema` in which bench creates its table; defaults to the first schema of the search_path, as in load"},
	}, o.progress.Table()...)
	addFlags(cmd, table)

	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := table.Apply(givenValues(cmd)); err != nil {
			return err
		}
		return runBench(cmd.Context(), o, streamsOf(cmd))
	}

	return cmd
}

// benchOptions select what to measure.
type benchOptions struct {
	serverlimit.Options
	server   serverOptions
	progress progressOptions
}

func runBench(ctx context.Context, o benchOptions, std streams) error {
	// Before a connection is opened, as in load.
	if err := o.Validate(); err != nil {
		return err
	}

	r, err := o.progress.reporter(std)
	if err != nil {
		return err
	}

	pool, err := o.server.open(ctx, 1)
	if err != nil {
		return err
	}
	defer loader.Close(pool)

	o.Progress = new(loader.Progress)
	stop := r.follow(o.Progress)
	result, err := serverlimit.Measure(ctx, pool, o.Options)
	if err != nil {
		o.Progress.Stop(endOf(ctx))
	}
	stop()
	if err != nil {
		return err
	}

	r.benchResult(result)
	return printBench(std.out, result)
}

// printBench writes the measurements of bench and its verdict.
func printBench(w io.Writer, b serverlimit.Result) error {
	fmt.Fprintf(w, "%s of %s, %s, in %.0f s\n", plural(b.Rounds, "round"), pluralCount(b.Rows, "row"), formatBytes(b.Rows*int64(b.RowBytes)), b.Seconds)
	if b.Rows < b.RowsAsked {
		fmt.Fprintf(w, "with %s rows, the rounds would take more than a minute here\n", formatCount(b.RowsAsked))
	}

	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name string, rate float64, note string) {
		fmt.Fprintf(t, "%s\t%11s rows/s\t%8s/s\t%s\n", name, formatCount(int64(rate)), formatBytes(int64(rate*float64(b.RowBytes))), note)
	}
	between := func(r serverlimit.Rate) string { return formatCount(int64(r.Min)) + " to " + formatCount(int64(r.Max)) }
	line("limit", b.Limit.Median, between(b.Limit))
	line("loadgrid", b.Loadgrid.Median, between(b.Loadgrid))
	line("sent alone", b.Discarded, "prepared rows that the server reads and discards")
	line("made alone", b.Generated, "rows without a server, on one core of this machine")
	if err := t.Flush(); err != nil {
		return err
	}

	by := "the server's own COPY of a file with the same bytes"
	if b.LimitBy == serverlimit.LimitClientFile {
		by = "the same bytes, prepared, sent from here"
	}

	fmt.Fprintf(w, "limit: %s, since %s\n", by, b.LimitWhy)
	_, err := fmt.Fprintf(w, "share: %.0f%%: %s\n", 100*b.Share, b.Verdict)
	return err
}
