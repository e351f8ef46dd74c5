// Package job defines the Job: what to load into which table, its checks, and its fingerprint. It needs no
// server.
//
// The ledger stores the JSON of a Job and its fingerprint. A newer version resumes a run by them, so neither
// format may change. testdata has a golden file of both.
package job

import (
	"fmt"
	"strconv"
	"time"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/aoi"
)

// Job describes what to load into which table. A wrong setting is a *geomgen.ParamError, which names the
// parameter as loadgrid's flags do.
type Job struct {
	// Table is the table to load. Required. Without a schema, it is searched for, or created, in the first schema
	// of the server's search_path.
	Table Table `json:"table"`
	// Grid sets the origin, the cell size and the SRID. The cell size is required.
	Grid geomgen.Grid `json:"grid"`
	// Extent selects the cells whose interior intersects the extent's interior, in CRS units. An extent with XMin
	// larger than XMax crosses the antimeridian; tiles, a geographic CRS and cylindrical projections allow that.
	// Extent, Area, or Cols and Rows are required, except for tiles, which default to the whole world.
	Extent *geomgen.Box `json:"extent,omitempty"`
	// Cols and Rows are the numbers of columns and rows, counted from the origin. At most 2^30.
	Cols int64 `json:"cols,omitempty"`
	Rows int64 `json:"rows,omitempty"`
	// Area selects cells by polygons. Defaults to none.
	Area *aoi.Area `json:"area,omitempty"`
	// Coverage adds a column coverage real: the area's share of the cell's area, 0 to 1, computed in the plane of
	// the CRS. Needs an Area.
	Coverage bool `json:"coverage,omitempty"`
	// Clip clips cells to the area: the geometry is a MultiPolygon, which is empty if a cell only touches the
	// area. Needs an Area.
	Clip bool `json:"clip,omitempty"`
	// Attributes adds columns with attributes of the area's features. AttributeRule chooses the feature for each
	// cell; a cell without a feature gets NULL. Needs an Area. Defaults to none.
	Attributes []Attribute `json:"attributes,omitempty"`
	// AttributeRule chooses the feature that gives a cell its attributes. Defaults to geomgen.Largest.
	AttributeRule geomgen.AttributeRule `json:"attribute_rule,omitempty"`
	// Each writes a row for each pair of a cell and a feature, instead of a row for each cell. Area.Rule selects
	// the features of a cell. The attribute identifies the features: it must not be NULL, and features with equal
	// values count as one.
	//
	// The attribute becomes a column, which is part of the key. Two more columns are double precision: cell_share
	// is the share of the cell's area that is in the feature, and feature_share is the share of the feature's
	// area that is in the cell. With Clip, the geometry is the part of the cell that is in the feature.
	//
	// Needs an Area, whose rule then defaults to overlaps. Defaults to none.
	Each Attribute `json:"each,omitzero"`
	// Geometry chooses the geometry of a row: the cell or its centre. Defaults to the cell, which is a
	// MultiPolygon with Clip. With geomgen.AsNone, the table has no geometry and no spatial index.
	Geometry geomgen.Geometry `json:"geometry,omitempty"`
	// Code adds a column code text with the cell's code. Defaults to none.
	Code geomgen.Code `json:"code,omitempty"`
	// CodeOrder sets which coordinate comes first in the code, north or east. Defaults to north.
	CodeOrder geomgen.CodeOrder `json:"code_order,omitempty"`
	// CodeIndex adds a unique index on the code to a plain table. Defaults to false.
	CodeIndex bool `json:"code_index,omitempty"`
	// IDColumn is the name of the primary key column. Defaults to cell_id.
	IDColumn string `json:"id_column"`
	// GeomColumn is the name of the geometry column. Defaults to geom.
	GeomColumn string `json:"geom_column"`
	// Set adds columns that hold the same value in each row. Defaults to none.
	Set []Constant `json:"set,omitempty"`
	// IfExists chooses what happens if the table exists already. Defaults to Fail.
	IfExists IfExists `json:"if_exists"`
	// OnConflict chooses what happens to cells that an append finds in the table already. Defaults to
	// ConflictError.
	OnConflict OnConflict `json:"on_conflict,omitempty"`
	// Publish chooses how a replaced table gets its new rows. Defaults to PublishSwap.
	Publish Publish `json:"publish,omitempty"`
	// Keep is how many previous versions of a replaced table to keep, at most 100. Each is called TABLE_runN
	// after the run that loaded it: see Ledger.Rollback of package loader. Publishing drops older versions.
	// Defaults to 0, which keeps none, and leaves the versions that other jobs kept.
	Keep int `json:"keep,omitempty"`
	// Partitions is the number of partitions of the table, at most 256. They are ranges of cell_id with equal
	// numbers of rows. Defaults to 0, a plain table.
	Partitions int `json:"partitions,omitempty"`
	// Index chooses the spatial indexes of a new table. Defaults to GiST, or to none without a geometry. An
	// append does not change the indexes of the table.
	Index Index `json:"index"`
	// Unlogged makes an unlogged table, which writes no WAL. It loads faster, but is missing on standbys and
	// empty after a server crash. Defaults to false.
	Unlogged bool `json:"unlogged,omitempty"`
	// Distribute chooses how the rows are distributed over the workers of a Citus cluster. Defaults to none: the
	// table is a local table.
	Distribute Distribute `json:"distribute,omitempty"`
	// Shards is the number of shards of a distributed table, at most MaxShards. Defaults to 0: as many as the
	// replaced table has, or else two per worker.
	Shards int `json:"shards,omitempty"`
	// ColocateWith is an existing distributed table. The new table gets as many shards, on the same workers.
	// Without a schema, it is searched for in the schema of Table. Defaults to none: Citus then colocates tables
	// with equal numbers of shards by itself.
	ColocateWith Table `json:"colocate_with,omitzero"`
	// ParentLevels adds a column parent bigint: cell_id without its last 2 × ParentLevels bits. A square of
	// 2^ParentLevels cells a side has one parent. The column comes first in the key, and a distributed table uses
	// it as distribution column, so that neighbours are in one shard. At most MaxParentLevels. Defaults to 0: no
	// such column, and the key is the id.
	ParentLevels int `json:"parent_levels,omitempty"`
	// Streams is the number of connections that copy in parallel, at most 64. Defaults to 0, which lets the plan
	// choose: see plan.Method.
	Streams int `json:"streams,omitempty"`
	// ChunkRows limits the rows of a chunk, which is one transaction and the unit that a resumed run may have to
	// copy again. It makes a plain table load in chunks. A resumed run keeps the chunks of its first attempt.
	// Defaults to 0, which lets the plan choose: see plan.Method.
	ChunkRows int64 `json:"chunk_rows,omitempty"`
	// Before is SQL that runs first: under the table's lock, outside the run's transactions, on its own
	// connection. Separate statements by semicolons; each is a transaction. {{table}} is replaced by the quoted
	// name of the table. With Options.SkipUnchanged, the SQL does not run if there is nothing to do, unless Area
	// is a query. Defaults to none.
	Before string `json:"before,omitempty"`
	// After is SQL that runs in the publishing transaction, once the table has its new rows and its name. Readers
	// wait meanwhile. They see both changes at once; if a statement fails, they see neither. {{table}} works as
	// in Before. Statements that begin or end transactions are refused. Defaults to none.
	After string `json:"after,omitempty"`
	// BeforeTimeout and AfterTimeout limit each statement on the server, from a millisecond to 24 days. Default
	// to DefaultHookTimeout.
	BeforeTimeout time.Duration `json:"before_timeout,omitempty"`
	AfterTimeout  time.Duration `json:"after_timeout,omitempty"`
	// LedgerSchema is the schema of the ledger of runs and chunks. A run creates it if it does not exist.
	// Defaults to loadgrid.
	LedgerSchema string `json:"ledger_schema"`
	// LedgerOwner is a role that may own the ledger, together with its members: code that they put there runs
	// with the rights of the loading role. The loading role, superusers and the roles that it is a member of may
	// always own it. Defaults to none.
	LedgerOwner string `json:"ledger_owner,omitempty"`
}

