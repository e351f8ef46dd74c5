package options

import (
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"time"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/job"
)

// Load is what load is to do: a job, and how it is done. Apply the table first, then call
// Complete.
type Load struct {
	Cells
	Server
	Progress

	// JobName, Wait, SkipUnchanged and PruneRuns are as in loader.Options.
	JobName       string
	Wait          time.Duration
	SkipUnchanged bool
	PruneRuns     time.Duration
	// MetricsFile is where metrics go, "" for nowhere.
	MetricsFile string

	before, after []string
}

// Table returns the options, which write into l: flags of load, and keys of job files.
func (l *Load) Table() Table {
	var table Table
	for _, part := range []Table{
		{l.tableOption("the table to load, `[SCHEMA.]NAME`")},
		l.Cells.Table(),
		l.existsTable("what to do with a table that is there: `fail|append|replace`"),
		l.publishTable(),
		l.layoutTable(),
		l.hookTable(),
		l.scheduleTable(),
		l.Server.Table(),
		l.Progress.Table(),
		l.jobTable(),
	} {
		table = append(table, part...)
	}

	return table
}

// PlanTable returns the options of plan, which write into l.
func (l *Load) PlanTable() Table {
	var table Table
	for _, part := range []Table{
		{l.tableOption("the table that would be loaded, `[SCHEMA.]NAME`")},
		l.Cells.Table(),
		l.existsTable("what load would do with a table that is there, `fail|append|replace`; with append the server is asked"),
		l.layoutTable(),
		l.Server.Table(),
	} {
		table = append(table, part...)
	}

	return table
}

func (l *Load) tableOption(help string) Option {
	return Option{Name: "table", Group: groupTable, Help: help, Value: Parsed(func(text string) (err error) {
		l.Job.Table, err = job.ParseTable(text)
		return err
	})}
}

// existsTable has the options on a table that exists which load and plan share.
func (l *Load) existsTable(help string) Table {
	return Table{
		{Name: "if-exists", Group: groupExists, Default: "fail", Value: Choice(&l.Job.IfExists, "fail", "append", "replace"), Help: help},
		{Name: "on-conflict", Group: groupExists, Default: "error", Value: Choice(&l.Job.OnConflict, "error", "skip"),
			Help: "what becomes of cells to append that the table holds already, `error|skip`: with skip they stay as they are, coverage included"},
	}
}

func (l *Load) publishTable() Table {
	return Table{
		{Name: "publish", Group: groupExists, Default: "swap", Value: Choice(&l.Job.Publish, "swap", "truncate"),
			Help: "how a table that is replaced gets the new rows, `swap|truncate`: truncate fills the table that is there, so that views on it stay, and readers wait meanwhile"},
		{Name: "keep", Group: groupExists, Default: "0", Value: Int(&l.Job.Keep, 0, job.MaxKeep),
			Help: "`number` of previous versions to keep of a table that is replaced, as TABLE_runN; older ones are dropped"},
	}
}

func (l *Load) layoutTable() Table {
	return Table{
		{Name: "partitions", Group: groupLayout, Default: "0", Value: Int(&l.Job.Partitions, 0, job.MaxPartitions),
			Help: "`number` of partitions of the table, ranges of the key with equal numbers of rows; 0 for a plain table"},
		{Name: "index", Group: groupLayout, Default: "gist", Value: Choice(&l.Job.Index, "gist", "brin", "both", "none"),
			Help: "spatial index of a new table: `gist|brin|both|none`"},
		{Name: "unlogged", Group: groupLayout, Value: Bool(&l.Job.Unlogged),
			Help: "make an unlogged table: no WAL, and empty after a crash of the server"},
		{Name: "distribute", Group: groupLayout, Value: Parsed(func(text string) (err error) {
			l.Job.Distribute, l.Job.Shards, err = job.ParseDistribute(text)
			return err
		}),
			Help: "spread the rows over the workers of a Citus cluster by the hash of the key, `hash[:SHARDS]`; left out, a new table gets two shards for each worker"},
		{Name: "distribute-by", Group: groupLayout, Value: Parsed(func(text string) (err error) {
			l.Job.ParentLevels, err = job.ParseParent(text)
			return err
		}),
			Help: "distribute by a column parent, `parent:K`, that squares of 2^K x 2^K cells share: neighbours are in one shard, and the key is parent and id"},
		{Name: "colocate-with", Group: groupLayout, Value: Parsed(l.parseColocate),
			Help: "put the shards where those of a distributed `TABLE` are, so that joins on the key stay on a worker"},
		{Name: "streams", Group: groupLayout, Value: Int(&l.Job.Streams, 1, job.MaxStreams),
			Help: "`number` of connections that copy at the same time; left out, the plan chooses"},
		{Name: "chunk-rows", Group: groupLayout, Value: Int(&l.Job.ChunkRows, 1, math.MaxInt64),
			Help: "load a plain table in chunks of at most so many `rows`, each a transaction and resumed by itself; left out, the plan chooses"},
	}
}

