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

// Outcome is how an attempt has ended. It is empty for one that is at work, or was killed.
type Outcome string

// Outcomes of an attempt.
const (
	OutcomePublished Outcome = "published" // readers see its table
	OutcomeUnchanged Outcome = "unchanged" // there was nothing to do: of jobs that are shared
	OutcomeFailed    Outcome = "failed"
	OutcomeStopped   Outcome = "stopped" // by a signal, or whoever ended its context
)

// Attempt is one attempt at a run as the ledger knows it: the first, or one that has
// resumed it.
type Attempt struct {
	No        int        `json:"no"` // from 1
	StartedAt time.Time  `json:"started_at"`
	EndedAt   *time.Time `json:"ended_at,omitempty"` // nil: it is at work, or was killed
	Outcome   Outcome    `json:"outcome,omitempty"`
	// Role is the one that has logged in, Address where the connection came from, empty
	// for a socket of the server; Host is what that machine calls itself, and OSUser
	// who ran loadgrid there.
	Role    string `json:"role"`
	Address string `json:"address,omitempty"`
	Host    string `json:"host,omitempty"`
	OSUser  string `json:"os_user,omitempty"`
	Version string `json:"version"`
	// Rows is what this attempt has copied and committed.
	Rows          int64                      `json:"rows"`
	RowsPerSecond float64                    `json:"rows_per_second,omitempty"` // in the stage load
	Seconds       float64                    `json:"seconds,omitempty"`
	StageSeconds  map[progress.Stage]float64 `json:"stage_seconds,omitempty"`
	// Retries is how often something was tried again, and RecentRetries say why, of the last
	// of them.
	Retries       int              `json:"retries"`
	RecentRetries []progress.Retry `json:"troubles,omitempty"`
	SQLState      string           `json:"sqlstate,omitempty"` // of Error, where it was the server's
	// Batch is what the processes that shared the job called their round, Process the number
	// of this one on its host, 0 where it shared nothing.
	Batch   string `json:"batch,omitempty"`
	Process int64  `json:"process,omitempty"`
	Error   string `json:"error,omitempty"`
}

// InsertAttempt writes down who begins an attempt, and from where.
func (l Ledger) InsertAttempt(ctx context.Context, q pg.Querier, run int64, no int, version string) error {
	host, _ := os.Hostname()
	name := ""
	if u, err := user.Current(); err == nil {
		name = u.Username
	}

	_, err := q.Exec(ctx, "insert into "+l.attemptsTable+" (run_id, no, host, os_user, version) values ($1, $2, nullif($3, ''), nullif($4, ''), $5)",
		run, no, pg.CleanText(host), pg.CleanText(name), version)

	return pg.Wrap(err, "writing an attempt at run %d into the ledger", run)
}

// EndAttempt writes down how an attempt has ended.
func (l Ledger) EndAttempt(ctx context.Context, q pg.Querier, run int64, s Attempt) error {
	stages, err := json.Marshal(s.StageSeconds)
	if err != nil {
		return fmt.Errorf("writing seconds of stages as JSON: %w", err)
	}

	retries, err := json.Marshal(s.RecentRetries)
	if err != nil {
		return fmt.Errorf("writing retries as JSON: %w", err)
	}

	_, err = q.Exec(ctx, "update "+l.attemptsTable+` set ended_at = clock_timestamp(), outcome = $3, rows = $4, seconds = $5, stages = $6,
			retries = $7, troubles = $8, sqlstate = nullif($9, ''), error = nullif($10, '') where run_id = $1 and no = $2`,
		run, s.No, s.Outcome, s.Rows, s.Seconds, string(stages), s.Retries, string(retries), s.SQLState, pg.CleanText(s.Error))

	return pg.Wrap(err, "writing into the ledger how an attempt at run %d ended", run)
}

const findAttemptsSQL = `
	select case
		when exists (select from pg_class where oid = to_regclass($2) and relkind <> 'v') then $2
		when to_regclass($1) is not null then $1
		else '' end`

// findAttempts returns the table of attempts, under the name that it has in this ledger:
// starts where it is from before, with what the ledger knows of those that were shared. Empty
// where the ledger has none.
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

// sharedAttemptsSQL adds to attempts what is known of those that were shared. One that was
// begun twice, since the answer was lost, has one row.
const sharedAttemptsSQL = `(
	select a.*, coalesce(s.batch, '') as batch, coalesce(s.process, 0) as process from {table} a
	left join {shared} s on (s.run_id, s.attempt) = (a.run_id, a.no)) a`

// KnowsShared reports whether the ledger has a table of shared attempts that this role may
// read: a ledger from before has none.
func (l Ledger) KnowsShared(ctx context.Context, q pg.Querier) (there bool, err error) {
	err = q.QueryRow(ctx, "select coalesce(has_table_privilege(to_regclass($1), 'select'), false)", l.function("shared_attempts")).Scan(&there)
	return there, pg.Wrap(err, "looking for table shared_attempts in the ledger in schema %s", l.Schema)
}

const historiesSQL = `
	select run_id, no, started_at, ended_at, coalesce(outcome, ''), role, coalesce(host(address), ''), coalesce(host, ''),
	       coalesce(os_user, ''), version, coalesce(rows, 0), coalesce(seconds, 0), coalesce(stages, '{}'), coalesce(retries, 0),
	       coalesce(troubles, '[]'), coalesce(sqlstate, ''), coalesce(error, ''), batch, process
	from {table} where run_id = any($1) order by run_id, no`

// histories adds to runs what is known of their attempts.
func (l Ledger) histories(ctx context.Context, q pg.Querier, runs []RunInfo) error {
	for i := range runs {
		runs[i].History = []Attempt{} // in JSON a list, also where there is none
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
		s = Attempt{} // maps and slices are not to be shared

		return nil
	})

	return pg.Wrap(err, "reading the attempts at runs from the ledger")
}
