// Package catalog reads tables, columns, partitions, indexes, dependents and grants from the server's catalogue,
// and has the statements that create and rename them.
package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// Relation is a table as it was found on the server.
type Relation struct {
	job.Table             // with its schema
	GeometrySchema string // schema of PostGIS
	OID            uint32 // 0 if there is no such table
}

// SQL returns the name, quoted for SQL.
func (t Relation) SQL() string { return QuoteTable(t.Table) }

// Find looks for a relation with this name.
func (t *Relation) Find(ctx context.Context, conn pg.Querier) error {
	err := conn.QueryRow(ctx, `
		select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = $1 and c.relname = $2`, t.Schema, t.Name).Scan(&t.OID)
	if errors.Is(err, pgx.ErrNoRows) {
		t.OID = 0
		return nil
	}

	return pg.Wrap(err, "looking for table %s", t.Table)
}

// Exists reports whether a schema has a relation with this name: a table or an index.
func Exists(ctx context.Context, q pg.Querier, schema, name string) (there bool, err error) {
	err = q.QueryRow(ctx, `
		select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = $1 and c.relname = $2)`, schema, name).Scan(&there)

	return there, err
}

// Describe returns the kind of the relation as in pg_class.relkind, whether it is a partition or takes part in
// inheritance, and whether the role owns it.
func (t *Relation) Describe(ctx context.Context, conn pg.Querier) (kind string, isPartition, owned bool, err error) {
	err = conn.QueryRow(ctx, `
		select c.relkind::text, exists (select from pg_inherits where inhrelid = c.oid or inhparent = c.oid and c.relkind <> 'p'),
		       pg_has_role(c.relowner, 'USAGE')
		from pg_class c where c.oid = $1`, t.OID).Scan(&kind, &isPartition, &owned)
	return kind, isPartition, owned, pg.Wrap(err, "looking up table %s", t.Table)
}

// RelationKind describes a kind of relation other than a table.
func RelationKind(kind string) string {
	switch kind {
	case "v":
		return "a view"
	case "m":
		return "a materialized view"
	case "f":
		return "a foreign table"
	case "S":
		return "a sequence"
	case "i", "I":
		return "an index"
	case "c":
		return "a composite type"
	}

	return "something else"
}

// DiffColumns describes what have lacks and what it has in addition, compared with want. It returns "" if they
// differ at most in order.
func DiffColumns(have, want []string) string {
	var parts []string
	for _, w := range want {
		if !slices.Contains(have, w) {
			parts = append(parts, "it lacks "+w)
		}
	}

	for _, h := range have {
		if !slices.Contains(want, h) {
			parts = append(parts, "it has "+h)
		}
	}

	return strings.Join(parts, ", ")
}

// CheckName refuses a name for a new table that a type has: a table is a type, too.
func (t *Relation) CheckName(ctx context.Context, conn pg.Querier) error {
	var taken bool
	err := conn.QueryRow(ctx, `
		select exists (select from pg_type y join pg_namespace n on n.oid = y.typnamespace
		where n.nspname = $1 and y.typname = $2 and left(y.typname, 1) <> '_')`, t.Schema, t.Name).Scan(&taken)
	if err != nil {
		return pg.Wrap(err, "looking for types called %s", t.Table)
	}

	if taken {
		return &geomgen.ParamError{Param: "table", Value: t.String(), Reason: "is the name of a type: choose another name"}
	}

	return nil
}

// Refuse returns a *geomgen.ParamError about the table.
func (t *Relation) Refuse(format string, args ...any) error {
	return &geomgen.ParamError{Param: "table", Value: t.String(), Reason: fmt.Sprintf(format, args...)}
}

// NotOwned returns the error that the role does not own the table.
func (t *Relation) NotOwned(doing string) error {
	return &pg.ServerError{Doing: doing + " table " + t.String(),
		Err: errors.New("it belongs to another role (SQLSTATE 42501)"), Advice: "connect as its owner"}
}

// CheckSame checks that the name still belongs to the table that was found before.
func (t Relation) CheckSame(ctx context.Context, tx pgx.Tx) error {
	now := t
	if err := now.Find(ctx, tx); err != nil {
		return err
	}

	if now.OID != t.OID {
		return fmt.Errorf("table %s is not the table that existed when the run began: somebody created, dropped or replaced it; rename it and run the same command again", t)
	}

	return nil
}

