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

// What a user of this package names lives in packages of its own: see each for what
// its parts are.
type (
	// Job says what to load into which table: see package job.
	Job = job.Job
	// Table names a table: see package job.
	Table = job.Table
	// Constant is a column that holds the same value in each row.
	Constant = job.Constant
	// IfExists says what happens to a table that is there already.
	IfExists = job.IfExists
	// OnConflict says what becomes of cells to append that the table holds already.
	OnConflict = job.OnConflict
	// Publish says how a table that is replaced gets the new rows.
	Publish = job.Publish
	// Distribute says how rows are spread over a Citus cluster.
	Distribute = job.Distribute
	// Index says which spatial indexes a table gets.
	Index = job.Index

	// SQLError reports SQL of the user's that cannot be run.
	SQLError = job.SQLError

	// Area is an area of interest: see package aoi.
	Area = aoi.Area
	// Layer is the features of an area, with their attributes.
	Layer = aoi.Layer
	// LayerFeature is one of them.
	LayerFeature = aoi.LayerFeature
	// Value is the value of an attribute.
	Value = aoi.Value
	// Attribute is a column with the values of an attribute of the area's features.
	Attribute = job.Attribute

	// Plan is what a job comes to: see package plan.
	Plan = plan.Plan
	// Method is how the rows get into the table.
	Method = plan.Method
	// AppendPlan is what it takes to add a plan's rows to a table that is there.
	AppendPlan = appendplan.Plan
	// Warning says what of a job is hardly meant: see Plan.Warnings.
	Warning = units.Warning
	// CellSize is how large the cells of a plan are: see Plan.CellSize.
	CellSize = units.CellSize
	// NeedsServerError reports an area of interest that only a server can make ready.
	NeedsServerError = plan.NeedsServerError

	// Progress reports how far a run is: see package progress.
	Progress = progress.Progress
	// Snapshot is how far a run is at one moment.
	Snapshot = progress.Snapshot
	// Stage is a part of a run.
	Stage = progress.Stage
	// End is how a run has ended that was not published.
	End = progress.End
	// RunInfo is a run as the ledger knows it: see package ledger.
	RunInfo = ledger.RunInfo
	// Attempt is one attempt at a run.
	Attempt = ledger.Attempt
	// RunFilter chooses runs.
	RunFilter = ledger.RunFilter
	// Shared says that several processes share a job, and how.
	Shared = attempts.Shared
	// SharedBy is an attempt at a shared job.
	SharedBy = attempts.By
	// SharedFailedError reports a shared job that has failed as often as it may.
	SharedFailedError = attempts.FailedError
	// State is what a run has come to.
	State = ledger.State
	// Outcome is how an attempt has ended.
	Outcome = ledger.Outcome
	// UnfinishedError reports an unfinished run that is in the way.
	UnfinishedError = ledger.UnfinishedError
	// NoRunError reports a number that the ledger does not know.
	NoRunError = ledger.NoRunError
	// ForeignLedgerError reports a ledger that another role owns or may alter.
	ForeignLedgerError = ledger.ForeignError
	// NoLedgerError reports a schema without a ledger.
	NoLedgerError = ledger.NoLedgerError
	// StateError reports a run that is not in the state that is asked for.
	StateError = ledger.StateError

	// ServerError reports trouble with the server: see package pg.
	ServerError = pg.ServerError
	// StallError reports a connection that was given up.
	StallError = pg.StallError
)

// The choices of IfExists.
const (
	Fail    = job.Fail
	Append  = job.Append
	Replace = job.Replace
)

// The choices of OnConflict.
const (
	ConflictError = job.ConflictError
	ConflictSkip  = job.ConflictSkip
)

// The choices of Publish.
const (
	PublishSwap     = job.PublishSwap
	PublishTruncate = job.PublishTruncate
)

// DistributeHash spreads rows by the hash of the key: see Job.Distribute.
const DistributeHash = job.DistributeHash

