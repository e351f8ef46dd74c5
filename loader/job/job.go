// Package job owns the Job: what to load into which table, its checks and its
// fingerprint. It knows no server.
//
// The JSON of a Job is what the ledger keeps of a run on disk. A run that an older
// version has begun is resumed by its JSON and its fingerprint, so both stay as they
// are: testdata has a golden file of them.
package job

import (
	"fmt"
	"strconv"
	"time"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/aoi"
)

// Job says what to load into which table. A wrong one is reported as a
// *geomgen.ParamError that names the parameter as loadgrid's flags call it.
type Job struct {
	// Table is where the cells go. Required; without a schema it is looked for,
	// or made, in the first schema of the server's search_path.
	Table Table `json:"table"`
	// Grid has the origin, the cell size and the SRID. The cell size is required.
	Grid geomgen.Grid `json:"grid"`
	// Extent cuts the grid, in CRS units: cells whose interior meets its
	// interior. One whose XMin is larger than its XMax crosses the antimeridian, in a
	// geographic CRS, in cylindrical projections, and of tiles. Extent, Cols and Rows, or Area is required, except for tiles, of which
	// there are all of the world.
	Extent *geomgen.Box `json:"extent,omitempty"`
	// Cols and Rows take that many columns and rows from the origin. At most 2^30.
	Cols int64 `json:"cols,omitempty"`
	Rows int64 `json:"rows,omitempty"`
	// Area selects cells by polygons. Defaults to none.
	Area *aoi.Area `json:"area,omitempty"`
	// Coverage adds a column coverage real: the area's share of the cell's area, 0
	// to 1, in the plane of the CRS. Needs an Area.
	Coverage bool `json:"coverage,omitempty"`
	// Clip cuts cells at the edge of the area: the geometry is a MultiPolygon, empty
	// where a cell only touches the area. Needs an Area.
	Clip bool `json:"clip,omitempty"`
	// Attributes add columns with the values of attributes of the area's features: of the feature
	// that AttributeRule chooses for the cell, NULL where there is none. Need an Area. Default to
	// none.
	Attributes []Attribute `json:"attributes,omitempty"`
	// AttributeRule says which feature a cell takes its attributes of. Defaults to
	// geomgen.Largest.
	AttributeRule geomgen.AttributeRule `json:"attribute_rule,omitempty"`
	// Each gives a cell a row for each feature of the area that Area.Rule selects for it, instead of one
	// row. Its attribute names the features: it is never NULL, and features with equal values
	// are one. The row has it in a column of its own, which is part of the key, and columns
	// cell_share and feature_share double precision: what share of the cell's area lies in the
	// feature, and what share of the feature's lies in the cell. With Clip a row has the part of
	// the cell that lies in the feature. Needs an Area, whose rule defaults to overlaps then.
	// Defaults to none.
	Each Attribute `json:"each,omitzero"`
	// Geometry says what is written of a cell: the cell or its centre. Defaults to
	// the cell; with Clip it is a MultiPolygon. With geomgen.AsNone the table has no geometry,
	// and no spatial index.
	Geometry geomgen.Geometry `json:"geometry,omitempty"`
	// Code adds a column code text with the cell's name. Defaults to none.
	Code geomgen.Code `json:"code,omitempty"`
	// CodeOrder says what comes first in it, north or east. Defaults to north.
	CodeOrder geomgen.CodeOrder `json:"code_order,omitempty"`
	// CodeIndex gives a plain table a unique index on the code. Defaults to false.
	CodeIndex bool `json:"code_index,omitempty"`
	// IDColumn names the primary key. Defaults to cell_id.
	IDColumn string `json:"id_column"`
	// GeomColumn names the geometry. Defaults to geom.
	GeomColumn string `json:"geom_column"`
	// Set adds columns that hold the same value in each row. Defaults to none.
	Set []Constant `json:"set,omitempty"`
	// IfExists says what happens to a table that is there. Defaults to Fail.
	IfExists IfExists `json:"if_exists"`
	// OnConflict says what becomes of cells to append that the table holds already.
	// Defaults to ConflictError.
	OnConflict OnConflict `json:"on_conflict,omitempty"`
	// Publish says how a table that is replaced gets the new rows. Defaults to
	// PublishSwap.
	Publish Publish `json:"publish,omitempty"`
	// Keep is the number of previous versions of a replaced table that are kept, at
	// most 100, each as TABLE_runN after the run that made it: see RollbackRun. Older
	// ones are dropped after publish. Defaults to 0, which keeps none and leaves alone
	// those that other jobs have kept.
	Keep int `json:"keep,omitempty"`
	// Partitions is the number of partitions of the table, at most 256: ranges of
	// cell_id with equal numbers of rows. Defaults to 0, a plain table.
	Partitions int `json:"partitions,omitempty"`
	// Index says which spatial indexes a new table gets. Defaults to GiST, and to none without a
	// geometry. Where
	// rows are appended, the indexes of the table that is there stand.
	Index Index `json:"index"`
	// Unlogged makes a table that writes no WAL: faster to load, not on standbys,
	// and empty after a crash of the server. Defaults to false.
	Unlogged bool `json:"unlogged,omitempty"`
	// Distribute spreads the rows over the workers of a Citus cluster. Defaults to none: the
	// table is on the server alone.
	Distribute Distribute `json:"distribute,omitempty"`
	// Shards is how many shards a distributed table has, at most MaxShards. Defaults to 0: as many
	// as the table that it replaces, or else two for each worker.
	Shards int `json:"shards,omitempty"`
	// ColocateWith is a distributed table whose shards lie on the same workers as those of this
	// one, as many of them. Without a schema it is looked for in that of Table. Defaults to
	// none: Citus puts tables with as many shards together by itself.
	ColocateWith Table `json:"colocate_with,omitzero"`
	// ParentLevels adds a column parent bigint, the cell_id without its last 2 ParentLevels bits:
	// a square of 2^ParentLevels cells a side has one parent. It comes first in the key, and a
	// distributed table is distributed by it, so that neighbours are in one shard. At most
	// MaxParentLevels. Defaults to 0: no such column, and the id is the key.
	ParentLevels int `json:"parent_levels,omitempty"`
	// Streams is the number of connections that copy at the same time, at most
	// 64. Defaults to 0, which leaves it to the plan: see plan.Method.
	Streams int `json:"streams,omitempty"`
	// ChunkRows bounds the rows of a chunk, which is one transaction and what a
	// resumed run may have to copy again; a plain table goes out in chunks then.
	// Defaults to 0, which leaves it to the plan: see plan.Method. A resumed run keeps
	// the chunks of its first attempt.
	ChunkRows int64 `json:"chunk_rows,omitempty"`
	// Before is SQL that runs first: under the table's lock, outside every transaction
	// of the run, on a connection of its own. Statements are separated by semicolons,
	// and each is a transaction. Where Area is no query, it is left out when there is
	// nothing to do (Options.SkipUnchanged). {{table}} in it stands for the quoted name
	// of the table. Defaults to none.
	Before string `json:"before,omitempty"`
	// After is SQL that runs in the transaction that publishes, once the table has
	// its new rows and its name: readers see both at once, or, where a statement
	// fails, neither. They wait meanwhile. {{table}} is as in Before, and statements
	// that begin or end transactions are refused. Defaults to none.
	After string `json:"after,omitempty"`
	// BeforeTimeout and AfterTimeout are how long each statement may take on the
	// server, at least a millisecond, at most 24 days. Default to DefaultStepTimeout.
	BeforeTimeout time.Duration `json:"before_timeout,omitempty"`
	AfterTimeout  time.Duration `json:"after_timeout,omitempty"`
	// LedgerSchema is where runs and chunks are written down. Defaults to
	// loadgrid. It is made when it is not there.
	LedgerSchema string `json:"ledger_schema"`
	// LedgerOwner is a role that may own the ledger, and whose members may: code that it puts
	// there runs with the rights of the role that loads. Defaults to none beside that role,
	// superusers and the roles that it is a member of.
	LedgerOwner string `json:"ledger_owner,omitempty"`
}

