package integration

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

// One plan may be run any number of times, also concurrently, and also if one run resumes chunks that the
// plan does not have.
func TestOnePlanForSeveralRuns(t *testing.T) {
	s := newSandbox(t)
	pool := openPool(t, s.dsn, nil)
	s.stopAfterChunk(pool, 7)

	job := s.smallJob(0)
	job.IfExists = loader.Replace

	plan, err := loader.NewPlan(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	chunks, method, streams := plan.Chunks, plan.Method, plan.Streams

	const runs = 3
	results := make(chan error, runs)
	var resumed atomic.Int64

	for range runs {
		go func() {
			sum, err := loader.RunPlan(context.Background(), pool, plan, loader.Options{Wait: time.Minute})
			resumed.Add(sum.ChunksResumed)
			results <- err
		}()
	}

	for range runs {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}

	if resumed.Load() < 7 {
		t.Errorf("%d chunks were resumed, so this proves nothing", resumed.Load())
	}

	if plan.Chunks != chunks || plan.Method != method || plan.Streams != streams {
		t.Errorf("the plan had %d chunks, %s, %d streams, and has %d, %s, %d", chunks, method, streams, plan.Chunks, plan.Method, plan.Streams)
	}

	s.checkBoxes("grid", smallCols, smallRows)
}

// stopAfterChunk leaves an unfinished run of the sandbox's small job with at least this many chunks.
func (s sandbox) stopAfterChunk(pool *pgxpool.Pool, chunks int) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	b := s.pauseAtChunk(chunks)

	go func() {
		defer cancel()
		b.waitUntilReached()
		s.waitForChunks(chunks)
	}()

	job := s.smallJob(200)
	job.IfExists = loader.Replace

	if _, err := loader.Run(ctx, pool, job, loader.Options{}); !errors.As(err, new(*loader.ResumableError)) {
		s.t.Fatalf("got %v, want a ResumableError", err)
	}

	b.resume()
}

// A pool that is too small for a run is refused before it connects, so that no SQL of the user runs. This
// also holds if the number of streams is known only after a query.
func TestPoolWithoutRoom(t *testing.T) {
	s := newSandbox(t)

	for name, change := range map[string]func(*loader.Job){
		"streams left open": func(*loader.Job) {},
		"many streams":      func(j *loader.Job) { j.Streams = 5 },
		"few partitions":    func(j *loader.Job) { j.Streams, j.Partitions = 5, 2 },
		"an area query": func(j *loader.Job) {
			j.Cols, j.Rows, j.Streams = 0, 0, 4
			j.Area = &loader.Area{SQL: "select st_makeenvelope(0, 0, 3, 3)"}
		},
	} {
		job := s.smallJob(0)
		job.Before = "create table " + s.name("before") + " ()"
		change(&job)

		need := loader.PoolSize(max(job.Streams, 2))
		if job.Partitions > 0 {
			need = loader.PoolSize(job.Partitions)
		}
		var connections atomic.Int64
		count := func(room int) func(*pgxpool.Config) {
			return func(c *pgxpool.Config) {
				c.MaxConns = int32(room)
				c.BeforeConnect = func(context.Context, *pgx.ConnConfig) error {
					connections.Add(1)
					return nil
				}
			}
		}

		_, err := loader.Run(t.Context(), openPool(t, s.dsn, count(need-1)), job, loader.Options{})
		var small *loader.PoolSizeError
		if !errors.As(err, &small) || small.Have != need-1 || small.Need != need {
			t.Errorf("%s: got %v, want a pool of %d", name, err, need)
		}

		if n := connections.Load(); n != 0 {
			t.Errorf("%s: it connected %d times", name, n)
		}

		// A pool of the size that the error names is large enough.
		if _, err := loader.Run(t.Context(), openPool(t, s.dsn, count(need)), job, loader.Options{}); err != nil {
			t.Errorf("%s, room for %d: %v", name, need, err)
		}

		s.exec("drop table " + s.name("before") + ", " + s.name("grid"))
	}
}

// limitsOfARole are limits that an administrator may set for a role, against stray sessions.
const limitsOfARole = `
	select format('alter role %I set %s to %L', $1::text, name, value)
	from (values ('statement_timeout', '400ms'), ('lock_timeout', '1ms'), ('idle_in_transaction_session_timeout', '400ms'),
	             ('transaction_timeout', '400ms'), ('idle_session_timeout', '900ms'),
	             ('default_transaction_read_only', 'on'), ('default_transaction_isolation', 'serializable')) v (name, value)
	join pg_settings using (name)`

