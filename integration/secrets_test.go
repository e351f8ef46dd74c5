package integration

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// canary is part of each password that tests give to a role, and of nothing else.
const canary = "CanaryInThePassword"

// newPassword returns a password for a role of a test.
func newPassword() string { return canary + rand.Text() }

// secrets returns what a loadgrid with these DSNs must not show: their passwords, including the server's
// superuser password, and the canary.
func secrets(dsns ...string) []string {
	list := []string{canary}
	for _, dsn := range dsns {
		config, err := pgx.ParseConfig(dsn)
		if err == nil && len(config.Password) >= 8 { // a shorter one may be an ordinary word
			list = append(list, config.Password)
		}
	}
	return list
}

// checkNoSecrets fails if loadgrid showed a password. Every process of the tests is checked when it ends.
func (p *process) checkNoSecrets(r result) {
	p.t.Helper()
	dsns := []string{p.dsn}
	for i, arg := range p.cmd.Args {
		if dsn, ok := strings.CutPrefix(arg, "--dsn="); ok {
			dsns = append(dsns, dsn)
		} else if i > 0 && p.cmd.Args[i-1] == "--dsn" {
			dsns = append(dsns, arg)
		}
	}

	for _, secret := range secrets(dsns...) {
		if strings.Contains(r.stdout, secret) || strings.Contains(r.stderr, secret) {
			p.t.Errorf("loadgrid %q showed a password:\n%s%s", p.cmd.Args[1:2], r.stdout, r.stderr)
		}
	}
}

// checkNoSecrets looks for passwords in the sandbox's ledgers and in what the server shows of loadgrid's
// sessions to administrators of other roles. Every sandbox on the shared server is checked at its end.
func (s sandbox) checkNoSecrets() {
	s.t.Helper()
	if s.t.Failed() {
		return // the ledger may be missing or locked
	}

	rows, err := s.pool.Query(context.Background(), `
		select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relkind = 'r' and c.relname in ('runs', 'chunks') and (n.nspname = $1 or starts_with(current_database(), 'test_'))`, s.schema)
	if err != nil {
		s.t.Fatal(err)
	}

	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		s.t.Fatal(err)
	}

	for _, secret := range secrets(s.dsn) {
		for _, table := range tables {
			if n := queryOne[int64](s.t, s.pool, "select count(*) from "+table+" r where strpos(to_jsonb(r)::text, $1) > 0", secret); n != 0 {
				s.t.Errorf("a password is in %d rows of the ledger, %s", n, table)
			}
		}
		if n := queryOne[int64](s.t, s.pool, `select count(*) from pg_stat_activity
			where application_name like 'loadgrid%' and strpos(application_name || query, $1) > 0`, secret); n != 0 {
			s.t.Errorf("a password is in %d sessions, as the server shows them", n)
		}
	}
}

// The search for passwords is able to find one.
func TestTheSearchForSecretsFinds(t *testing.T) {
	if got := secrets("postgres://me:"+canary+"1@h/d", "host=h password=longenough", "host=h password=short", ":"); len(got) != 3 {
		t.Errorf("secrets are %q", got)
	}
}

// The ledger contains everything about a job, but nothing about how the server was reached.
func TestPasswordsInTheLedger(t *testing.T) {
	s := newSandbox(t)
	password := newPassword()
	role := s.newRole(password)
	s.exec("grant usage, create on schema " + s.schema + " to " + pgx.Identifier{role}.Sanitize())
	dsn := s.dsnOf(role, password)
	mustCLI(t, dsn, s.load("grid", append(boxes(10, 10), "--progress", "json", "--set", "a=b")...)...)
	if out := mustCLI(t, dsn, "runs", "show", "1", "--ledger-schema", s.schema); !strings.Contains(out, "fingerprint") {
		t.Errorf("runs show prints: %s", out)
	}

	// The same job with another password is the same job.
	before := queryOne[string](t, s.pool, "select fingerprint from "+s.name("runs"))
	changed := newPassword()
	s.exec("alter role " + pgx.Identifier{role}.Sanitize() + " password '" + changed + "'")
	mustCLI(t, s.dsnOf(role, changed), s.load("grid", append(boxes(10, 10), "--set", "a=b", "--if-exists", "replace")...)...)
	if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("runs")+" where fingerprint = $1", before); n != 2 {
		t.Errorf("%d runs have the fingerprint, want 2", n)
	}

	// A wrong password is reported but not shown.
	cli(t, s.dsnOf(role, password), s.load("grid", boxes(10, 10)...)...).expect(t, 1, "SQLSTATE 28P01")
}

// All users of a machine can see the list of processes. loadgrid does not change its command line, and
// warns once about it.
func TestPasswordOnTheCommandLine(t *testing.T) {
	s := newSandbox(t)
	c := s.pool.Config().ConnConfig
	if !strings.Contains(s.dsn, c.Password) || len(c.Password) < 16 {
		t.Fatal("the server has no password, so this test proves nothing")
	}

	keywords := fmt.Sprintf("host=%s port=%d user=%s password='%s' dbname=%s sslmode=disable application_name=%s", c.Host, c.Port, c.User, c.Password, c.Database, s.application())
	for name, dsn := range map[string]string{"URL": s.dsn, "keywords": keywords} {
		r := cli(t, "", s.load("grid_"+name, append(boxes(10, 10), "--dsn", dsn)...)...)
		r.expect(t, 0)
		if !strings.HasPrefix(r.stderr, "warning: --dsn contains a password") || strings.Count(r.stderr, "warning: ") != 1 {
			t.Errorf("%s: stderr %q", name, r.stderr)
		}
	}

	r := cli(t, s.dsn, s.load("grid", boxes(10, 10)...)...)
	r.expect(t, 0)
	if strings.Contains(r.stderr, "warning") {
		t.Errorf("LOADGRID_DSN: stderr %q", r.stderr)
	}
}

// newRole makes a role that may only log in, until the test ends.
func (s sandbox) newRole(password string) string {
	s.t.Helper()
	role := "role_" + strings.ToLower(rand.Text()[:16])
	s.exec("create role " + role + " login password '" + password + "'; grant " + role + " to current_user") // so that the current user trusts the role with the ledger

	s.t.Cleanup(func() {
		// The role's objects remain for the sandbox's checks.
		s.exec("reassign owned by " + role + " to current_user")
		s.exec("drop owned by " + role)
		s.exec("drop role " + role)
	})

	return role
}

// dsnOf returns the sandbox's DSN as a role.
func (s sandbox) dsnOf(role, password string) string {
	s.t.Helper()
	return changeDSN(s.t, s.dsn, func(u *url.URL, _ url.Values) { u.User = url.UserPassword(role, password) })
}
