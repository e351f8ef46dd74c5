package integration

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// halfDoneVariable is the environment variable with a pg_dump command. If it is set, the test makes the
// dumps again: see testdata/halfdone/README.md.
const halfDoneVariable = "LOADGRID_MAKE_HALFDONE"

// TestMakeHalfDone makes the dumps. The existing dumps come from an older program on purpose, so use this
// only to add dumps.
func TestMakeHalfDone(t *testing.T) {
	command := strings.Fields(os.Getenv(halfDoneVariable))
	if len(command) == 0 {
		t.Skipf("%s is not set: the dumps remain unchanged", halfDoneVariable)
	}
	for _, h := range halfDones() {
		t.Run(h.name, func(t *testing.T) {
			s := newHalfDoneSandbox(t)
			h.leave(s)
			dump(s, command, h.file())
		})
	}
}

// leave loads the existing table, starts the load, and stops it half-way.
func (h halfDone) leave(s sandbox) {
	s.t.Helper()
	mustCLI(s.t, s.dsn, "migrate", "up")
	if h.before != nil {
		mustCLI(s.t, s.dsn, gridLoad(h.before)...)
	}
	b := s.newPausepoint()
	if h.at != "" {
		b.atStatement(h.at)
	} else {
		s.exec(fmt.Sprintf("create trigger pausepoint before insert on %s for each row when (new.chunk_no not in (0, 2)) execute function %s()",
			s.name("chunks"), s.name("pausepoint")))
	}

	p := start(s.t, s.dsn, gridLoad(h.load)...)
	b.waitUntilReached()
	s.waitFor("committed chunks", "select count(*) = $1 from loadgrid.chunks where run_id = $2", h.done, h.run)
	s.waitFor("indexes", `select $1 = 0 or count(*) = $1 from pg_index i join loadgrid.runs r on i.indrelid = to_regclass(r.staging_name) where r.id = $2`,
		h.built, h.run)
	if h.signal {
		_ = p.cmd.Process.Signal(interrupt)
	} else {
		_ = p.cmd.Process.Kill()
	}
	p.wait()
	// Otherwise a backend that waits at the pausepoint would still commit its earlier request.
	s.exec("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = $1", s.application())
	s.waitForEnd()
	b.remove()
	s.anonymize()
}

// anonymize removes from the ledger what identifies this machine. It also ensures that no table of a
// restored dump has the number of a table in the ledger.
func (s sandbox) anonymize() {
	s.t.Helper()
	s.exec("update loadgrid.starts set host = 'client', os_user = 'loader', address = '192.0.2.1'")
	s.exec("update loadgrid.runs set table_oid = 4000000000 where table_oid is not null")
}

// dump writes the database as SQL that needs no psql.
func dump(s sandbox, command []string, file string) {
	s.t.Helper()
	args := append(command[1:], "--no-owner", "--no-privileges", "--rows-per-insert=1000", "--dbname="+s.dsn)
	cmd := exec.Command(command[0], args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", command[0], err, stderr.String())
	}

	var b strings.Builder
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, `\`) { // a command of psql
			b.WriteString(line)
		}
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		s.t.Fatal(err)
	}
}
