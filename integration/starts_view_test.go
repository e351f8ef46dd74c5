package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// oldLedger runs the statements of an older program against a ledger that the current program migrated.
type oldLedger struct {
	sandbox
	statements map[string]string // by their names
	ran        map[string]bool
}

// TestStartsOfAnOlderProgram checks that a program from before the table starts was renamed can still
// resume a run, record how it ended, and show it, after a newer program has migrated the ledger.
func TestStartsOfAnOlderProgram(t *testing.T) {
	t.Parallel()
	l := newOldLedger(t)
	if !queryOne[bool](t, l.pool, l.statement("there"), `"loadgrid"."starts"`) {
		t.Fatal("the older program would treat the ledger as one without starts")
	}

	l.resume()
	l.checkAtWork()
	l.end()
	l.checkHistory()
	l.checkRun()
	l.checkDashboards()
	l.prune()
	for name := range l.statements {
		if !l.ran[name] {
			t.Errorf("the statement %q was not run", name)
		}
	}
}

// newOldLedger restores the ledger of an older program, with a run that was stopped half-way, and
// migrates it.
func newOldLedger(t *testing.T) oldLedger {
	t.Helper()
	l := oldLedger{halfDone{name: "chunks_stopped"}.restored(t), readStatements(t), map[string]bool{}}
	mustCLI(t, l.dsn, "migrate", "up")
	return l
}

// readStatements reads testdata/starts_statements.sql.
func readStatements(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile("testdata/starts_statements.sql")
	if err != nil {
		t.Fatal(err)
	}
	statements := make(map[string]string)
	for _, block := range strings.Split(string(b), "\n-- name: ")[1:] {
		lines := strings.SplitN(block, "\n", 4)
		if len(lines) != 4 || !strings.HasPrefix(lines[1], "-- purpose: ") || !strings.HasPrefix(lines[2], "-- from: ") {
			t.Fatalf("this is not a statement with its name, purpose and place:\n%s", block)
		}
		statements[lines[0]] = strings.TrimSpace(lines[3])
	}
	return statements
}

// statement returns a statement by its name and records that it is run.
func (l oldLedger) statement(name string) string {
	l.t.Helper()
	sql, ok := l.statements[name]
	if !ok {
		l.t.Fatalf("there is no statement %q", name)
	}
	l.ran[name] = true
	return sql
}

// do runs a statement that must change one row.
func (l oldLedger) do(name string, args ...any) {
	l.t.Helper()
	tag, err := l.pool.Exec(context.Background(), l.statement(name), args...)
	if err != nil || tag.RowsAffected() != 1 {
		l.t.Fatalf("%s: %d rows, %v", name, tag.RowsAffected(), err)
	}
}

