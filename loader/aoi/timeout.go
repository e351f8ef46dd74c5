package aoi

import (
	"fmt"
	"time"

	"github.com/loadgrid/loadgrid/geomgen"
)

// DefaultSQLTimeout is how long the query of an area of interest may take when the
// area does not say.
const DefaultSQLTimeout = 5 * time.Minute

// QueryTimeout returns how long the query may take, with its default.
func (a *Area) QueryTimeout() time.Duration {
	if a.SQLTimeout == 0 {
		return DefaultSQLTimeout
	}
	return a.SQLTimeout
}

// CheckQueryTimeout refuses what the server takes for no timeout, or not at all.
func (a *Area) CheckQueryTimeout() error {
	return CheckStatementTimeout("aoi-sql-timeout", a.QueryTimeout())
}

// CheckStatementTimeout refuses what the server takes for no timeout, or not at all.
func CheckStatementTimeout(param string, d time.Duration) error {
	const most = (1<<31 - 1) * time.Millisecond
	if d < time.Millisecond || d > most {
		return &geomgen.ParamError{Param: param, Value: d.String(), Reason: fmt.Sprintf("must lie between %s and %s", time.Millisecond, most)}
	}
	return nil
}
