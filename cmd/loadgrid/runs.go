package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/loader"
)

func newRuns() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "List, show, resume, drop and roll back runs",
		Example: `  loadgrid runs list
  loadgrid runs show 3
  loadgrid runs resume 3
  loadgrid runs drop 3
  loadgrid runs rollback 2`,
	}
	cmd.AddCommand(newRunsList(), newRunsShow(), newRunsResume(), newRunsDrop(), newRunsRollback())
	return group(cmd)
}

func newRunsList() *cobra.Command {
	var server serverFlags
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the runs that the ledger knows, the newest first",
		Example: "  loadgrid runs list",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var runs []loader.RunInfo
			err := server.with(cmd, func(ctx context.Context, pool *pgxpool.Pool) (err error) {
				runs, err = loader.Runs(ctx, pool, server.ledger)
				return err
			})
			if err != nil {
				return err
			}
			t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(t, "RUN\tTABLE\tSTATE\tROWS\tCHUNKS\tSTARTED\tTOOK")
			for _, r := range runs {
				fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.Table, r.Standing(), count(r.Rows),
					chunksOf(r), r.StartedAt.Format("2006-01-02 15:04:05"), took(r))
			}
			return t.Flush()
		},
	}
	server.register(cmd)
	return cmd
}

func chunksOf(r loader.RunInfo) string {
	if r.State == loader.StateDropped {
		return fmt.Sprint(r.Chunks)
	}
	return fmt.Sprintf("%d/%d", r.Committed, r.Chunks)
}

func took(r loader.RunInfo) string {
	if r.FinishedAt == nil || r.FinishedAt.Before(r.StartedAt) { // the server's clock was set back meanwhile
		return "-"
	}
	return span(r.FinishedAt.Sub(r.StartedAt))
}

// newRunsOf makes a subcommand that takes the number of a run.
func newRunsOf(name, short string, do func(cmd *cobra.Command, server serverFlags, id int64) error) *cobra.Command {
	var server serverFlags
	cmd := &cobra.Command{
		Use:     name + " ID",
		Short:   short,
		Example: "  loadgrid runs " + name + " 3",
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := runID(args[0])
			if err != nil {
				return err
			}
			return do(cmd, server, id)
		},
	}
	server.register(cmd)
	return cmd
}

func newRunsShow() *cobra.Command {
	return newRunsOf("show", "Show one run: its job, and how far it is",
		func(cmd *cobra.Command, server serverFlags, id int64) error {
			run, err := findRun(cmd, server, id)
			if err != nil {
				return err
			}
			return printRun(cmd.OutOrStdout(), run)
		})
}

func printRun(w io.Writer, r loader.RunInfo) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) { fmt.Fprintf(t, name+"\t"+format+"\n", args...) }
	line("run", "%d", r.ID)
	line("table", "%s", r.Table)
	line("state", "%s", r.Standing())
	if r.KeptAs != "" {
		line("kept as", "%s", loader.Table{Schema: r.Table.Schema, Name: r.KeptAs})
	}
	line("rows", "%s of %s committed", count(r.RowsDone), count(r.Rows))
	line("chunks", "%d of %d committed", r.Committed, r.Chunks)
	line("started", "%s, %d times", r.StartedAt.Format(time.RFC3339), r.Starts)
	if r.FinishedAt != nil {
		line("finished", "%s", r.FinishedAt.Format(time.RFC3339))
	}
	if r.LastError != "" {
		line("last error", "%s", r.LastError)
	}
	g := r.Job.Grid
	line("origin", "%g,%g", g.X0, g.Y0)
	line("cell size", "%g,%g", g.DX, g.DY)
	line("srid", "%d", g.SRID)
	if r.Job.Extent != nil {
		line("extent", "%s", r.Job.Extent)
	} else if r.Job.Cols > 0 {
		line("cells", "%d columns, %d rows", r.Job.Cols, r.Job.Rows)
	}
	printShape(line, r.Job)
	if r.Job.Coverage {
		line("coverage", "yes")
	}
	line("columns", "%s, %s", r.Job.IDColumn, r.Job.GeomColumn)
	for _, c := range r.Job.Set {
		line("set", "%s", c)
	}
	printLayout(line, r.Job)
	line("if exists", "%s", r.Job.IfExists)
	if r.Job.Publish != "" {
		line("publish", "%s", r.Job.Publish)
	}
	if r.Job.Keep > 0 {
		line("keep", "%d", r.Job.Keep)
	}
	if r.Job.OnConflict != "" {
		line("on conflict", "%s", r.Job.OnConflict)
	}
	line("loadgrid", "%s", r.Version)
	line("fingerprint", "%s", r.Fingerprint)
	return t.Flush()
}

// printLayout writes how the table is made, as far as the job says it.
func printLayout(line func(name, format string, args ...any), job loader.Job) {
	line("index", "%s", job.Index)
	if job.Partitions > 0 {
		line("partitions", "%d", job.Partitions)
	}
	if job.Unlogged {
		line("unlogged", "yes")
	}
	if job.Streams > 0 {
		line("streams", "%d", job.Streams)
	}
	if job.ChunkRows > 0 {
		line("chunk rows", "%s", count(job.ChunkRows))
	}
}

func newRunsResume() *cobra.Command {
	var progress string
	cmd := newRunsOf("resume", "Resume an unfinished run, as the command that began it would",
		func(cmd *cobra.Command, server serverFlags, id int64) error {
			run, err := findRun(cmd, server, id)
			if err != nil {
				return err
			}
			if run.State != loader.StateLoading {
				return &loader.StateError{ID: id, State: run.Standing(), Only: "resumed"}
			}
			job := run.Job
			job.Table, job.LedgerSchema = run.Table, server.ledger
			return runLoad(cmd, job, server, progress)
		})
	registerProgress(cmd, &progress)
	return cmd
}

func findRun(cmd *cobra.Command, server serverFlags, id int64) (run loader.RunInfo, err error) {
	err = server.with(cmd, func(ctx context.Context, pool *pgxpool.Pool) (err error) {
		run, err = loader.FindRun(ctx, pool, server.ledger, id)
		return err
	})
	return run, err
}

func newRunsDrop() *cobra.Command {
	return newRunsOf("drop", "Remove what an unfinished run has loaded, or the version of a table that is kept of a run",
		func(cmd *cobra.Command, server serverFlags, id int64) error {
			err := server.with(cmd, func(ctx context.Context, pool *pgxpool.Pool) error {
				return loader.DropRun(ctx, pool, server.ledger, id)
			})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "run %d is dropped\n", id)
			return err
		})
}

func newRunsRollback() *cobra.Command {
	return newRunsOf("rollback", "Give a table the rows of an earlier run again, which --keep has kept",
		func(cmd *cobra.Command, server serverFlags, id int64) error {
			var done loader.Rollback
			log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			err := server.with(cmd, func(ctx context.Context, pool *pgxpool.Pool) (err error) {
				done, err = loader.RollbackRun(ctx, pool, server.ledger, id, log)
				return err
			})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "table %s has the rows of run %d again\n", done.Table, done.Version)
			if err == nil && done.KeptVersion != 0 {
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "those of run %d are kept as %s\n", done.KeptVersion, done.Kept)
			}
			return err
		})
}

func runID(s string) (int64, error) {
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil || id < 1 {
		return 0, usageError{fmt.Errorf("%q is no number of a run", s)}
	}
	return id, nil
}
