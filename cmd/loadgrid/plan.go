package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

func newPlan() *cobra.Command {
	var (
		rows   jobFlags
		layout layoutFlags
	)
	cmd := &cobra.Command{
		Use:   "plan --cell-size DX[,DY] (--extent XMIN,YMIN,XMAX,YMAX | --cols N --rows N)",
		Short: "Say what load would do, without a server",
		Long: `plan says how many cells a load would write, in which chunks, and what it would
take: bytes of table, indexes and WAL, and time. It asks no server and writes
nothing.

The number of rows is exact, the sizes follow from PostgreSQL's page layout. The
time is that of a server on two cores; yours may be twice as fast or as slow.`,
		Example: `  loadgrid plan --cell-size 1000 --srid 3035 --extent 900000,900000,7400000,5500000`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			job, err := rows.job(cmd, loader.Table{Name: "plan"})
			if err != nil {
				return err
			}
			if err := layout.layout(cmd, &job); err != nil {
				return err
			}
			p, err := loader.NewPlan(job)
			if err != nil {
				return err
			}
			return printPlan(cmd, p)
		},
	}
	rows.register(cmd)
	layout.register(cmd)
	return cmd
}

func printPlan(cmd *cobra.Command, p *loader.Plan) error {
	e := p.Estimate()
	g := p.Job.Grid
	lo := g.Bounds(geomgen.Cell{Col: p.Cells.MinCol, Row: p.Cells.MinRow})
	hi := g.Bounds(geomgen.Cell{Col: p.Cells.MaxCol - 1, Row: p.Cells.MaxRow - 1})
	last := p.Chunk(p.Chunks - 1)
	t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) { fmt.Fprintf(t, name+"\t"+format+"\n", args...) }
	line("cells", "columns %d to %d, rows %d to %d", p.Cells.MinCol, p.Cells.MaxCol-1, p.Cells.MinRow, p.Cells.MaxRow-1)
	line("covering", "%s", geomgen.Box{XMin: lo.XMin, YMin: lo.YMin, XMax: hi.XMax, YMax: hi.YMax})
	line("rows", "%s", count(p.Rows))
	line("method", "%s", method(p))
	line("", "%s", p.Why)
	line("cell_id", "%d to %d", p.Chunk(0).First, last.Last)
	line("copy", "%s, %d bytes a row", size(e.CopyBytes), p.RowBytes())
	line("heap", "about %s", size(e.HeapBytes))
	line("indexes", "about %s", size(e.IndexBytes))
	line("WAL", "about %s", size(e.WALBytes))
	line("time", "about %s on a server with two cores", longSpan(e.Seconds))
	return t.Flush()
}

// longSpan writes seconds that may be more than a time.Duration holds.
func longSpan(seconds float64) string {
	const day = 24 * 60 * 60
	switch {
	case seconds >= 2*365*day:
		return fmt.Sprintf("%.0f years", seconds/(365*day))
	case seconds >= 2*day:
		return fmt.Sprintf("%.0f days", seconds/day)
	}
	return span(time.Duration(seconds * float64(time.Second)))
}

// method says how the rows go out.
func method(p *loader.Plan) string {
	rows := count(p.Chunk(0).Rows)
	switch p.Method {
	case loader.MethodFrozen:
		return "frozen: one stream into a table made in the same transaction"
	case loader.MethodPartitions:
		return fmt.Sprintf("partitions: %d of up to %s rows, over %s", p.Chunks, rows, plural(p.Streams, "stream"))
	}
	return fmt.Sprintf("chunks: %s of up to %s rows, over %s", count(p.Chunks), rows, plural(p.Streams, "stream"))
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
