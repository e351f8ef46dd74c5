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

// A source is a place where servers come from: a container engine, or the
// programs of an installed PostgreSQL.
type source interface {
	// start starts a server that stays at one address and waits until it answers.
	// The reaper removes it when the process ends without doing so. After an
	// error nothing is left.
	start(ctx context.Context, r *reaper, o serverOptions) (instance, error)
}

type serverOptions struct {
	settings map[string]string // of postgresql.conf
	files    string            // a directory that the server sees under the same path; "" for none
	volume   int               // megabytes of the volume at VolumePath; 0 for none
}

// An instance is one server, running or not.
type instance interface {
	dsn() string
	running(context.Context) bool // its process, which may not answer yet
	stop(context.Context) error   // fast shutdown: sessions end, the data is flushed
	start(context.Context) error  // returns when the process runs; it may not answer yet
	kill(context.Context) error   // SIGKILL to all processes at once
	pause(context.Context) error  // processes stand still; the kernel holds connections open
	resume(context.Context) error // the end of pause
	log(context.Context) string   // what the server wrote, the end of it
	// peer returns the address at which other servers reach this one.
	peer(context.Context) (host string, port int, err error)
	// dump returns what pg_dump writes of the database with this URL.
	dump(ctx context.Context, dsn string, args []string) (string, error)
	remove(context.Context) error // stops it, running, paused or stopped, and removes all of it
}

// Server is a PostGIS server that belongs to one test, which may treat it badly.
// Its methods report their failure to the test as an error, so that they may be
// called from any goroutine, and return when they are done.
type Server struct {
	t        testing.TB
	m        instance
	template template
}

// NewServer starts a server for this test alone, with settings of postgresql.conf
// by name, and waits until it answers. Unlike the shared one it forces commits to
// the disk (fsync = on), unless the settings say otherwise. It is removed when
// the test ends.
func NewServer(t testing.TB, settings map[string]string) *Server {
	t.Helper()
	return newServer(t, serverOptions{settings: settings})
}

// NewServerWithFiles starts a server as NewServer does, that can read the files
// in a directory of this machine. Where the container engine is on another
// machine, the server sees an empty directory.
func NewServerWithFiles(t testing.TB, dir string) *Server {
	t.Helper()
	return newServer(t, serverOptions{files: dir})
}

// VolumePath is where a server of NewServerWithVolume has its small volume.
const VolumePath = "/small"

// NewServerWithVolume starts a server as NewServer does, that has a volume of so
// many megabytes at VolumePath, in which its own user may write: a disk that a
// test can fill without filling anybody else's. Only a container can have one; a
// test that asks for it elsewhere is skipped, and says so on stderr, too.
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

	// Before PostgreSQL 15 anybody may create in public, and a ledger there is refused.
	execute(t, m.dsn(), "revoke create on schema public from public")

	return &Server{t: t, m: m}
}

// DSN returns the URL of the server's database, which has PostGIS, with its
// superuser. It stays the same when the server is started again.
func (s *Server) DSN() string { return s.m.dsn() }

// Peer returns the address at which other servers of the tests reach this one, such as the
// shared one.
func (s *Server) Peer() (host string, port int) {
	s.t.Helper()
	host, port, err := s.m.peer(s.t.Context())
	if err != nil {
		s.t.Fatalf("pgtest: look up the address of a server: %v", err)
	}
	return host, port
}

// Database makes a database with PostGIS, and nothing else in it, and returns its
// URL, with the superuser. It is dropped when t ends, which may be a part of the
// server's own test; connections that are open then are closed.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	return s.template.database(t, s.DSN())
}

// Stop shuts the server down: sessions are ended (SQLSTATE 57P01), then the data
// is flushed.
func (s *Server) Stop() { s.t.Helper(); s.do("stop", s.m.stop) }

// Kill takes all of the server's processes away at once (SIGKILL), as a crash does.
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

// startGrace is how long a server that starts may look as if it did not run.
const startGrace = 3 * time.Second

// StartOnceMore is Start for a server that was killed with unlogged tables. Its first start
// may fail where a transaction had made one, or an index of one, and was rolled back a moment
// before: that is PostgreSQL's bug 17731. The second one succeeds.
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

// Answers tells whether the server answers a query now.
func (s *Server) Answers() bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), startTimeout)
	defer cancel()
	return ping(ctx, s.m.dsn()) == nil
}

// Pause makes the server stand still: connections stay open and nothing answers.
func (s *Server) Pause() { s.t.Helper(); s.do("pause", s.m.pause) }

// Resume ends what Pause began.
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
