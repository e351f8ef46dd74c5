package pg

import (
	"errors"
	"time"
)

// StatementGrace is how long the server has to report that a query exceeded its time limit. If the query's
// functions catch or turn off the limit, the client then ends the query.
const StatementGrace = 5 * time.Second

// ErrStatementTimeout is the reason why the client ended a query.
var ErrStatementTimeout = errors.New("it did not stop when the server told it to")

// CleanupTimeout limits all cleanup after work has failed or was stopped. The server may be away, so cleanup must
// not take long, and need not succeed.
const CleanupTimeout = 3 * time.Second
