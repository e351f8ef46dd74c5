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

// NewStaging names a staging table in the relation's schema, after the relation and the
// ledger, so that what is left of a run that the ledger has forgotten can be found,
// and at random, so that a name is not used twice.
func (t Relation) NewStaging(ledgerSchema string) Relation {
	var suffix [4]byte
	_, _ = rand.Read(suffix[:]) // never fails, by its documentation
	return t.Staged(t.StagingPrefixOf(ledgerSchema) + hex.EncodeToString(suffix[:]))
}

// stagingPrefix is what the names of all staging tables begin with.
const stagingPrefix = "loadgrid_staging_"

// StagingPrefixOf is what the names of all staging tables for the relation begin with
// whose runs one ledger knows.
func (t Relation) StagingPrefixOf(ledgerSchema string) string {
	sum := sha256.Sum256([]byte(ledgerSchema + "\x00" + t.Schema + "\x00" + t.Name))
	return stagingPrefix + hex.EncodeToString(sum[:4]) + "_"
}

// IsStaging reports whether a name is one that NewStaging may have given.
func IsStaging(name string) bool { return strings.HasPrefix(name, stagingPrefix) }

// Staged returns a staging table of this name for the relation.
func (t Relation) Staged(name string) Relation {
	return Relation{Table: job.Table{Schema: t.Schema, Name: name}, GeometrySchema: t.GeometrySchema}
}

// StagedPartition returns the name of a partition while it is staged.
func (t Relation) StagedPartition(no int64) job.Table {
	return job.Table{Schema: t.Schema, Name: t.Name + "_p" + strconv.FormatInt(no, 10)}
}

// CreateSQL returns the statement that makes a plain table for the job's rows.
// Autovacuum stays away from it until it is published: what it would do is done
// here, and an index build would wait for it.
func (t Relation) CreateSQL(j job.Job) string {
	return createTable(j) + t.SQL() + " (" + t.columnsSQL(j) + ") with (autovacuum_enabled = false)"
}

// CreatePartitionSQL returns the statement that makes a table for the rows of a
// partition, from one cell_id to before another. The check makes that known, so
// that attaching it need not look at the rows.
//
// An unlogged one may be there, empty, from an earlier try: see package copier.
func (t Relation) CreatePartitionSQL(j job.Job, p job.Table, from, to int64) string {
	create := createTable(j)
	if j.Unlogged {
		create += "if not exists "
	}

	return create + QuoteTable(p) + " (" + t.columnsSQL(j) + ", " + BoundsCheckSQL(j, from, to) + ") with (autovacuum_enabled = false)"
}

// BoundsCheckSQL is the check of its bounds that a partition has.
func BoundsCheckSQL(j job.Job, from, to int64) string {
	id := pgx.Identifier{j.IDColumn}.Sanitize()
	return fmt.Sprintf("constraint loadgrid_bounds check (%s >= %d and %s < %d)", id, from, id, to)
}

// CreatePartitionedSQL returns the statements that make a partitioned table
// without partitions, with its primary key and its indexes.
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

// columnsSQL returns the columns with their types. The key is declared not null at
// once, so that the primary key need not look.
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
