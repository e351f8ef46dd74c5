package precheck

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/citus"
	"github.com/loadgrid/loadgrid/internal/distribution"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/appendplan"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// InspectAppend looks at the table that a plan with IfExists Append adds to, and returns what the append will
// cost. It reads the table once, in a read-only transaction. It returns the same errors as a run of the plan.
func InspectAppend(ctx context.Context, pool *pgxpool.Pool, p *plan.Plan) (a appendplan.Plan, err error) {
	if p.Job.IfExists != job.Append {
		return a, &geomgen.ParamError{Param: "if-exists", Value: string(p.Job.IfExists), Reason: "must be append to estimate the cost of appending"}
	}

	conn, err := pool.Acquire(ctx)
	if err != nil {
		return a, pg.Wrap(err, "connecting")
	}
	defer conn.Release()

	// Before the transaction, which is itself read-only: check whether others are.
	t, cluster, err := Server(ctx, conn.Conn(), p.Job)
	if err != nil {
		return a, err
	}

	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return a, pg.Wrap(err, "beginning to inspect table %s", t)
	}

	a, err = inspectAppend(ctx, tx, t, p, cluster)

	stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pg.CleanupTimeout)
	defer cancel()

	rollback := tx.Rollback(stopCtx)
	if err == nil && rollback != nil && !errors.Is(rollback, pgx.ErrTxClosed) {
		err = pg.Wrap(rollback, "ending the inspection of table %s", t)
	}

	return a, err
}

const tableSizeSQL = catalog.WithTree + `
	select coalesce(sum(greatest(c.reltuples, 0)) filter (where c.relkind = 'r'), 0)::bigint, coalesce(sum(pg_relation_size(c.oid)), 0)::bigint,
	       bool_or(c.relpersistence = 'u')
	from tables t join pg_class c on c.oid = t.oid`

func inspectAppend(ctx context.Context, db pg.Querier, t catalog.Relation, p *plan.Plan, cluster citus.Cluster) (appendplan.Plan, error) {
	checked, err := Target(ctx, db, t, p, ledger.New(p.Job.LedgerSchema, p.Job.LedgerOwner), cluster)
	if err != nil {
		return appendplan.Plan{}, err
	}

	a := appendplan.Plan{Table: t.Table, Exists: t.OID != 0, Partitioned: checked.Target.Partitioned}
	if !a.Exists {
		return a, nil
	}

	a.Attach = p.Method == plan.MethodPartitions

	if p.Job.OnConflict == job.ConflictSkip {
		if a.Existing, err = overlap(ctx, db, t, p); err != nil {
			return a, err
		}
	}

	if err := measureTable(ctx, db, t, p, cluster, &a); err != nil {
		return a, err
	}

	if a.Partitioned && !a.Attach {
		parts, err := t.Partitions(ctx, db)
		if err != nil {
			return a, err
		}

		first, last := p.Chunk(0).First, p.Chunk(p.Chunks-1).Last
		a.NoPartition = findOverlap(parts, first, last+1) == nil
	}

	traits, err := Traits(ctx, db)
	if err != nil {
		return a, err
	}

	a.Estimate(p.WithServer(traits))

	return a, nil
}

// measureTable looks up the sizes of a table and its indexes, on all nodes if it is distributed.
func measureTable(ctx context.Context, db pg.Querier, t catalog.Relation, p *plan.Plan, cluster citus.Cluster, a *appendplan.Plan) error {
	err := db.QueryRow(ctx, tableSizeSQL, t.OID).Scan(&a.Rows, &a.HeapBytes, &a.Unlogged)
	if err != nil {
		return pg.Wrap(err, "looking up the size of table %s", t)
	}

	if a.Indexes, err = appendIndexes(ctx, db, t, p.Job.KeyColumns()); err != nil {
		return err
	}

	spread, err := cluster.Table(ctx, db, t.OID)
	if err != nil || !spread.Distributed() {
		return err
	}

	a.Shards = spread.Shards
	if a.Rows, err = distribution.EstimatedRows(ctx, db, t); err != nil {
		return err
	}

	if a.HeapBytes, _, err = distribution.Size(ctx, db, cluster, t.Table); err != nil {
		return err
	}

	sizes, err := distribution.IndexSizes(ctx, db, t)
	for i := range a.Indexes {
		a.Indexes[i].Bytes, a.Indexes[i].Rows = sizes[a.Indexes[i].Name].Bytes, sizes[a.Indexes[i].Name].Rows
	}

	return err
}

const appendIndexesSQL = `
	with recursive tree (root, oid) as (
		select indexrelid, indexrelid from pg_index where indrelid = $1 and indislive
		union all select t.root, h.inhrelid from tree t join pg_inherits h on h.inhparent = t.oid),
	sums as (
		select t.root, sum(pg_relation_size(c.oid)) as bytes, sum(greatest(c.reltuples, 0)) filter (where c.relkind = 'i') as rows
		from tree t join pg_class c on c.oid = t.oid group by t.root)
	select c.relname, m.amname,
	       (select string_agg(pg_get_indexdef(i.indexrelid, k, true), ', ' order by k) from generate_series(1, i.indnkeyatts) k),
	       exists (select from pg_constraint where conindid = i.indexrelid and contype in ('p', 'u', 'x')),
	       coalesce(s.bytes, 0)::bigint, coalesce(s.rows, 0)::bigint, coalesce(a.attname = any ($2), false)
	from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam join sums s on s.root = i.indexrelid
	left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
	order by i.indisprimary desc, c.relname`

// appendIndexes returns the indexes of the table: the primary key, then the others by name.
func appendIndexes(ctx context.Context, q pg.Querier, t catalog.Relation, key []string) ([]appendplan.Index, error) {
	rows, err := q.Query(ctx, appendIndexesSQL, t.OID, key)
	if err != nil {
		return nil, pg.Wrap(err, "looking up the indexes of table %s", t.Table)
	}

	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (i appendplan.Index, err error) {
		err = row.Scan(&i.Name, &i.Method, &i.Columns, &i.Constraint, &i.Bytes, &i.Rows, &i.InOrder)
		return i, err
	})

	return list, pg.Wrap(err, "looking up the indexes of table %s", t.Table)
}