// recordSettings records these settings in each session that makes something, and takes longer than the
// role's statement_timeout.
const recordSettings = `
	insert into public.settings_seen select pg_backend_pid(), name, setting from pg_settings
	where name ~ '^(statement|lock|transaction|idle_in_transaction_session|idle_session)_timeout$' or name ~ '^default_transaction_(read_only|isolation)$';
	if tg_tag in ('CREATE INDEX', 'CREATE TABLE') and current_query() not like '%schema_migrations%' then perform pg_sleep(0.5); end if;`

// A caller's pool for a role with limits works: no session of a run has limits, and the caller's sessions
// keep theirs.
func TestRoleWithLimits(t *testing.T) {
	s := newDatabaseSandbox(t)
	dsn, role := s.newLoadRole(newPassword())
	s.exec("create table public.settings_seen (pid integer, name text, setting text); grant insert on public.settings_seen to public")

	b := s.newPausepoint()
	b.resume()
	b.onDDL(recordSettings)

	rows, err := s.pool.Query(t.Context(), limitsOfARole, role)
	if err != nil {
		t.Fatal(err)
	}

	alter, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	s.exec(strings.Join(alter, "; "))

	pool := openPool(t, dsn, func(c *pgxpool.Config) {
		c.AfterRelease = func(conn *pgx.Conn) bool { // a habit of some callers
			_, err := conn.Exec(context.Background(), "reset all")
			return err == nil
		}
	})

	// Hold the lock for longer than the role's sessions may be idle.
	job := s.smallJob(1000)
	job.Cols, job.Rows = 0, 0
	job.Area = &loader.Area{Rule: geomgen.Centroid, SQL: fmt.Sprintf("select st_makeenvelope(0, 0, %d, %d) from pg_sleep(1.3)", smallCols, smallRows)}
	job.Before, job.After = "select pg_sleep(1.3)", "select pg_sleep(1.3)"
	job.Streams = 2

	if _, err := loader.Run(t.Context(), pool, job, loader.Options{}); err != nil {
		t.Fatal(err)
	}

	if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("grid")); n != smallCols*smallRows {
		t.Errorf("%d rows, want %d", n, smallCols*smallRows)
	}

	// Publish has its own lock_timeout.
	wrong := queryOne[string](t, s.pool, `select coalesce(string_agg(distinct name || ' ' || setting, ', '), '') from public.settings_seen
		where (name, setting) <> ('lock_timeout', '2000')
		  and setting <> case name when 'default_transaction_isolation' then 'read committed' when 'default_transaction_read_only' then 'off' else '0' end`)
	if wrong != "" {
		t.Errorf("sessions of the run had %s", wrong)
	}

	if n := queryOne[int64](t, s.pool, "select count(distinct pid) from public.settings_seen"); n < 3 { // migration, lock, builders
		t.Errorf("only %d sessions were checked", n)
	}

	var timeout, readOnly string
	if err := pool.QueryRow(t.Context(), "select current_setting('statement_timeout'), current_setting('default_transaction_read_only')").Scan(&timeout, &readOnly); err != nil {
		t.Fatal(err)
	}

	if timeout != "400ms" || readOnly != "on" {
		t.Errorf("the caller's sessions now have a statement_timeout of %s and read-only %s", timeout, readOnly)
	}
}

// A limit shorter than the preparation of a session does not apply to the preparation.
func TestRoleWithAShortLimit(t *testing.T) {
	s := newSandbox(t)
	dsn, role := s.newLoadRole(newPassword())
	s.exec("alter role " + role + " set statement_timeout to '1ms'")

	pool := openPool(t, dsn, func(c *pgxpool.Config) {
		c.AfterRelease = func(conn *pgx.Conn) bool {
			_, err := conn.Exec(context.Background(), "reset all")
			return err == nil
		}
	})

	if _, err := loader.Run(t.Context(), pool, s.smallJob(1000), loader.Options{}); err != nil {
		t.Error(err)
	}
}

