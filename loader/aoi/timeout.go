package aoi

import (
	"fmt"
	"time"

	"github.com/loadgrid/loadgrid/geomgen"
)

// DefaultSQLTimeout is the default limit for the query of an area of interest.
const DefaultSQLTimeout = 5 * time.Minute

// QueryTimeout returns the time limit of the query.
func (a *Area) QueryTimeout() time.Duration {
	if a.SQLTimeout == 0 {
		return DefaultSQLTimeout
	}
	return a.SQLTimeout
}

// CheckQueryTimeout refuses a limit that the server would treat as no limit, or refuse.
func (a *Area) CheckQueryTimeout() error {
	return CheckStatementTimeout("aoi-sql-timeout", a.QueryTimeout())
}

// CheckStatementTimeout refuses a limit that the server would treat as no limit, or refuse.
func CheckStatementTimeout(param string, d time.Duration) error {
	const most = (1<<31 - 1) * time.Millisecond
	if d < time.Millisecond || d > most {
		return &geomgen.ParamError{Param: param, Value: d.String(), Reason: fmt.Sprintf("must lie between %s and %s", time.Millisecond, most)}
	}
	return nil
}
