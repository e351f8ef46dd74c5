package loader

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Outcomes of a start.
const (
	OutcomePublished = "published" // readers see its table
	OutcomeFailed    = "failed"
	OutcomeStopped   = "stopped" // by a signal, or whoever ended its context
)

// Start is one start of a run as the ledger knows it: the first, or one that has
// resumed it.
type Start struct {
	No        int        `json:"no"` // from 1
	StartedAt time.Time  `json:"started_at"`
	EndedAt   *time.Time `json:"ended_at,omitempty"` // nil: it is at work, or was killed
	Outcome   string     `json:"outcome,omitempty"`
	// Role is the one that has logged in, Address where the connection came from, empty
	// for a socket of the server; Host is what that machine calls itself, and OSUser
	// who ran loadgrid there.
	Role    string `json:"role"`
	Address string `json:"address,omitempty"`
	Host    string `json:"host,omitempty"`
	OSUser  string `json:"os_user,omitempty"`
	Version string `json:"version"`
	// Rows is what this start has copied and committed.
	Rows          int64             `json:"rows"`
	RowsPerSecond float64           `json:"rows_per_second,omitempty"` // in the stage load
	Seconds       float64           `json:"seconds,omitempty"`
	StageSeconds  map[Stage]float64 `json:"stage_seconds,omitempty"`
	// Retries is how often something was tried again, and Troubles say why, of the last
	// of them.
	Retries  int       `json:"retries"`
	Troubles []Trouble `json:"troubles,omitempty"`
	SQLState string    `json:"sqlstate,omitempty"` // of Error, where it was the server's
	Error    string    `json:"error,omitempty"`
}

// insertStart writes down who starts a run, and from where.
func (l ledger) insertStart(ctx context.Context, q querier, run int64, no int, options Options) error {
	host, _ := os.Hostname()
	name := ""
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	_, err := q.Exec(ctx, "insert into "+l.attempts+" (run_id, no, host, os_user, version) values ($1, $2, nullif($3, ''), nullif($4, ''), $5)",
		run, no, plainText(host), plainText(name), options.Version)
	return serverError(err, "writing a start of run %d into the ledger", run)
}

// plainText returns text that the server takes as such.
func plainText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x00", "?")
}

// endStart writes down how a start has ended.
func (l ledger) endStart(ctx context.Context, q querier, run int64, s Start) error {
	stages, err := json.Marshal(s.StageSeconds)
	if err != nil {
		return fmt.Errorf("writing seconds of stages as JSON: %w", err)
	}
	troubles, err := json.Marshal(s.Troubles)
	if err != nil {
		return fmt.Errorf("writing troubles as JSON: %w", err)
	}
	_, err = q.Exec(ctx, "update "+l.attempts+` set ended_at = clock_timestamp(), outcome = $3, rows = $4, seconds = $5, stages = $6,
			retries = $7, troubles = $8, sqlstate = nullif($9, ''), error = nullif($10, '') where run_id = $1 and no = $2`,
		run, s.No, s.Outcome, s.Rows, s.Seconds, string(stages), s.Retries, string(troubles), s.SQLState, plainText(s.Error))
	return serverError(err, "writing into the ledger how a start of run %d ended", run)
}

// attemptsTable returns the table of attempts, under the name that it has in this ledger:
// starts where it is from before. Empty where the ledger has none.
func (l ledger) attemptsTable(ctx context.Context, q querier) (table string, err error) {
	err = q.QueryRow(ctx, `select case
			when exists (select from pg_class where oid = to_regclass($2) and relkind <> 'v') then $2
			when to_regclass($1) is not null then $1
			else '' end`, l.attempts, l.starts).Scan(&table)
	return table, err
}

// histories adds to runs what is known of their starts.
func (l ledger) histories(ctx context.Context, q querier, runs []RunInfo) error {
	for i := range runs {
		runs[i].History = []Start{} // in JSON a list, also where there is none
	}
	table, err := l.attemptsTable(ctx, q)
	if err != nil || table == "" {
		return serverError(err, "looking for the attempts at runs in the ledger")
	}
	ids, at := make([]int64, len(runs)), make(map[int64]*RunInfo, len(runs))
	for i := range runs {
		ids[i], at[runs[i].ID] = runs[i].ID, &runs[i]
	}
	rows, err := q.Query(ctx, `select run_id, no, started_at, ended_at, coalesce(outcome, ''), role, coalesce(host(address), ''), coalesce(host, ''),
			coalesce(os_user, ''), version, coalesce(rows, 0), coalesce(seconds, 0), coalesce(stages, '{}'), coalesce(retries, 0),
			coalesce(troubles, '[]'), coalesce(sqlstate, ''), coalesce(error, '')
		from `+table+" where run_id = any($1) order by run_id, no", ids)
	if err != nil {
		return serverError(err, "reading the attempts at runs from the ledger")
	}
	var id int64
	var s Start
	_, err = pgx.ForEachRow(rows, []any{&id, &s.No, &s.StartedAt, &s.EndedAt, &s.Outcome, &s.Role, &s.Address, &s.Host, &s.OSUser,
		&s.Version, &s.Rows, &s.Seconds, &s.StageSeconds, &s.Retries, &s.Troubles, &s.SQLState, &s.Error}, func() error {
		s.RowsPerSecond = 0
		if load := s.StageSeconds[StageLoad]; load > 0 {
			s.RowsPerSecond = float64(s.Rows) / load
		}
		at[id].History = append(at[id].History, s)
		s = Start{} // maps and slices are not to be shared
		return nil
	})
	return serverError(err, "reading the attempts at runs from the ledger")
}

// noteEnd writes down how this start has ended. It is best effort: what becomes of the
// run does not depend on it.
func (l *load) noteEnd(ctx context.Context, outcome string, cause error) {
	if l.start == 0 {
		return
	}
	s := Start{No: l.start, Outcome: outcome, Rows: l.rowsCopied.Load(), StageSeconds: l.progress.seconds()}
	for _, seconds := range s.StageSeconds {
		s.Seconds += seconds
	}
	s.Retries, s.Troubles = l.troubles.all()
	if cause != nil {
		s.SQLState, s.Error = sqlState(cause), oneLine(cause.Error())
	}
	if err := l.ledger.endStart(ctx, l.pool, l.run, s); err != nil {
		l.log.Debug("the ledger does not know how this start ended", "error", serverMessage(err))
	}
}
