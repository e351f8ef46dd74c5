package localpg

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// The name of a throwaway server's superuser and of its database.
const databaseName = "loadgrid"

// How long a server may take to answer, and to stop before the next, harsher signal.
const (
	startTimeout = 60 * time.Second
	stopTimeout  = 10 * time.Second
)

// errPortTaken reports that another process took the TCP port in the meantime.
var errPortTaken = errors.New("the port was taken by another process")

// Options say how to start a throwaway server. The zero value is a server that answers only on a
// Unix socket.
type Options struct {
	// TCP makes the server also listen on a free port of 127.0.0.1, with a random password. DSN
	// then names that address. Defaults to false.
	TCP bool
	// Settings are settings of postgresql.conf by name. They override the settings that switch
	// durability off (fsync = off), but not the server's addresses. Defaults to none.
	Settings map[string]string
	// Log gets the output of initdb and, after the server has stopped, the server's log. Defaults
	// to nowhere.
	Log io.Writer
}

// Server is a running throwaway server. The caller of Start must call Stop.
type Server struct {
	inst     Installation
	opts     Options
	account  account
	dir      string
	port     int
	password string

	process *exec.Cmd
	exited  chan struct{} // closed when the process is gone

	stop    sync.Once
	stopErr error
}

// Start starts a server with the database loadgrid, in which PostGIS is ready to use. It takes a
// second or two. If it fails, or ctx ends meanwhile, nothing is left. The server outlives ctx.
//
// Anyone who may enter the server's directory (only the server's user and root) can connect through
// the socket as any role. Anyone who knows the password can connect through TCP.
func Start(ctx context.Context, inst Installation, opts Options) (*Server, error) {
	if opts.Log == nil {
		opts.Log = io.Discard
	}

	account, err := serverAccount()
	if err != nil {
		return nil, err
	}

	s := &Server{inst: inst, opts: opts, account: account, port: 5432}
	if s.dir, err = account.makeDir(); err != nil {
		return nil, err
	}

	if err := s.bringUp(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}

	return s, nil
}

func (s *Server) bringUp(ctx context.Context) error {
	if s.opts.TCP {
		s.password = rand.Text()
	}

	if err := s.initialise(ctx); err != nil {
		return err
	}

	var err error

	for range 5 {
		if err = s.launch(ctx); !errors.Is(err, errPortTaken) {
			break
		}
	}

	if err != nil {
		return err
	}

	return s.createDatabase(ctx)
}

// launch starts the server process and waits until it answers.
func (s *Server) launch(ctx context.Context) error {
	if err := s.configure(); err != nil {
		return err
	}

	log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the server's log: %w", err)
	}
	defer log.Close()

	// Not bound to ctx, which would kill the server instead of letting Stop shut it down.
	cmd := s.account.command(context.WithoutCancel(ctx), s.dir,
		filepath.Join(s.inst.BinDir, "postgres"), "-D", s.dataDir())

	// A file instead of a pipe: the server must be able to write when loadgrid is gone.
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s as %s: %w", cmd.Path, s.account.name, err)
	}

	s.process, s.exited = cmd, make(chan struct{})
	go func(exited chan struct{}) {
		_ = cmd.Wait() // the log shows how it ended
		close(exited)
	}(s.exited)

	return s.waitUntilReady(ctx)
}

func (s *Server) waitUntilReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout,
		fmt.Errorf("no answer within %v", startTimeout))
	defer cancel()

	for {
		conn, err := pgx.Connect(ctx, s.dsn("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}

		select {
		case <-s.exited:
			if s.opts.TCP && strings.Contains(s.logTail(), "could not bind") {
				return errPortTaken
			}

			return fmt.Errorf("PostgreSQL %s ended while it started in %s; its log:\n%s", s.inst.Version, s.dir, s.logTail())

		case <-ctx.Done():
			return fmt.Errorf("wait for PostgreSQL %s in %s: %w (last try: %w); its log:\n%s",
				s.inst.Version, s.dir, context.Cause(ctx), err, s.logTail())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// createDatabase creates the database with PostGIS.
func (s *Server) createDatabase(ctx context.Context) error {
	steps := []struct{ database, statement string }{
		{"postgres", "create database " + databaseName},
		{databaseName, "create extension postgis"},
	}
	for _, step := range steps {
		if err := execute(ctx, s.dsn(step.database), step.statement); err != nil {
			return fmt.Errorf("%s on the throwaway server: %w; its log:\n%s", step.statement, err, s.logTail())
		}
	}

	return nil
}

// execute runs one statement on its own connection.
func execute(ctx context.Context, dsn, statement string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}

	_, err = conn.Exec(ctx, statement)

	return errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
}

// DSN returns the URL of the database, for pgx and psql. With TCP it has the password: keep it out
// of logs.
func (s *Server) DSN() string { return s.dsn(databaseName) }

func (s *Server) dsn(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(databaseName), Path: "/" + database}
	query := url.Values{"sslmode": {"disable"}}
	if s.opts.TCP {
		u.User = url.UserPassword(databaseName, s.password)
		u.Host = "127.0.0.1:" + strconv.Itoa(s.port)
	} else {
		query.Set("host", s.dir)
		query.Set("port", strconv.Itoa(s.port))
	}

	// libpq and pgx read %20 as a space here, but + as a plus.
	u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")

	return u.String()
}

// Dir returns the server's directory: its data, its log and its socket.
func (s *Server) Dir() string { return s.dir }

// StopCommand returns a shell command that does what Stop does, for a server that stays up when
// loadgrid ends.
func (s *Server) StopCommand() string {
	return fmt.Sprintf("kill -INT %d; while kill -0 %[1]d 2>/dev/null; do sleep 0.1; done; rm -rf '%s'",
		s.process.Process.Pid, strings.ReplaceAll(s.dir, "'", `'\''`))
}

// Stop shuts the server down, waits for its end and removes its directory. Open transactions are
// rolled back. Later calls return the same result.
func (s *Server) Stop() error {
	s.stop.Do(func() { s.stopErr = s.tearDown() })
	return s.stopErr
}

func (s *Server) tearDown() error {
	var err error
	if s.process != nil {
		err = s.endProcess()
		if log, openErr := os.Open(s.logFile()); openErr == nil {
			_, _ = io.Copy(s.opts.Log, log) // continue even if the log cannot be shown
			log.Close()
		}
	}

	if removeErr := os.RemoveAll(s.dir); removeErr != nil {
		err = errors.Join(err, fmt.Errorf("remove the throwaway server's directory: %w", removeErr))
	}

	return err
}

// endProcess requests a fast shutdown, which ends connections, then an immediate one, and finally
// kills the process.
func (s *Server) endProcess() error {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		// An error means that the process is gone, and then exited is closed.
		_ = s.process.Process.Signal(signal)
		select {
		case <-s.exited:
			return nil
		case <-time.After(stopTimeout):
		}
	}

	return fmt.Errorf("the throwaway server in %s (process %d) does not stop", s.dir, s.process.Process.Pid)
}
