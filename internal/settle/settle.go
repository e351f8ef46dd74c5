// Package settle completes commits that a Citus cluster spreads over its nodes. A run waits until all nodes have
// its rows. If it could not wait long enough, the next run completes it.
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

// Nodes waits until all nodes have what was committed, if spread is true because rows are on other nodes. If a
// node does not come back, the error is a *citus.UnsettledError.
func Nodes(ctx context.Context, pool *pgxpool.Pool, o *observe.Observer, spread bool) error {
	if !spread {
		return nil
	}
	return citus.Settle(ctx, pool, o)
}

// Published is Nodes after a run has published its table. Once all nodes have the rows, it clears the note in the
// ledger that they may not.
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
	Conn     pg.Querier // the connection that holds the table's lock
	Observer *observe.Observer
	Ledger   ledger.Ledger
	Cluster  citus.Cluster

	Name        string // name of the job
	Table       job.Table
	Fingerprint string
}

// Finish completes the commit of an earlier attempt that published the table but did not see that all nodes had
// it, and returns that run. done is false if there is no such run, or if it has another job. Without Citus,
// Finish asks nothing. If nodes are still missing, the error is a *citus.UnsettledError.
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

// IsUnsettled reports whether an error means that a commit has not reached all nodes.
func IsUnsettled(err error) bool { return errors.As(err, new(*citus.UnsettledError)) }
