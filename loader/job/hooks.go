package job

import (
	"fmt"
	"strings"
	"time"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/sqltext"
	"github.com/loadgrid/loadgrid/loader/aoi"
)

// DefaultHookTimeout is the limit for a statement of Job.Before or Job.After if the job sets none.
const DefaultHookTimeout = 5 * time.Minute

// SQLError reports SQL in Job.Before, Job.After or Area.SQL that cannot run.
type SQLError struct {
	Param  string // before, after or aoi-sql: the name of the loadgrid flag
	SQL    string // the statement, or the part where the problem begins, in one line
	Reason string // what is wrong with it
}

func (e *SQLError) Error() string { return e.Param + " " + e.SQL + ": " + e.Reason }

// Hook is the user's SQL that runs before or after a load.
type Hook struct {
	Name, SQL string
	timeout   time.Duration
}

// BeforeHook returns the SQL that runs before the load.
func (j Job) BeforeHook() Hook { return Hook{"before", j.Before, j.BeforeTimeout} }

// AfterHook returns the SQL that runs in the publishing transaction.
func (j Job) AfterHook() Hook { return Hook{"after", j.After, j.AfterTimeout} }

// Limit is the time limit for each statement.
func (s Hook) Limit() time.Duration {
	if s.timeout == 0 {
		return DefaultHookTimeout
	}
	return s.timeout
}

// endsTransaction reports whether a statement with this first word begins or ends a transaction or a savepoint.
func endsTransaction(word string) bool {
	switch word {
	case "begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare":
		return true
	}
	return false
}

// validateHooks checks hooks as far as that is possible without a server.
func (j Job) validateHooks() error {
	for _, s := range []Hook{j.BeforeHook(), j.AfterHook()} {
		if s.SQL == "" && s.timeout != 0 {
			return &geomgen.ParamError{Param: s.Name + "-timeout", Value: s.timeout.String(), Reason: "needs SQL: " + s.Name}
		}

		if err := aoi.CheckStatementTimeout(s.Name+"-timeout", s.Limit()); err != nil {
			return err
		}

		if s.SQL == "" {
			continue
		}

		if err := CheckHook(s.Name, s.SQL); err != nil {
			return err
		}
	}

	return nil
}

// CheckHook checks the SQL of the hook before or after, as far as that is possible without a server. The error is
// a *SQLError with line and column.
func CheckHook(name, sql string) error {
	if at, reason := sqltext.Lint(sql); reason != "" {
		line, column := sqltext.LineColumn(sql, at)
		return &SQLError{Param: name, SQL: sqltext.OneLine(sql[at:]), Reason: fmt.Sprintf("line %d, column %d: %s", line, column, reason)}
	}

	list := sqltext.Statements(sql)
	if len(list) == 0 {
		return &SQLError{Param: name, SQL: sqltext.OneLine(sql), Reason: "has no statement"}
	}

	for i, st := range list {
		reason := ""
		switch {
		case strings.ContainsRune(st.Text, 0):
			reason = "SQL cannot contain zero bytes"
		case name == "after" && endsTransaction(st.Word):
			reason = "it runs in the publishing transaction, which it must not end, commit or roll back in part"
		case st.Word == "copy" && st.Has("stdin", "stdout"):
			reason = "copy needs a program at this end: use psql's \\copy before or after the load"
		default:
			continue
		}

		line, column := sqltext.LineColumn(sql, st.Offset)
		return &SQLError{Param: name, SQL: sqltext.OneLine(st.Text),
			Reason: fmt.Sprintf("statement %d of %d, line %d, column %d: %s", i+1, len(list), line, column, reason)}
	}

	return nil
}
