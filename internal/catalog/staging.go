package catalog

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/loader/job"
)

// NewStaging returns a name for a staging table in the relation's schema. It is derived from the relation and the
// ledger, so that leftovers of a run can be found even if the ledger has lost it. A random part prevents the same
// name from being used twice.
func (t Relation) NewStaging(ledgerSchema string) Relation {
	var suffix [4]byte
	_, _ = rand.Read(suffix[:]) // never fails, according to its documentation
	return t.Staged(t.StagingPrefixOf(ledgerSchema) + hex.EncodeToString(suffix[:]))
}

// stagingPrefix is the beginning of the names of all staging tables.
const stagingPrefix = "loadgrid_staging_"

// StagingPrefixOf returns the beginning of the names of all staging tables for the relation whose runs are in one
// ledger.
func (t Relation) StagingPrefixOf(ledgerSchema string) string {
	sum := sha256.Sum256([]byte(ledgerSchema + "\x00" + t.Schema + "\x00" + t.Name))
	return stagingPrefix + hex.EncodeToString(sum[:4]) + "_"
}

// IsStaging reports whether a name may come from NewStaging.
func IsStaging(name string) bool { return strings.HasPrefix(name, stagingPrefix) }

// Staged returns the staging table with this name for the relation.
func (t Relation) Staged(name string) Relation {
	return Relation{Table: job.Table{Schema: t.Schema, Name: name}, GeometrySchema: t.GeometrySchema}
}

// StagedPartition returns the name of a partition while it is staged.
func (t Relation) StagedPartition(no int64) job.Table {
	return job.Table{Schema: t.Schema, Name: t.Name + "_p" + strconv.FormatInt(no, 10)}
}

// CreateSQL returns the statement that creates a plain table for the job's rows. Autovacuum is disabled until the
// table is published: loadgrid does its work, and an index build would have to wait for it.
func (t Relation) CreateSQL(j job.Job) string {
	return createTable(j) + t.SQL() + " (" + t.columnsSQL(j) + ") with (autovacuum_enabled = false)"
}

// CreatePartitionSQL returns the statement that creates a table for the rows of a partition with cell_id in
// [from, to). A check on that range lets the server attach the partition without reading its rows.
//
// An unlogged one may exist, empty, from an earlier try: see package copier.
func (t Relation) CreatePartitionSQL(j job.Job, p job.Table, from, to int64) string {
	create := createTable(j)
	if j.Unlogged {
		create += "if not exists "
	}

	return create + QuoteTable(p) + " (" + t.columnsSQL(j) + ", " + BoundsCheckSQL(j, from, to) + ") with (autovacuum_enabled = false)"
}

// BoundsCheckSQL returns the check of a partition's bounds.
func BoundsCheckSQL(j job.Job, from, to int64) string {
	id := pgx.Identifier{j.IDColumn}.Sanitize()
	return fmt.Sprintf("constraint loadgrid_bounds check (%s >= %d and %s < %d)", id, from, id, to)
}

// CreatePartitionedSQL returns the statements that create a partitioned table without partitions, with its
// primary key and its indexes.
func (t Relation) CreatePartitionedSQL(j job.Job, index job.Index) []string {
	id := pgx.Identifier{j.IDColumn}.Sanitize()
	sql := []string{"create table " + t.SQL() + " (" + t.columnsSQL(j) + ", constraint " + pgx.Identifier{keyName(t.Table)}.Sanitize() +
		" primary key (" + ColumnList(j.KeyColumns()) + ")) partition by range (" + id + ")"}

	for _, d := range SpatialIndexes(t.Table, j, index) {
		sql = append(sql, d.CreateSQL(t.Table))
	}

	return sql
}

func createTable(j job.Job) string {
	if j.Unlogged {
		return "create unlogged table "
	}
	return "create table "
}

// columnsSQL returns the columns with their types. The key is declared not null at once, so adding the primary
// key need not check that.
func (t Relation) columnsSQL(j job.Job) string {
	quote := func(name string) string { return pgx.Identifier{name}.Sanitize() }
	sql := quote(j.IDColumn) + " bigint not null, col integer, row integer"
	if j.HasGeometry() {
		sql += ", " + quote(j.GeomColumn) + " " + quote(t.GeometrySchema) + "." + j.GeometryType()
	}

	for _, c := range j.OtherColumns() {
		sql += ", " + quote(c.Name) + " " + c.SQLType
		if slices.Contains(j.KeyColumns(), c.Name) {
			sql += " not null"
		}
	}

	return sql
}
