package loader

import (
	"context"
	"io"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/attempts"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/precheck"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/appendplan"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
	"github.com/loadgrid/loadgrid/loader/plan"
	"github.com/loadgrid/loadgrid/loader/progress"
	"github.com/loadgrid/loadgrid/loader/units"
)

// These types live in packages of their own, which document their fields and methods.
type (
	// Job describes what to load into which table: see package job.
	Job = job.Job
	// Table names a table: see package job.
	Table = job.Table
	// Constant is a column that holds the same value in each row.
	Constant = job.Constant
	// IfExists chooses what happens if the table exists already.
	IfExists = job.IfExists
	// OnConflict chooses what happens to cells that an append finds in the table already.
	OnConflict = job.OnConflict
	// Publish chooses how a replaced table gets its new rows.
	Publish = job.Publish
	// Distribute chooses how the rows are distributed over a Citus cluster.
	Distribute = job.Distribute
	// Index chooses the spatial indexes of a table.
	Index = job.Index

	// SQLError reports SQL in a job that the server cannot run.
	SQLError = job.SQLError

	// Area is an area of interest: see package aoi.
	Area = aoi.Area
	// Layer holds the features of an area with their attributes.
	Layer = aoi.Layer
	// LayerFeature is one feature of a Layer.
	LayerFeature = aoi.LayerFeature
	// Value is the value of an attribute.
	Value = aoi.Value
	// Attribute is a column that holds an attribute of the area's features.
	Attribute = job.Attribute

	// Plan is a checked job with its rows, chunks and estimates: see package plan.
	Plan = plan.Plan
	// Method is how rows get into the table.
	Method = plan.Method
	// AppendPlan is the work of adding a plan's rows to an existing table.
	AppendPlan = appendplan.Plan
	// Warning reports a setting that is probably a mistake: see Plan.Warnings.
	Warning = units.Warning
	// CellSize is the size of a plan's cells: see Plan.CellSize.
	CellSize = units.CellSize
	// NeedsServerError reports an area of interest that only a server can prepare.
	NeedsServerError = plan.NeedsServerError

	// Progress reports the progress of a run: see package progress.
	Progress = progress.Progress
	// Snapshot is the progress of a run at one moment.
	Snapshot = progress.Snapshot
	// Stage is a part of a run.
	Stage = progress.Stage
	// End is how an unpublished run ended.
	End = progress.End
	// RunInfo is a run in the ledger: see package ledger.
	RunInfo = ledger.RunInfo
	// Attempt is one attempt at a run.
	Attempt = ledger.Attempt
	// RunFilter selects runs.
	RunFilter = ledger.RunFilter
	// Shared lets several processes share a job.
	Shared = attempts.Shared
	// SharedBy is an attempt at a shared job.
	SharedBy = attempts.By
	// SharedFailedError reports a shared job that reached its limit of failed attempts.
	SharedFailedError = attempts.FailedError
	// State is the state of a run.
	State = ledger.State
	// Outcome is how an attempt ended.
	Outcome = ledger.Outcome
	// UnfinishedError reports an unfinished run that blocks an operation.
	UnfinishedError = ledger.UnfinishedError
	// NoRunError reports a run number that is not in the ledger.
	NoRunError = ledger.NoRunError
	// ForeignLedgerError reports a ledger that another role owns or can alter.
	ForeignLedgerError = ledger.ForeignError
	// NoLedgerError reports a schema without a ledger.
	NoLedgerError = ledger.NoLedgerError
	// StateError reports a run in the wrong state for an operation.
	StateError = ledger.StateError

	// ServerError reports a problem with the server: see package pg.
	ServerError = pg.ServerError
	// StallError reports a connection that was closed because the server no longer responded.
	StallError = pg.StallError
)

// Values of IfExists.
const (
	Fail    = job.Fail
	Append  = job.Append
	Replace = job.Replace
)

// Values of OnConflict.
const (
	ConflictError = job.ConflictError
	ConflictSkip  = job.ConflictSkip
)

