package loader

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// InspectAppend looks up the table that a plan with IfExists Append adds to, and
// says what that will cost. It writes nothing: it runs in a read-only
// transaction. It refuses what Run would refuse, with the same errors, and for
// that reads the table once.
func InspectAppend(ctx context.Context, pool *pgxpool.Pool, p *plan.Plan) (plan.AppendPlan, error) {
	if p.Job.IfExists != job.Append {
		return plan.AppendPlan{}, &geomgen.ParamError{Param: "if-exists", Value: string(p.Job.IfExists), Reason: "must be append to ask what appending costs"}
	}
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return plan.AppendPlan{}, pg.Wrap(err, "connecting")
	}
	defer conn.Release()
	// Before the transaction, which is read-only itself: whether others are.
	l := newLoad(pool, p, Options{})
	if l.target, err = inspect(ctx, conn.Conn(), p.Job); err != nil {
		return plan.AppendPlan{}, err
	}
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return plan.AppendPlan{}, pg.Wrap(err, "beginning to look at table %s", l.target)
	}
	a, err := l.inspectAppend(ctx, tx)
	stopCtx, cancel := l.stopping(ctx)
	defer cancel()
	rollback := tx.Rollback(stopCtx)
	if err == nil && rollback != nil && !errors.Is(rollback, pgx.ErrTxClosed) {
		err = pg.Wrap(rollback, "ending to look at table %s", l.target)
	}
	return a, err
}

func (l *load) inspectAppend(ctx context.Context, q pg.Querier) (plan.AppendPlan, error) {
	if err := l.checkTarget(ctx, q); err != nil {
		return plan.AppendPlan{}, err
	}
	a := plan.AppendPlan{Table: l.target.Table, Exists: l.target.OID != 0, Partitioned: l.partitioned}
	if !a.Exists {
		return a, nil
	}
	a.Attach = l.plan.Method == plan.MethodPartitions
	var err error
	if l.plan.Job.OnConflict == job.ConflictSkip {
		if a.Existing, err = overlap(ctx, q, l.target, l.plan); err != nil {
			return a, err
		}
	}
	err = q.QueryRow(ctx, `
		with recursive tables (oid) as (select $1::oid union all select i.inhrelid from pg_inherits i join tables t on t.oid = i.inhparent)
		select coalesce(sum(greatest(c.reltuples, 0)) filter (where c.relkind = 'r'), 0)::bigint, coalesce(sum(pg_relation_size(c.oid)), 0)::bigint,
		       bool_or(c.relpersistence = 'u')
		from tables t join pg_class c on c.oid = t.oid`, l.target.OID).Scan(&a.Rows, &a.HeapBytes, &a.Unlogged)
	if err != nil {
		return a, pg.Wrap(err, "looking up the size of table %s", l.target)
	}
	if a.Indexes, err = appendIndexes(ctx, q, l.target, l.plan.Job.IDColumn); err != nil {
		return a, err
	}
	if l.partitioned && !a.Attach {
		parts, err := l.target.Partitions(ctx, q)
		if err != nil {
			return a, err
		}
		first, last := l.plan.Chunk(0).First, l.plan.Chunk(l.plan.Chunks-1).Last
		a.NoPartition = findOverlap(parts, first, last+1) == nil
	}
	a.Estimate(l.plan)
	return a, nil
}
