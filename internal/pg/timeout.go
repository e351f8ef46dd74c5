package pg

import (
	"errors"
	"time"
)

// StatementGrace is how long the server has to say that the query's time is over. A
// query whose functions catch that, or turn it off, is ended by the client then.
const StatementGrace = 5 * time.Second

// ErrStatementTimeout is why the client has ended a query.
var ErrStatementTimeout = errors.New("it did not stop when the server told it to")

// CleanupTimeout bounds all that is done after work has failed or was stopped: the server
// may be away, so it must not take long, and need not succeed.
const CleanupTimeout = 3 * time.Second
