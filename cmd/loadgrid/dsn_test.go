package main

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/loader"
)

func TestDSNFromTheEnvironment(t *testing.T) {
	host, port, err := net.SplitHostPort(closedPort(t))
	if err != nil {
		t.Fatal(err)
	}

	url := "postgresql://me:s3kr1tPw@" + host + ":" + port + "/gis"
	place := "connecting to " + host + ":" + port + ", database gis, as me"
	service := filepath.Join(t.TempDir(), "services")
	if err := os.WriteFile(service, []byte("[atlas]\nhost="+host+"\nport="+port+"\ndbname=gis\nuser=me\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	for _, tt := range []struct {
		name string
		env  map[string]string
		args []string
	}{
		{"LOADGRID_DSN", map[string]string{"LOADGRID_DSN": url}, nil},
		{"a flag before LOADGRID_DSN", map[string]string{"LOADGRID_DSN": "postgresql://you@127.0.0.1:2/other"}, []string{"--dsn", url}},
		{"LOADGRID_DSN before PGHOST", map[string]string{"LOADGRID_DSN": url, "PGHOST": "127.0.0.2", "PGPORT": "2"}, nil},
		{"PG*", map[string]string{"PGHOST": host, "PGPORT": port, "PGDATABASE": "gis", "PGUSER": "me", "PGPASSWORD": "s3kr1tPw"}, nil},
		{"keywords, the rest from PG*", map[string]string{"PGPORT": port, "PGUSER": "me"}, []string{"--dsn", "host=" + host + " dbname=gis"}},
		{"service file", map[string]string{"PGSERVICEFILE": service, "PGSERVICE": "atlas"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			clearEnv(t)
			for k, v := range tt.env {
				t.Setenv(k, v)
			}

			code, _, stderr := call(t.Context(), append([]string{"runs", "list"}, tt.args...)...)
			if code != exitFailed {
				t.Errorf("exit code %d, should be %d", code, exitFailed)
			}

			stderr, warned := strings.CutPrefix(stderr, "warning: "+passwordWarning+"\n")
			if warned != (tt.args != nil && tt.args[1] == url) {
				t.Errorf("a password on the command line is warned of: %v", warned)
			}

			checkOneLine(t, stderr, place)
			if strings.Contains(stderr, "s3kr1tPw") {
				t.Errorf("the password is shown: %s", stderr)
			}
		})
	}
}

// secret is a password that occurs nowhere else.
const secret = "Zq7pwXw0"

// dsnWithSecret is a connection string with the password, and the exit code of a command with it.
type dsnWithSecret struct {
	name, dsn string
	code      int
}

func dsnsWithSecret(host, port string) []dsnWithSecret {
	server := net.JoinHostPort(host, port)
	keywords := "host=" + host + " port=" + port + " user=me "

	return []dsnWithSecret{
		{"URL", "postgresql://me:" + secret + "@" + server + "/gis", exitFailed},
		{"URL, password as a parameter", "postgresql://" + server + "/gis?user=me&password=" + secret, exitFailed},
		{"URL with a port that is not a number", "postgresql://me:" + secret + "@" + host + ":54x/gis", exitUsage},
		{"URL with a port beyond 65535", "postgresql://me:" + secret + "@" + host + ":99999/gis", exitUsage},
		{"URL without a host", "postgresql://me:" + secret, exitUsage},
		{"URL with an open bracket", "postgresql://me:" + secret + "@[::1/gis", exitUsage},
		{"URL with a broken escape before the password", "postgresql://me:%zz" + secret + "@" + server + "/gis", exitUsage},
		{"URL with a broken escape in it", "postgresql://me:" + secret + "%@" + server + "/gis", exitUsage},
		{"URL with a broken escape elsewhere", "postgresql://me:" + secret + "@" + server + "/%zz", exitUsage},
		{"URL with a slash after the password", "postgresql://me:" + secret + "/x@" + server + "/gis", exitUsage},
		{"URL with a hash in the password", "postgresql://me:#" + secret + "@" + server + "/gis", exitFailed},
		{"URL with a question mark in the password", "postgresql://me:?" + secret + "@" + server + "/gis", exitFailed},
		{"URL with a line feed in the password", "postgresql://me:\n" + secret + "@" + server + "/gis", exitFailed},
		{"URL with a zero byte", "postgresql://me:" + secret + "\x00@" + server + "/gis", exitUsage},
		{"URL of another scheme", "postgis://me:" + secret + "@" + server + "/gis", exitUsage},
		{"URL in capitals", "POSTGRESQL://me:" + secret + "@" + server + "/gis", exitUsage},
		{"URL with one slash", "postgresql:/me:" + secret + "@" + server + "/gis", exitUsage},
		{"URL with a broken parameter", "postgresql://me:" + secret + "@" + server + "/gis?sslmode=%", exitUsage},
		{"URL with a wrong sslmode", "postgresql://me:" + secret + "@" + server + "/gis?sslmode=maybe", exitUsage},
		{"URL with a wrong timeout", "postgresql://me:" + secret + "@" + server + "/gis?connect_timeout=soon", exitUsage},
		{"URL with an unknown parameter", "postgresql://me:" + secret + "@" + server + "/gis?passwrd=" + secret, exitFailed},
		{"URL with wrong options of the pool", "postgresql://me:" + secret + "@" + server + "/gis?pool_max_conns=x", exitUsage},
		{"keywords", keywords + "password=" + secret, exitFailed},
		{"keywords with spaces", keywords + "password = " + secret, exitFailed},
		{"keywords with quotes", keywords + "password='" + secret + " x'", exitFailed},
		{"keywords with an open quote", keywords + "password='" + secret, exitUsage},
		{"keywords with an open quote before", keywords + "dbname='gis password=" + secret, exitUsage},
		{"keywords with a backslash at the end", keywords + "password='" + secret + `\`, exitUsage},
		{"keywords with a word that is none", keywords + "password=" + secret + " gis", exitUsage},
		{"keywords with an empty one", keywords + "=" + secret, exitUsage},
		{"keywords with an unknown one", keywords + "passwrd=" + secret, exitFailed},
		{"keywords with a wrong port", "host=127.0.0.1 port=x password=" + secret, exitUsage},
		{"keywords with a wrong sslmode", keywords + "password=" + secret + " sslmode=maybe", exitUsage},
		{"keywords with a wrong timeout", keywords + "password=" + secret + " connect_timeout=soon", exitUsage},
		{"keywords with a wrong target", keywords + "password=" + secret + " target_session_attrs=best", exitUsage},
		{"missing CA file", keywords + "password=" + secret + " sslmode=verify-full sslrootcert=/nowhere/ca.pem", exitUsage},
		{"missing client key", keywords + "password=" + secret + " sslcert=/nowhere/c sslkey=/nowhere/k sslpassword=" + secret, exitUsage},
		{"missing service", keywords + "password=" + secret + " service=nowhere", exitUsage},
		{"missing service file", keywords + "password=" + secret + " service=a servicefile=/nowhere", exitUsage},
		{"URL with an at sign in the password", "postgresql://me:pa@" + secret + "@" + server + "/gis", exitUsage},
		{"URL with a password that begins with a slash", "postgresql://me:/" + secret + "@" + server + "/gis", exitUsage},
		{"keywords with semicolons", "host=" + host + ";password=" + secret, exitUsage},
		{"the password alone", secret, exitUsage},
	}
}

func TestDSNNeverLeaks(t *testing.T) {
	clearEnv(t)
	host, port, err := net.SplitHostPort(closedPort(t))
	if err != nil {
		t.Fatal(err)
	}

	for _, tt := range dsnsWithSecret(host, port) {
		t.Run(tt.name, func(t *testing.T) {
			for name, args := range map[string][]string{"load": serverCommands()["load"], "runs list": {"runs", "list"}} {
				code, stdout, stderr := call(t.Context(), append(args, "--dsn", tt.dsn)...)
				if code != tt.code || stdout != "" {
					t.Errorf("%s: exit code %d, should be %d; stdout %q", name, code, tt.code, stdout)
				}

				checkOneLine(t, strings.TrimPrefix(stderr, "warning: "+passwordWarning+"\n"))
				if strings.Contains(stderr, secret) {
					t.Errorf("%s shows the password: %s", name, stderr)
				}
			}
		})
	}
}

// FuzzDSNNeverLeaks puts a password, and all kinds of text around it, into a connection string. No connection is
// opened, because the context has already ended.
func FuzzDSNNeverLeaks(f *testing.F) {
	clearEnv(f)
	for _, s := range []string{"", "%", "%zz", "'", `\`, "/", "?", "#", ":", "@", "[", "&x=", " ", "\n", "\x00", "ö",
		"sslmode=maybe", "connect_timeout=x", "port=x", "service=x", " sslrootcert=/nowhere ", "host=127.0.0.1 "} {
		for form := range uint8(7) {
			f.Add(form, s, "")
			f.Add(form, "", s)
		}
	}

	ended, cancel := context.WithCancel(context.Background())
	cancel()
	f.Fuzz(func(t *testing.T, form uint8, before, after string) {
		dsn := fuzzedDSN(form, before, after)
		config, err := pgxpool.ParseConfig(dsn)
		if err == nil && !(config.ConnConfig.Host == "127.0.0.1" && strings.Contains(config.ConnConfig.Password, secret)) {
			t.Skip("by the rules of connection strings it is another host, or the text has no password")
		}
		if file := new(fs.PathError); errors.As(err, &file) && strings.Contains(file.Path, secret) {
			t.Skip("by the rules of connection strings the text is the name of a file here")
		}

		pool, err := loader.Open(ended, dsn, 1)
		if err == nil {
			pool.Close()
			t.Fatal("connected although the context had ended")
		}

		if strings.Contains(err.Error(), secret) {
			t.Errorf("Open shows the password of %q: %v", dsn, err)
		}

		code, stdout, stderr := call(ended, "runs", "list", "--dsn", dsn)
		if code != exitFailed && code != exitUsage || strings.Contains(stdout+stderr, secret) {
			t.Errorf("exit code %d, with %q: %s%s", code, dsn, stdout, stderr)
		}
	})
}

func fuzzedDSN(form uint8, before, after string) string {
	text := before + secret + after
	switch form % 7 {
	case 0:
		return "postgresql://me:" + text + "@127.0.0.1:1/gis"
	case 1:
		return "postgresql://me:" + secret + "@127.0.0.1:1" + before + "/gis" + after
	case 2:
		return "postgresql://127.0.0.1:1/gis?" + before + "&password=" + secret + after
	case 3:
		return "host=127.0.0.1 port=1 user=me password=" + text
	case 4:
		return "host=127.0.0.1 port=1 user=me password='" + text + "'"
	case 5:
		return before + "password=" + secret + " " + after
	}

	return before + "://me:" + secret + after + "@127.0.0.1:1/gis"
}
