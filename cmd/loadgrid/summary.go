package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/loadgrid/loadgrid/loader"
)

// printSummary writes the result of a load.
func printSummary(w io.Writer, s loader.Summary) error {
	table := oneLine(s.Table.String())
	if s.Hold != nil {
		_, err := fmt.Fprintf(w, "%s; nothing was loaded\n", describeHold(*s.Hold))
		return err
	}

	if s.Unchanged {
		_, err := fmt.Fprintf(w, "table %s is unchanged: it has the %s of run %d; nothing was done\n", table, pluralCount(s.Rows, "row"), s.Run)
		return err
	}

	if s.Appended {
		fmt.Fprintf(w, "%s added to table %s", were(s.Rows-s.RowsSkipped, "row"), table)
		if s.RowsSkipped > 0 {
			fmt.Fprintf(w, ", %s already there", were(s.RowsSkipped, ""))
		}
	} else {
		fmt.Fprintf(w, "table %s has %s", table, pluralCount(s.Rows, "row"))
	}

	unit := "chunk"
	if s.Method == loader.MethodPartitions {
		unit = "partition"
	}

	if s.Method == loader.MethodFrozen {
		fmt.Fprintf(w, " (run %d, one transaction", s.Run)
	} else {
		fmt.Fprintf(w, " (run %d, %s, %s", s.Run, plural(int(s.Chunks), unit), plural(s.Streams, "stream"))
	}

	if s.ChunksResumed > 0 {
		fmt.Fprintf(w, ", %s with %s from earlier attempts", plural(int(s.ChunksResumed), unit), pluralCount(s.RowsResumed, "row"))
	}

	fmt.Fprintln(w, ")")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, stage := range loader.Stages() {
		seconds := s.StageSeconds[stage]
		if seconds < 0.005 {
			continue // the stage had nothing to do
		}

		rate := ""
		if stage == loader.StageLoad {
			rate = formatRate(s.Rows-s.RowsResumed, seconds)
		}

		fmt.Fprintf(t, "%s\t%.2f s\t%s\n", stage, seconds, rate)
	}

	fmt.Fprintf(t, "total\t%.2f s\t%s\n", s.Seconds, formatRate(s.Rows-s.RowsResumed, s.Seconds))
	if err := t.Flush(); err != nil {
		return err
	}

	_, err := fmt.Fprintf(w, "heap %s, indexes %s, WAL of the whole server during the load %s\n",
		formatBytes(s.HeapBytes), formatBytes(s.IndexBytes), formatBytes(s.WALBytes))
	return err
}

// formatRate formats a rate of rows for the last column, "" if there is none.
func formatRate(rows int64, seconds float64) string {
	if seconds <= 0 {
		return ""
	}
	return fmt.Sprintf("%12s rows/s", formatCount(int64(float64(rows)/seconds)))
}
