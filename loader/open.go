package loader

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/discard"
	"github.com/loadgrid/loadgrid/internal/hook"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/precheck"
	"github.com/loadgrid/loadgrid/internal/serverplan"
	"github.com/loadgrid/loadgrid/internal/tablelock"
	"github.com/loadgrid/loadgrid/internal/unchanged"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// preparation is what a run knows of the server and of the table before it begins.
type preparation struct {
	job       job.Job          // as it was given, with its defaults
	plan      *plan.Plan       // nil until the server has made the job's area ready, where that is needed
	table     catalog.Relation // that readers see, with its schema
	lock      *tablelock.Lock  // of the table; nil until the run has it
	checked   precheck.Checked
	settings  pg.Settings
	walStart  int64         // where the server's WAL was, in bytes; 0 when that is not known
	waited    time.Duration // for another run
	unchanged unchanged.Answer
}

// open takes the table's lock, runs the hook before, plans what only the server
// can tell, checks the job against the server, and brings the ledger up to date. Where
// there is nothing to do, the error is errUnchanged. The caller closes the preparation in any
// case.
func open(ctx context.Context, e *environment, t task) (s preparation, err error) {
	s = preparation{job: t.job, plan: t.plan, table: catalog.Relation{Table: t.job.Table}}
	if err := s.acquireTable(ctx, e); err != nil {
		return s, err
	}

	if s.plan != nil {
		if err := s.skipUnchanged(ctx, e); err != nil {
			return s, err
		}
	}

	if err := hook.RunBefore(ctx, e.pool, t.job.BeforeHook(), s.table.Table); err != nil {
		return s, err
	}

	// The hook may have taken long, and the lock's connection was idle.
	if err := s.lock.Ensure(ctx); err != nil {
		return s, err
	}

	// Again: the hook may have changed it.
	if err := s.table.Find(ctx, s.lock.Conn()); err != nil {
		return s, err
	}

	if s.plan == nil {
		if s.plan, err = serverplan.Prepare(ctx, e.pool, t.job, e.observer.Log); err != nil {
			return s, err
		}

		if err := s.skipUnchanged(ctx, e); err != nil {
			return s, err
		}
	}

	if err := s.warn(ctx, e); err != nil {
		return s, err
	}

	err = s.check(ctx, e)

	return s, err
}

// acquireTable checks the server, and takes the table's lock.
func (s *preparation) acquireTable(ctx context.Context, e *environment) error {
	if err := tablelock.RefusePooler(ctx, e.pool); err != nil {
		return err
	}

	t, err := checkServer(ctx, e.pool, s.job)
	if err != nil {
		return err
	}

	s.table = t
	if s.lock, s.waited, err = tablelock.Wait(ctx, e.pool, e.observer, t.Table, e.options.Wait); err != nil {
		return err
	}

	// Again, now that no other run can change it.
	return s.table.Find(ctx, s.lock.Conn())
}

func checkServer(ctx context.Context, pool *pgxpool.Pool, j job.Job) (catalog.Relation, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return catalog.Relation{}, pg.Wrap(err, "connecting")
	}
	defer conn.Release()

	return precheck.Server(ctx, conn.Conn(), j)
}

// check checks the plan against the server, and the table against the plan.
func (s *preparation) check(ctx context.Context, e *environment) error {
	if err := s.migrateToKnow(ctx, e); err != nil {
		return err
	}

	var err error
	if s.checked, err = precheck.Target(ctx, s.lock.Conn(), s.table, s.plan, e.ledger); err != nil {
		return err
	}

	if s.settings, err = pg.ReadSettings(ctx, s.lock.Conn()); err != nil {
		return err
	}

	if err := e.ledger.MigrateUp(ctx, e.pool); err != nil {
		return err
	}

	s.walStart = walPosition(ctx, e.pool)

	return nil
}

// migrateToKnow brings a ledger that is there up to date before it is asked what the table
// holds, to add to it or to keep it: one from before does not know versions, or a table
// that was restored.
func (s *preparation) migrateToKnow(ctx context.Context, e *environment) error {
	if s.table.OID == 0 || s.plan.Job.Keep == 0 && !s.plan.Job.Appends() {
		return nil
	}

	there, err := e.ledger.Exists(ctx, s.lock.Conn())
	if err != nil || !there {
		return err
	}

	err = e.ledger.MigrateUp(ctx, e.pool)
	if pg.HasCode(err, pgerrcode.InsufficientPrivilege) {
		return nil // the checks of the table say what the role lacks there, and the migration comes again
	}

	return err
}

// warn says what is hardly meant: what became of the area of interest, and where numbers do
// not fit to what the server knows of the CRS.
func (s *preparation) warn(ctx context.Context, e *environment) error {
	// The hook and the area may have taken long, and the lock's connection was idle.
	if err := s.lock.Ensure(ctx); err != nil {
		return err
	}

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
var errUnchanged = errors.New("the table holds what the job says already")

// skipUnchanged returns errUnchanged where that is asked for and the table holds what
// the job says, and else logs why not.
func (s *preparation) skipUnchanged(ctx context.Context, e *environment) error {
	if !e.options.SkipUnchanged {
		return nil
	}

	answer, err := unchanged.Ask(ctx, unchanged.Question{Pool: e.pool, Callers: e.callers, Lock: s.lock, Ledger: e.ledger,
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

	// What another attempt at another job has left would be in nobody's way, for ever.
	run, found, err := e.ledger.Unfinished(ctx, s.lock.Conn(), s.table.Table)
	if err == nil && found && !mustKeepUnfinished(s.plan.Job, run) {
		e.observer.Log.Warn("dropping an unfinished run: the table holds what the job says", "unfinished_run", run.ID)
		err = discard.Unfinished(ctx, s.lock.Conn(), e.ledger, run)
	}

	return errors.Join(err, errUnchanged)
}

// close gives the lock back.
func (s preparation) close(ctx context.Context, e *environment) {
	if s.lock == nil {
		return
	}

	ctx, cancel := e.stopping(ctx)
	defer cancel()

	s.lock.Release(ctx)
}
