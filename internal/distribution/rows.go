package distribution

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/citus"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// IsDistributed reports whether the rows of a table are on nodes other than the connected server.
// Without Citus it runs one short query.
func IsDistributed(ctx context.Context, q pg.Querier, oid uint32) (bool, error) {
	cluster, err := citus.Read(ctx, q)
	if err != nil || !cluster.Installed() {
		return false, err
	}

	t, err := cluster.Table(ctx, q, oid)

	return t.Distributed(), err
}

// IsNameDistributed is IsDistributed for a table by its name. It is false if the table does not
// exist.
func IsNameDistributed(ctx context.Context, q pg.Querier, name job.Table) (bool, error) {
	t := catalog.Relation{Table: name}
	if err := t.Find(ctx, q); err != nil {
		return false, err
	}

	return IsDistributed(ctx, q, t.OID)
}

// Emptied is catalog.Relation.Emptied, but false for a distributed table: the coordinator has no
// rows of it, and the crash of a node empties some of its shards. A caller that needs to know must
// count them.
func Emptied(ctx context.Context, q pg.Querier, t catalog.Relation) (bool, error) {
	distributed, err := IsDistributed(ctx, q, t.OID)
	if err != nil || distributed {
		return false, err
	}

	return t.Emptied(ctx, q)
}

// CountRows counts the rows of a table, on all nodes in parallel.
func CountRows(ctx context.Context, q pg.Querier, t catalog.Relation) (n int64, err error) {
	err = q.QueryRow(ctx, "select count(*) from "+t.SQL()).Scan(&n)
	return n, pg.Wrap(err, "counting the rows of table %s", t.Table)
}

const (
	sizeSQL = catalog.WithTree + " select sum(pg_relation_size(oid)), sum(pg_indexes_size(oid)) from tables"
	// The coordinator has no pages of a distributed table.
	sizeOnNodesSQL = `
		select pg_catalog.citus_relation_size($1::oid::regclass),
		       pg_catalog.citus_total_relation_size($1::oid::regclass) - pg_catalog.citus_table_size($1::oid::regclass)`
)

// Size returns the bytes of a table and of its indexes, on all nodes if it is distributed.
func Size(ctx context.Context, q pg.Querier, cluster citus.Cluster, name job.Table) (heap, index int64, err error) {
	t := catalog.Relation{Table: name}
	if err := t.Find(ctx, q); err != nil {
		return 0, 0, err
	}

	spread, err := cluster.Table(ctx, q, t.OID)
	if err != nil {
		return 0, 0, err
	}

	sql := sizeSQL
	if spread.Distributed() {
		sql = sizeOnNodesSQL
	}

	err = q.QueryRow(ctx, sql, t.OID).Scan(&heap, &index)

	return heap, index, pg.Wrap(err, "asking for the size of table %s", name)
}

// Each shard has its own statistics, and the table on the coordinator has none. Citus inserts the
// shard's name with format, so %L quotes it as a literal.
const estimatedRowsSQL = `
	select coalesce(sum(greatest(result::float8, 0)), 0)::bigint
	from pg_catalog.run_command_on_shards($1::oid::regclass, $$select reltuples::pg_catalog.int8 from pg_catalog.pg_class where oid operator(pg_catalog.=) %L::pg_catalog.regclass$$)
	where success`

// EstimatedRows returns the estimated number of rows of a distributed table, by the statistics of
// its shards. It is 0 if the table was never analyzed.
func EstimatedRows(ctx context.Context, q pg.Querier, t catalog.Relation) (n int64, err error) {
	err = q.QueryRow(ctx, estimatedRowsSQL, t.OID).Scan(&n)
	return n, pg.Wrap(err, "asking the nodes for the rows of table %s", t.Table)
}

// writer is a transaction of a node, and how many rows of a shard it wrote. Each node has its own
// numbers of transactions and tables.
type writer struct {
	shard uint32
	xid   string
	rows  int64
}

// Written reads a distributed table. It returns its number of rows, and a digest of how many rows
// of each shard each transaction wrote. The digest changes if somebody inserts, updates or deletes
// a row.
func Written(ctx context.Context, q pg.Querier, t catalog.Relation) (rows int64, digest string, err error) {
	result, err := q.Query(ctx, "select t.tableoid, t.xmin::text, count(*) from "+t.SQL()+" t group by 1, 2")
	if err != nil {
		return 0, "", pg.Wrap(err, "counting the rows of table %s by who wrote them", t.Table)
	}

	list, err := pgx.CollectRows(result, func(row pgx.CollectableRow) (w writer, err error) {
		err = row.Scan(&w.shard, &w.xid, &w.rows)
		return w, err
	})
	if err != nil {
		return 0, "", pg.Wrap(err, "counting the rows of table %s by who wrote them", t.Table)
	}

	texts := make([]string, len(list))
	for i, w := range list {
		texts[i] = fmt.Sprintf("%d %s %d", w.shard, w.xid, w.rows)
		rows += w.rows
	}

	slices.Sort(texts)
	sum := sha256.Sum256(fmt.Append(nil, texts))

	return rows, hex.EncodeToString(sum[:]), nil
}