const (
	// MaxStreams is the most streams of a job.
	MaxStreams = 64
	// MaxPartitions is the most partitions of a job. Publishing a replaced table locks the tables and indexes of
	// the old and the new partitions at once. This limit keeps it within a server's default
	// max_locks_per_transaction.
	MaxPartitions = 256
	maxColumns    = 1600
	// Names of columns that cannot be renamed.
	CodeColumn         = "code"
	CoverageColumn     = "coverage"
	CellShareColumn    = "cell_share"
	FeatureShareColumn = "feature_share"
	// DefaultLedgerSchema is the schema of the ledger if a job names none.
	DefaultLedgerSchema = "loadgrid"
)

// WithDefaults returns the job with defaults for missing settings.
func (j Job) WithDefaults() Job {
	// Minus zero becomes zero, as in the ledger's JSON.
	j.Grid.X0 += 0
	j.Grid.Y0 += 0
	j.Grid.Rotate += 0
	if e := j.Extent; e != nil {
		j.Extent = &geomgen.Box{XMin: e.XMin + 0, YMin: e.YMin + 0, XMax: e.XMax + 0, YMax: e.YMax + 0}
	}

	if j.IDColumn == "" {
		j.IDColumn = "cell_id"
	}

	if j.GeomColumn == "" {
		j.GeomColumn = "geom"
	}

	if j.IfExists == "" {
		j.IfExists = Fail
	}

	if j.OnConflict == ConflictError {
		j.OnConflict = "" // the ledger stores the default as empty
	}

	if j.Publish == PublishSwap {
		j.Publish = "" // the same
	}

	if j.CodeOrder == geomgen.NorthFirst {
		j.CodeOrder = "" // the same
	}

	if j.Index == "" {
		j.Index = IndexGiST
		if !j.HasGeometry() {
			j.Index = IndexNone
		}
	}

	if j.LedgerSchema == "" {
		j.LedgerSchema = DefaultLedgerSchema
	}

	if j.AttributeRule == geomgen.Largest {
		j.AttributeRule = "" // the same
	}

	if j.Area != nil && j.Area.Rule == "" {
		area := *j.Area
		area.Rule = geomgen.Intersects
		if j.Pairs() {
			area.Rule = geomgen.Overlaps
		}
		j.Area = &area
	}

	if j.Clip && j.Geometry == geomgen.AsPolygon {
		j.Geometry = geomgen.AsMultiPolygon
	}

	return j
}