// parseColocate reads the table whose shards are those of the job's.
func (l *Load) parseColocate(text string) (err error) {
	l.Job.ColocateWith, err = job.ParseTable(text)

	var param *geomgen.ParamError
	if errors.As(err, &param) { // of another option
		return errors.New(param.Reason)
	}

	return err
}

func (l *Load) hookTable() Table {
	add := func(hook string, to *[]string) Value {
		return Script(func(text string) error {
			*to = append(*to, text)
			return job.CheckHook(hook, text)
		})
	}

	return Table{
		{Name: "before", Group: groupHooks, Value: add("before", &l.before),
			Help: "`SQL` to run first, each statement by itself; {{table}} is the table's quoted name; may be given several times"},
		{Name: "before-timeout", Group: groupHooks, Default: job.DefaultHookTimeout.String(), Value: Duration(&l.Job.BeforeTimeout, true),
			Help: "`duration` after which a statement of --before is ended"},
		{Name: "after", Group: groupHooks, Value: add("after", &l.after),
			Help: "`SQL` to run in the transaction that publishes: readers see what it does together with the rows, and wait meanwhile; may be given several times"},
		{Name: "after-timeout", Group: groupHooks, Default: job.DefaultHookTimeout.String(), Value: Duration(&l.Job.AfterTimeout, true),
			Help: "`duration` after which a statement of --after is ended"},
	}
}

func (l *Load) scheduleTable() Table {
	return Table{
		{Name: "wait", Group: groupSchedule, Value: Duration(&l.Wait, false),
			Help: "`duration` to wait for another run on the table, such as 30m, instead of exit code 3"},
		{Name: "skip-unchanged", Group: groupSchedule, Value: Bool(&l.SkipUnchanged),
			Help: "do nothing when the table holds this already, and nobody has touched it since"},
		{Name: "prune-runs", Group: groupSchedule, Value: Age(&l.PruneRuns),
			Help: "after publish, take this table's ended runs out of the ledger that are older than `AGE`, such as 90d or 12h"},
		{Name: "metrics-textfile", Group: groupSchedule, Value: File(&l.MetricsFile, "the name is empty"),
			Help: "write metrics of the run for Prometheus into a `FILE.prom`, as node_exporter's textfile collector reads it; {job} in its name is the job's name"},
	}
}

// jobTable has what only a job of a file may say.
func (l *Load) jobTable() Table {
	return Table{
		{Name: "password", Group: groupServer, In: Defaults | Job, Value: Password(&l.Password),
			Help: "password where dsn has none: ${VARIABLE} or file:PATH, never itself"},
		{Name: "name", Group: groupTable, In: Job, Value: Text(&l.JobName, ""),
			Help: "what the job is called in messages, in logs and by --only; its table's name when left out"},
	}
}

// Complete makes the job of what the values have said; the area's file is read, - from
// stdin.
func (l *Load) Complete(ctx context.Context, v Values, stdin io.Reader) error {
	// A comment at the end of one text must not hide the next.
	l.Job.Before, l.Job.After = strings.Join(l.before, "\n;\n"), strings.Join(l.after, "\n;\n")
	l.Job.LedgerSchema, l.Job.LedgerOwner = l.LedgerSchema, l.LedgerOwner

	return l.Cells.Complete(ctx, v, stdin)
}

// CompletePlan is Complete for plan, which needs a table only where it asks the server
// about one. planned names the table of a plan without.
func (l *Load) CompletePlan(ctx context.Context, v Values, stdin io.Reader, planned string) error {
	if !v.Has("table") {
		if l.Job.IfExists == job.Append {
			return required("table", " with if-exists append: its indexes are what appending costs")
		}
		l.Job.Table = job.Table{Name: planned}
	}

	return l.Complete(ctx, v, stdin)
}
