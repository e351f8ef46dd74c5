package job

import (
	"fmt"
	"strconv"

	"github.com/loadgrid/loadgrid/geomgen"
)

// IfExists chooses what happens if the table exists already.
type IfExists string

// Values of IfExists.
const (
	Fail    IfExists = "fail"    // refuse to run
	Append  IfExists = "append"  // add the cells to the table, all at once
	Replace IfExists = "replace" // replace the table with the new one, all at once
)

// OnConflict chooses what happens to cells that an append finds in the table already.
type OnConflict string

// Values of OnConflict.
const (
	ConflictError OnConflict = "error" // refuse to append, and add nothing
	ConflictSkip  OnConflict = "skip"  // keep the existing cells, and add the others
)

// Publish chooses how a replaced table gets its new rows.
type Publish string

// Values of Publish.
const (
	// PublishSwap puts the new table, or the new partitions, where the old ones were.
	PublishSwap Publish = "swap"
	// PublishTruncate empties the table and inserts the new rows in one transaction. The table keeps the views on
	// it and the indexes that users created. Readers wait meanwhile.
	PublishTruncate Publish = "truncate"
)

// Appends reports whether the job adds its rows to an existing table.
func (j Job) Appends() bool { return j.IfExists == Append }

// SharesFiles reports whether the rows go into the files of a table that hold, or held, rows of other runs.
func (j Job) SharesFiles() bool { return j.Appends() || j.Publish == PublishTruncate }

// ReplacesUnfinished reports whether the job may drop another job's unfinished run that somebody stopped and may
// want to resume.
func (j Job) ReplacesUnfinished() bool { return j.IfExists != Fail }

// MaxKeep is the most versions that a job can keep. It prevents a typing error from filling the disk.
const MaxKeep = 100

// validateExists checks the settings for an existing table.
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
		return conflict("needs if-exists append")
	case j.OnConflict == ConflictSkip && j.Partitions > 0:
		return conflict("conflicts with partitions: new partitions are attached whole; without partitions, the rows go into the existing ones")
	}

	return j.validatePublish()
}

// validatePublish checks the settings for publishing into an existing table.
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
		return publish("needs if-exists replace")
	case truncate && j.Partitions > 0:
		return publish("conflicts with partitions: the new partitions replace the old ones in the same table, so views on it stay")
	case truncate && j.Unlogged:
		return publish("conflicts with unlogged: the existing table is already logged or unlogged")
	case j.Keep < 0 || j.Keep > MaxKeep:
		return keep(fmt.Sprintf("must lie between 0 and %d", MaxKeep))
	case j.Keep > 0 && j.IfExists != Replace:
		return keep("needs if-exists replace")
	case j.Keep > 0 && truncate:
		return keep("conflicts with publish truncate, which empties the existing table")
	}

	return nil
}
