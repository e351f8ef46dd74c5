// Package unchanged owns the state in which a run leaves its table: recording it, and checking
// whether the table is still in that state.
package unchanged

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/citus"
	"github.com/loadgrid/loadgrid/internal/distribution"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/tablelock"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// Question is the question whether a table is unchanged. The caller holds the table's lock.
type Question struct {
	Pool *pgxpool.Pool
	// Callers is the pool of the caller of loader.Run, which may be the same pool: its sessions may
	// have written to the table a moment ago.
	Callers *pgxpool.Pool
	Lock    *tablelock.Lock
	Ledger  ledger.Ledger
	Cluster citus.Cluster // the cluster that the server coordinates
	Table   catalog.Relation
	Job     job.Job
	Cells   geomgen.Range // the rectangle with the job's cells
}

// Answer tells whether the table matches the job.
type Answer struct {
	// Changed is the reason why the table does not match the job, or may not. It is empty if it
	// does.
	Changed string
	// KnownBy tells how the answer was found.
	KnownBy string
	// Run is the run that made the table match the job. Rows is how many rows the table has,
	// including those of other runs.
	Run, Rows int64
	// ModifiedBefore means that others may have written to the table before the job adds its rows.
	// In that case the run records the state with the rows, otherwise the table would count as
	// modified forever.
	ModifiedBefore bool
}

func changed(format string, args ...any) Answer { return Answer{Changed: fmt.Sprintf(format, args...)} }

// Ask answers the question. It reads the table only if the server's counters prove nothing. It
// migrates an older ledger.
func Ask(ctx context.Context, q Question) (Answer, error) {
	if q.Table.OID == 0 {
		return changed("there is no table"), nil
	}

	there, err := q.Ledger.Exists(ctx, q.Lock.Conn())
	if err != nil || !there {
		return changed("there is no ledger"), err
	}

	if err := q.Ledger.MigrateUp(ctx, q.Pool); err != nil {
		return Answer{}, err
	}

	runs, err := q.Ledger.ShownRuns(ctx, q.Lock.Conn(), q.Table)
	if errors.As(err, new(*ledger.OtherLedgerError)) {
		return changed("the table belongs to another ledger"), nil
	} else if err != nil {
		return Answer{}, err
	}

	if len(runs) == 0 {
		return changed("the ledger has no record of the table"), nil
	}

	// A restore has written all rows, and the content of the dump cannot show whether somebody had
	// changed them before.
	if runs[0].OID != q.Table.OID {
		a := changed("the table was restored from a dump")
		a.ModifiedBefore = q.Job.Appends()

		return a, nil
	}

	own, a := q.matchJob(runs)
	if a.Changed != "" {
		return a, nil
	}

	since, a := q.recorded(runs)
	if a.Changed == "" {
		a, err = q.compareState(ctx, runs[0].State)
	}

	if err == nil && a.Changed == "" {
		a, err = q.compareRows(ctx, own, runs, since)
	}

	a.ModifiedBefore = q.Job.Appends()

	return a, err
}

// matchJob checks whether the runs that the table shows are the job's, and returns the job's run.
// If the job appends, others may have added rows since.
func (q Question) matchJob(runs []ledger.ShownRun) (own ledger.ShownRun, a Answer) {
	own = runs[0]
	fingerprint := q.Job.WithTable(q.Table.Table).Fingerprint(q.Cells)

	if q.Job.Appends() {
		if i := slices.IndexFunc(runs, func(r ledger.ShownRun) bool { return r.Fingerprint == fingerprint }); i >= 0 {
			own = runs[i]
		}
	}

	switch {
	case own.Fingerprint != fingerprint:
		return own, changed("the job, or the area that it selects, differs from the job of run %d, whose rows the table has", own.ID)
	case len(runs) > 1 && !q.Job.Appends():
		return own, changed("the table also has rows that %d runs added", len(runs)-1)
	case own.Job.After != q.Job.After:
		return own, changed("the step after has changed")
	}

	return own, Answer{}
}

// recorded returns the newest of the runs, down to one that recorded the total number of rows,
// which includes those of the earlier runs.
func (q Question) recorded(runs []ledger.ShownRun) (since []ledger.ShownRun, a Answer) {
	since = sinceCounted(runs)

	if i := slices.IndexFunc(since, func(r ledger.ShownRun) bool { return r.State == nil }); i >= 0 {
		return nil, changed("run %d is from an older loadgrid, which did not record how it left the table", since[i].ID)
	}

	return since, Answer{}
}