// A pool of one connection suffices for the ledger, however the pool was made.
func TestLedgerOnOneConnection(t *testing.T) {
	s := newSandbox(t)
	s.stopAfterChunk(openPool(t, s.dsn, nil), 7)

	config, err := loader.ParseConfig(s.dsn, 1)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 1

	pool, err := loader.OpenConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer loader.Close(pool)

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	if err := loader.NewLedger(pool, s.schema).Drop(ctx, 1, nil); err != nil {
		t.Error(err)
	}
}

// newLoadRole makes a role that may load into the sandbox.
func (s sandbox) newLoadRole(password string) (dsn, role string) {
	s.t.Helper()
	role = s.newRole(password)
	s.exec("grant usage, create on schema " + pgx.Identifier{s.schema}.Sanitize() + " to " + role)

	return s.dsnOf(role, password), role
}

// BeforeConnect gives each connection of a run its password, as cloud services require: connections of
// the pool, of hook and area, and of the migration.
func TestPasswordOfEachConnection(t *testing.T) {
	s := newSandbox(t)
	password := newPassword()
	dsn, role := s.newLoadRole(password)
	dsn = changeDSN(t, dsn, func(u *url.URL, _ url.Values) { u.User = url.UserPassword(role, canary+"stale") })

	var denied *pgconn.PgError
	if err := openPool(t, dsn, nil).Ping(t.Context()); !errors.As(err, &denied) || denied.Code != pgerrcode.InvalidPassword {
		t.Fatalf("got %v with a wrong password, so this test proves nothing", err)
	}

	job := s.smallJob(1000)
	job.Cols, job.Rows, job.Streams, job.IfExists = 0, 0, 2, loader.Replace
	job.Area = &loader.Area{Rule: geomgen.Centroid, SQL: fmt.Sprintf("select st_makeenvelope(0, 0, %d, %d)", smallCols, smallRows)}
	job.Before = "select 1"

	for name, open := range map[string]func(func(context.Context, *pgx.ConnConfig) error) *pgxpool.Pool{
		"a pool of pgxpool's": func(before func(context.Context, *pgx.ConnConfig) error) *pgxpool.Pool {
			return openPool(t, dsn, func(c *pgxpool.Config) { c.BeforeConnect = before })
		},
		"a pool of OpenConfig's": func(before func(context.Context, *pgx.ConnConfig) error) *pgxpool.Pool {
			config, err := loader.ParseConfig(dsn, job.Streams)
			if err != nil {
				t.Fatal(err)
			}

			config.BeforeConnect = before
			pool, err := loader.OpenConfig(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(pool.Close)

			return pool
		},
	} {
		var asked atomic.Int64
		pool := open(func(_ context.Context, c *pgx.ConnConfig) error {
			asked.Add(1)
			c.Password = password
			return nil
		})

		ledger := loader.NewLedger(pool, s.schema)
		if err := ledger.MigrateDown(t.Context()); err != nil {
			t.Errorf("%s, migrate down: %v", name, err)
		}

		if _, err := loader.Run(t.Context(), pool, job, loader.Options{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}

		if v, dirty, err := ledger.Version(t.Context()); err != nil || dirty || v == 0 {
			t.Errorf("%s: the ledger has version %d, dirty %v, %v", name, v, dirty, err)
		}

		if asked.Load() < 4 { // pool, hook, area, migration
			t.Errorf("%s: %d connections requested their password", name, asked.Load())
		}
	}

	s.checkBoxes("grid", smallCols, smallRows)
}

// A password in the configuration takes precedence over the connection string.
func TestPasswordInTheConfiguration(t *testing.T) {
	s := newSandbox(t)
	password := newPassword()
	dsn, role := s.newLoadRole(password)
	dsn = changeDSN(t, dsn, func(u *url.URL, _ url.Values) {
		u.User = url.User(role)
		u.Host = "127.0.0.1:1," + u.Host // a host that does not answer, then its fallback
	})

	config, err := loader.ParseConfig(dsn, 0)
	if err != nil {
		t.Fatal(err)
	}

	config.ConnConfig.Password = password
	pool, err := loader.OpenConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer loader.Close(pool)

	if got := queryOne[string](t, pool, "select session_user"); got != role {
		t.Errorf("connected as %s", got)
	}
}

// stageLog calls a function when a stage is done, and another when the lock of the table is lost.
type stageLog struct {
	slog.Handler
	stage string
	done  func()
	lost  func()
}

func (h stageLog) Enabled(context.Context, slog.Level) bool { return true }

func (h stageLog) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if r.Message == "stage is done" && a.Key == "stage" && a.Value.String() == h.stage {
			h.done()
		}
		return true
	})

	if strings.Contains(r.Message, "the table's lock is gone") {
		h.lost()
	}

	return nil
}

