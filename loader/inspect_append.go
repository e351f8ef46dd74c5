package loader

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
)

// AppendPlan is what it takes to add a plan's rows to a table that is there,
// beside what it would take to load them into a new one.
type AppendPlan struct {
	Table Table `json:"table"`
	// Exists is false where the table is not there: a load would make it as
	// planned, and the rest is empty.
	Exists bool `json:"exists"`
	// Rows is an estimate of the server's, as of its last ANALYZE or VACUUM.
	Rows      int64 `json:"rows"`
	HeapBytes int64 `json:"heap_bytes"`
	// Existing is how many of the plan's cells the table holds already. Counted
	// where they are skipped; else there are none, or they are an error.
	Existing int64 `json:"existing"`
	// Partitioned says that the table is, Attach that the rows come as partitions
	// of their own: they have their indexes before they are attached.
	Partitioned bool `json:"partitioned"`
	Attach      bool `json:"attach"`
	// Indexes are those of the table; of a partitioned one its own, with the sums
	// over all partitions. One that a partition has for itself is not among them.
	Indexes []AppendIndex `json:"indexes"`

	// Staging is to load the rows into a staging table with the key alone, and
	// Move to insert them from there into the table without its indexes, each of
	// which has its own cost. Where partitions are attached, Staging is to make
	// them with the indexes that they get beforehand, and Move is nothing.
	Staging AppendCost `json:"staging"`
	Move    AppendCost `json:"move"`
	Total   AppendCost `json:"total"` // of both, and of Indexes
	// NewTable is the same rows in a new table with the plan's indexes.
	NewTable AppendCost `json:"new_table"`
	// Hints say what would be cheaper. Often there are none.
	Hints []string `json:"hints"`

	free     bool // no partition is for the ids of these rows
	unlogged bool
}

// AppendIndex is an index of the table, and what the new rows cost in it.
type AppendIndex struct {
	Name       string `json:"name"`
	Method     string `json:"method"` // the access method: btree, gist, brin ...
	Columns    string `json:"columns"`
	Constraint bool   `json:"constraint"` // a key of the table, which it must not be without
	Bytes      int64  `json:"bytes"`
	Rows       int64  `json:"rows"` // entries, an estimate of the server's
	Growth     int64  `json:"growth_bytes"`
	// Cost is to insert the rows into it, or to build it on partitions while they
	// are attached; nothing where they have it before.
	Cost    AppendCost `json:"cost"`
	inOrder bool       // the rows come in its order
}

// AppendCost is a rough guide: see docs/estimates.md for where it comes from.
type AppendCost struct {
	WALBytes int64   `json:"wal_bytes"`
	Seconds  float64 `json:"seconds"`
}

// plus adds costs. Bytes beyond what an int64 holds are its largest number.
func (c AppendCost) plus(d AppendCost) AppendCost {
	return AppendCost{wholeBytes(float64(c.WALBytes) + float64(d.WALBytes)), c.Seconds + d.Seconds}
}

// InspectAppend looks up the table that a plan with IfExists Append adds to, and
// says what that will cost. It writes nothing: it runs in a read-only
// transaction. It refuses what Run would refuse, with the same errors, and for
// that reads the table once.
func InspectAppend(ctx context.Context, pool *pgxpool.Pool, plan *Plan) (AppendPlan, error) {
	if plan.Job.IfExists != Append {
		return AppendPlan{}, &geomgen.ParamError{Param: "if-exists", Value: string(plan.Job.IfExists), Reason: "must be append to ask what appending costs"}
	}
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return AppendPlan{}, serverError(err, "connecting")
	}
	defer conn.Release()
	// Before the transaction, which is read-only itself: whether others are.
	l := newLoad(pool, plan, Options{})
	if l.target, err = inspect(ctx, conn.Conn(), plan.Job); err != nil {
		return AppendPlan{}, err
	}
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return AppendPlan{}, serverError(err, "beginning to look at table %s", l.target)
	}
	a, err := l.inspectAppend(ctx, tx)
	stopCtx, cancel := l.stopping(ctx)
	defer cancel()
	rollback := tx.Rollback(stopCtx)
	if err == nil && rollback != nil && !errors.Is(rollback, pgx.ErrTxClosed) {
		err = serverError(rollback, "ending to look at table %s", l.target)
	}
	return a, err
}

