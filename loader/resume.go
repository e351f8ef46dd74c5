package loader

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// beginOrResume is begin, again where the connection broke in the middle: what it
// had begun is then found as unfinished.
func (l *load) beginOrResume(ctx context.Context) error {
	return l.retry(ctx, retryFor, "begin", func() error {
		if err := l.ensureLock(ctx); err != nil {
			return err
		}
		return pg.MarkConnClosed(l.lock.conn.Conn(), l.begin(ctx))
	})
}

// begin resumes the unfinished run of the table, or starts a new one with a
// staging table of its own. The caller holds the table's lock.
func (l *load) begin(ctx context.Context) error {
	fingerprint := l.plan.Job.WithTable(l.target.Table).Fingerprint(l.plan.Cells)
	run, found, err := l.ledger.Unfinished(ctx, l.lock.conn, l.target.Table)
	if err != nil {
		return err
	}
	if found && run.Fingerprint == fingerprint {
		resumed, err := l.resume(ctx, run)
		if err != nil || resumed {
			return err
		}
	} else if found {
		if l.mustKeepUnfinished(run) {
			return &geomgen.ParamError{Param: "table", Value: l.target.String(), Reason: fmt.Sprintf(
				"run %d of another job was left unfinished on it: drop it with %s, or finish it with %s", run.ID,
				ledger.RunsCommand("drop", run.ID, l.ledger.Schema), ledger.RunsCommand("resume", run.ID, l.ledger.Schema))}
		}
		l.log.Warn("dropping an unfinished run: the job has changed since", "unfinished_run", run.ID,
			"committed_chunks", run.Committed, "committed_rows", run.RowsDone)
		if err := dropRun(ctx, l.lock.conn, l.ledger, run); err != nil {
			return err
		}
	}
	if err := l.dropOrphans(ctx); err != nil {
		return err
	}
	return l.startNew(ctx, fingerprint)
}

// mustKeepUnfinished tells whether the unfinished run of another job is not for this one to drop.
// Who has stopped it was told that it can be resumed; a schedule, which changes its
// job, and a machine that was killed, were not.
func (l *load) mustKeepUnfinished(run ledger.RunInfo) bool {
	return l.plan.Job.IfExists == job.Fail && run.Committed > 0 && run.LastError != ""
}

// resume takes up a run with the chunk plan of its first start. It returns false
// where there is nothing to take up: nothing was committed, or it is gone.
func (l *load) resume(ctx context.Context, run ledger.RunInfo) (bool, error) {
	l.staging = l.target.Staged(run.Staging)
	if err := l.staging.Find(ctx, l.lock.conn); err != nil {
		return false, err
	}
	var err error
	var rows int64
	if l.done, rows, err = l.ledger.CommittedChunks(ctx, l.lock.conn, run.ID); err != nil {
		return false, err
	}
	there, err := l.stagingHasRows(ctx, rows)
	if err != nil {
		return false, err
	}
	if !there {
		if rows > 0 {
			l.log.Warn("the staging table of the unfinished run is gone or was emptied by a crash of the server, starting over", "unfinished_run", run.ID, "staging", run.Staging)
		}
		l.done = nil
		return false, dropRun(ctx, l.lock.conn, l.ledger, run)
	}
	l.run = run.ID
	l.progress.About(l.options.JobName, l.run)
	l.plan = l.plan.Resumed(run.Chunks)
	l.summary.ChunksResumed = int64(len(l.done))
	l.summary.RowsResumed = rows
	l.log.Info("resuming", "committed_chunks", len(l.done), "chunks", run.Chunks)
	return true, pgx.BeginFunc(ctx, l.lock.conn, func(tx pgx.Tx) (err error) {
		if l.attempt, err = l.ledger.MarkResumed(ctx, tx, run.ID, l.plan.Job); err != nil {
			return err
		}
		return l.ledger.InsertAttempt(ctx, tx, run.ID, l.attempt, l.options.Version)
	})
}

// stagingHasRows tells whether the staging table is there with what the ledger says
// is committed. A logged table is taken at its word until its rows are counted;
// an unlogged one may have been emptied, and filled further since.
func (l *load) stagingHasRows(ctx context.Context, rows int64) (bool, error) {
	if l.staging.OID == 0 || !l.plan.Job.Unlogged {
		return l.staging.OID != 0, nil
	}
	var have int64
	err := l.lock.conn.QueryRow(ctx, "select count(*) from "+l.staging.SQL()).Scan(&have)
	return have == rows, pg.Wrap(err, "counting the rows of %s", l.staging.Table)
}

// startNew writes down a new run, and makes its staging table in the same
// transaction: there is never one without the other. A table that is filled in
// one transaction is made in that one.
func (l *load) startNew(ctx context.Context, fingerprint string) error {
	l.staging = l.target.NewStaging(l.ledger.Schema)
	l.done = map[int64]bool{}
	return pgx.BeginFunc(ctx, l.lock.conn, func(tx pgx.Tx) error {
		var err error
		l.run, err = l.ledger.InsertRun(ctx, tx, ledger.NewRun{JobName: l.options.JobName, Table: l.target.Table, Job: l.plan.Job, Fingerprint: fingerprint,
			Staging: l.staging.Name, Chunks: l.plan.Chunks, Rows: l.plan.Rows, Version: l.options.Version})
		if err != nil {
			return err
		}
		l.progress.About(l.options.JobName, l.run)
		l.attempt = 1
		if err := l.ledger.InsertAttempt(ctx, tx, l.run, l.attempt, l.options.Version); err != nil {
			return err
		}
		var sql string
		switch l.plan.Method {
		case plan.MethodFrozen:
			return nil
		case plan.MethodPartitions:
			sql = l.staging.CreatePartitionedSQL(l.plan.Job, l.index)
		default:
			sql = l.staging.CreateSQL(l.plan.Job)
		}
		if _, err := tx.Exec(ctx, sql); err != nil {
			return pg.Wrap(err, "making staging table %s", l.staging.Table)
		}
		return l.staging.Find(ctx, tx)
	})
}
