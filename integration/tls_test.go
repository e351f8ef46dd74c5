package integration

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/loader"
)

// tlsServer is a server with a certificate that accepts roles only over TLS, except for its superuser.
type tlsServer struct {
	sandbox
	password string    // of all its roles
	good     authority // the authority that signed the server's certificate
	ca       string    // its file
}

// The roles of a secured server.
const (
	tlsRole   = "by_password" // with SCRAM over TLS
	certRole  = "by_certificate"
	scramRole = "by_scram" // with SCRAM, with or without TLS
)

func newTLSServer(t *testing.T) tlsServer {
	t.Helper()
	server := pgtest.NewServer(t, map[string]string{"fsync": "off", "password_encryption": "scram-sha-256"})
	s := tlsServer{sandbox: sandboxIn(t, server.DSN(), "public"), password: newPassword(), good: newAuthority(t, "the right CA")}
	s.ca = privateFile(t, "ca.pem", s.good.pem)
	s.installCertificate(s.host())
	s.putFile("ca.crt", s.good.pem)

	for _, role := range []string{tlsRole, certRole, scramRole} {
		s.exec("create role " + role + " login password '" + s.password + "'")
		s.exec("grant usage, create on schema public to " + role)
		s.exec("create schema ledger_" + role + " authorization " + role)
	}

	hba := queryOne[string](t, s.pool, "select pg_read_file(current_setting('hba_file'))")
	s.putFile("pg_hba.conf", fmt.Sprintf(`
hostssl   all %[1]s all scram-sha-256
hostnossl all %[1]s all reject
hostssl   all %[2]s all cert
host      all %[2]s all reject
host      all %[3]s all scram-sha-256
`, tlsRole, certRole, scramRole)+hba)

	s.exec("alter system set ssl_ca_file = 'ca.crt'")
	s.exec("alter system set ssl = on")
	s.reload()
	s.waitFor("the server to offer TLS", "select current_setting('ssl') = 'on'")

	return s
}

func (s tlsServer) host() string { return s.pool.Config().ConnConfig.Host }

// putFile puts a file into the server's directory, where its settings look for it.
func (s tlsServer) putFile(name, text string) {
	s.t.Helper()
	s.exec("copy (select '" + base64.StdEncoding.EncodeToString([]byte(text)) + "') to program 'umask 077; base64 -d > " + name + "'")
}

func (s tlsServer) installCertificate(host string) {
	s.t.Helper()
	cert, key := s.good.server(host)
	s.putFile("server.crt", cert)
	s.putFile("server.key", key)
}

func (s tlsServer) reload() {
	s.t.Helper()
	s.exec("select pg_reload_conf()")
}

// dsnAs returns the DSN of a role with additional parameters.
func (s tlsServer) dsnAs(role, password string, parameters ...string) string {
	s.t.Helper()
	return changeDSN(s.t, s.dsn, func(u *url.URL, q url.Values) {
		u.User = url.UserPassword(role, password)
		q.Del("sslmode")
		for i := 0; i+1 < len(parameters); i += 2 {
			q.Set(parameters[i], parameters[i+1])
		}
	})
}

// encrypted reports whether a connection that loadgrid opens is encrypted, and its role.
func (s tlsServer) encrypted(dsn string) (yes bool, role string, err error) {
	pool, err := loader.Open(context.Background(), dsn, 1)
	if err != nil {
		return false, "", err
	}
	defer pool.Close()
	err = pool.QueryRow(context.Background(), "select ssl, current_user from pg_stat_ssl where pid = pg_backend_pid()").Scan(&yes, &role)
	return yes, role, err
}

// waitUntil waits for a condition that only a client can see.
func (s tlsServer) waitUntil(what string, done func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("waited five minutes for %s", what)
		}
	}
}

// loadAs loads a small grid over several streams, with a query for its area, so that every kind of
// connection of a load is opened.
func (s tlsServer) loadAs(role, dsn string) result {
	s.t.Helper()
	return cli(s.t, dsn, "load", "--table", "grid_"+role, "--ledger-schema", "ledger_"+role, "--if-exists", "replace", "--cell-size", "1",
		"--aoi-sql", "select st_makeenvelope(0, 0, 30, 30)", "--streams", "2", "--chunk-rows", "300")
}

// One server for all tests: starting it takes longer than the tests.
func TestSecuredServer(t *testing.T) {
	t.Parallel()
	s := newTLSServer(t)
	for name, test := range map[string]func(*testing.T, tlsServer){
		"SCRAM": testSCRAM, "as psql": testConnectionsAsPsqlMakesThem, "TLS": testTLS,
	} {
		t.Run(name, func(t *testing.T) {
			s := s
			s.t = t
			s.installCertificate(s.host()) // an earlier test may have installed another one
			s.reload()
			s.waitUntil("the server to have its certificate", func() bool {
				_, _, err := s.encrypted(s.dsnAs(tlsRole, s.password, "sslmode", "verify-full", "sslrootcert", s.ca))
				return err == nil
			})
			test(t, s)
		})
	}
}