func (l *load) inspectAppend(ctx context.Context, q querier) (AppendPlan, error) {
	if err := l.checkTarget(ctx, q); err != nil {
		return AppendPlan{}, err
	}
	a := AppendPlan{Table: l.target.Table, Exists: l.target.oid != 0, Partitioned: l.partitioned}
	if !a.Exists {
		return a, nil
	}
	a.Attach = l.plan.Method == MethodPartitions
	var err error
	if l.plan.Job.OnConflict == ConflictSkip {
		if a.Existing, err = l.target.overlap(ctx, q, l.plan); err != nil {
			return a, err
		}
	}
	err = q.QueryRow(ctx, `
		with recursive tables (oid) as (select $1::oid union all select i.inhrelid from pg_inherits i join tables t on t.oid = i.inhparent)
		select coalesce(sum(greatest(c.reltuples, 0)) filter (where c.relkind = 'r'), 0)::bigint, coalesce(sum(pg_relation_size(c.oid)), 0)::bigint,
		       bool_or(c.relpersistence = 'u')
		from tables t join pg_class c on c.oid = t.oid`, l.target.oid).Scan(&a.Rows, &a.HeapBytes, &a.unlogged)
	if err != nil {
		return a, serverError(err, "looking up the size of table %s", l.target)
	}
	if a.Indexes, err = l.target.indexes(ctx, q, l.plan.Job.IDColumn); err != nil {
		return a, err
	}
	if l.partitioned && !a.Attach {
		parts, err := l.target.partitions(ctx, q)
		if err != nil {
			return a, err
		}
		first, last := l.plan.Chunk(0).First, l.plan.Chunk(l.plan.Chunks-1).Last
		a.free = findOverlap(parts, first, last+1) == nil
	}
	a.estimate(l.plan)
	return a, nil
}

// indexes returns the indexes of the table, the primary key first, then by name.
func (t relation) indexes(ctx context.Context, q querier, idColumn string) ([]AppendIndex, error) {
	rows, err := q.Query(ctx, `
		with recursive tree (root, oid) as (
			select indexrelid, indexrelid from pg_index where indrelid = $1 and indislive
			union all select t.root, h.inhrelid from tree t join pg_inherits h on h.inhparent = t.oid),
		sums as (
			select t.root, sum(pg_relation_size(c.oid)) as bytes, sum(greatest(c.reltuples, 0)) filter (where c.relkind = 'i') as rows
			from tree t join pg_class c on c.oid = t.oid group by t.root)
		select c.relname, m.amname,
		       (select string_agg(pg_get_indexdef(i.indexrelid, k, true), ', ' order by k) from generate_series(1, i.indnkeyatts) k),
		       exists (select from pg_constraint where conindid = i.indexrelid and contype in ('p', 'u', 'x')),
		       coalesce(s.bytes, 0)::bigint, coalesce(s.rows, 0)::bigint, coalesce(a.attname = $2, false)
		from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam join sums s on s.root = i.indexrelid
		left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
		order by i.indisprimary desc, c.relname`, t.oid, idColumn)
	if err != nil {
		return nil, serverError(err, "looking up the indexes of table %s", t.Table)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (i AppendIndex, err error) {
		err = row.Scan(&i.Name, &i.Method, &i.Columns, &i.Constraint, &i.Bytes, &i.Rows, &i.inOrder)
		return i, err
	})
	return list, serverError(err, "looking up the indexes of table %s", t.Table)
}
