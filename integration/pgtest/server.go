package pgtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// How long a server may take to start and answer, and to stop.
const (
	startTimeout = 2 * time.Minute
	stopTimeout  = 30 * time.Second
)

// A source provides servers: a container engine, or the programs of an installed PostgreSQL.
type source interface {
	// start starts a server that keeps its address, and waits until it answers. If the process ends without
	// removing it, the reaper does so. After an error, nothing is left.
	start(ctx context.Context, r *reaper, o serverOptions) (instance, error)
}

type serverOptions struct {
	settings map[string]string // of postgresql.conf
	files    string            // directory that the server sees under the same path; "" for none
	volume   int               // megabytes of the volume at VolumePath; 0 for none
}

// An instance is one server, running or not.
type instance interface {
	dsn() string
	running(context.Context) bool // its process, which may not answer yet
	stop(context.Context) error   // fast shutdown: sessions end, and the data is flushed
	start(context.Context) error  // returns when the process runs; it may not answer yet
	kill(context.Context) error   // SIGKILL to all processes at once
	pause(context.Context) error  // stops all processes; the kernel keeps connections open
	resume(context.Context) error // ends pause
	log(context.Context) string   // the end of what the server logged
	// peer returns the address at which other servers reach this one.
	peer(context.Context) (host string, port int, err error)
	// dump returns what pg_dump writes for the database with this URL.
	dump(ctx context.Context, dsn string, args []string) (string, error)
	remove(context.Context) error // stops it, whether running, paused or stopped, and removes all of it
}

// Server is a PostGIS server that belongs to one test, which may damage it. Its methods report failures to the
// test as errors, so any goroutine may call them. They return when they are done.
type Server struct {
	t        testing.TB
	m        instance
	template template
}

// NewServer starts a server for this test only, with settings of postgresql.conf by name, and waits until it
// answers. Unlike the shared server, it forces commits to disk (fsync = on), unless the settings change that. It
// is removed when the test ends.
func NewServer(t testing.TB, settings map[string]string) *Server {
	t.Helper()
	return newServer(t, serverOptions{settings: settings})
}

// NewServerWithFiles is NewServer for a server that can read the files in a directory of this machine. If the
// container engine is on another machine, the server sees an empty directory.
func NewServerWithFiles(t testing.TB, dir string) *Server {
	t.Helper()
	return newServer(t, serverOptions{files: dir})
}

// VolumePath is the path of the small volume of NewServerWithVolume.
const VolumePath = "/small"

// NewServerWithVolume is NewServer with a volume of the given megabytes at VolumePath, to which the server's own
// user can write: a disk that a test can fill without affecting anybody else. Only a container can have one.
// Elsewhere, the test is skipped, and a line on stderr says so.
func NewServerWithVolume(t testing.TB, megabytes int, settings map[string]string) *Server {
	t.Helper()
	return newServer(t, serverOptions{settings: settings, volume: megabytes})
}

func newServer(t testing.TB, o serverOptions) *Server {
	t.Helper()
	all := map[string]string{"fsync": "on", "full_page_writes": "on"}
	maps.Copy(all, o.settings)
	o.settings = all
	m, err := tests.start(t.Context(), o)
	if errors.Is(err, errNoVolume) {
		fmt.Fprintf(os.Stderr, "pgtest: %s is skipped: %v\n", t.Name(), err)
		t.Skip(err)
	}
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}

	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if t.Failed() {
			t.Logf("the server's log:\n%s", m.log(ctx))
		}
		if err := m.remove(ctx); err != nil {
			t.Errorf("pgtest: remove the server: %v", err)
		}
	})

	// Before PostgreSQL 15, anybody may create in public, and a ledger there is refused.
	execute(t, m.dsn(), "revoke create on schema public from public")

	return &Server{t: t, m: m}
}

// DSN returns the URL of the server's database, which has PostGIS, with its superuser. It stays the same when the
// server is restarted.
func (s *Server) DSN() string { return s.m.dsn() }

// Peer returns the address at which other servers of the tests, such as the shared one, reach this one.
func (s *Server) Peer() (host string, port int) {
	s.t.Helper()
	host, port, err := s.m.peer(s.t.Context())
	if err != nil {
		s.t.Fatalf("pgtest: look up the address of a server: %v", err)
	}
	return host, port
}

// Database makes a database that contains only PostGIS, and returns its URL, with the superuser. When t ends,
// which may be a subtest of the server's test, it is dropped, and its open connections are closed.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	return s.template.database(t, s.DSN())
}

// Stop shuts the server down: it ends sessions (SQLSTATE 57P01), then flushes the data.
func (s *Server) Stop() { s.t.Helper(); s.do("stop", s.m.stop) }

// Kill ends all of the server's processes at once (SIGKILL), as a crash does.
func (s *Server) Kill() { s.t.Helper(); s.do("kill", s.m.kill) }

// Start starts a stopped or killed server again and waits until it answers.
func (s *Server) Start() {
	s.t.Helper()
	s.do("start", func(ctx context.Context) error {
		if err := s.m.start(ctx); err != nil {
			return err
		}
		return waitUntilReady(ctx, s.m.dsn())
	})
}

// startGrace is how long a starting server may seem not to run.
const startGrace = 3 * time.Second

// StartOnceMore is Start for a server that was killed with unlogged tables. The first start may fail if a
// transaction had created an unlogged table, or an index of one, and was rolled back shortly before: that is
// PostgreSQL's bug 17731. The second start succeeds.
func (s *Server) StartOnceMore() {
	s.t.Helper()
	s.do("start", func(ctx context.Context) error {
		if err := s.m.start(ctx); err != nil {
			return err
		}

		for seen := time.Now(); time.Since(seen) < startGrace; {
			if ping(ctx, s.m.dsn()) == nil {
				return nil
			}
			if s.m.running(ctx) {
				seen = time.Now()
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}

			time.Sleep(50 * time.Millisecond)
		}

		s.t.Log("the server ended while it started, and is started once more")
		if err := s.m.start(ctx); err != nil {
			return err
		}
		return waitUntilReady(ctx, s.m.dsn())
	})
}

// Answers reports whether the server answers a query now.
func (s *Server) Answers() bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), startTimeout)
	defer cancel()
	return ping(ctx, s.m.dsn()) == nil
}

// Pause stops the server's processes: connections stay open, and nothing answers.
func (s *Server) Pause() { s.t.Helper(); s.do("pause", s.m.pause) }

// Resume ends a Pause.
func (s *Server) Resume() { s.t.Helper(); s.do("resume", s.m.resume) }

func (s *Server) do(what string, action func(context.Context) error) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), startTimeout)
	defer cancel()
	if err := action(ctx); err != nil {
		s.t.Errorf("pgtest: %s the server: %v", what, err)
	}
}

// waitUntilReady waits until the database answers a query.
func waitUntilReady(ctx context.Context, dsn string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		err := ping(ctx, dsn)
		if err == nil {
			return nil
		}

		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until the server answers: %w (last try: %w)", context.Cause(ctx), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func ping(ctx context.Context, dsn string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "select 1")
	return err
}