// Values of Publish.
const (
	PublishSwap     = job.PublishSwap
	PublishTruncate = job.PublishTruncate
)

// DistributeHash distributes rows by the hash of the key: see Job.Distribute.
const DistributeHash = job.DistributeHash

// Values of Index.
const (
	IndexGiST = job.IndexGiST
	IndexBRIN = job.IndexBRIN
	IndexBoth = job.IndexBoth
	IndexNone = job.IndexNone
)

// Methods of a Plan.
const (
	MethodFrozen     = plan.MethodFrozen
	MethodChunks     = plan.MethodChunks
	MethodPartitions = plan.MethodPartitions
)

// Stages of a run.
const (
	StagePlan    = progress.StagePlan
	StageLoad    = progress.StageLoad
	StageFreeze  = progress.StageFreeze
	StageIndex   = progress.StageIndex
	StageAnalyze = progress.StageAnalyze
	StagePublish = progress.StagePublish
)

// Ends of an unpublished run.
const (
	EndStopped = progress.EndStopped
	EndFailed  = progress.EndFailed
)

// States of a run.
const (
	StateLoading   = ledger.StateLoading
	StatePublished = ledger.StatePublished
	StateDropped   = ledger.StateDropped
)

// StatusKilled is the status of an unfinished run whose end is unknown.
const StatusKilled = ledger.StatusKilled

// Outcomes of an attempt.
const (
	OutcomePublished = ledger.OutcomePublished
	OutcomeUnchanged = ledger.OutcomeUnchanged
	OutcomeFailed    = ledger.OutcomeFailed
	OutcomeStopped   = ledger.OutcomeStopped
)

// Defaults of a Job.
const (
	DefaultLedgerSchema = job.DefaultLedgerSchema
	DefaultHookTimeout  = job.DefaultHookTimeout
	DefaultSQLTimeout   = aoi.DefaultSQLTimeout
)

// NewPlan checks a job and plans it: see plan.New.
func NewPlan(ctx context.Context, j Job) (*Plan, error) { return plan.New(ctx, j) }

// ReadArea reads an area of interest: see aoi.Read.
func ReadArea(r io.Reader) (*Area, error) { return aoi.Read(r) }

// ReadAreaAs is ReadArea for an area that may not name its CRS: see aoi.ReadAs.
func ReadAreaAs(r io.Reader, srid int32) (*Area, error) { return aoi.ReadAs(r, srid) }

// ReadOptions are the options of ReadAreaWith: see aoi.ReadOptions.
type ReadOptions = aoi.ReadOptions

// ReadAreaWith is ReadArea with options and a context that can stop it: see aoi.ReadWith.
func ReadAreaWith(ctx context.Context, r io.Reader, o ReadOptions) (*Area, error) {
	return aoi.ReadWith(ctx, r, o)
}

// ParseAttribute reads NAME or NAME:TYPE from an option: see job.ParseAttribute.
func ParseAttribute(param, text string) (Attribute, error) { return job.ParseAttribute(param, text) }

// ParseTable reads [SCHEMA.]NAME: see job.ParseTable.
func ParseTable(s string) (Table, error) { return job.ParseTable(s) }

// ParseConstant reads NAME=VALUE or NAME:TYPE=VALUE: see job.ParseConstant.
func ParseConstant(s string) (Constant, error) { return job.ParseConstant(s) }

// Stages returns all stages of a run in order.
func Stages() []Stage { return progress.Stages() }

// Close closes a pool. If the network is gone, it does not wait long.
func Close(pool *pgxpool.Pool) { pg.Close(pool) }

// InspectAppend looks at the table that a plan with IfExists Append adds to, and returns what the append will
// cost. It reads the table once, in a read-only transaction. It returns the same errors as a run of the plan.
func InspectAppend(ctx context.Context, pool *pgxpool.Pool, p *Plan) (AppendPlan, error) {
	own, release, err := pg.Own(ctx, pool, 1)
	if err != nil {
		return AppendPlan{}, err
	}
	defer release()

	return precheck.InspectAppend(ctx, own, p)
}
