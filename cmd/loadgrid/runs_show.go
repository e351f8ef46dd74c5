package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/internal/options"
	"github.com/loadgrid/loadgrid/loader"
)

func newRunsShowCommand() *cobra.Command {
	var asJSON bool
	cmd := newRunCommand("show", "Show one run: its job, its attempts and its progress", options.Table{jsonOption(&asJSON)},
		func(ctx context.Context, o runOptions, std streams) error {
			return runShow(ctx, o, asJSON, std)
		})
	cmd.Long = `show prints the state of a run, its job and each of its attempts: who started it, when it
began and ended, how long each stage took, and its retries and errors.`
	cmd.Example = `  loadgrid runs show 3
  loadgrid runs show 3 --json`

	return cmd
}

func runShow(ctx context.Context, o runOptions, asJSON bool, std streams) error {
	var run loader.RunInfo
	var holds []loader.Hold
	err := o.server.withPool(ctx, func(ctx context.Context, pool *pgxpool.Pool) (err error) {
		ledger := o.server.ledgerOn(pool)
		if run, err = ledger.Run(ctx, o.id); err == nil {
			holds, err = ledger.Holds(ctx, run.Table)
		}
		return err
	})
	if err != nil {
		return err
	}

	if asJSON {
		return printJSON(std.out, withStatus(holds, run)[0])
	}

	if err := printRun(std.out, run); err != nil {
		return err
	}
	return printHolds(std.out, holds)
}

func printRun(w io.Writer, r loader.RunInfo) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) { fmt.Fprintf(t, name+"\t"+format+"\n", args...) }
	line("run", "%d", r.ID)
	if r.JobName != "" {
		line("job", "%s", oneLine(r.JobName))
	}

	if r.Batch != "" {
		line("batch", "%s", oneLine(r.Batch))
	}

	line("table", "%s", oneLine(r.Table.String()))
	line("state", "%s", r.Status())
	if r.KeptAs != "" {
		line("kept as", "%s", oneLine(loader.Table{Schema: r.Table.Schema, Name: r.KeptAs}.String()))
	}

	line("rows", "%s of %s committed", formatCount(r.RowsDone), formatCount(r.Rows))
	line("chunks", "%d of %d committed", r.Committed, r.Chunks)
	line("started", "%s, %s", r.StartedAt.Format(time.RFC3339), plural(r.Attempts, "attempt"))
	if r.FinishedAt != nil {
		line("finished", "%s", r.FinishedAt.Format(time.RFC3339))
	}
	if r.LastError != "" {
		line("last error", "%s", r.LastError)
	}

	printJob(line, r)
	if err := t.Flush(); err != nil {
		return err
	}
	return printAttempts(w, r)
}

// printJob writes the job of a run.
func printJob(line func(name, format string, args ...any), r loader.RunInfo) {
	g := r.Job.Grid
	if g.DX == 0 {
		line("grid", "unknown: this ledger took the table over from a lost ledger")
	} else {
		line("origin", "%g,%g", g.X0, g.Y0)
		line("cell size", "%g,%g", g.DX, g.DY)
		line("srid", "%d", g.SRID)
	}

	if r.Job.Extent != nil {
		line("extent", "%s", r.Job.Extent)
	} else if r.Job.Cols > 0 {
		line("cells", "%s, %s", pluralCount(r.Job.Cols, "column"), pluralCount(r.Job.Rows, "row"))
	}

	printShape(line, r.Job)
	if r.Job.Coverage {
		line("coverage", "yes")
	}

	if r.Job.HasGeometry() {
		line("columns", "%s, %s", r.Job.IDColumn, r.Job.GeomColumn)
	} else {
		line("columns", "%s", r.Job.IDColumn)
	}
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
	if r.Job.Before != "" {
		line("before", "%s", oneLine(r.Job.Before))
	}
	if r.Job.After != "" {
		line("after", "%s", oneLine(r.Job.After))
	}
}

// printAttempts writes how each attempt at a run went.
func printAttempts(w io.Writer, r loader.RunInfo) error {
	for _, s := range r.History {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		line := func(name, format string, args ...any) { fmt.Fprintf(t, "  "+name+"\t"+format+"\n", args...) }
		fmt.Fprintf(w, "\nattempt %d\n", s.No)
		line("began", "%s", s.StartedAt.Format(time.RFC3339))
		line("by", "%s", startedByColumn(s))
		if s.Process != 0 {
			line("process", "%d", s.Process)
		}
		if s.Batch != "" {
			line("batch", "%s", oneLine(s.Batch))
		}

		switch {
		case s.EndedAt == nil && s.No == r.LastAttempt().No && r.Alive != nil && *r.Alive:
			line("ended", "not yet")
		case s.EndedAt == nil:
			line("ended", "killed, or lost its server")
		default:
			line("ended", "%s, %s", s.EndedAt.Format(time.RFC3339), s.Outcome)
		}

		if len(s.StageSeconds) > 0 {
			line("stages", "%s", describeStages(s))
			line("rows", "%s, %s", formatCount(s.Rows), formatRowRate(s.RowsPerSecond))
		}

		line("retries", "%d", s.Retries)
		for _, e := range s.RecentRetries {
			line("", "%s %s, %s: %s", e.At.Format(time.RFC3339), e.Stage, e.Doing, oneLine(e.Error))
		}

		if s.Error != "" {
			line("error", "%s", oneLine(s.Error))
		}

		if err := t.Flush(); err != nil {
			return err
		}
	}

	return nil
}

// describeStages returns the times of the stages of an attempt.
func describeStages(s loader.Attempt) string {
	var parts []string
	for _, stage := range loader.Stages() {
		if seconds := s.StageSeconds[stage]; seconds >= 0.005 {
			parts = append(parts, fmt.Sprintf("%s %.2f s", stage, seconds))
		}
	}

	return strings.Join(append(parts, fmt.Sprintf("total %.2f s", s.Seconds)), ", ")
}