// Validate checks everything that does not need a server.
func (j Job) Validate() error {
	if err := j.Table.validate(); err != nil {
		return err
	}

	if err := j.Table.CheckReserved(j.LedgerSchema); err != nil {
		return err
	}

	if err := CheckIdentifier("ledger-schema", j.LedgerSchema); err != nil {
		return err
	}

	if j.LedgerOwner != "" {
		if err := CheckIdentifier("ledger-owner", j.LedgerOwner); err != nil {
			return err
		}
	}

	if err := j.validateColumns(); err != nil {
		return err
	}

	if err := j.validateAttributes(); err != nil {
		return err
	}

	if err := j.validateExists(); err != nil {
		return err
	}

	if err := j.validateLayout(); err != nil {
		return err
	}

	if err := j.validateHooks(); err != nil {
		return err
	}

	if err := j.Grid.Validate(); err != nil {
		return err
	}

	return j.validateArea()
}

// validateLayout checks how the table is created and filled.
func (j Job) validateLayout() error {
	switch j.Index {
	case IndexGiST, IndexBRIN, IndexBoth, IndexNone:
	default:
		return &geomgen.ParamError{Param: "index", Value: string(j.Index), Reason: "must be gist, brin, both or none"}
	}

	switch {
	case j.Partitions < 0 || j.Partitions > MaxPartitions:
		return &geomgen.ParamError{Param: "partitions", Value: strconv.Itoa(j.Partitions),
			Reason: fmt.Sprintf("must lie between 0 and %d", MaxPartitions)}
	case j.Streams < 0 || j.Streams > MaxStreams:
		return &geomgen.ParamError{Param: "streams", Value: strconv.Itoa(j.Streams),
			Reason: fmt.Sprintf("must lie between 1 and %d", MaxStreams)}
	case j.ChunkRows < 0:
		return &geomgen.ParamError{Param: "chunk-rows", Value: strconv.FormatInt(j.ChunkRows, 10), Reason: "must be at least 1"}
	case j.ChunkRows > 0 && j.Partitions > 0:
		return &geomgen.ParamError{Param: "chunk-rows", Value: strconv.FormatInt(j.ChunkRows, 10),
			Reason: "conflicts with partitions: a partition is one chunk"}
	case j.Unlogged && j.IfExists == Append:
		return &geomgen.ParamError{Param: "unlogged", Value: "true",
			Reason: "conflicts with if-exists append: the existing table is already logged or unlogged"}
	}

	return j.validateDistribution()
}