// A run that is stopped while it tries to get its lock back does not claim that another run has the
// table, although one may have it. The ledger has a note of the stop.
func TestStoppedWhileTheLockIsAskedFor(t *testing.T) {
	s := newSandbox(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	thief := s.connect()

	steal := func() {
		key := queryOne[int64](t, s.pool, `select (classid::bigint << 32 | objid::bigint) from pg_locks join pg_stat_activity using (pid)
			where locktype = 'advisory' and granted and objsubid = 1 and application_name = $1`, s.application())
		s.exec(`select pg_terminate_backend(pid) from pg_locks join pg_stat_activity using (pid)
			where locktype = 'advisory' and objsubid = 1 and application_name = $1`, s.application())
		if _, err := thief.Exec(t.Context(), "select pg_advisory_lock($1)", key); err != nil {
			t.Error(err)
		}
	}

	stop := func() {
		go func() {
			s.waitFor("the run to learn that another has the lock", `select exists (select from pg_stat_activity
				where application_name = $1 and state = 'idle' and query like '%pg_locks l left join pg_stat_activity%')`, s.application())
			cancel(enough)
		}()
	}

	log := slog.New(stageLog{Handler: slog.DiscardHandler, stage: string(loader.StageAnalyze), done: steal, lost: stop})

	_, err := loader.Run(ctx, openPool(t, s.dsn, nil), s.smallJob(1000), loader.Options{Log: log})
	if errors.As(err, new(*loader.LockedError)) || !errors.Is(err, enough) || !errors.As(err, new(*loader.ResumableError)) {
		t.Errorf("got %v, want a ResumableError of what stopped it", err)
	}

	runs, err := loader.NewLedger(s.pool, s.schema).Runs(t.Context(), loader.RunFilter{})
	if err != nil || len(runs) != 1 {
		t.Fatalf("%d runs, %v", len(runs), err)
	}

	if a := runs[0].LastAttempt(); a.Outcome != loader.OutcomeStopped || a.Error != enough.Error() || a.EndedAt == nil {
		t.Errorf("the ledger has %+v", a)
	}
}

// If a run is stopped while it waits for another run, its error names what it waited for. The ledger has
// no note of it on the active run.
func TestStoppedWhileAnotherRunIsWaitedFor(t *testing.T) {
	s := newSandbox(t)
	b := s.pauseAtChunk(1)
	other := start(t, s.dsn, s.load("grid", smallGrid()...)...)
	b.waitUntilReached()

	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	log := slog.New(waitLog{slog.DiscardHandler, func() { cancel(enough) }})

	_, err := loader.Run(ctx, openPool(t, s.dsn, nil), s.smallJob(0), loader.Options{Wait: time.Hour, Log: log})
	if errors.As(err, new(*loader.LockedError)) || !errors.Is(err, enough) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want what stopped it", err)
	}

	runs, err := loader.NewLedger(s.pool, s.schema).Runs(t.Context(), loader.RunFilter{})
	if err != nil || len(runs) != 1 || len(runs[0].History) != 1 || runs[0].History[0].EndedAt != nil || runs[0].LastError != "" {
		t.Errorf("the ledger has %+v, %v", runs, err)
	}

	b.resume()
	other.wait().expect(t, 0)
}

// waitLog calls a function when a run waits for another one.
type waitLog struct {
	slog.Handler
	waits func()
}

func (h waitLog) Enabled(context.Context, slog.Level) bool { return true }

func (h waitLog) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "waiting for another run" {
		h.waits()
	}
	return nil
}

