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

// Load holds a job and how to run it. Apply the table first, then call Complete.
type Load struct {
	Cells
	Server
	Progress

	// JobName, Wait, SkipUnchanged and PruneRuns are as in loader.Options.
	JobName       string
	Wait          time.Duration
	SkipUnchanged bool
	PruneRuns     time.Duration
	// MetricsFile is the file for metrics, "" for none.
	MetricsFile string

	before, after []string
}

// Table returns the options, which write into l: flags of load, and keys of job files.
func (l *Load) Table() Table {
	var table Table
	for _, part := range []Table{
		{l.tableOption("table to load, as `[SCHEMA.]NAME`")},
		l.Cells.Table(),
		l.existsTable("what to do if the table exists, `fail|append|replace`"),
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
		{l.tableOption("table that load would fill, as `[SCHEMA.]NAME`")},
		l.Cells.Table(),
		l.existsTable("what load would do if the table exists, `fail|append|replace`; append makes plan connect to the server"),
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

// existsTable has the options on an existing table that load and plan share.
func (l *Load) existsTable(help string) Table {
	return Table{
		{Name: "if-exists", Group: groupExists, Default: "fail", Value: Choice(&l.Job.IfExists, "fail", "append", "replace"), Help: help},
		{Name: "on-conflict", Group: groupExists, Default: "error", Value: Choice(&l.Job.OnConflict, "error", "skip"),
			Help: "what to do with appended cells that the table already holds, `error|skip`; skip keeps the existing cells unchanged, including their coverage"},
	}
}

func (l *Load) publishTable() Table {
	return Table{
		{Name: "publish", Group: groupExists, Default: "swap", Value: Choice(&l.Job.Publish, "swap", "truncate"),
			Help: "how to replace a table, `swap|truncate`: swap in a new table, or truncate and refill the existing one, which keeps views on it but makes readers wait"},
		{Name: "keep", Group: groupExists, Default: "0", Value: Int(&l.Job.Keep, 0, job.MaxKeep),
			Help: "`number` of previous versions of a replaced table to keep, as TABLE_runN; older versions are dropped"},
	}
}

func (l *Load) layoutTable() Table {
	return Table{
		{Name: "partitions", Group: groupLayout, Default: "0", Value: Int(&l.Job.Partitions, 0, job.MaxPartitions),
			Help: "`number` of partitions, which are ranges of the key with equal numbers of rows; 0 for a plain table"},
		{Name: "index", Group: groupLayout, Default: "gist", Value: Choice(&l.Job.Index, "gist", "brin", "both", "none"),
			Help: "spatial index of a new table: `gist|brin|both|none`"},
		{Name: "unlogged", Group: groupLayout, Value: Bool(&l.Job.Unlogged),
			Help: "create an unlogged table, which writes no WAL and is empty after a server crash"},
		{Name: "distribute", Group: groupLayout, Value: Parsed(func(text string) (err error) {
			l.Job.Distribute, l.Job.Shards, err = job.ParseDistribute(text)
			return err
		}),
			Help: "distribute the rows over the workers of a Citus cluster by the hash of the key, as `hash[:SHARDS]`; SHARDS defaults to two per worker for a new table"},
		{Name: "distribute-by", Group: groupLayout, Value: Parsed(func(text string) (err error) {
			l.Job.ParentLevels, err = job.ParseParent(text)
			return err
		}),
			Help: "distribute by a column parent, as `parent:K`: each square of 2^K x 2^K cells shares one value and one shard, and the key is parent and id"},
		{Name: "colocate-with", Group: groupLayout, Value: Parsed(l.parseColocate),
			Help: "place the shards with those of a distributed `TABLE`, so that joins on the key stay within a worker"},
		{Name: "streams", Group: groupLayout, Value: Int(&l.Job.Streams, 1, job.MaxStreams),
			Help: "`number` of connections that copy at the same time; by default, the plan chooses"},
		{Name: "chunk-rows", Group: groupLayout, Value: Int(&l.Job.ChunkRows, 1, math.MaxInt64),
			Help: "load a plain table in chunks of at most this many `rows`; each chunk is one transaction that can be resumed; by default, the plan chooses"},
	}
}

// parseColocate reads the table whose placement of shards the job's table shares.
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
			Help: "`SQL` to run first, each statement separately; {{table}} is the quoted name of the table; may be repeated"},
		{Name: "before-timeout", Group: groupHooks, Default: job.DefaultHookTimeout.String(), Value: Duration(&l.Job.BeforeTimeout, true),
			Help: "cancel a statement of --before after this `duration`"},
		{Name: "after", Group: groupHooks, Value: add("after", &l.after),
			Help: "`SQL` to run in the transaction that publishes; readers see its effects together with the rows, and wait until it ends; may be repeated"},
		{Name: "after-timeout", Group: groupHooks, Default: job.DefaultHookTimeout.String(), Value: Duration(&l.Job.AfterTimeout, true),
			Help: "cancel a statement of --after after this `duration`"},
	}
}

func (l *Load) scheduleTable() Table {
	return Table{
		{Name: "wait", Group: groupSchedule, Value: Duration(&l.Wait, false),
			Help: "wait up to this `duration`, such as 30m, for another run on the table, before ending with exit code 3"},
		{Name: "skip-unchanged", Group: groupSchedule, Value: Bool(&l.SkipUnchanged),
			Help: "do nothing if the table already holds the same rows and nobody has changed it since"},
		{Name: "prune-runs", Group: groupSchedule, Value: Age(&l.PruneRuns),
			Help: "after publishing, remove ended runs of this table that are older than `AGE`, such as 90d or 12h, from the ledger"},
		{Name: "metrics-textfile", Group: groupSchedule, Value: File(&l.MetricsFile, "the name is empty"),
			Help: "write metrics of the run to `FILE.prom`, for the textfile collector of Prometheus' node_exporter; {job} in the name is replaced by the name of the job"},
	}
}

// jobTable has the keys that only job files have.
func (l *Load) jobTable() Table {
	return Table{
		{Name: "password", Group: groupServer, In: Defaults | Job, Value: Password(&l.Password),
			Help: "password if dsn has none, as ${VARIABLE} or file:PATH, never in plain text"},
		{Name: "name", Group: groupTable, In: Job, Value: Text(&l.JobName, ""),
			Help: "name of the job in messages, in logs and for --only; defaults to the name of its table"},
	}
}

// Complete makes the job from the values. It reads the file of the area, or stdin for -.
func (l *Load) Complete(ctx context.Context, v Values, stdin io.Reader) error {
	// A comment at the end of one text must not hide the next.
	l.Job.Before, l.Job.After = strings.Join(l.before, "\n;\n"), strings.Join(l.after, "\n;\n")
	l.Job.LedgerSchema, l.Job.LedgerOwner = l.LedgerSchema, l.LedgerOwner

	return l.Cells.Complete(ctx, v, stdin)
}

// CompletePlan is Complete for plan, which needs a table only if it inspects one on the server. planned is the name
// of the table if none is given.
func (l *Load) CompletePlan(ctx context.Context, v Values, stdin io.Reader, planned string) error {
	if !v.Has("table") {
		if l.Job.IfExists == job.Append {
			return required("table", " with if-exists append: the cost depends on its indexes")
		}
		l.Job.Table = job.Table{Name: planned}
	}

	return l.Complete(ctx, v, stdin)
}
