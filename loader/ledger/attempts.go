package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/progress"
)

// Outcome is how an attempt ended. It is empty for an attempt that is running or was killed.
type Outcome string

// Values of Outcome.
const (
	OutcomePublished Outcome = "published" // readers see its table
	OutcomeUnchanged Outcome = "unchanged" // a shared job that had nothing to do
	OutcomeFailed    Outcome = "failed"
	OutcomeStopped   Outcome = "stopped" // by a signal, or because its context ended
)

// Attempt is one attempt at a run in the ledger: the first, or one that resumed the run.
type Attempt struct {
	No        int        `json:"no"` // from 1
	StartedAt time.Time  `json:"started_at"`
	EndedAt   *time.Time `json:"ended_at,omitempty"` // nil: it is running, or was killed
	Outcome   Outcome    `json:"outcome,omitempty"`
	// Role is the role that logged in. Address is where the connection came from, or empty for a socket of the
	// server. Host is the name of the client machine, and OSUser the user who ran loadgrid there.
	Role    string `json:"role"`
	Address string `json:"address,omitempty"`
	Host    string `json:"host,omitempty"`
	OSUser  string `json:"os_user,omitempty"`
	Version string `json:"version"`
	// Rows is the number of rows that this attempt copied and committed.
	Rows          int64                      `json:"rows"`
	RowsPerSecond float64                    `json:"rows_per_second,omitempty"` // in the load stage
	Seconds       float64                    `json:"seconds,omitempty"`
	StageSeconds  map[progress.Stage]float64 `json:"stage_seconds,omitempty"`
	// Retries is the number of retries, and RecentRetries has the reasons of the last ones.
	Retries       int              `json:"retries"`
	RecentRetries []progress.Retry `json:"troubles,omitempty"`
	SQLState      string           `json:"sqlstate,omitempty"` // of Error, if it came from the server
	// Batch is the name of a round of processes that share a job, and Process the number of this process on its
	// host. Process is 0 if the job was not shared.
	Batch   string `json:"batch,omitempty"`
	Process int64  `json:"process,omitempty"`
	Error   string `json:"error,omitempty"`
}

// InsertAttempt adds an attempt to the ledger, with who begins it and from where.
func (l Ledger) InsertAttempt(ctx context.Context, q pg.Querier, run int64, no int, version string) error {
	host, _ := os.Hostname()
	name := ""
	if u, err := user.Current(); err == nil {
		name = u.Username
	}

	_, err := q.Exec(ctx, "insert into "+l.attemptsTable+" (run_id, no, host, os_user, version) values ($1, $2, nullif($3, ''), nullif($4, ''), $5)",
		run, no, pg.CleanText(host), pg.CleanText(name), version)

	return pg.Wrap(err, "adding an attempt at run %d to the ledger", run)
}

// EndAttempt records how an attempt ended.
func (l Ledger) EndAttempt(ctx context.Context, q pg.Querier, run int64, s Attempt) error {
	stages, err := json.Marshal(s.StageSeconds)
	if err != nil {
		return fmt.Errorf("writing the seconds of stages as JSON: %w", err)
	}

	retries, err := json.Marshal(s.RecentRetries)
	if err != nil {
		return fmt.Errorf("writing the retries as JSON: %w", err)
	}

	_, err = q.Exec(ctx, "update "+l.attemptsTable+` set ended_at = clock_timestamp(), outcome = $3, rows = $4, seconds = $5, stages = $6,
			retries = $7, troubles = $8, sqlstate = nullif($9, ''), error = nullif($10, '') where run_id = $1 and no = $2`,
		run, s.No, s.Outcome, s.Rows, s.Seconds, string(stages), s.Retries, string(retries), s.SQLState, pg.CleanText(s.Error))

	return pg.Wrap(err, "recording in the ledger how an attempt at run %d ended", run)
}