const (
	// MaxStreams is how many streams a job may have.
	MaxStreams = 64
	// MaxPartitions is how many partitions a job may have. It keeps the publish of a replace,
	// which locks the tables and indexes of the old and the new partitions at once, within
	// the locks that a server has room for as it is shipped (max_locks_per_transaction).
	MaxPartitions = 256
	maxColumns    = 1600
	// The columns that have no other name.
	CodeColumn         = "code"
	CoverageColumn     = "coverage"
	CellShareColumn    = "cell_share"
	FeatureShareColumn = "feature_share"
	// DefaultLedgerSchema is the schema of the ledger when a job names none.
	DefaultLedgerSchema = "loadgrid"
)

// WithDefaults fills in what the job leaves open.
func (j Job) WithDefaults() Job {
	// Minus zero is zero, as JSON in the ledger has it.
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
		j.OnConflict = "" // the default has one name in the ledger
	}

	if j.Publish == PublishSwap {
		j.Publish = "" // likewise
	}

	if j.CodeOrder == geomgen.NorthFirst {
		j.CodeOrder = "" // likewise
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
		j.AttributeRule = "" // likewise
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

// Validate checks all that can be checked without a server.
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

// validateLayout checks how the table is to be made and filled.
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
			Reason: "contradicts partitions: a partition is one chunk"}
	case j.Unlogged && j.IfExists == Append:
		return &geomgen.ParamError{Param: "unlogged", Value: "true",
			Reason: "contradicts if-exists append: the table that is there is logged or not"}
	}

	return j.validateDistribution()
}
