package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	tcexec "github.com/testcontainers/testcontainers-go/exec"
)

// Restore fills a database with what pg_dump writes for another one. Both are on the shared server. The arguments
// are pg_dump's; without any, it dumps everything. Tables get other oids, as on another server.
func Restore(t testing.TB, from, to string, args ...string) {
	t.Helper()
	DSN(t) // starts the server

	args = append([]string{"--no-owner", "--rows-per-insert=1000"}, args...)
	out, err := tests.shared.dump(t.Context(), from, args)
	if err != nil {
		t.Fatalf("pgtest: dump a database: %v", err)
	}

	var sql strings.Builder
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, `\`) { // a psql command
			sql.WriteString(line)
		}
	}

	// On a connection of its own: pg_dump's settings are for the session.
	conn, err := pgx.Connect(t.Context(), to)
	if err != nil {
		t.Fatalf("pgtest: connect to restore a dump: %v", err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))

	if _, err := conn.Exec(t.Context(), sql.String(), pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatalf("pgtest: restore a dump: %v", err)
	}
}

// dump runs pg_dump in the container, whose server trusts it.
func (m *containerInstance) dump(ctx context.Context, dsn string, args []string) (string, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return "", err
	}

	command := append([]string{"pg_dump", "--username=" + u.User.Username(), "--dbname=" + strings.TrimPrefix(u.Path, "/")}, args...)
	code, reader, err := m.container.Exec(ctx, command, tcexec.Multiplexed())
	if err != nil {
		return "", err
	}

	out, err := io.ReadAll(reader)
	if err == nil && code != 0 {
		err = fmt.Errorf("%s ended with exit code %d: %s", command[0], code, out)
	}

	return string(out), err
}

func (m *localInstance) dump(ctx context.Context, dsn string, args []string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(m.inst.BinDir, "pg_dump"), append([]string{"--dbname=" + dsn}, args...)...)
	out, err := cmd.Output()

	var failed *exec.ExitError
	if errors.As(err, &failed) {
		err = fmt.Errorf("%w: %s", err, failed.Stderr)
	}

	return string(out), err
}