// LockExclusive blocks everybody else from the table until the transaction ends. Call it before inspecting the
// table. Otherwise, an uncommitted change or view of another session would be missed. An owner who has revoked
// all of their own grants may drop the table, but not lock it.
func (t Relation) LockExclusive(ctx context.Context, tx pgx.Tx) error {
	var may bool
	err := tx.QueryRow(ctx, "select has_table_privilege($1::oid, 'UPDATE, DELETE, TRUNCATE')", t.OID).Scan(&may)
	if err == nil && may {
		_, err = tx.Exec(ctx, "lock table "+t.SQL()+" in access exclusive mode")
	}

	if err != nil {
		return pg.Wrap(err, "locking table %s", t)
	}

	return t.CheckSame(ctx, tx)
}

// CheckNamed checks that the table still has its name.
func (t Relation) CheckNamed(ctx context.Context, tx pgx.Tx) error {
	var named bool
	err := tx.QueryRow(ctx, "select coalesce(to_regclass($1)::oid = $2, false)", t.SQL(), t.OID).Scan(&named)
	if err == nil && !named {
		return fmt.Errorf("table %s no longer exists: the step after has dropped, renamed or moved it", t)
	}

	return pg.Wrap(err, "looking for table %s", t)
}

// Emptied reports whether a server crash has emptied the unlogged table, or a partition of it: a partition or
// table that a run has filled is never without a page.
func (t Relation) Emptied(ctx context.Context, q pg.Querier) (emptied bool, err error) {
	err = q.QueryRow(ctx, WithTree+`
		select exists (select from tables join pg_class c using (oid)
		               where c.relkind = 'r' and c.relpersistence = 'u' and pg_relation_size(c.oid) = 0)`, t.OID).Scan(&emptied)
	return emptied, pg.Wrap(err, "looking for rows in unlogged table %s", t.Table)
}

// RowsWrittenInTx returns how many rows this session has inserted, updated or deleted in the table and its
// partitions and the server has not counted yet. The difference between two calls in one transaction is what was
// written in between.
func (t Relation) RowsWrittenInTx(ctx context.Context, q pg.Querier) (n int64, err error) {
	err = q.QueryRow(ctx, WithTree+`
		select coalesce(sum(pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid) + pg_stat_get_xact_tuples_deleted(oid)), 0)::bigint
		from tables`, t.OID).Scan(&n)
	return n, pg.Wrap(err, "asking the server what was written to table %s", t.Table)
}

// BuiltOver reports whether a newly built index has the given number of entries. The catalogue stores that number
// as a float4: exact up to 2^24, and to seven digits beyond. Later it may be an estimate.
//
// An entry does not prove a row: deleted rows that an older snapshot may still see are indexed, too. It is enough
// only if nobody else can have deleted one, because the table was created in the same transaction.
func BuiltOver(ctx context.Context, q pg.Querier, schema, index string, rows int64) (same bool, err error) {
	err = q.QueryRow(ctx, `
		select c.reltuples = $3::bigint::float4 from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = $1 and c.relname = $2`, schema, index, rows).Scan(&same)
	return same, pg.Wrap(err, "asking index %s for its rows", index)
}

// BuiltOverLive reports whether the last index build found the given number of live rows in the table. PostgreSQL
// 18 or newer does not record that for a table without autovacuum, such as a staging table. The catalogue's
// number then comes from an earlier VACUUM, or is missing.
func BuiltOverLive(ctx context.Context, q pg.Querier, t Relation, rows int64) (same bool, err error) {
	err = q.QueryRow(ctx, `
		select current_setting('server_version_num')::integer < 180000 and reltuples = $2::bigint::float4
		from pg_class where oid = $1`, t.OID, rows).Scan(&same)
	return same, pg.Wrap(err, "asking table %s for its rows", t.Table)
}

// NameOf returns the name of the table with this oid, or the zero value if there is none.
func NameOf(ctx context.Context, q pg.Querier, oid uint32) (t job.Table, err error) {
	err = q.QueryRow(ctx, `
		select coalesce(max(n.nspname), ''), coalesce(max(c.relname), '')
		from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = $1`, oid).Scan(&t.Schema, &t.Name)

	return t, pg.Wrap(err, "looking for the table with number %d", oid)
}
