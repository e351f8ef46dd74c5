package loader

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// newStaging names a staging table in the target's schema. It is not named after
// the run alone: two ledgers in one database number theirs alike.
func (t target) newStaging() target {
	var suffix [4]byte
	_, _ = rand.Read(suffix[:]) // never fails, by its documentation
	return t.staged("loadgrid_staging_" + hex.EncodeToString(suffix[:]))
}

func (t target) staged(name string) target {
	return target{Table: Table{t.Schema, name}, geometrySchema: t.geometrySchema}
}

// partition returns the name of a partition while it is staged.
func (t target) partition(no int64) Table {
	return Table{t.Schema, t.Name + "_p" + strconv.FormatInt(no, 10)}
}

// create returns the statement that makes a plain table for the job's rows.
// Autovacuum stays away from it until it is published: what it would do is done
// here, and an index build would wait for it.
func (t target) create(job Job) string {
	return createTable(job) + t.sql() + " (" + t.columns(job) + ") with (autovacuum_enabled = false)"
}

// createPartition returns the statement that makes a table for the rows of a
// partition, from one cell_id to before another. The check makes that known, so
// that attaching it need not look at the rows.
func (t target) createPartition(job Job, p Table, from, to int64) string {
	id := pgx.Identifier{job.IDColumn}.Sanitize()
	return createTable(job) + p.sql() + " (" + t.columns(job) + ", constraint " + boundsCheck +
		fmt.Sprintf(" check (%s >= %d and %s < %d)", id, from, id, to) + ") with (autovacuum_enabled = false)"
}

// boundsCheck is the name of the check that a partition has until it is published.
const boundsCheck = "loadgrid_bounds"

// createPartitioned returns the statements that make a partitioned table
// without partitions, with its primary key and its indexes.
func (t target) createPartitioned(job Job, index Index) string {
	id := pgx.Identifier{job.IDColumn}.Sanitize()
	sql := "create table " + t.sql() + " (" + t.columns(job) + ", constraint " + pgx.Identifier{keyIndex(t.Table)}.Sanitize() +
		" primary key (" + id + ")) partition by range (" + id + ")"
	for _, d := range spatialDefs(t.Table, job, index) {
		sql += "; " + d.create(t.Table)
	}
	return sql
}

func createTable(job Job) string {
	if job.Unlogged {
		return "create unlogged table "
	}
	return "create table "
}

// columns returns the columns with their types. The key is declared not null at
// once, so that the primary key need not look.
func (t target) columns(job Job) string {
	quote := func(name string) string { return pgx.Identifier{name}.Sanitize() }
	sql := fmt.Sprintf("%s bigint not null, col integer, row integer, %s %s.%s", quote(job.IDColumn), quote(job.GeomColumn),
		quote(t.geometrySchema), job.geometryType())
	for _, c := range job.otherColumns() {
		sql += ", " + quote(c.name) + " " + c.sqlType
	}
	return sql
}
