package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/loader"
)

func newRunsList() *cobra.Command {
	var (
		server serverFlags
		filter loader.RunFilter
		asJSON bool
		table  string
	)
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the runs that the ledger knows, the newest first",
		Example: `  loadgrid runs list
  loadgrid runs list --table stats.grid --limit 10
  loadgrid runs list --json --limit 1`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := positive(cmd, "limit"); err != nil {
				return err
			}
			if cmd.Flags().Changed("table") {
				t, err := loader.ParseTable(table)
				if err != nil {
					return err
				}
				filter.Table = t
			}
			var runs []loader.RunInfo
			err := server.with(cmd, func(ctx context.Context, pool *pgxpool.Pool) (err error) {
				runs, err = loader.Runs(ctx, pool, server.ledger, filter)
				return tellNoLedger(cmd, err)
			})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), append([]loader.RunInfo{}, runs...))
			}
			t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(t, "RUN\tJOB\tTABLE\tSTATE\tROWS\tCHUNKS\tSTARTED\tTOOK\tROWS/S\tRETRIES\tBY\tERROR")
			for _, r := range runs {
				fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", r.ID, oneLine(r.JobName), oneLine(r.Table.String()), r.Standing(),
					count(r.Rows), chunksOf(r), r.StartedAt.Format("2006-01-02 15:04:05"), took(r), rateOf(r), retriesOf(r), by(r), troubleOf(r))
			}
			return t.Flush()
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&table, "table", "", "list the runs of this table alone, `[SCHEMA.]NAME`; without a schema, of tables of this name in any")
	fs.Int64Var(&filter.Limit, "limit", 0, "list the newest `number` of runs; left out, all")
	registerJSON(cmd, &asJSON)
	server.register(cmd)
	return cmd
}

// tellNoLedger makes the absence of a ledger a remark: before the first load there is
// none, and a schedule may ask all the same.
func tellNoLedger(cmd *cobra.Command, err error) error {
	var none *loader.NoLedgerError
	if !errors.As(err, &none) {
		return err
	}
	_, err = fmt.Fprintln(cmd.ErrOrStderr(), "loadgrid:", oneLine(none.Error()))
	return err
}

func registerJSON(cmd *cobra.Command, asJSON *bool) {
	cmd.Flags().BoolVar(asJSON, "json", false, "write JSON, with all that the ledger knows: stages, rates, retries, errors with SQLSTATE, who and from where")
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// last returns the last start of a run; the zero value where the ledger knows of none.
func last(r loader.RunInfo) loader.Start {
	if len(r.History) == 0 {
		return loader.Start{}
	}
	return r.History[len(r.History)-1]
}

func rateOf(r loader.RunInfo) string {
	if rate := last(r).RowsPerSecond; rate > 0 {
		return count(int64(rate))
	}
	return "-"
}

func retriesOf(r loader.RunInfo) (n int) {
	for _, s := range r.History {
		n += s.Retries
	}
	return n
}

// by says who has started a run, and from where.
func by(r loader.RunInfo) string {
	s := last(r)
	if s.Role == "" {
		return "-"
	}
	who := s.Role
	if s.OSUser != "" && s.OSUser != s.Role {
		who += " (" + s.OSUser + ")"
	}
	if where := fromWhere(s); where != "" {
		who += "@" + where
	}
	return oneLine(who)
}

// fromWhere names the machine: as it calls itself, else as the server sees it.
func fromWhere(s loader.Start) string {
	if s.Host != "" {
		return s.Host
	}
	return s.Address
}

// troubleOf is the code of the last error of a run, or a word for it.
func troubleOf(r loader.RunInfo) string {
	switch s := last(r); {
	case s.SQLState != "":
		return s.SQLState
	case s.Error != "", r.LastError != "":
		return "see show"
	}
	return "-"
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

func newRunsShow() *cobra.Command {
	var asJSON bool
	cmd := newRunsOf("show", "Show one run: its job, its attempts, and how far it is",
		func(cmd *cobra.Command, server serverFlags, id int64) error {
			run, err := findRun(cmd, server, id)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), run)
			}
			return printRun(cmd.OutOrStdout(), run)
		})
	registerJSON(cmd, &asJSON)
	return cmd
}

func printRun(w io.Writer, r loader.RunInfo) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) { fmt.Fprintf(t, name+"\t"+format+"\n", args...) }
	line("run", "%d", r.ID)
	if r.JobName != "" {
		line("job", "%s", oneLine(r.JobName))
	}
	line("table", "%s", oneLine(r.Table.String()))
	line("state", "%s", r.Standing())
	if r.KeptAs != "" {
		line("kept as", "%s", oneLine(loader.Table{Schema: r.Table.Schema, Name: r.KeptAs}.String()))
	}
	line("rows", "%s of %s committed", count(r.RowsDone), count(r.Rows))
	line("chunks", "%d of %d committed", r.Committed, r.Chunks)
	line("started", "%s, %d times", r.StartedAt.Format(time.RFC3339), r.Attempts)
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
	if r.Job.Before != "" {
		line("before", "%s", oneLine(r.Job.Before))
	}
	if r.Job.After != "" {
		line("after", "%s", oneLine(r.Job.After))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return printStarts(w, r)
}

// printStarts writes how each start of a run went.
func printStarts(w io.Writer, r loader.RunInfo) error {
	for _, s := range r.History {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		line := func(name, format string, args ...any) { fmt.Fprintf(t, "  "+name+"\t"+format+"\n", args...) }
		fmt.Fprintf(w, "\nattempt %d\n", s.No)
		line("began", "%s", s.StartedAt.Format(time.RFC3339))
		line("by", "%s", by(loader.RunInfo{History: []loader.Start{s}}))
		switch {
		case s.EndedAt == nil && r.State == loader.StateLoading:
			line("ended", "not yet, or it was killed")
		case s.EndedAt == nil:
			line("ended", "it was killed")
		default:
			line("ended", "%s, %s", s.EndedAt.Format(time.RFC3339), s.Outcome)
		}
		if len(s.StageSeconds) > 0 {
			line("stages", "%s", stagesOf(s))
			line("rows", "%s, %s rows/s", count(s.Rows), count(int64(s.RowsPerSecond)))
		}
		line("retries", "%d", s.Retries)
		for _, e := range s.Troubles {
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

// stagesOf writes how long the stages of a start took.
func stagesOf(s loader.Start) string {
	var parts []string
	for _, stage := range loader.Stages() {
		if seconds := s.StageSeconds[stage]; seconds >= 0.005 {
			parts = append(parts, fmt.Sprintf("%s %.2f s", stage, seconds))
		}
	}
	return strings.Join(append(parts, fmt.Sprintf("total %.2f s", s.Seconds)), ", ")
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
