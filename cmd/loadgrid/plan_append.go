package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/loadgrid/loadgrid/loader"
	"github.com/loadgrid/loadgrid/loader/appendplan"
)

// printNotInspected says that the table was not inspected on the server, which needs the exact cells.
func printNotInspected(w io.Writer, p *loader.Plan) error {
	_, err := fmt.Fprintf(w, "\ntable %s was not inspected: the cost of appending depends on the exact cells, which are only estimated here\n", oneLine(p.Job.Table.String()))
	return err
}

// printAppend writes the cost of adding the rows to a table. It follows the plan, which is that of a new table.
func printAppend(w io.Writer, p *loader.Plan, a loader.AppendPlan) error {
	table := oneLine(a.Table.String())
	if !a.Exists {
		_, err := fmt.Fprintf(w, "\ntable %s does not exist: load creates it as shown above\n", table)
		return err
	}

	fmt.Fprintf(w, "\nappending to %s, which has about %s in %s:\n", table, pluralCount(a.Rows, "row"), formatBytes(a.HeapBytes))
	if p.Job.OnConflict == loader.ConflictSkip {
		fmt.Fprintf(w, "%s of the cells are already there and are skipped\n", formatCount(a.Existing))
	}

	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	cost := func(c appendplan.Cost) string {
		return fmt.Sprintf("%s\t%s", formatBytes(c.WALBytes), formatSeconds(c.Seconds))
	}
	fmt.Fprintf(t, "INDEX\tMETHOD\tSIZE\tROWS\tGROWS BY\tWAL\tTIME\n")

	for _, i := range a.Indexes {
		takes := cost(i.Cost)
		if i.Cost == (appendplan.Cost{}) {
			takes = "-\t-" // the new partitions have it
		}

		fmt.Fprintf(t, "%s\t%s (%s)\t%s\t%s\t%s\t%s\n", oneLine(i.Name), i.Method, oneLine(i.Columns),
			formatBytes(i.Bytes), formatCount(i.Rows), formatBytes(i.Growth), takes)
	}

	if a.Attach {
		fmt.Fprintf(t, "new partitions\t\t\t\t\t%s\n", cost(a.Staging))
	} else {
		fmt.Fprintf(t, "staging table\t\t\t\t\t%s\n", cost(a.Staging))
		fmt.Fprintf(t, "rows\t\t\t\t%s\t%s\n", formatBytes(p.Estimate().HeapBytes), cost(a.Move))
	}

	fmt.Fprintf(t, "total\t\t\t\t\t%s\n", cost(a.Total))
	fmt.Fprintf(t, "a new table\t\t\t\t\t%s\n", cost(a.NewTable))
	if err := t.Flush(); err != nil {
		return err
	}

	for _, h := range a.Hints {
		if _, err := fmt.Fprintf(w, "hint: %s\n", oneLine(h)); err != nil {
			return err
		}
	}

	return nil
}
