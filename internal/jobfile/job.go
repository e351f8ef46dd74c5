// Package jobfile owns the format of job files: YAML with one or more jobs for loadgrid's load, and
// the names of its options as keys. It knows the position of each value. Package options owns the format and
// the meaning of the values.
package jobfile

import "github.com/loadgrid/loadgrid/internal/options"

// File is a job file that has been read.
type File struct {
	Name     string // for messages
	Defaults options.Values
	Jobs     []*Job
}

// Job is one of a file's jobs.
type Job struct {
	Values options.Values

	pos         options.Pos
	displayName string
}

// DisplayName returns the name of the job. It defaults to the name of the table, and is "" if the file has
// neither.
func (j *Job) DisplayName() string { return j.displayName }

// Pos returns the position of the job.
func (j *Job) Pos() options.Pos { return j.pos }
