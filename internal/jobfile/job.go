// Package jobfile owns the form of job files: YAML that says what loadgrid's load is to
// do, once or several times, with the names of its options as keys. It knows where each
// value stands; what values look like and mean is the options' business.
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

// DisplayName returns the job's name, that of its table where it has none of its own, or
// "" where the file says neither.
func (j *Job) DisplayName() string { return j.displayName }

// Pos returns where the job begins.
func (j *Job) Pos() options.Pos { return j.pos }
