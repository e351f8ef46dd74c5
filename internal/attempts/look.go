package attempts

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/precheck"
	"github.com/loadgrid/loadgrid/internal/tablelock"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// State describes a shared job.
type State struct {
	Done        *By // nil: no process has done it
	Failures    int
	LastFailure *By
	// Holder describes who holds the table, empty for nobody.
	Holder string
	// Table is the job's table, with its schema.
	Table job.Table
}

const findSharedSQL = `
	select s.job, coalesce(s.run_id, 0), case when d.published then 'published' else s.outcome end, d.at, s.role, coalesce(host(s.address), ''),
	       coalesce(s.host, ''), coalesce(s.os_user, ''), coalesce(s.process, 0), coalesce(s.exit_code, 0), coalesce(s.sqlstate, ''), coalesce(s.error, '')
	from {shared} s left join {runs} r on r.id = s.run_id
	cross join lateral (
		-- A run that an attempt of another batch has finished belongs to that attempt. A run with an error has
		-- not reached all nodes of a cluster.
		select r.state is not distinct from 'published' and r.last_error is null and s.attempt is not null
		       and not exists (select from {shared} n where n.run_id = s.run_id and n.attempt > s.attempt)) p (published)
	cross join lateral (select p.published, case when p.published then r.finished_at else s.ended_at end) d (published, at)
	where s.job = any($1) and (d.published or s.outcome in ('unchanged', 'failed'))
	  and case when $2::text <> '' then s.batch = $2 else d.at >= clock_timestamp() - make_interval(secs => $3) end
	order by s.id`

// find returns what the ledger knows about shared jobs, by their keys. Without a batch, it
// considers attempts that ended within age.
func find(ctx context.Context, q pg.Querier, l ledger.Ledger, batch string, age time.Duration, keys []string) (map[string]State, error) {
	states := make(map[string]State)

	rows, err := q.Query(ctx, l.SQL(findSharedSQL), keys, batch, age.Seconds())
	if err != nil {
		return nil, pg.Wrap(err, "asking the ledger in schema %s for shared jobs", l.Schema)
	}

	var key string
	var b By
	_, err = pgx.ForEachRow(rows, []any{&key, &b.Run, &b.Outcome, &b.At, &b.Role, &b.Address, &b.Host, &b.OSUser, &b.Process,
		&b.ExitCode, &b.SQLState, &b.Error}, func() error {
		found, state := b, states[key]
		if b.Outcome == ledger.OutcomeFailed {
			state.Failures++
			state.LastFailure = &found
		} else {
			state.Done = &found
		}
		states[key] = state

		return nil
	})

	return states, pg.Wrap(err, "asking the ledger in schema %s for shared jobs", l.Schema)
}

// Wanted is a shared job to look up.
type Wanted struct {
	Key   string
	Table job.Table // as the job names it
}

// Reader looks up shared jobs in one ledger. It is not safe for concurrent use.
type Reader struct {
	Pool   *pgxpool.Pool // made by package pg; one connection is enough
	Ledger ledger.Ledger
	Batch  string
	Began  time.Time // as in Shared

	direct  bool   // no pooler shares its sessions
	checked bool   // there is a ledger, and it is loadgrid's own
	schema  string // schema of tables without one; empty until it is known
}

// Look returns the states of jobs, in their order. It runs two statements and writes nothing.
func (o *Reader) Look(ctx context.Context, jobs []Wanted) ([]State, error) {
	if !o.direct { // otherwise the session may lack the search_path that was set
		if err := tablelock.RefusePooler(ctx, o.Pool); err != nil {
			return nil, err
		}
		o.direct = true
	}

	conn, err := o.Pool.Acquire(ctx)
	if err != nil {
		return nil, pg.Wrap(err, "connecting to look at shared jobs")
	}
	defer conn.Release()

	tables, keys := make([]job.Table, len(jobs)), make([]string, len(jobs))
	for i, j := range jobs {
		keys[i] = j.Key
		if tables[i], err = o.resolve(ctx, conn.Conn(), j.Table); err != nil {
			return nil, err
		}
	}

	known, err := o.find(ctx, conn, keys)
	if err != nil {
		return nil, err
	}

	holders, err := tablelock.Holders(ctx, conn, tables)
	if err != nil {
		return nil, err
	}

	states := make([]State, len(jobs))
	for i, j := range jobs {
		states[i] = known[j.Key]
		states[i].Holder, states[i].Table = holders[tables[i]].Text, tables[i]
	}

	return states, nil
}

// find queries the ledger if it exists and records shared attempts; a run creates it.
func (o *Reader) find(ctx context.Context, q pg.Querier, keys []string) (map[string]State, error) {
	if !o.checked {
		there, err := o.Ledger.Exists(ctx, q)
		if err == nil && there {
			there, err = o.Ledger.KnowsShared(ctx, q)
		}
		if err != nil || !there {
			return nil, err
		}

		o.checked = true
	}

	return find(ctx, q, o.Ledger, o.Batch, time.Since(o.Began), keys)
}

// resolve returns a table with its schema.
func (o *Reader) resolve(ctx context.Context, conn *pgx.Conn, t job.Table) (job.Table, error) {
	if t.Schema == "" && o.schema == "" {
		found, err := precheck.FindSchemas(ctx, conn, t)
		if err != nil {
			return t, err
		}
		o.schema = found.Schema
	}

	if t.Schema == "" {
		t.Schema = o.schema
	}

	return t, nil
}