// The choices of Index.
const (
	IndexGiST = job.IndexGiST
	IndexBRIN = job.IndexBRIN
	IndexBoth = job.IndexBoth
	IndexNone = job.IndexNone
)

// The methods of a Plan.
const (
	MethodFrozen     = plan.MethodFrozen
	MethodChunks     = plan.MethodChunks
	MethodPartitions = plan.MethodPartitions
)

// The stages of a run.
const (
	StagePlan    = progress.StagePlan
	StageLoad    = progress.StageLoad
	StageFreeze  = progress.StageFreeze
	StageIndex   = progress.StageIndex
	StageAnalyze = progress.StageAnalyze
	StagePublish = progress.StagePublish
)

// The ends of a run that was not published.
const (
	EndStopped = progress.EndStopped
	EndFailed  = progress.EndFailed
)

// The states of a run.
const (
	StateLoading   = ledger.StateLoading
	StatePublished = ledger.StatePublished
	StateDropped   = ledger.StateDropped
)

// StatusKilled is the status of an unfinished run of which nobody knows how it ended.
const StatusKilled = ledger.StatusKilled

// The outcomes of an attempt.
const (
	OutcomePublished = ledger.OutcomePublished
	OutcomeUnchanged = ledger.OutcomeUnchanged
	OutcomeFailed    = ledger.OutcomeFailed
	OutcomeStopped   = ledger.OutcomeStopped
)

// What a Job defaults to.
const (
	DefaultLedgerSchema = job.DefaultLedgerSchema
	DefaultHookTimeout  = job.DefaultHookTimeout
	DefaultSQLTimeout   = aoi.DefaultSQLTimeout
)

// NewPlan checks a job and plans it: see plan.New.
func NewPlan(ctx context.Context, j Job) (*Plan, error) { return plan.New(ctx, j) }

// ReadArea reads an area of interest: see aoi.Read.
func ReadArea(r io.Reader) (*Area, error) { return aoi.Read(r) }

// ReadAreaAs reads an area of interest that may not say in which CRS it is: see aoi.ReadAs.
func ReadAreaAs(r io.Reader, srid int32) (*Area, error) { return aoi.ReadAs(r, srid) }

// ReadOptions say how ReadAreaWith reads: see aoi.ReadOptions.
type ReadOptions = aoi.ReadOptions

// ReadAreaWith is ReadArea with options, which ends when ctx does: see aoi.ReadWith.
func ReadAreaWith(ctx context.Context, r io.Reader, o ReadOptions) (*Area, error) {
	return aoi.ReadWith(ctx, r, o)
}

// ParseAttribute reads NAME or NAME:TYPE of an option: see job.ParseAttribute.
func ParseAttribute(param, text string) (Attribute, error) { return job.ParseAttribute(param, text) }

// ParseTable reads [SCHEMA.]NAME: see job.ParseTable.
func ParseTable(s string) (Table, error) { return job.ParseTable(s) }

// ParseConstant reads NAME=VALUE or NAME:TYPE=VALUE: see job.ParseConstant.
func ParseConstant(s string) (Constant, error) { return job.ParseConstant(s) }

// Stages returns all stages of a run in their order.
func Stages() []Stage { return progress.Stages() }

// Close closes a pool, and does not wait long for a network that is gone.
func Close(pool *pgxpool.Pool) { pg.Close(pool) }

// InspectAppend looks up the table that a plan with IfExists Append adds to, and says
// what that will cost. It writes nothing: it runs in a read-only transaction. It refuses
// what a run would refuse, with the same errors, and for that reads the table once.
func InspectAppend(ctx context.Context, pool *pgxpool.Pool, p *Plan) (AppendPlan, error) {
	own, release, err := pg.Own(ctx, pool, 1)
	if err != nil {
		return AppendPlan{}, err
	}
	defer release()

	return precheck.InspectAppend(ctx, own, p)
}
