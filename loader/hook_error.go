package loader

import (
	"errors"
	"fmt"
	"time"

	"github.com/loadgrid/loadgrid/internal/pg"
)

// HookError reports a statement of Job.Before or Job.After that failed.
type HookError struct {
	Hook         string // before or after
	No, Of       int    // the statement, from 1, of so many
	Line, Column int    // where it begins in the step's SQL, or where the server saw the error; from 1
	Limit        time.Duration
	Err          error
}

func (e *HookError) Error() string {
	s := fmt.Sprintf("%s, statement %d of %d, line %d, column %d: %s", e.Hook, e.No, e.Of, e.Line, e.Column, pg.Message(e.Err))
	if pg.HasCode(e.Err, "57014") || errors.Is(e.Err, pg.ErrStatementTimeout) {
		s += fmt.Sprintf(": a statement has %s, see --%s-timeout", e.Limit, e.Hook)
	}
	return s
}

func (e *HookError) Unwrap() error { return e.Err }

// ServerMessage returns the message for people, which names the statement.
func (e *HookError) ServerMessage() string { return e.Error() }
