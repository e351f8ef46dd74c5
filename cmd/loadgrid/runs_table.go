package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/loadgrid/loadgrid/loader"
)

// listWidth is the maximum width of a list of runs, in columns, unless its names are longer.
const listWidth = 100

// column is a column of a list of runs.
type column struct {
	title string
	right bool // numbers
	// rank is the order in which columns are left out if the list is too wide, the highest first. Columns with
	// rank zero stay.
	rank int
	cell func(loader.RunInfo) string
}

// noValue is the text of an empty cell.
const noValue = "-"

func runColumns() []column {
	return []column{
		{title: "RUN", right: true, cell: func(r loader.RunInfo) string { return fmt.Sprint(r.ID) }},
		{title: "JOB", rank: 1, cell: jobColumn},
		{title: "BATCH", rank: 3, cell: batchColumn},
		{title: "TABLE", cell: func(r loader.RunInfo) string { return oneLine(r.Table.String()) }},
		{title: "STATE", cell: loader.RunInfo.Status},
		{title: "ROWS", right: true, cell: func(r loader.RunInfo) string { return formatCount(r.Rows) }},
		{title: "CHUNKS", right: true, cell: chunksColumn},
		{title: "STARTED", cell: func(r loader.RunInfo) string { return r.StartedAt.Format("2006-01-02 15:04:05") }},
		{title: "TOOK", right: true, cell: elapsedColumn},
		{title: "ROWS/S", right: true, rank: 5, cell: attemptRate},
		{title: "RETRIES", right: true, rank: 2, cell: retriesColumn},
		{title: "BY", rank: 4, cell: func(r loader.RunInfo) string { return startedByColumn(r.LastAttempt()) }},
		{title: "ERROR", cell: errorCode},
	}
}

// printRuns writes a list of runs. It leaves out empty columns and, unless wide, those that do not fit within
// listWidth. It returns the titles of the columns that did not fit.
func printRuns(w io.Writer, runs []loader.RunInfo, wide bool) (leftOut []string, err error) {
	columns := runColumns()
	cells := make([][]string, len(runs))
	for i, r := range runs {
		cells[i] = make([]string, len(columns))
		for k, c := range columns {
			cells[i][k] = c.cell(r)
		}
	}

	widths := columnWidths(columns, cells)
	if !wide {
		leftOut = narrow(columns, widths)
	}

	var b strings.Builder
	titles := make([]string, len(columns))
	for k, c := range columns {
		titles[k] = c.title
	}

	writeCells(&b, columns, widths, titles)
	for i, r := range runs {
		line := cells[i]
		for k, c := range columns {
			if c.title == "STATE" && widths[k] > 0 {
				line[k] = paintStatus(w, r.Status(), padded(line[k], widths[k], false))
			}
		}
		writeCells(&b, columns, widths, line)
	}

	_, err = io.WriteString(w, b.String())
	return leftOut, err
}

// columnWidths returns the width of each column, 0 for an empty one.
func columnWidths(columns []column, cells [][]string) []int {
	widths := make([]int, len(columns))
	for k, c := range columns {
		empty := c.rank > 0 || c.title == "ERROR"
		for _, line := range cells {
			widths[k] = max(widths[k], utf8.RuneCountInString(line[k]))
			empty = empty && line[k] == noValue
		}

		if widths[k] = max(widths[k], len(c.title)); empty {
			widths[k] = 0
		}
	}

	return widths
}

// narrow leaves out columns, highest rank first, until the list fits. It returns their titles.
func narrow(columns []column, widths []int) (titles []string) {
	total := -len(columnGap)
	for _, width := range widths {
		if width > 0 {
			total += width + len(columnGap)
		}
	}

	for rank := len(columns); rank > 0 && total > listWidth; rank-- {
		for k, c := range columns {
			if c.rank == rank && widths[k] > 0 {
				total -= widths[k] + len(columnGap)
				widths[k] = 0
				titles = append(titles, c.title)
			}
		}
	}

	return titles
}

const columnGap = "  "

func writeCells(b *strings.Builder, columns []column, widths []int, cells []string) {
	var line []string
	for k, c := range columns {
		if widths[k] > 0 {
			line = append(line, padded(cells[k], widths[k], c.right))
		}
	}

	b.WriteString(strings.TrimRight(strings.Join(line, columnGap), " ") + "\n")
}

// padded pads text with spaces to at least width columns.
func padded(text string, width int, right bool) string {
	spaces := strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
	if right {
		return spaces + text
	}

	return text + spaces
}

// paintStatus returns text in the colour of a status that needs attention.
func paintStatus(w io.Writer, status, text string) string {
	switch status {
	case string(loader.OutcomeFailed), loader.StatusKilled:
		return paint(w, red, text)
	case string(loader.OutcomeStopped):
		return paint(w, yellow, text)
	}

	return text
}

// jobColumn is the name of the job, if it differs from the table.
func jobColumn(r loader.RunInfo) string {
	if r.JobName == r.Table.String() || r.JobName == r.Table.Name || r.JobName == "" {
		return noValue
	}

	return oneLine(r.JobName)
}

func batchColumn(r loader.RunInfo) string {
	if r.Batch == "" {
		return noValue
	}
	return oneLine(r.Batch)
}

func attemptRate(r loader.RunInfo) string {
	if rate := r.LastAttempt().RowsPerSecond; rate > 0 {
		return formatCount(int64(rate))
	}
	return noValue
}

func retriesColumn(r loader.RunInfo) string {
	if n := r.Retries(); n > 0 {
		return fmt.Sprint(n)
	}
	return noValue
}

func startedByColumn(a loader.Attempt) string {
	if who := a.StartedBy(); who != "" {
		return oneLine(who)
	}
	return noValue
}

// errorCode is the code of the last error of a run, or a word for it.
func errorCode(r loader.RunInfo) string {
	switch a := r.LastAttempt(); {
	case a.SQLState != "":
		return a.SQLState
	case a.Error != "", r.LastError != "":
		return "runs show"
	}

	return noValue
}

func chunksColumn(r loader.RunInfo) string {
	if r.State == loader.StateDropped {
		return fmt.Sprint(r.Chunks)
	}
	return fmt.Sprintf("%d/%d", r.Committed, r.Chunks)
}

func elapsedColumn(r loader.RunInfo) string {
	if took, known := r.Took(); known {
		return formatDuration(took)
	}
	return noValue
}
