package localpg

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func (s *Server) dataDir() string { return filepath.Join(s.dir, "data") }
func (s *Server) logFile() string { return filepath.Join(s.dir, "server.log") }

// initialise runs initdb. The locale is C.UTF-8, which classifies characters correctly and sorts by
// bytes, or C if the system lacks it.
func (s *Server) initialise(ctx context.Context) error {
	args := []string{
		"-D", s.dataDir(), "-U", databaseName, "--encoding=UTF8", "--no-sync",
		// Only the server's user and root can enter the socket's directory, and they can do
		// everything anyway.
		"--auth-local=trust",
	}

	if s.opts.TCP {
		file := filepath.Join(s.dir, "password")
		if err := os.WriteFile(file, []byte(s.password+"\n"), 0o600); err != nil {
			return fmt.Errorf("write the server's password: %w", err)
		}
		defer os.Remove(file)
		if err := s.account.chown(file); err != nil {
			return fmt.Errorf("give the server's password to %s: %w", s.account.name, err)
		}

		args = append(args, "--auth-host=scram-sha-256", "--pwfile="+file)
	} else {
		args = append(args, "--auth-host=reject")
	}

	var out string
	var err error

	for _, locale := range []string{"C.UTF-8", "C"} {
		out, err = s.account.run(ctx, s.dir, filepath.Join(s.inst.BinDir, "initdb"), append(args, "--locale="+locale)...)
		fmt.Fprint(s.opts.Log, out)
		if err == nil || ctx.Err() != nil {
			break
		}

		if err := os.RemoveAll(s.dataDir()); err != nil {
			return fmt.Errorf("remove what initdb left: %w", err)
		}
	}

	if err != nil {
		return fmt.Errorf("run initdb of PostgreSQL %s in %s as %s: %w; its output:\n%s",
			s.inst.Version, s.dir, s.account.name, err, tail(out))
	}

	return nil
}

// configure writes the server's settings, with a new TCP port if the options ask for TCP.
func (s *Server) configure() error {
	settings := map[string]string{
		// A throwaway server has nothing to lose in a crash.
		"fsync":            "off",
		"full_page_writes": "off",
		// Files below the data directory instead of /dev/shm: they are removed with it, and a
		// container's 64 MB of /dev/shm do not limit parallel queries.
		"dynamic_shared_memory_type": "mmap",
	}

	maps.Copy(settings, s.opts.Settings)
	// The caller cannot set the addresses, because DSN names them.
	settings["unix_socket_directories"] = `"` + s.dir + `"`
	settings["listen_addresses"] = ""

	if s.opts.TCP {
		port, err := freePort()
		if err != nil {
			return err
		}

		s.port = port
		settings["listen_addresses"] = "127.0.0.1"
	}

	settings["port"] = strconv.Itoa(s.port)
	text, err := settingLines(settings)
	if err != nil {
		return err
	}

	// The file that ALTER SYSTEM writes: it overrides postgresql.conf, and can be rewritten if the
	// port turns out to be taken.
	file := filepath.Join(s.dataDir(), "postgresql.auto.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return fmt.Errorf("write the server's settings: %w", err)
	}

	return s.account.chown(file)
}

var settingName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// settingLines writes settings as lines of postgresql.conf, ordered by name.
func settingLines(settings map[string]string) (string, error) {
	quote := strings.NewReplacer(`'`, `''`, `\`, `\\`)
	var text strings.Builder

	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if value := settings[name]; !settingName.MatchString(name) || strings.ContainsAny(value, "\n\r\x00") {
			return "", fmt.Errorf("server setting %q = %q: it must be a name with a value on one line", name, value)
		}

		fmt.Fprintf(&text, "%s = '%s'\n", name, quote.Replace(settings[name]))
	}

	return text.String(), nil
}

// freePort returns a TCP port that is free at this moment.
func freePort() (int, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port on 127.0.0.1: %w", err)
	}
	defer listener.Close()

	return listener.Addr().(*net.TCPAddr).Port, nil
}

// logTail returns the last lines of the server's log.
func (s *Server) logTail() string {
	log, err := os.ReadFile(s.logFile())
	if err != nil {
		return err.Error()
	}
	return tail(string(log))
}

// tail returns the last 20 lines of a text.
func tail(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}
