package loader

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/geomgen"
)

// beginOrResume is begin, again where the connection broke in the middle: what it
// had begun is then found as unfinished.
func (l *load) beginOrResume(ctx context.Context) error {
	return retry(ctx, l.log, retryFor, "begin", func() error {
		if err := l.keepLock(ctx); err != nil {
			return err
		}
		return lost(l.lock.conn.Conn(), l.begin(ctx))
	})
}

// begin resumes the unfinished run of the table, or starts a new one with a
// staging table of its own. The caller holds the table's lock.
func (l *load) begin(ctx context.Context) error {
	fingerprint := l.plan.Job.withTable(l.target.Table).fingerprint(l.plan.Cells)
	run, found, err := l.ledger.unfinished(ctx, l.lock.conn, l.target.Table)
	if err != nil {
		return err
	}
	if found && run.Fingerprint == fingerprint {
		resumed, err := l.resume(ctx, run)
		if err != nil || resumed {
			return err
		}
	} else if found {
		if l.plan.Job.IfExists != Replace {
			return &geomgen.ParamError{Param: "table", Value: l.target.String(), Reason: fmt.Sprintf(
				"run %d of another job was left unfinished on it: drop it with %s, or finish it with %s", run.ID,
				runsCommand("drop", run.ID, l.ledger.schema), runsCommand("resume", run.ID, l.ledger.schema))}
		}
		l.log.Warn("dropping an unfinished run of another job", "run", run.ID, "committed_chunks", run.Committed)
		if err := dropRun(ctx, l.lock.conn, l.ledger, run); err != nil {
			return err
		}
	}
	return l.start(ctx, fingerprint)
}

// resume takes up a run with the chunk plan of its first start. It returns false
// where there is nothing to take up, since the staging table is gone.
func (l *load) resume(ctx context.Context, run RunInfo) (bool, error) {
	l.staging = target{Table: Table{run.Table.Schema, run.staging}, geometrySchema: l.target.geometrySchema}
	if err := l.staging.find(ctx, l.lock.conn); err != nil {
		return false, err
	}
	if l.staging.oid == 0 {
		l.log.Warn("the staging table of the unfinished run is gone, starting over", "run", run.ID, "staging", run.staging)
		return false, dropRun(ctx, l.lock.conn, l.ledger, run)
	}
	l.run, l.plan.Chunks = run.ID, run.Chunks
	var rows int64
	var err error
	if l.done, rows, err = l.ledger.committed(ctx, l.lock.conn, run.ID); err != nil {
		return false, err
	}
	l.summary.ChunksResumed = int64(len(l.done))
	l.summary.RowsResumed = rows
	l.log.Info("resuming", "run", run.ID, "committed_chunks", len(l.done), "chunks", run.Chunks)
	return true, l.ledger.started(ctx, l.lock.conn, run.ID)
}

// start writes down a new run and makes its staging table, in one transaction:
// there is never one without the other.
func (l *load) start(ctx context.Context, fingerprint string) error {
	// Not named after the run alone: two ledgers in one database number theirs
	// alike.
	var suffix [4]byte
	_, _ = rand.Read(suffix[:]) // never fails, by its documentation
	l.staging = target{
		Table:          Table{l.target.Schema, "loadgrid_staging_" + hex.EncodeToString(suffix[:])},
		geometrySchema: l.target.geometrySchema,
	}
	l.done = map[int64]bool{}
	return pgx.BeginFunc(ctx, l.lock.conn, func(tx pgx.Tx) error {
		var err error
		l.run, err = l.ledger.insertRun(ctx, tx, l.target.Table, l.plan, fingerprint, l.staging.Name, l.options.Version)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, l.staging.create(l.plan.Job)); err != nil {
			return serverError(err, "making staging table %s", l.staging.Table)
		}
		return l.staging.find(ctx, tx)
	})
}

// create returns the statement that makes a table for the job's rows. The key's
// column is declared not null at once, so that the primary key need not look.
func (t *target) create(job Job) string {
	geometry := pgx.Identifier{t.geometrySchema}.Sanitize() + "." + geometryType(job.Grid.SRID)
	quote := func(name string) string { return pgx.Identifier{name}.Sanitize() }
	sql := fmt.Sprintf("create table %s (%s bigint not null, col integer, row integer, %s %s",
		t.sql(), quote(job.IDColumn), quote(job.GeomColumn), geometry)
	for _, c := range job.Set {
		sql += ", " + quote(c.Name) + " " + c.sqlType()
	}
	return sql + ")"
}
