package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/localpg"
)

// localSource starts throwaway servers of an installed PostgreSQL.
type localSource struct{ inst localpg.Installation }

// newLocalSource looks for an installed PostgreSQL with PostGIS.
func newLocalSource(why string) (source, error) {
	inst, err := localpg.Find()
	if err != nil {
		return nil, fmt.Errorf("%s, and there is no local server either: %w: scripts/install-postgis.sh installs one", why, err)
	}
	fmt.Fprintf(os.Stderr, "pgtest: %s: the tests run against a throwaway server of the installed PostgreSQL %s with PostGIS %s\n",
		why, inst.Version, inst.PostGIS)
	return localSource{inst}, nil
}

// localInstance is a throwaway server. localpg starts and removes it; only the tests stop and start it in
// between.
type localInstance struct {
	inst   localpg.Installation
	server *localpg.Server
}

// errNoVolume reports that a server cannot have a volume of its own.
var errNoVolume = errors.New("a server from installed packages cannot have a small volume to fill: a container can")

func (s localSource) start(ctx context.Context, r *reaper, o serverOptions) (instance, error) {
	if o.volume > 0 {
		return nil, errNoVolume
	}

	server, err := localpg.Start(ctx, s.inst, localpg.Options{TCP: true, Settings: o.settings})
	if err != nil {
		return nil, err
	}

	m := &localInstance{inst: s.inst, server: server}
	if err := r.addDirectory(server.Dir()); err != nil {
		return nil, errors.Join(err, server.Stop())
	}

	return m, nil
}

func (m *localInstance) dsn() string { return m.server.DSN() }

func (m *localInstance) peer(context.Context) (host string, port int, err error) {
	config, err := pgx.ParseConfig(m.dsn())
	if err != nil {
		return "", 0, err
	}
	return config.Host, int(config.Port), nil
}

func (m *localInstance) data() string { return filepath.Join(m.server.Dir(), "data") }

func (m *localInstance) running(context.Context) bool {
	processes, err := m.processes()
	return err == nil && !isGone(processes[0])
}

// stop requests a fast shutdown.
func (m *localInstance) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	return m.end(ctx, syscall.SIGINT, false)
}

func (m *localInstance) kill(ctx context.Context) error { return m.end(ctx, syscall.SIGKILL, true) }

func (m *localInstance) pause(context.Context) error { return m.signal(syscall.SIGSTOP) }

func (m *localInstance) resume(context.Context) error { return m.signal(syscall.SIGCONT) }

// start runs the server's program again, as the user who owns the data.
func (m *localInstance) start(context.Context) error {
	info, err := os.Stat(m.data())
	if err != nil {
		return err
	}

	log, err := os.OpenFile(filepath.Join(m.server.Dir(), "server.log"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(m.inst.BinDir, "postgres"), "-D", m.data())
	cmd.Dir, cmd.Env = m.server.Dir(), []string{"LC_ALL=C", "TZ=UTC", "PATH=" + os.Getenv("PATH")}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if owner := info.Sys().(*syscall.Stat_t); int(owner.Uid) != os.Geteuid() {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }() // only to prevent a zombie: the log shows how it ended

	return nil
}

// end sends a signal to the server, or to all of its processes, and waits until all of them have ended: a
// remaining child would keep the data locked.
func (m *localInstance) end(ctx context.Context, signal syscall.Signal, all bool) error {
	processes, err := m.processes()
	if err != nil {
		return err
	}

	told := processes[:1]
	if all {
		told = processes
	}

	for _, pid := range told {
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("signal process %d: %w", pid, err)
		}
	}

	for _, pid := range processes {
		for !isGone(pid) {
			select {
			case <-ctx.Done():
				return fmt.Errorf("process %d does not end: %w", pid, ctx.Err())
			case <-time.After(10 * time.Millisecond):
			}
		}
	}

	return nil
}

// signal sends a signal to all processes of the server.
func (m *localInstance) signal(signal syscall.Signal) error {
	processes, err := m.processes()
	if err != nil {
		return err
	}

	for _, pid := range processes {
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("signal process %d: %w", pid, err)
		}
	}

	return nil
}

// processes returns the server and its children, the server first.
func (m *localInstance) processes() ([]int, error) {
	text, err := os.ReadFile(filepath.Join(m.data(), "postmaster.pid"))
	if err != nil {
		return nil, fmt.Errorf("find the server's process: %w", err)
	}

	first, _, _ := strings.Cut(string(text), "\n")
	server, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil {
		return nil, fmt.Errorf("read the server's process number: %w", err)
	}

	pids := []int{server}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", server))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}

	for _, field := range strings.Fields(string(children)) {
		if pid, err := strconv.Atoi(field); err == nil {
			pids = append(pids, pid)
		}
	}

	return pids, nil
}

// isGone reports whether a process has ended. A zombie counts as ended.
func isGone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	// The state follows the name in parentheses, which may contain anything.
	rest := string(stat[strings.LastIndexByte(string(stat), ')')+1:])
	return strings.HasPrefix(strings.TrimSpace(rest), "Z")
}

func (m *localInstance) log(context.Context) string {
	text, err := os.ReadFile(filepath.Join(m.server.Dir(), "server.log"))
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4000):])
}

func (m *localInstance) remove(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(m.data(), "postmaster.pid")); err == nil {
		if err := m.resume(ctx); err != nil {
			return err
		}
		if err := m.stop(ctx); err != nil {
			return err
		}
	}
	return m.server.Stop()
}
