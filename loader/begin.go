package loader

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/adopt"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/copier"
	"github.com/loadgrid/loadgrid/internal/discard"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/pipeline"
	"github.com/loadgrid/loadgrid/internal/settle"
	"github.com/loadgrid/loadgrid/loader/ledger"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// attempt is one attempt at a run: the first, or one that resumes it.
type attempt struct {
	run     int64 // 0 until it is in the ledger
	no      int   // number of the attempt, from 1; 0 until it is in the ledger
	shared  int64 // number among the attempts at shared jobs; 0 for none
	plan    *plan.Plan
	staging catalog.Relation
	loader  copier.Loader
	done    map[int64]bool // chunks that earlier attempts committed
	rows    int64          // in those chunks
}

// begin resumes the unfinished run of the table, or starts a new one. If the connection breaks, begin tries
// again, and finds what it had begun as an unfinished run.
func begin(ctx context.Context, e *environment, s preparation) (a attempt, err error) {
	err = s.retry(ctx, e, "begin", func() error {
		// An earlier try may have written the run although its answer was lost.
		a = attempt{plan: s.plan, run: a.run, no: a.no}
		return a.resumeOrStart(ctx, e, s)
	})
	if err == nil {
		err = settle.Nodes(ctx, e.pool, e.observer, s.checked.Spread)
	}

	return a, err
}

// resumeOrStart resumes the unfinished run of the table if it has the same job. It drops a run of another job.
func (a *attempt) resumeOrStart(ctx context.Context, e *environment, s preparation) error {
	fingerprint := s.fingerprint()

	run, found, err := e.ledger.Unfinished(ctx, s.lock.Conn(), s.table.Table)
	if err != nil {
		return err
	}

	switch {
	case found && run.Fingerprint == fingerprint:
		resumed, err := a.resume(ctx, e, s, run)
		if err != nil || resumed {
			return err
		}
	case found:
		if err := discard.OtherJob(ctx, s.lock.Conn(), e.observer.Log, e.ledger, s.plan.Job, run); err != nil {
			return err
		}
	}

	if err := discard.Orphans(ctx, s.lock.Conn(), e.observer.Log, s.table, e.ledger); err != nil {
		return err
	}

	return a.start(ctx, e, s, fingerprint)
}

// resume continues a run with the chunk plan of its first attempt. It returns false if there is nothing to
// resume: no chunk was committed, or the staging table is gone.
func (a *attempt) resume(ctx context.Context, e *environment, s preparation, run ledger.RunInfo) (bool, error) {
	conn := s.lock.Conn()

	if err := run.CheckStaging(); err != nil {
		return false, err
	}

	a.staging = s.table.Staged(run.Staging)
	if err := a.staging.Find(ctx, conn); err != nil {
		return false, err
	}

	done, rows, err := e.ledger.CommittedChunks(ctx, conn, run.ID)
	if err != nil {
		return false, err
	}

	there, err := a.stagingHasRows(ctx, e, s, rows)
	if err != nil {
		return false, err
	}

	if !there {
		if rows > 0 {
			e.observer.Log.Warn("the staging table of the unfinished run is gone or was emptied by a server crash: starting over",
				"unfinished_run", run.ID, "staging", run.Staging)
		}

		return false, discard.Unfinished(ctx, conn, e.observer.Log, e.ledger, run)
	}

	a.run, a.done, a.rows = run.ID, done, rows
	a.plan = s.plan.Resumed(run.Chunks)
	a.loader = a.newLoader(s)

	e.observer.Progress.About(e.options.JobName, a.run)
	e.observer.Log.Info("resuming", "committed_chunks", len(done), "chunks", run.Chunks)

	return true, pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) (err error) {
		if a.no, err = e.ledger.MarkResumed(ctx, tx, run.ID, s.plan.Job); err != nil {
			return err
		}

		return a.insert(ctx, e, s, tx)
	})
}

// insert adds the attempt to the ledger.
func (a *attempt) insert(ctx context.Context, e *environment, s preparation, tx pgx.Tx) (err error) {
	if err := e.ledger.InsertAttempt(ctx, tx, a.run, a.no, e.options.Version); err != nil {
		return err
	}

	a.shared, err = e.options.Shared.Begin(ctx, tx, e.ledger, e.options.JobName, s.table.Table, a.run, a.no)

	return err
}

// stagingHasRows reports whether the staging table exists with the rows that the ledger shows as committed. The
// rows of a logged table are counted later. A crash may have emptied an unlogged table, which was then filled
// further.
func (a *attempt) stagingHasRows(ctx context.Context, e *environment, s preparation, rows int64) (bool, error) {
	if a.staging.OID == 0 || !s.plan.Job.Unlogged {
		return a.staging.OID != 0, nil
	}

	var have int64
	err := pgx.BeginFunc(ctx, s.lock.Conn(), func(tx pgx.Tx) error {
		if err := e.ledger.LockStaging(ctx, tx, a.staging, "access share"); err != nil {
			return err
		}

		return tx.QueryRow(ctx, "select count(*) from "+a.staging.SQL()).Scan(&have)
	})

	return have == rows, pg.Wrap(err, "counting the rows of %s", a.staging.Table)
}

func (a *attempt) newLoader(s preparation) copier.Loader {
	target := copier.Staging{Table: a.staging, Index: s.checked.Index, Others: s.checked.Others, Distribution: s.checked.Distribution}
	return copier.NewLoader(a.plan, target, s.settings)
}

// start adds a new run to the ledger and creates its staging table in the same transaction, so that neither
// exists without the other. A table that is filled in one transaction is created in that transaction.
func (a *attempt) start(ctx context.Context, e *environment, s preparation, fingerprint string) error {
	a.plan, a.done = s.plan, map[int64]bool{}
	a.staging = s.table.NewStaging(e.ledger.Schema)
	a.loader = a.newLoader(s)

	return pgx.BeginFunc(ctx, s.lock.Conn(), func(tx pgx.Tx) (err error) {
		a.run, err = adopt.InsertRun(ctx, tx, e.ledger, ledger.NewRun{
			JobName: e.options.JobName, Table: s.table.Table, Job: a.plan.Job, Fingerprint: fingerprint,
			Staging: a.staging.Name, Chunks: a.plan.Chunks, Rows: a.plan.Rows, ProgramVersion: e.options.Version,
		})
		if err != nil {
			return err
		}

		e.observer.Progress.About(e.options.JobName, a.run)

		a.no = 1
		if err := a.insert(ctx, e, s, tx); err != nil {
			return err
		}

		sql := a.loader.CreateSQL()
		if len(sql) == 0 {
			return nil
		}

		if err := pipeline.Exec(ctx, tx, sql...); err != nil {
			return pg.Wrap(err, "creating staging table %s", a.staging.Table)
		}

		return a.staging.Find(ctx, tx)
	})
}
