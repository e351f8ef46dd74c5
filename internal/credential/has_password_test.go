package credential

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// noServer removes everything that the driver would read in addition to the connection string.
func noServer(t testing.TB) {
	t.Helper()
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); strings.HasPrefix(name, "PG") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("HOME", t.TempDir())
}

func TestHasSecret(t *testing.T) {
	for dsn, want := range map[string]bool{
		"":                                      false,
		"host=h user=me":                        false,
		"host=h password=":                      false,
		"host=h password=''":                    false,
		"host=h password=pw":                    true,
		"host=h password = 'a b'":               true,
		"password=pw password=''":               false,
		"host='h password=pw'":                  false,
		"host=h sslkey=k sslpassword=pw":        true,
		"host=h passfile=/run/secrets/pgpass":   false,
		"postgres://h/d":                        false,
		"postgres://me@h/d":                     false,
		"postgres://me:@h/d":                    false,
		"postgres://me:pw@h/d":                  true,
		"postgres://me:p#w@h/d":                 true,
		"postgres://me:p?w@h/d":                 true,
		"postgresql://me:p%40w@h:5432,i:5433/d": true,
		"postgres://h/d?user=a&password=pw":     true,
		"postgres://h/d?%70assword=pw":          true,
		"postgres://h/d?sslpassword=pw":         true,
		"postgres://h/d?passfile=password":      false,
	} {
		if got := HasSecret(dsn); got != want {
			t.Errorf("HasSecret(%q) = %v", dsn, got)
		}

		// The password of a client key is not the server's.
		if got, want := HasPassword(dsn), want && !strings.Contains(dsn, "sslpassword"); got != want {
			t.Errorf("HasPassword(%q) = %v", dsn, got)
		}
	}
}

// A password from the environment or a file is not part of the connection string.
func TestHasPasswordLooksAtTheStringAlone(t *testing.T) {
	noServer(t)
	file := filepath.Join(t.TempDir(), "pgpass")
	if err := os.WriteFile(file, []byte("*:*:*:*:pw\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	t.Setenv("PGPASSFILE", file)
	for _, environment := range []string{"", "pw"} {
		t.Setenv("PGPASSWORD", environment)

		for _, dsn := range []string{"host=h user=me", "postgres://me@h/d"} {
			config, err := pgconn.ParseConfig(dsn)
			if err != nil || config.Password != "pw" {
				t.Fatalf("%q: the driver finds %q, %v", dsn, config.Password, err)
			}
			if HasPassword(dsn) {
				t.Errorf("%q has a password", dsn)
			}
		}
	}
}

// The driver is the reference for the password of a connection string.
func FuzzHasPassword(f *testing.F) {
	noServer(f)
	for _, dsn := range []string{
		"", "host=h password=pw", "host=h password='a b' user=me", `password=a\ b`, "password='", "password=pw password=", "host=h\tpassword\n= pw",
		"postgres://me:pw@h/d", "postgresql://me:@h/d?password=pw", "postgres://h/d?password=a&password=", "postgres://h/d?%20password=%20", "postgres://h:1,i:2/d?password=%zz",
	} {
		f.Add(dsn)
	}

	f.Fuzz(func(t *testing.T, dsn string) {
		for _, word := range []string{"sslpassword", "file", "service", "sslcert", "sslkey", "sslrootcert"} {
			if strings.Contains(strings.ToLower(dsn), word) {
				t.Skip("the driver does not show the password of a key, and may read files")
			}
		}

		config, err := pgconn.ParseConfig(dsn)
		if err != nil {
			t.Skip("it cannot be read")
		}
		if got, want := HasPassword(dsn), config.Password != ""; got != want {
			t.Errorf("HasPassword(%q) = %v, and the driver finds the password %q", dsn, got, config.Password)
		}
	})
}
