package loader

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// newStaging names a staging table in the target's schema, after the target and the
// ledger, so that what is left of a run that the ledger has forgotten can be found,
// and at random, so that a name is not used twice.
func (t relation) newStaging(ledgerSchema string) relation {
	var suffix [4]byte
	_, _ = rand.Read(suffix[:]) // never fails, by its documentation
	return t.staged(t.stagingPrefix(ledgerSchema) + hex.EncodeToString(suffix[:]))
}

// stagingStart is what the names of all staging tables begin with.
const stagingStart = "loadgrid_staging_"

// stagingPrefix is what the names of all staging tables for the target begin with
// whose runs one ledger knows.
func (t relation) stagingPrefix(ledgerSchema string) string {
	sum := sha256.Sum256([]byte(ledgerSchema + "\x00" + t.Schema + "\x00" + t.Name))
	return stagingStart + hex.EncodeToString(sum[:4]) + "_"
}

// dropOrphans drops staging tables for the target that no run in the ledger knows:
// of a ledger that was taken down, or came back from a backup, in the meantime. The
// caller holds the table's lock, and the ledger knows no unfinished run of it.
func (l *load) dropOrphans(ctx context.Context) error {
	rows, err := l.lock.conn.Query(ctx, `
		select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = $1 and starts_with(c.relname, $2) and c.relkind in ('r', 'p') and not c.relispartition
		  and pg_has_role(c.relowner, 'USAGE')`, l.target.Schema, l.target.stagingPrefix(l.ledger.schema))
	if err != nil {
		return pg.Wrap(err, "looking for staging tables that no run knows")
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return pg.Wrap(err, "looking for staging tables that no run knows")
	}
	for _, name := range names {
		orphan := job.Table{Schema: l.target.Schema, Name: name}
		l.log.Warn("dropping a staging table that no run in the ledger knows", "staging", orphan.String())
		if _, err := l.lock.conn.Exec(ctx, "drop table if exists "+tableSQL(orphan)); err != nil {
			return pg.Wrap(err, "dropping staging table %s, which no run in the ledger knows", orphan)
		}
	}
	return nil
}

func (t relation) staged(name string) relation {
	return relation{Table: job.Table{Schema: t.Schema, Name: name}, geometrySchema: t.geometrySchema}
}

// partition returns the name of a partition while it is staged.
func (t relation) partition(no int64) job.Table {
	return job.Table{Schema: t.Schema, Name: t.Name + "_p" + strconv.FormatInt(no, 10)}
}

// create returns the statement that makes a plain table for the job's rows.
// Autovacuum stays away from it until it is published: what it would do is done
// here, and an index build would wait for it.
func (t relation) create(job job.Job) string {
	return createTable(job) + t.sql() + " (" + t.columns(job) + ") with (autovacuum_enabled = false)"
}

// createPartition returns the statement that makes a table for the rows of a
// partition, from one cell_id to before another. The check makes that known, so
// that attaching it need not look at the rows.
func (t relation) createPartition(job job.Job, p job.Table, from, to int64) string {
	return createTable(job) + tableSQL(p) + " (" + t.columns(job) + ", " + boundsCheck(job, from, to) + ") with (autovacuum_enabled = false)"
}

// boundsCheck is the check of its bounds that a partition has.
func boundsCheck(job job.Job, from, to int64) string {
	id := pgx.Identifier{job.IDColumn}.Sanitize()
	return fmt.Sprintf("constraint loadgrid_bounds check (%s >= %d and %s < %d)", id, from, id, to)
}

// createPartitioned returns the statements that make a partitioned table
// without partitions, with its primary key and its indexes.
func (t relation) createPartitioned(job job.Job, index job.Index) string {
	id := pgx.Identifier{job.IDColumn}.Sanitize()
	sql := "create table " + t.sql() + " (" + t.columns(job) + ", constraint " + pgx.Identifier{keyIndex(t.Table)}.Sanitize() +
		" primary key (" + id + ")) partition by range (" + id + ")"
	for _, d := range spatialDefs(t.Table, job, index) {
		sql += "; " + d.create(t.Table)
	}
	return sql
}

func createTable(job job.Job) string {
	if job.Unlogged {
		return "create unlogged table "
	}
	return "create table "
}

// columns returns the columns with their types. The key is declared not null at
// once, so that the primary key need not look.
func (t relation) columns(job job.Job) string {
	quote := func(name string) string { return pgx.Identifier{name}.Sanitize() }
	sql := fmt.Sprintf("%s bigint not null, col integer, row integer, %s %s.%s", quote(job.IDColumn), quote(job.GeomColumn),
		quote(t.geometrySchema), job.GeometryType())
	for _, c := range job.OtherColumns() {
		sql += ", " + quote(c.Name) + " " + c.SQLType
	}
	return sql
}
