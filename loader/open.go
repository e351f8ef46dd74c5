package loader

import (
	"context"
	"errors"
	"time"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/citus"
	"github.com/loadgrid/loadgrid/internal/discard"
	"github.com/loadgrid/loadgrid/internal/hold"
	"github.com/loadgrid/loadgrid/internal/hook"
	"github.com/loadgrid/loadgrid/internal/measure"
	"github.com/loadgrid/loadgrid/internal/observe"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/precheck"
	"github.com/loadgrid/loadgrid/internal/serverplan"
	"github.com/loadgrid/loadgrid/internal/setting"
	"github.com/loadgrid/loadgrid/internal/settle"
	"github.com/loadgrid/loadgrid/internal/tablelock"
	"github.com/loadgrid/loadgrid/internal/unchanged"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// preparation is what a run knows of the server and the table before it begins.
type preparation struct {
	job       job.Job          // as given, with its defaults
	plan      *plan.Plan       // nil until the server has prepared the job's area, if it must
	table     catalog.Relation // the one that readers see, with its schema
	cluster   citus.Cluster    // the cluster that the server coordinates
	lock      *tablelock.Lock  // lock of the table; nil until the run has it
	checked   precheck.Checked
	settings  setting.Server
	walStart  int64         // the server's WAL position in bytes; 0 if unknown
	waited    time.Duration // time spent waiting for another run
	unchanged unchanged.Answer
	settled   bool // an earlier attempt published what is in unchanged
}

// open takes the table's lock, runs the job's Before statements, plans what only the server knows, checks the job
// against the server, and migrates the ledger. If there is nothing to do, the error is errUnchanged. The caller
// closes the preparation in any case.
func open(ctx context.Context, e *environment, t task) (s preparation, err error) {
	s = preparation{job: t.job, plan: t.plan, table: catalog.Relation{Table: t.job.Table}}
	if err := s.acquireTable(ctx, e); err != nil {
		return s, err
	}

	if err := s.claim(ctx, e, t); err != nil {
		return s, err
	}

	// From here on, no other run can change the table.
	err = s.retry(ctx, e, "table", func() error {
		err := s.table.Find(ctx, s.lock.Conn())
		if err == nil && s.plan != nil {
			err = s.skipDone(ctx, e)
		}

		return err
	})
	if err != nil {
		return s, err
	}

	// Its statements do not run twice: see hook.Error.
	err = s.retry(ctx, e, "before", func() error { return hook.RunBefore(ctx, e.pool, t.job.BeforeHook(), s.table.Table) })
	if err != nil {
		return s, err
	}

	planned := s.plan != nil
	err = s.retry(ctx, e, "area", func() error { return s.prepare(ctx, e, planned) })
	if err != nil {
		return s, err
	}

	if err := s.retry(ctx, e, "crs", func() error { return s.warn(ctx, e) }); err != nil {
		return s, err
	}

	return s, s.retry(ctx, e, "check", func() error { return s.check(ctx, e) })
}

// claim ends a run whose job another process has done, or whose table is on hold. Otherwise it plans the job if
// planning had to wait for the table's lock.
func (s *preparation) claim(ctx context.Context, e *environment, t task) error {
	err := s.retry(ctx, e, "shared", func() error { return e.options.Shared.Check(ctx, e.pool, s.lock, e.ledger) })
	if err == nil {
		err = s.retry(ctx, e, "hold", func() error { return hold.Check(ctx, s.lock.Conn(), e.ledger, s.table.Table) })
	}
	if err != nil || !t.uncounted {
		return err
	}

	s.plan, _, err = serverplan.Counted(ctx, t.job, e.observer.Log)

	return err
}

// retry runs a part of the plan stage, and runs it again if the server goes away. All parts that use the server
// go through it, so they must be safe to repeat. It also ensures the lock, because the lock's connection was idle
// during the previous part.
func (s *preparation) retry(ctx context.Context, e *environment, doing string, do func() error) error {
	return e.observer.Retry(ctx, observe.RetryFor, doing, func() error {
		if s.lock == nil {
			return do()
		}

		if err := s.lock.Ensure(ctx); err != nil {
			return err
		}

		return pg.MarkConnClosed(s.lock.Conn().Conn(), do())
	})
}

// prepare looks up the table again, because the Before statements may have changed it, and plans a job whose area
// needs the server.
func (s *preparation) prepare(ctx context.Context, e *environment, planned bool) error {
	err := s.table.Find(ctx, s.lock.Conn())
	if err != nil || planned {
		return err
	}

	if s.plan == nil { // an earlier try may have planned it
		if s.plan, err = serverplan.Prepare(ctx, e.pool, s.job, e.observer.Log); err != nil {
			return err
		}
	}

	return s.skipDone(ctx, e)
}

// acquireTable checks the server, and takes the table's lock.
func (s *preparation) acquireTable(ctx context.Context, e *environment) error {
	err := s.retry(ctx, e, "server", func() error {
		if err := tablelock.RefusePooler(ctx, e.pool); err != nil {
			return err
		}

		t, cluster, err := precheck.ServerOf(ctx, e.pool, s.job)
		if err == nil {
			s.table, s.cluster = t, cluster
		}

		return err
	})
	if err != nil {
		return err
	}

	limit := e.options.Wait
	if e.options.Shared != nil {
		limit = tablelock.NoWait
	}
	s.lock, s.waited, err = tablelock.Wait(ctx, e.pool, e.observer, s.table.Table, limit)

	return err
}

// check checks the plan against the server, and the table against the plan.
func (s *preparation) check(ctx context.Context, e *environment) error {
	err := precheck.MigrateToKnow(ctx, e.pool, s.lock.Conn(), s.table, s.plan.Job, e.ledger)
	if err != nil {
		return err
	}

	if s.checked, err = precheck.Target(ctx, s.lock.Conn(), s.table, s.plan, e.ledger, s.cluster); err != nil {
		return err
	}

	if s.checked.Adopts {
		e.observer.Log.Warn("the ledger that knew the table is lost: its present rows are recorded as a run of their own", "table", s.table.Table.String())
	}

	if s.settings, err = setting.ReadServer(ctx, s.lock.Conn()); err != nil {
		return err
	}

	if err := e.ledger.MigrateUp(ctx, e.pool); err != nil {
		return err
	}

	s.walStart = measure.WAL(ctx, e.pool)

	return nil
}

// warn logs what is probably a mistake: changes to the area of interest, and numbers that do not fit the server's
// definition of the CRS.
func (s *preparation) warn(ctx context.Context, e *environment) error {
	c, err := precheck.CheckCRS(ctx, s.lock.Conn(), s.table.GeometrySchema, s.plan.Job)
	if err != nil {
		return err
	}

	for _, w := range s.plan.WithCRS(c).Warnings() {
		e.observer.Log.Warn(w.Text, "option", w.Param)
	}

	return nil
}

// errUnchanged ends a run that has nothing to do.
var errUnchanged = errors.New("the table already holds what the job describes")

// skipDone returns errUnchanged if there is nothing to load: the table is unchanged, or an earlier attempt only
// had to wait for the nodes of a cluster.
func (s *preparation) skipDone(ctx context.Context, e *environment) error {
	run, done, err := settle.Run{Pool: e.pool, Conn: s.lock.Conn(), Observer: e.observer, Ledger: e.ledger, Cluster: s.cluster,
		Name: e.options.JobName, Table: s.table.Table, Fingerprint: s.fingerprint()}.Finish(ctx)

	switch {
	case settle.IsUnsettled(err):
		return &ResumableError{Run: run.ID, Committed: run.Committed, Chunks: run.Chunks, Err: err}
	case err != nil:
		return err
	case done:
		s.settled, s.unchanged = true, unchanged.Answer{Run: run.ID, Rows: run.Rows}
		return errUnchanged
	}

	return s.skipUnchanged(ctx, e)
}

func (s *preparation) fingerprint() string {
	return s.plan.Job.WithTable(s.table.Table).Fingerprint(s.plan.Cells)
}

// skipUnchanged returns errUnchanged if the options ask for it and the table holds what the job describes. If it
// does not, skipUnchanged logs why.
func (s *preparation) skipUnchanged(ctx context.Context, e *environment) error {
	if !e.options.SkipUnchanged {
		return nil
	}

	answer, err := unchanged.Ask(ctx, unchanged.Question{Pool: e.pool, Callers: e.callers, Lock: s.lock, Ledger: e.ledger, Cluster: s.cluster,
		Table: s.table, Job: s.plan.Job, Cells: s.plan.Cells})
	if err != nil {
		return err
	}

	s.unchanged = answer
	if answer.Changed != "" {
		e.observer.Log.Info("the table is loaded again", "why", answer.Changed)
		return nil
	}

	e.observer.Event(ctx, "the table is unchanged", "made_by_run", answer.Run, "known", answer.KnownBy)

	// Nobody else would remove an unfinished run of another job.
	run, found, err := e.ledger.Unfinished(ctx, s.lock.Conn(), s.table.Table)
	if err == nil && found && !discard.MustKeep(s.plan.Job, run) {
		e.observer.Log.Warn("dropping an unfinished run: the table already holds what the job describes", "unfinished_run", run.ID)
		err = discard.Unfinished(ctx, s.lock.Conn(), e.observer.Log, e.ledger, run)
	}

	return errors.Join(err, errUnchanged)
}

// close releases the lock.
func (s preparation) close(ctx context.Context, e *environment) {
	if s.lock == nil {
		return
	}

	ctx, cancel := e.stopping(ctx)
	defer cancel()

	s.lock.Release(ctx)
}