const findAttemptsSQL = `
	select case
		when exists (select from pg_class where oid = to_regclass($2) and relkind <> 'v') then $2
		when to_regclass($1) is not null then $1
		else '' end`

// findAttempts returns SQL for the table of attempts, with what the ledger knows of shared ones. In older
// ledgers, the table is called starts. It is empty if the ledger has no such table.
func (l Ledger) findAttempts(ctx context.Context, q pg.Querier) (table string, err error) {
	if err := q.QueryRow(ctx, findAttemptsSQL, l.attemptsTable, l.startsTable).Scan(&table); err != nil || table == "" {
		return "", err
	}

	shared, err := l.KnowsShared(ctx, q)
	if !shared {
		return "(select *, '' as batch, 0::bigint as process from " + table + ") a", err
	}

	return strings.ReplaceAll(l.SQL(sharedAttemptsSQL), "{table}", table), err
}

// sharedAttemptsSQL adds data of shared attempts to attempts. An attempt that was begun twice, because the
// server's answer was lost, gives one row.
const sharedAttemptsSQL = `(
	select a.*, coalesce(s.batch, '') as batch, coalesce(s.process, 0) as process from {table} a
	left join {shared} s on (s.run_id, s.attempt) = (a.run_id, a.no)) a`

// KnowsShared reports whether the ledger has a table of shared attempts that this role may read. An older ledger
// has none.
func (l Ledger) KnowsShared(ctx context.Context, q pg.Querier) (there bool, err error) {
	err = q.QueryRow(ctx, "select coalesce(has_table_privilege(to_regclass($1), 'select'), false)", l.function("shared_attempts")).Scan(&there)
	return there, pg.Wrap(err, "looking for table shared_attempts in the ledger in schema %s", l.Schema)
}

const historiesSQL = `
	select run_id, no, started_at, ended_at, coalesce(outcome, ''), role, coalesce(host(address), ''), coalesce(host, ''),
	       coalesce(os_user, ''), version, coalesce(rows, 0), coalesce(seconds, 0), coalesce(stages, '{}'), coalesce(retries, 0),
	       coalesce(troubles, '[]'), coalesce(sqlstate, ''), coalesce(error, ''), batch, process
	from {table} where run_id = any($1) order by run_id, no`

// histories adds the attempts to runs.
func (l Ledger) histories(ctx context.Context, q pg.Querier, runs []RunInfo) error {
	for i := range runs {
		runs[i].History = []Attempt{} // a list in JSON, even if it is empty
	}

	table, err := l.findAttempts(ctx, q)
	if err != nil || table == "" {
		return pg.Wrap(err, "looking for the attempts at runs in the ledger")
	}

	ids, at := make([]int64, len(runs)), make(map[int64]*RunInfo, len(runs))

	for i := range runs {
		ids[i], at[runs[i].ID] = runs[i].ID, &runs[i]
	}

	rows, err := q.Query(ctx, strings.ReplaceAll(historiesSQL, "{table}", table), ids)
	if err != nil {
		return pg.Wrap(err, "reading the attempts at runs from the ledger")
	}

	var id int64
	var s Attempt
	_, err = pgx.ForEachRow(rows, []any{&id, &s.No, &s.StartedAt, &s.EndedAt, &s.Outcome, &s.Role, &s.Address, &s.Host, &s.OSUser,
		&s.Version, &s.Rows, &s.Seconds, &s.StageSeconds, &s.Retries, &s.RecentRetries, &s.SQLState, &s.Error, &s.Batch, &s.Process}, func() error {
		s.RowsPerSecond = 0
		if load := s.StageSeconds[progress.StageLoad]; load > 0 {
			s.RowsPerSecond = float64(s.Rows) / load
		}

		at[id].History = append(at[id].History, s)
		at[id].Batch = cmp.Or(s.Batch, at[id].Batch)
		s = Attempt{} // do not share maps and slices

		return nil
	})

	return pg.Wrap(err, "reading the attempts at runs from the ledger")
}
