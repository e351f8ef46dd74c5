// Package textfile writes the result of a run as Prometheus metrics, into a file that the textfile
// collector of node_exporter reads.
//
// A program that runs for minutes once a night cannot be scraped. It leaves its numbers in a file,
// and node_exporter shows them until the next run. A file holds one job, with the labels job_name
// and table.
package textfile

import (
	"fmt"
	"time"
)

// Outcome is how a run ended.
type Outcome string

// The outcomes of a run.
const (
	Published Outcome = "published" // the table is new
	Unchanged Outcome = "unchanged" // the table held all of it already
	Failed    Outcome = "failed"
)

// outcomes returns all outcomes, so that each counter exists and begins at 0.
func outcomes() []Outcome { return []Outcome{Published, Unchanged, Failed} }

// Record is the result of one attempt at a job.
type Record struct {
	Job     string    // its name, the label job_name
	Table   string    // with its schema, the label table
	Version string    // of loadgrid
	Ended   time.Time // by the clock of this machine
	Outcome Outcome
	// ExitCode is the exit code of the program.
	ExitCode int
	// TableRows is the current number of rows of the table. HeapBytes and IndexBytes are its size,
	// 0 if unknown. They are used only if Outcome is Published, because no other outcome changes
	// the table.
	TableRows, HeapBytes, IndexBytes int64
	// CopiedRows is how many rows this attempt committed, and CopiedBytes how many bytes it sent
	// over its connections. WALBytes is 0 if unknown.
	CopiedRows, CopiedBytes, WALBytes int64
	// Stages has the seconds that each stage took, without stages that did not begin.
	Stages  map[string]float64
	Seconds float64 // from start to end, without the wait for another run
	Retries int64   // number of retries
	Chunks  Chunks
}

// Chunks counts the chunks of a run by their state.
type Chunks struct {
	Committed int64 // by this attempt
	Resumed   int64 // committed by earlier attempts at the same run
	Pending   int64 // all others
}

// validate refuses a record that would make unusable series.
func (r Record) validate() error {
	if r.Job == "" {
		return fmt.Errorf("a record of a run needs the name of its job")
	}

	if r.Ended.IsZero() {
		return fmt.Errorf("a record of a run of job %q needs the time at which it ended", r.Job)
	}

	for _, o := range outcomes() {
		if r.Outcome == o {
			return nil
		}
	}

	return fmt.Errorf("a record of a run of job %q has the outcome %q: it must be one of %q", r.Job, r.Outcome, outcomes())
}