// compareState compares the table with the state in which the last run left it, as far as the
// catalogue shows it.
func (q Question) compareState(ctx context.Context, recorded *ledger.TableState) (Answer, error) {
	now, err := readState(ctx, q.Lock.Conn(), q.Table)
	if err != nil {
		return Answer{}, err
	}

	last, now, err := inFormatOf(ctx, q.Lock.Conn(), q.Table, *recorded, now)

	switch {
	case err != nil:
		return Answer{}, err
	case now.Files != last.Files:
		return changed("somebody has rewritten the table, or its partitions"), nil
	case !slices.Equal(now.Columns, last.Columns), !slices.Equal(now.Numbers, last.Numbers):
		return changed("somebody has altered the columns"), nil
	case slices.ContainsFunc(last.Indexes, func(d string) bool { return !slices.Contains(now.Indexes, d) }):
		return changed("somebody has dropped an index"), nil
	}

	return Answer{}, nil
}

// compareRows checks whether each row is still the one that a run wrote, by the server's counters
// or by reading the rows.
func (q Question) compareRows(ctx context.Context, own ledger.ShownRun, runs, since []ledger.ShownRun) (Answer, error) {
	a := Answer{Run: own.ID}

	for _, r := range since {
		a.Rows += rowsOf(r)
	}

	spread, err := q.Cluster.Table(ctx, q.Lock.Conn(), q.Table.OID)
	if err != nil {
		return a, err
	}
	if spread.Distributed() {
		return q.compareDigest(ctx, a, runs[0].State.Digest)
	}

	quiet, err := q.unwrittenByCounters(ctx, runs, a.Rows)
	if err != nil || quiet {
		a.KnownBy = "by the server's counters"
		return a, err
	}

	a.KnownBy = "by reading it"
	a.Changed, err = q.findOtherWriters(ctx, runs, since, a.Rows)

	return a, err
}

// compareDigest checks whether each row of a distributed table is still the one from the time when
// the last run recorded who wrote the rows. The rows have transaction numbers of other nodes, which
// are not in the ledger.
func (q Question) compareDigest(ctx context.Context, a Answer, recorded string) (Answer, error) {
	if recorded == "" {
		return changed("run %d did not record who wrote the rows of this distributed table, as a run with skip-unchanged does", a.Run), nil
	}

	rows, digest, err := distribution.Written(ctx, q.Lock.Conn(), q.Table)

	switch {
	case pg.HasCode(err, pgerrcode.InsufficientPrivilege):
		return changed("the role may not read it"), nil
	case err != nil:
		return a, err
	case rows != a.Rows:
		return changed("it has %d rows, but the run wrote %d", rows, a.Rows), nil
	case digest != recorded:
		return changed("some of its rows were written by others"), nil
	}

	a.KnownBy = "by reading it"

	return a, nil
}

// otherWritersSQL counts the rows of the table t, and the rows that neither a run of $1 nor a
// transaction of $2 has written. The name of the table follows.
const otherWritersSQL = `
	select count(*), count(*) filter (where (t.xmin = any ((
		select array(select k.xmin from {chunks} k where k.run_id = any ($1)
		             union all select r.published_xid::xid from {runs} r where r.id = any ($1)
		             union all select w::xid from unnest($2::text[]) w))::xid[])) is not true)
	from `

// findOtherWriters reads the table, and returns which rows others have written. A row has the
// number of the transaction that wrote it. The same transaction wrote the ledger's row of the
// chunk, which has the same number. Freezing changes neither.
func (q Question) findOtherWriters(ctx context.Context, runs, since []ledger.ShownRun, want int64) (reason string, err error) {
	ids, writers := make([]int64, len(runs)), []string{}
	for i, r := range runs {
		ids[i] = r.ID
	}

	for _, r := range since {
		writers = append(writers, r.State.Writers...)
	}

	var rows, others int64
	err = q.Lock.Conn().QueryRow(ctx, q.Ledger.SQL(otherWritersSQL)+q.Table.SQL()+" t", ids, writers).Scan(&rows, &others)

	switch {
	case pg.HasCode(err, pgerrcode.InsufficientPrivilege): // an owner that has revoked its own privileges can still replace the table
		return "the role may not read it", nil
	case err != nil:
		return "", pg.Wrap(err, "looking for rows of table %s that somebody has changed", q.Table)
	case others > 0:
		return fmt.Sprintf("%d of its rows were written by others", others), nil
	case rows != want:
		return fmt.Sprintf("it has %d rows, but the run wrote %d", rows, want), nil
	}

	return "", nil
}
