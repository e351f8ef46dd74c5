// Package settle owns the end of a commit that a Citus cluster spreads over its nodes: a run waits
// until all nodes have it, and one that could not wait long enough is finished by the next.
package settle

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/citus"
	"github.com/loadgrid/loadgrid/internal/observe"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// Nodes waits until all nodes have what was committed, where spread says that rows are on other nodes
// than the server. A node that does not come back is a *citus.UnsettledError.
func Nodes(ctx context.Context, pool *pgxpool.Pool, o *observe.Observer, spread bool) error {
	if !spread {
		return nil
	}
	return citus.Settle(ctx, pool, o)
}

// Published is Nodes after a run has published its table: once all nodes have it, the ledger no
// longer says that they may not.
func Published(ctx context.Context, pool *pgxpool.Pool, o *observe.Observer, l ledger.Ledger, run int64, spread bool) error {
	if !spread {
		return nil
	}

	if err := citus.Settle(ctx, pool, o); err != nil {
		return err
	}

	return o.Retry(ctx, observe.RetryFor, "note that all nodes have the rows", func() error { return l.ClearError(ctx, pool, run) })
}

// Run is the run of a table.
type Run struct {
	Pool     *pgxpool.Pool
	Conn     pg.Querier // that holds the table's lock
	Observer *observe.Observer
	Ledger   ledger.Ledger
	Cluster  citus.Cluster

	Name        string // of the job
	Table       job.Table
	Fingerprint string
}

// Finish finishes the commit of an earlier attempt that has published the table, and did not see
// all nodes have it. It returns that run. done is false where there is none, or where it was of
// another job; without Citus nothing is asked. Where nodes are still missing, the error is a
// *citus.UnsettledError.
func (r Run) Finish(ctx context.Context) (run ledger.RunInfo, done bool, err error) {
	if !r.Cluster.Installed() {
		return run, false, nil
	}

	there, err := r.Ledger.Exists(ctx, r.Conn)
	if err != nil || !there {
		return run, false, err
	}

	run, found, err := r.Ledger.Unsettled(ctx, r.Conn, r.Table)
	if err != nil || !found || run.Fingerprint != r.Fingerprint {
		return run, false, err
	}

	r.Observer.Progress.About(r.Name, run.ID)

	if err := citus.Settle(ctx, r.Pool, r.Observer); err != nil {
		return run, false, err
	}

	return run, true, r.Ledger.ClearError(ctx, r.Conn, run.ID)
}

// IsUnsettled reports whether an error is that of a commit which has not reached all nodes.
func IsUnsettled(err error) bool { return errors.As(err, new(*citus.UnsettledError)) }