// rows returns the rows of a query, each as a map of columns.
func (l oldLedger) rows(name string, args ...any) []map[string]any {
	l.t.Helper()
	rows, err := l.pool.Query(context.Background(), l.statement(name), args...)
	if err != nil {
		l.t.Fatalf("%s: %v", name, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToMap)
	if err != nil {
		l.t.Fatalf("%s: %v", name, err)
	}
	return list
}

// resume records a second start of the run.
func (l oldLedger) resume() {
	l.t.Helper()
	job := queryOne[string](l.t, l.pool, "select job::text from loadgrid.runs where id = 1")
	if no := queryOne[int](l.t, l.pool, l.statement("started"), int64(1), job); no != 2 {
		l.t.Errorf("the run was started %d times, want 2", no)
	}
	l.do("insert", int64(1), 2, "client", "", "v1")

	// The key prevents a second start with this number.
	_, err := l.pool.Exec(context.Background(), l.statement("insert"), int64(1), 2, "client", "", "v1")
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Code != pgerrcode.UniqueViolation {
		l.t.Errorf("the same start again: got %v, want SQLSTATE 23505", err)
	}
	_, err = l.pool.Exec(context.Background(), l.statement("insert"), int64(99), 1, "client", "", "v1")
	if !errors.As(err, &pgErr) || pgErr.Code != pgerrcode.ForeignKeyViolation {
		l.t.Errorf("a start without a run: got %v, want SQLSTATE 23503", err)
	}
}

// checkAtWork checks the start that has not ended.
func (l oldLedger) checkAtWork() {
	l.t.Helper()
	list := l.rows("documented at work")
	if len(list) != 1 || list[0]["start"] != int32(2) || list[0]["host"] != "client" || list[0]["os_user"] != nil || list[0]["committed"] != int64(2) {
		l.t.Errorf("the active starts are %v", list)
	}
}

// end records how the second start ended.
func (l oldLedger) end() {
	l.t.Helper()
	l.do("end", int64(1), 2, "failed", int64(32), 1.5, `{"load": 0.5, "plan": 1}`, 3,
		`[{"at": "2026-11-28T16:00:00Z", "stage": "load", "doing": "copying", "sqlstate": "57P01", "error": "gone"}]`, "22012", "division by zero")
	if list := l.rows("documented at work"); len(list) != 0 {
		l.t.Errorf("the active starts are %v, want none", list)
	}
}

// oldStart is a row as the older program scans it.
type oldStart struct {
	run                       int64
	no                        int
	started                   time.Time
	ended                     *time.Time
	outcome                   string
	role, address, host, user string
	version                   string
	rows                      int64
	seconds                   float64
	stages                    map[string]float64
	retries                   int
	troubles                  []map[string]any
	state, cause              string
}

// history reads starts like the older program.
func (l oldLedger) history() (list []oldStart) {
	l.t.Helper()
	rows, err := l.pool.Query(context.Background(), l.statement("read"), []int64{1, 7})
	if err != nil {
		l.t.Fatal(err)
	}
	var s oldStart
	_, err = pgx.ForEachRow(rows, []any{&s.run, &s.no, &s.started, &s.ended, &s.outcome, &s.role, &s.address, &s.host, &s.user, &s.version,
		&s.rows, &s.seconds, &s.stages, &s.retries, &s.troubles, &s.state, &s.cause}, func() error {
		list = append(list, s)
		s = oldStart{}
		return nil
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return list
}

// checkHistory checks both starts: the start of the dump, and the start that the statements made, with
// the defaults of its columns.
func (l oldLedger) checkHistory() {
	l.t.Helper()
	list := l.history()
	if len(list) != 2 {
		l.t.Fatalf("the run has %d starts, want 2", len(list))
	}
	first, second := list[0], list[1]
	if first.no != 1 || first.outcome != "stopped" || first.rows != 64 || first.cause != "stopped by SIGINT" || first.host != "client" || first.user != "loader" || first.address != "192.0.2.1" {
		l.t.Errorf("the first start is %+v", first)
	}

	if age := time.Since(second.started); age < -time.Minute || age > time.Minute || second.ended == nil || second.ended.Before(second.started) {
		l.t.Errorf("the second start began at %v and ended at %v", second.started, second.ended)
	}
	if role := queryOne[string](l.t, l.pool, "select session_user::text"); second.role != role {
		l.t.Errorf("the second start has the role %q, want %q", second.role, role)
	}
	if address := queryOne[string](l.t, l.pool, "select coalesce(host(inet_client_addr()), '')"); second.address != address {
		l.t.Errorf("the second start came from %q, want %q", second.address, address)
	}
	if second.troubles[0]["sqlstate"] != pgerrcode.AdminShutdown {
		l.t.Errorf("the troubles of the second start are %v", second.troubles)
	}
	second.started, second.ended, second.role, second.address, second.troubles = time.Time{}, nil, "", "", nil
	want := oldStart{run: 1, no: 2, outcome: "failed", host: "client", version: "v1", rows: 32, seconds: 1.5,
		stages: map[string]float64{"load": 0.5, "plan": 1}, retries: 3, state: pgerrcode.DivisionByZero, cause: "division by zero"}
	if !reflect.DeepEqual(second, want) {
		l.t.Errorf("the second start is\n%+v, want\n%+v", second, want)
	}
}

// checkRun checks the number of starts in what the older program reads about a run.
func (l oldLedger) checkRun() {
	l.t.Helper()
	list := l.rows("run", int64(1))
	if len(list) != 1 || list[0]["starts"] != int32(2) || list[0]["n"] != int64(2) || list[0]["state"] != "loading" {
		l.t.Errorf("the run is %v", list)
	}
}

func (l oldLedger) checkDashboards() {
	l.t.Helper()
	list := l.rows("documented last success")
	if len(list) != 1 || list[0]["job"] != "public.grid" || list[0]["last_success"] != nil || list[0]["last_error"] != "division by zero" {
		l.t.Errorf("the last success is %v", list)
	}
	// The first start is as old as the dump.
	list = l.rows("documented nights")
	if len(list) == 0 {
		l.t.Fatal("there are no nights")
	}
	last := list[len(list)-1]
	if got := fmt.Sprintln(last["outcome"], last["rows"], last["retries"], last["sqlstate"]); got != "failed 32 3 22012\n" {
		l.t.Errorf("the nights are %v", list)
	}
}

// prune removes the run once it is dropped, and its starts with it.
func (l oldLedger) prune() {
	l.t.Helper()
	mustCLI(l.t, l.dsn, "runs", "drop", "1")
	l.do("prune", 0.0, "public", "grid")
	if list := l.history(); len(list) != 0 {
		l.t.Errorf("the starts of a removed run remain: %+v", list)
	}
}