func testTLS(t *testing.T, s tlsServer) {
	other := privateFile(t, "other.pem", newAuthority(t, "another CA").pem)
	check := func(name, dsn string, encrypted bool) {
		t.Helper()
		if yes, _, err := s.encrypted(dsn); err != nil || yes != encrypted {
			t.Errorf("%s: encrypted %v, error %v", name, yes, err)
		}
	}

	refused := func(name, role, dsn string, words ...string) {
		t.Helper()
		const made = "select array_agg(oid::text order by oid)::text from pg_class where oid >= 16384"
		before := queryOne[string](t, s.pool, made)
		r := s.loadAs(role, dsn)
		r.expect(t, 1, append(words, "connecting to")...)
		if strings.Count(strings.TrimSpace(r.stderr), "\n") > 0 || r.stdout != "" {
			t.Errorf("%s: not one line: %s%s", name, r.stdout, r.stderr)
		}
		if queryOne[string](t, s.pool, made) != before {
			t.Errorf("%s: a refused load made something", name)
		}
	}

	role := func(parameters ...string) string { return s.dsnAs(tlsRole, s.password, parameters...) }

	refused("without TLS", tlsRole, role("sslmode", "disable"), "pg_hba.conf", "28000")
	refused("another CA", tlsRole, role("sslmode", "verify-full", "sslrootcert", other), "unknown authority", "sslrootcert")
	refused("another CA, any name", tlsRole, role("sslmode", "verify-ca", "sslrootcert", other), "unknown authority", "sslrootcert")
	refused("a CA that nobody knows", tlsRole, role("sslmode", "verify-full"), "x509")
	refused("a wrong password", tlsRole, s.dsnAs(tlsRole, "wrong"+s.password, "sslmode", "verify-full", "sslrootcert", s.ca), "28P01")

	for mode, encrypted := range map[string]bool{"require": true, "prefer": true, "verify-ca": true, "verify-full": true} {
		parameters := []string{"sslmode", mode}
		if strings.HasPrefix(mode, "verify") {
			parameters = append(parameters, "sslrootcert", s.ca)
		}
		check(mode, role(parameters...), encrypted)
		check(mode+" where it may be plain", s.dsnAs(scramRole, s.password, parameters...), encrypted)
	}

	check("disable", s.dsnAs(scramRole, s.password, "sslmode", "disable"), false)
	// The server refuses the role without TLS, so all connections of the load use it.
	if r := s.loadAs(tlsRole, role("sslmode", "verify-full", "sslrootcert", s.ca)); r.code != 0 {
		t.Errorf("verify-full: exit code %d: %s", r.code, r.stderr)
	}
	if n := queryOne[int64](t, s.pool, "select count(*) from grid_"+tlsRole); n != 32*32 {
		t.Errorf("%d rows", n)
	}

	// With a client certificate.
	cert, key := s.good.client(certRole)
	parameters := []string{"sslmode", "verify-full", "sslrootcert", s.ca,
		"sslcert", privateFile(t, "client.crt", cert), "sslkey", privateFile(t, "client.key", key)}
	cert, key = s.good.client(tlsRole)
	otherCert, otherKey := privateFile(t, "other.crt", cert), privateFile(t, "other.key", key)
	refused("no certificate", certRole, s.dsnAs(certRole, s.password, "sslmode", "require"), "28000")
	refused("the certificate of another role", certRole, s.dsnAs(certRole, s.password, "sslmode", "verify-full", "sslrootcert", s.ca, "sslcert", otherCert, "sslkey", otherKey), "28000")
	if r := s.loadAs(certRole, s.dsnAs(certRole, "", parameters...)); r.code != 0 {
		t.Errorf("a certificate: exit code %d: %s", r.code, r.stderr)
	}

	// The server becomes another one, with a certificate from the same CA.
	s.installCertificate("elsewhere.example")
	s.reload()
	full := role("sslmode", "verify-full", "sslrootcert", s.ca)
	s.waitUntil("the server to have its other certificate", func() bool { _, _, err := s.encrypted(full); return err != nil })
	refused("another host name", tlsRole, full, "x509", "that the certificate names the host")
	check("another host name, the same CA", role("sslmode", "verify-ca", "sslrootcert", s.ca), true)
}

