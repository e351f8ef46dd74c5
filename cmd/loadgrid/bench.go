package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/serverlimit"
	"github.com/loadgrid/loadgrid/loader"
)

func newBenchCommand() *cobra.Command {
	var options benchOptions
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure the server's limit, and loadgrid's share of it, in under a minute",
		Long: `bench measures how fast your server takes rows at best, and how fast it takes those
of loadgrid: the same unit cells, into a table of the same definition, by the same
COPY with FREEZE as 'loadgrid load' uses for a table of up to 50 million rows. Both
take turns, 3 to 7 times; the median counts, and the slowest and the fastest stand
beside it.

The limit is the server's own COPY of a file with the same bytes. For that the file
must be on the server's machine, and the role a superuser or a member of
pg_read_server_files. Else the prepared bytes are sent from here, as psql's \copy
does: then the way to the server is part of the limit, too. The output says which.

Each turn makes its table in a transaction that is rolled back: nothing is left in the
database, and neither number has the flush of the commit in it, nor the indexes. The
server does write WAL, about 160 bytes for each row that it takes, which goes to
standbys and archives as well. The file, 127 bytes a row, lies in the directory for
temporary files (TMPDIR) and is removed at the end, and after Ctrl-C.`,
		Example: `  loadgrid bench --dsn postgresql://me@localhost/gis
  loadgrid bench --rows 200000 --schema scratch
  loadgrid bench --progress json 2> bench.jsonl`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := options.check(cmd); err != nil {
				return err
			}
			return runBench(cmd.Context(), options, streamsOf(cmd))
		},
	}

	fs := cmd.Flags()
	registerDSN(cmd, &options.dsn)
	fs.Int64Var(&options.Rows, "rows", 1_000_000, "`number` of rows of each COPY, at most 10,000,000; fewer are taken where the server is too slow")
	fs.StringVar(&options.Schema, "schema", "", "`schema` in which the table is while a transaction lasts; defaults to the first of the search_path, as in load")
	options.progress.register(cmd)

	return cmd
}

// benchOptions are what the flags of bench say.
type benchOptions struct {
	serverlimit.Options
	dsn      string
	progress progressFlags
}

// check refuses what the library takes for its defaults.
func (o *benchOptions) check(cmd *cobra.Command) error {
	if err := checkPositive(cmd, "rows"); err != nil {
		return err
	}
	if cmd.Flags().Changed("schema") && o.Schema == "" {
		return &geomgen.ParamError{Param: "schema", Value: `""`, Reason: "the name is empty"}
	}

	return nil
}

func runBench(ctx context.Context, options benchOptions, std streams) error {
	// Before a connection is opened, as in load.
	if err := options.Validate(); err != nil {
		return err
	}

	r, err := options.progress.reporter(std.err)
	if err != nil {
		return err
	}

	pool, err := loader.Open(ctx, resolveDSN(options.dsn), 1)
	if err != nil {
		return err
	}
	defer loader.Close(pool)

	options.Progress = new(loader.Progress)
	stop := r.follow(options.Progress)
	result, err := serverlimit.Measure(ctx, pool, options.Options)
	stop()
	if err != nil {
		return err
	}

	r.benchResult(result)
	return printBench(std.out, result)
}

// printBench writes what a bench has measured, and what that says.
func printBench(w io.Writer, b serverlimit.Result) error {
	fmt.Fprintf(w, "%s of %s rows, %s, in %.0f s\n", plural(b.Rounds, "round"), formatCount(b.Rows), formatBytes(b.Rows*int64(b.RowBytes)), b.Seconds)
	if b.Rows < b.RowsAsked {
		fmt.Fprintf(w, "with %s rows they would take more than a minute here\n", formatCount(b.RowsAsked))
	}

	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name string, rate float64, note string) {
		fmt.Fprintf(t, "%s\t%11s rows/s\t%8s/s\t%s\n", name, formatCount(int64(rate)), formatBytes(int64(rate*float64(b.RowBytes))), note)
	}
	between := func(r serverlimit.Rate) string { return formatCount(int64(r.Min)) + " to " + formatCount(int64(r.Max)) }
	line("limit", b.Limit.Median, between(b.Limit))
	line("loadgrid", b.Loadgrid.Median, between(b.Loadgrid))
	line("sent alone", b.Discarded, "prepared rows that the server reads and throws away")
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
