package loader

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// prepare takes the table's lock, runs the step before, plans what only the server
// can tell, checks the job against the server, brings the ledger up to date, and
// begins the run or takes it up.
func (l *load) prepare(ctx context.Context) error {
	if err := l.acquireTable(ctx); err != nil {
		return err
	}
	planned := l.plan.Rows > 0
	if planned {
		if err := l.skipUnchanged(ctx); err != nil {
			return err
		}
	}
	if err := l.runBefore(ctx); err != nil {
		return err
	}
	// Again: the step may have changed it.
	if err := l.target.Find(ctx, l.lock.conn); err != nil {
		return err
	}
	if !planned {
		if err := l.planOn(ctx); err != nil {
			return err
		}
	}
	l.warn()
	// The step and the area may have taken long, and the lock's connection was idle.
	if err := l.ensureLock(ctx); err != nil {
		return err
	}
	if have, need := int(l.pool.Config().MaxConns), poolSize(l.plan.Streams); have < need {
		return fmt.Errorf("the pool has room for %d connections, a run with %d streams needs %d", have, l.plan.Streams, need)
	}
	if err := l.migrateForKeep(ctx); err != nil {
		return err
	}
	err := l.checkTarget(ctx, l.lock.conn)
	if err != nil {
		return err
	}
	if l.settings, err = pg.ReadSettings(ctx, l.lock.conn); err != nil {
		return err
	}
	if err := l.ledger.MigrateUp(ctx, l.pool); err != nil {
		return err
	}
	l.walStart = walPosition(ctx, l.pool)
	return l.beginOrResume(ctx)
}

// acquireTable checks the server, and takes the table's lock.
func (l *load) acquireTable(ctx context.Context) error {
	if err := refusePooler(ctx, l.pool); err != nil {
		return err
	}
	var err error
	if l.target, err = inspectPool(ctx, l.pool, l.plan.Job); err != nil {
		return err
	}
	l.summary.Table = l.target.Table
	if l.lock, err = l.waitForTable(ctx); err != nil {
		return err
	}
	// Again, now that no other run can change it.
	return l.target.Find(ctx, l.lock.conn)
}

// planOn plans a job whose area of interest the server makes ready, and then looks
// whether there is anything to do.
func (l *load) planOn(ctx context.Context) error {
	plan, err := PlanOn(ctx, l.pool, l.plan.Job)
	if err != nil {
		return err
	}
	l.plan = plan
	return l.skipUnchanged(ctx)
}

// migrateForKeep brings a ledger that is there up to date before it is asked which
// version of the table is to be kept: one from before versions does not know.
func (l *load) migrateForKeep(ctx context.Context) error {
	if l.plan.Job.Keep == 0 || l.target.OID == 0 {
		return nil
	}
	there, err := l.ledger.Exists(ctx, l.lock.conn)
	if err != nil || !there {
		return err
	}
	return l.ledger.MigrateUp(ctx, l.pool)
}

func inspectPool(ctx context.Context, pool *pgxpool.Pool, job job.Job) (catalog.Relation, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return catalog.Relation{}, pg.Wrap(err, "connecting")
	}
	defer conn.Release()
	return inspect(ctx, conn.Conn(), job)
}

// warn says what became of the area of interest.
func (l *load) warn() {
	if area := l.plan.Job.Area; area != nil {
		for _, w := range area.Warnings {
			l.log.Warn(w)
		}
	}
}
