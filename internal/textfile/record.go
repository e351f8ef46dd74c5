// Package textfile writes what a run came to as metrics of Prometheus, into a file
// that the textfile collector of node_exporter reads.
//
// A program that runs for minutes once a night cannot be scraped. It leaves its
// numbers in a file, and node_exporter shows them until the next run. A file holds one
// job, with the labels job_name and table.
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

// outcomes returns all of them, for counters that begin at 0 rather than nowhere.
func outcomes() []Outcome { return []Outcome{Published, Unchanged, Failed} }

// Record is what one attempt at a job came to.
type Record struct {
	Job     string    // its name, the label job_name
	Table   string    // with its schema, the label table
	Version string    // of loadgrid
	Ended   time.Time // by the clock of this machine
	Outcome Outcome
	// ExitCode is the one that the program ends with.
	ExitCode int
	// TableRows is how many rows the table has now. HeapBytes and IndexBytes are its
	// size, 0 where that is not known. They are looked at when Outcome is Published;
	// after any other the table is what the last publish left.
	TableRows, HeapBytes, IndexBytes int64
	// CopiedRows is how many rows this attempt has committed. CopiedBytes went through
	// its connections. WALBytes is 0 where it is not known.
	CopiedRows, CopiedBytes, WALBytes int64
	// Stages has the seconds that each stage took, without those that did not begin.
	Stages  map[string]float64
	Seconds float64 // from start to end, without the wait for another run
	Retries int64   // how often something was tried again
	Chunks  Chunks
}

// Chunks counts those of a run by what became of them.
type Chunks struct {
	Committed int64 // by this attempt
	Resumed   int64 // committed by earlier attempts at the same run
	Pending   int64 // neither
}

// validate refuses a record that would make series that nobody can find again.
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
