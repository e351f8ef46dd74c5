package job

import (
	"fmt"
	"strconv"

	"github.com/loadgrid/loadgrid/geomgen"
)

// IfExists says what happens to a table that is there already.
type IfExists string

// The choices of IfExists.
const (
	Fail    IfExists = "fail"    // refuse
	Append  IfExists = "append"  // add the cells to those it holds, all at once
	Replace IfExists = "replace" // put the new table in its place, all at once
)

// OnConflict says what becomes of cells to append that the table holds already.
type OnConflict string

// The choices of OnConflict.
const (
	ConflictError OnConflict = "error" // refuse, and add nothing
	ConflictSkip  OnConflict = "skip"  // leave them as they are, and add the others
)

// Publish says how a table that is replaced gets the new rows.
type Publish string

// The choices of Publish.
const (
	// PublishSwap puts the new table, or the new partitions, in the place of the old.
	PublishSwap Publish = "swap"
	// PublishTruncate empties the table and inserts the new rows in the same
	// transaction: views on it and indexes that people have made stay. Readers wait
	// meanwhile.
	PublishTruncate Publish = "truncate"
)

// Appends reports whether the rows are added to those of a table that is there.
func (j Job) Appends() bool { return j.IfExists == Append }

// SharesFiles reports whether the rows go into files of the table that hold, or have held,
// the rows of other runs.
func (j Job) SharesFiles() bool { return j.Appends() || j.Publish == PublishTruncate }

// ReplacesUnfinished reports whether the job may drop the unfinished run of another job
// that somebody has stopped in order, and may want to resume.
func (j Job) ReplacesUnfinished() bool { return j.IfExists != Fail }

// MaxKeep is how many versions a job may keep: it keeps a mistyped number from filling the disk.
const MaxKeep = 100

// validateExists checks what becomes of a table that is there.
func (j Job) validateExists() error {
	switch j.IfExists {
	case Fail, Append, Replace:
	default:
		return &geomgen.ParamError{Param: "if-exists", Value: string(j.IfExists), Reason: "must be fail, append or replace"}
	}

	conflict := func(reason string) error {
		return &geomgen.ParamError{Param: "on-conflict", Value: string(j.OnConflict), Reason: reason}
	}

	switch {
	case j.OnConflict != "" && j.OnConflict != ConflictError && j.OnConflict != ConflictSkip:
		return conflict("must be error or skip")
	case j.OnConflict == ConflictSkip && j.IfExists != Append:
		return conflict("goes with if-exists append alone")
	case j.OnConflict == ConflictSkip && j.Partitions > 0:
		return conflict("contradicts partitions: new partitions are attached whole; without partitions the rows go into those that are there")
	}

	return j.validatePublish()
}

// validatePublish checks what becomes of the table that is there.
func (j Job) validatePublish() error {
	publish := func(reason string) error {
		return &geomgen.ParamError{Param: "publish", Value: string(j.Publish), Reason: reason}
	}
	keep := func(reason string) error {
		return &geomgen.ParamError{Param: "keep", Value: strconv.Itoa(j.Keep), Reason: reason}
	}
	truncate := j.Publish == PublishTruncate

	switch {
	case j.Publish != "" && j.Publish != PublishSwap && !truncate:
		return publish("must be swap or truncate")
	case truncate && j.IfExists != Replace:
		return publish("goes with if-exists replace alone")
	case truncate && j.Partitions > 0:
		return publish("contradicts partitions: these take the place of the old ones under the same table, and views on it stay")
	case truncate && j.Unlogged:
		return publish("contradicts unlogged: the table that is there is logged or not")
	case j.Keep < 0 || j.Keep > MaxKeep:
		return keep(fmt.Sprintf("must lie between 0 and %d", MaxKeep))
	case j.Keep > 0 && j.IfExists != Replace:
		return keep("goes with if-exists replace alone")
	case j.Keep > 0 && truncate:
		return keep("contradicts publish truncate, which empties the table that is there")
	}

	return nil
}