// A ledger that cannot be made is an error, whether golang-migrate is refused at its first statements or
// stopped there.
func TestMigrationThatFails(t *testing.T) {
	s := newSandbox(t)
	password := newPassword()
	role := s.newRole(password)
	s.exec("grant usage on schema " + pgx.Identifier{s.schema}.Sanitize() + " to " + role)

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	pool := openPool(t, s.dsnOf(role, password), nil)
	if err := loader.NewLedger(pool, s.schema).MigrateUp(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("without a privilege: got %v", err)
	}
	pool.Close()

	for _, statement := range []string{"set search_path to", "CURRENT_DATABASE()", "pg_advisory_lock", "CREATE TABLE IF NOT EXISTS"} {
		enough := errors.New("enough")
		stopped, stop := context.WithCancelCause(ctx)
		pool := openPool(t, s.dsn, func(c *pgxpool.Config) { c.ConnConfig.Tracer = stopAt{statement, func() { stop(enough) }} })

		if err := loader.NewLedger(pool, s.schema).MigrateUp(stopped); !errors.Is(err, enough) {
			t.Errorf("stopped at %s: got %v", statement, err)
		}
		pool.Close()
	}

	s.waitFor("the connections to end", "select not exists (select from pg_stat_activity where application_name = $1)", s.application())
}

// stopAt calls a function at a statement that contains these words.
type stopAt struct {
	words string
	stop  func()
}

func (a stopAt) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if strings.Contains(data.SQL, a.words) {
		a.stop()
	}
	return ctx
}

func (a stopAt) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// Concurrent runs on one pool with room for only one of them do not wait for each other's connections.
func TestRunsAtOnceOnOnePool(t *testing.T) {
	s := newSandbox(t)
	pool, err := loader.Open(t.Context(), s.dsn, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer loader.Close(pool)

	const runs = 3
	results := make(chan error, runs)
	for i := range runs {
		job := s.smallJob(0)
		job.Table.Name, job.Partitions, job.Streams = fmt.Sprint("at_once_", i), 4, 2
		go func() {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()

			_, err := loader.Run(ctx, pool, job, loader.Options{})
			results <- err
		}()
	}

	for range runs {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

// The error of a stopped run contains the cause, wherever the run is stopped.
func TestStoppedRunsNameTheCause(t *testing.T) {
	s := newSandbox(t)
	cause := errors.New("the office closes")

	for name, place := range map[string]func(*loader.Job, string){
		"before": func(j *loader.Job, sleep string) { j.Before = "select " + sleep },
		"after":  func(j *loader.Job, sleep string) { j.After = "select " + sleep },
		"area": func(j *loader.Job, sleep string) {
			j.Cols, j.Rows = 0, 0
			j.Area = &loader.Area{SQL: "select st_makeenvelope(0, 0, 3, 3) from " + sleep}
		},
	} {
		job := s.smallJob(0)
		job.IfExists = loader.Replace
		sleep := fmt.Sprintf("pg_sleep(600) /* %s %s */", s.schema, name)
		place(&job, sleep)

		ctx, cancel := context.WithCancelCause(t.Context())
		go func() {
			for ctx.Err() == nil {
				if queryOne[bool](t, s.pool, "select exists (select from pg_stat_activity where strpos(query, $1) > 0 and wait_event = 'PgSleep')", sleep) {
					cancel(cause)
				}
			}
		}()

		if _, err := loader.Run(ctx, s.pool, job, loader.Options{}); !errors.Is(err, cause) {
			t.Errorf("%s: %v", name, err)
		}
		cancel(nil)
	}
}

// If the caller closes the pool too early, the error names the run to resume.
func TestPoolThatIsClosedMeanwhile(t *testing.T) {
	s := newSandbox(t)
	pool, err := loader.Open(t.Context(), s.dsn, 2)
	if err != nil {
		t.Fatal(err)
	}

	b := s.pauseAtChunk(3)
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		b.waitUntilReached()
		s.waitForChunks(3)
		closing := make(chan struct{})
		go func() {
			defer close(closing)
			pool.Close()
		}()

		// Closing continues when the run returns its connections.
		for pool.Ping(t.Context()) == nil {
		}
		b.resume()
		<-closing
	}()

	job := s.smallJob(200)
	job.Streams = 2
	_, err = loader.Run(t.Context(), pool, job, loader.Options{})
	<-closed

	var stopped *loader.ResumableError
	if !errors.As(err, &stopped) || stopped.Committed < 3 {
		t.Fatalf("got %v, want a ResumableError of at least 3 chunks", err)
	}

	again, err := loader.Run(t.Context(), s.pool, job, loader.Options{})
	if err != nil || again.Run != stopped.Run || again.ChunksResumed < 3 {
		t.Errorf("run %d resumed %d chunks, %v", again.Run, again.ChunksResumed, err)
	}
}
