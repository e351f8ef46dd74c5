package citus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/observe"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/sqltext"
)

// A transaction that writes on several nodes is prepared on each worker, then committed on the
// coordinator, and then on each worker. If a worker disappears in between, it keeps its part as a
// prepared transaction: COMMIT has succeeded with a warning, and readers see only the other parts
// until this one is finished. The coordinator's maintenance daemon finishes it, within a minute by
// default.

// UnsettledError reports that parts of committed transactions are still missing on nodes after a
// long wait.
type UnsettledError struct {
	Nodes []string // host:port, with the state of each
}

func (e *UnsettledError) Error() string {
	return "commits are not finished on all nodes of the cluster: " + strings.Join(e.Nodes, ", ") +
		": when the nodes are back, Citus finishes them within a minute, or you finish them with 'select recover_prepared_transactions()'"
}

// Transient returns false: Settle has already waited long enough.
func (e *UnsettledError) Transient() bool { return false }

// pendingError is an UnsettledError while Settle still waits.
type pendingError struct{ *UnsettledError }

// Transient returns true: the node comes back, and Citus finishes the commit.
func (e pendingError) Transient() bool { return true }

// preparedSQL lists the prepared transactions of each node, and which of them are committed. The
// server takes its snapshot of the records before it asks the nodes. A transaction that was
// committed before this statement began is therefore either finished on a node or in the node's
// list. A node that did not answer has no list.
const preparedSQL = `
	with nodes (node, answered, result) as (
		select 'the coordinator', true, (select string_agg(gid, ' ') from pg_prepared_xacts where database = current_database())
		union all
		select format('%s:%s', nodename, nodeport), success, result from run_command_on_workers(
			'select coalesce(string_agg(gid, '' ''), '''') from pg_prepared_xacts where database = current_database()'))
	select node, answered, case when answered then '' else result end,
	       coalesce((select array_agg(gid) from pg_dist_transaction where gid = any(string_to_array(result, ' '))), '{}')
	from nodes`

// Settle waits until every node has finished all transactions that were committed before the call.
// They include those of other sessions, whose commits take a moment. If the role may do that,
// Settle asks Citus to finish the rest. It gives up after observe.RetryFor with an *UnsettledError.
//
// q must not be a transaction: each look needs its own snapshot.
func Settle(ctx context.Context, q pg.Querier, o *observe.Observer) error {
	open := map[string][]string{} // what was open on a node when it first answered

	err := o.Retry(ctx, observe.RetryFor, "commit", func() error {
		nodes, err := unsettled(ctx, q, open)
		if err != nil || len(nodes) == 0 {
			return err
		}

		if err := recoverPrepared(ctx, q); err != nil {
			return err
		}

		if nodes, err = unsettled(ctx, q, open); err == nil && len(nodes) > 0 {
			err = pendingError{&UnsettledError{nodes}}
		}

		return err
	})

	var pending pendingError
	if errors.As(err, &pending) {
		return pending.UnsettledError
	}

	return err
}

// unsettled returns the nodes that have not answered, or have not finished the transactions that
// were open when they first answered.
func unsettled(ctx context.Context, q pg.Querier, open map[string][]string) (nodes []string, err error) {
	rows, err := q.Query(ctx, preparedSQL)
	if err != nil {
		return nil, pg.Wrap(err, "asking the nodes for prepared transactions")
	}

	var node, failure string
	var answered bool
	var committed []string
	_, err = pgx.ForEachRow(rows, []any{&node, &answered, &failure, &committed}, func() error {
		if !answered {
			nodes = append(nodes, node+" does not answer ("+sqltext.OneLine(failure)+")")
			return nil
		}

		if before, known := open[node]; known {
			committed = slices.DeleteFunc(committed, func(gid string) bool { return !slices.Contains(before, gid) })
		}

		open[node] = committed
		if len(committed) > 0 {
			nodes = append(nodes, fmt.Sprintf("%s has %d of them prepared", node, len(committed)))
		}

		return nil
	})

	return nodes, pg.Wrap(err, "asking the nodes for prepared transactions")
}

// recoverPrepared finishes the prepared transactions of nodes that answer, as committed if the
// coordinator committed them. If the role may not do that, Citus does it by itself within
// citus.recover_2pc_interval.
func recoverPrepared(ctx context.Context, q pg.Querier) error {
	_, err := q.Exec(ctx, "select recover_prepared_transactions()")
	if pg.HasCode(err, pgerrcode.InsufficientPrivilege) {
		return nil
	}

	return pg.Wrap(err, "finishing prepared transactions")
}