// A password is sent to the server with SCRAM, never in plain text.
func testSCRAM(t *testing.T, s tlsServer) {
	if !queryOne[bool](t, s.pool, "select rolpassword like 'SCRAM-SHA-256$%' from pg_authid where rolname = $1", scramRole) {
		t.Fatal("the role's password is not a SCRAM verifier, so this test proves nothing")
	}
	if !queryOne[bool](t, s.pool, "select exists (select from pg_hba_file_rules where $1 = any(user_name) and auth_method = 'scram-sha-256')", scramRole) {
		t.Fatal("the role does not log in with SCRAM, so this test proves nothing")
	}

	for _, mode := range []string{"disable", "require"} { // over TLS, SCRAM uses channel binding
		if r := s.loadAs(scramRole, s.dsnAs(scramRole, s.password, "sslmode", mode)); r.code != 0 {
			t.Errorf("sslmode %s: exit code %d: %s", mode, r.code, r.stderr)
		}
		s.loadAs(scramRole, s.dsnAs(scramRole, s.password+"x", "sslmode", mode)).expect(t, 1, "28P01", "check user and password")
		s.loadAs(scramRole, s.dsnAs(scramRole, "", "sslmode", mode)).expect(t, 1, "connecting to", scramRole)
	}
}

// loadgrid finds the same settings in the environment and in files as psql.
func testConnectionsAsPsqlMakesThem(t *testing.T, s tlsServer) {
	c := s.pool.Config().ConnConfig
	port := fmt.Sprint(c.Port)
	place := "host=" + c.Host + "\nport=" + port + "\ndbname=" + c.Database + "\nuser=" + tlsRole + "\nsslmode=verify-full\nsslrootcert=" + s.ca + "\n"
	service := privateFile(t, "services", "[other]\nhost=nowhere.example\n[atlas]\n"+place+"password="+s.password+"\n[half]\n"+place)
	line := strings.NewReplacer(`\`, `\\`, ":", `\:`).Replace(c.Host) + ":" + port + ":" + c.Database + ":" + tlsRole + ":"
	passfile := privateFile(t, "pass", "# passwords\nnowhere.example:*:*:*:wrong\n"+line+s.password+"\n*:*:*:*:wrong\n")
	wrongPass := privateFile(t, "wrong", line+"wrong\n")
	home := t.TempDir()

	for from, to := range map[string]string{service: ".pg_service.conf", passfile: ".pgpass"} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(home, to), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}

	variables := []string{"PGHOST=" + c.Host, "PGPORT=" + port, "PGDATABASE=" + c.Database, "PGUSER=" + tlsRole, "PGSSLMODE=verify-full", "PGSSLROOTCERT=" + s.ca}
	with := func(more ...string) []string { return append(append([]string{}, variables...), more...) }
	dsn := s.dsnAs(tlsRole, s.password, "sslmode", "verify-full", "sslrootcert", s.ca)
	for name, test := range map[string]struct {
		env  []string
		dsn  string
		code int
	}{
		"variables":                       {with("PGPASSWORD=" + s.password), "", 0},
		"variables, wrong password":       {with("PGPASSWORD=wrong"), "", 1},
		"variables, TLS off":              {with("PGPASSWORD="+s.password, "PGSSLMODE=disable"), "", 1},
		"password file":                   {with("PGPASSFILE=" + passfile), "", 0},
		"password file, wrong":            {with("PGPASSFILE=" + wrongPass), "", 1},
		"password before password file":   {with("PGPASSFILE="+wrongPass, "PGPASSWORD="+s.password), "", 0},
		"password file at home":           {with("HOME=" + home), "", 0},
		"service":                         {[]string{"PGSERVICEFILE=" + service, "PGSERVICE=atlas"}, "", 0},
		"service in the DSN":              {[]string{"PGSERVICEFILE=" + service}, "service=atlas", 0},
		"service at home":                 {[]string{"HOME=" + home}, "service=atlas", 0},
		"service, password file":          {[]string{"PGSERVICEFILE=" + service, "PGSERVICE=half", "PGPASSFILE=" + passfile}, "", 0},
		"service, no password":            {[]string{"PGSERVICEFILE=" + service, "PGSERVICE=half"}, "", 1},
		"service before variables":        {[]string{"PGSERVICEFILE=" + service, "PGSERVICE=atlas", "PGHOST=nowhere.example", "PGPASSWORD=wrong"}, "", 0},
		"no such service":                 {[]string{"PGSERVICEFILE=" + service, "PGSERVICE=mars"}, "", 2},
		"DSN before variables":            {[]string{"PGHOST=nowhere.example", "PGPASSWORD=wrong", "PGSSLMODE=disable"}, dsn, 0},
		"DSN before the service":          {[]string{"PGSERVICEFILE=" + service, "PGSERVICE=other"}, dsn, 0},
		"half a DSN, the rest from files": {with("PGHOST=nowhere.example", "PGPASSFILE="+passfile), "host=" + c.Host, 0},
		"the CA is not a file":            {with("PGPASSWORD="+s.password, "PGSSLROOTCERT=/nowhere"), "", 2},
	} {
		env := append([]string{"HOME=" + t.TempDir()}, test.env...)
		if r := startWith(t, env, test.dsn, "runs", "list", "--ledger-schema", "ledger_"+tlsRole).wait(); r.code != test.code {
			t.Errorf("%s: exit code %d, want %d: %s", name, r.code, test.code, r.stderr)
		}
	}
}
