package credential

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// nasty are passwords that are special characters in a connection string.
func nasty() []string {
	return []string{
		"plain", "with space", " at both ends ", "it's", `back\slash`, `\`, `'`, `\'`, "a@b", "a/b", "a:b", "a?b", "a#b", "a&b=c", "a%20b", "a+b",
		"x' host=evil user='root", "x host=evil", "p@evil.example/db?host=evil", "äöü€", "tab\tand\nnewline", "${H}", "$${H}", "file:/etc/passwd", "=", "[", "\u202e",
	}
}

// The driver itself is the reference for the meaning of a connection string.
func TestDSNIsWhatTheDriverReads(t *testing.T) {
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); strings.HasPrefix(name, "PG") {
			t.Setenv(name, "")
		}
	}

	t.Setenv("HOME", t.TempDir())
	for _, password := range nasty() {
		resolver := Resolver{Dir: t.TempDir(), Lookup: func(name string) (string, bool) {
			v, ok := map[string]string{
				"P": password, "H": "db.example", "U": "me", "D": "gis",
				"URL": "postgresql://me@db.example/gis", "WORDS": "host=db.example user=me dbname=gis",
			}[name]
			return v, ok
		}}
		if err := os.WriteFile(filepath.Join(resolver.Dir, "dsn"), []byte("host=db.example user=me dbname=gis password="+quoteKeyword(password)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}

		for _, tt := range []struct{ dsn, password string }{
			{"postgresql://me:${P}@db.example/gis", ""},
			{"postgres://${U}:${P}@${H}:5432/${D}", ""},
			{"postgresql://me@db.example/gis?password=${P}&sslmode=disable", ""},
			{"postgresql://db.example/${D}?user=${U}&password=${P}", ""},
			{"${URL}?password=${P}", ""},
			{"host=${H} user=${U} password=${P} dbname=${D}", ""},
			{"host=db.example user = me password = '${P}'   dbname=gis", ""},
			{"host=db.example\tuser='me'\npassword=${P}\n dbname=gi${S}s", "S"},
			{"${WORDS} password=${P}", ""},
			{"file:dsn", ""},
			{"postgresql://me@db.example/gis", "P"},
			{"postgresql://me@db.example/gis?sslmode=disable", "P"},
			{"${URL}", "P"},
			{"${WORDS}", "P"},
			{"host=db.example user=me dbname=gis", "P"},
		} {
			lookup := resolver
			if tt.password == "S" {
				lookup.Lookup = func(name string) (string, bool) {
					if name == "S" {
						return "", true
					}
					return resolver.Lookup(name)
				}
			}

			dsn, err := lookup.DSN(tt.dsn)
			given := ""
			if err == nil && tt.password == "P" {
				given, err = resolver.Password("${P}")
			}

			if err != nil {
				t.Errorf("%s with password %q: %v", tt.dsn, password, err)
				continue
			}

			c, err := pgx.ParseConfig(dsn)
			if err == nil && given != "" && !HasPassword(dsn) {
				c.Password = given
			}

			if err != nil {
				t.Errorf("%s with password %q: %v", tt.dsn, password, err)
			} else if c.Password != password || c.Host != "db.example" || c.User != "me" || c.Database != "gis" {
				t.Errorf("%s with password %q has %q at host %q, user %q, database %q", tt.dsn, password, c.Password, c.Host, c.User, c.Database)
			}
		}
	}
}

func TestSecretsRefuse(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"empty": "\n", "long": strings.Repeat("x", maxSecret+1)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	resolver := Resolver{Dir: dir, Lookup: func(name string) (string, bool) {
		v, ok := map[string]string{"P": "hunter2", "E": "", "DIR": "/no/hunter2"}[name]
		return v, ok
	}}

	for _, tt := range []struct{ key, text, want string }{
		{"dsn", "host=${NOT}", "needs the variable NOT, which is not set"},
		{"dsn", "${NOT}", "needs the variable NOT, which is not set"},
		{"dsn", "postgres://a:${NOT}@h/d", "needs the variable NOT, which is not set"},
		{"dsn", "${E}", "is empty"},
		{"dsn", "${P}@h", "needs a space after the variable at its start"},
		{"dsn", "${P}${P}", "needs a space after the variable at its start"},
		{"dsn", "host=h ${P}", "has a variable where a keyword belongs"},
		{"dsn", "host=h pass${P}=x", "has a variable where a keyword belongs"},
		{"dsn", "host=h password='${P}", "has an unclosed quote"},
		{"dsn", "host=h password='${P}'x", "is not a connection string"},
		{"dsn", "file:missing", "is in file missing, which cannot be read: no such file"},
		{"dsn", "file:empty", "is in file empty, which is empty"},
		{"dsn", "file:long", "is in file long, which has more than 65536 bytes"},
		{"dsn", "file:.", "is in file ., which cannot be read: is a directory"},
		{"dsn", "file:${DIR}/x", "is in file ${DIR}/x, which cannot be read: no such file"},
		{"dsn", "file:${NOT}/x", "needs the variable NOT"},
		{"password", "${NOT}", "needs the variable NOT, which is not set"},
		{"password", "${E}", "is the variable E, which is empty"},
		{"password", "file:empty", "is in file empty, which is empty"},
		{"password", "hunter2", "must be ${VARIABLE} or file:PATH"},
	} {
		fill := resolver.DSN
		if tt.key == "password" {
			fill = resolver.Password
		}

		_, err := fill(tt.text)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s %s says %v, want %s", tt.key, tt.text, err, tt.want)
		}
	}
}

func TestSecretsLeaveTextAlone(t *testing.T) {
	resolver := Resolver{Lookup: func(string) (string, bool) { return "", false }}
	for text, want := range map[string]string{
		"host=h  user='a b'": "host=h  user='a b'", "host=h user=$U": "host=h user=$U", "host=h password=$${U}": "host=h password=${U}",
		"postgres://h/d?x=%20$$": "postgres://h/d?x=%20$$", "not a connection string": "not a connection string",
	} {
		if got, err := resolver.DSN(text); err != nil || got != want {
			t.Errorf("%s becomes %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestCheck(t *testing.T) {
	const inFile = "in a job file"
	for _, tt := range []struct {
		key, text, want string // want: part of the error, "" for none
	}{
		{"dsn", "postgres://me:${P}@h/d", ""},
		{"dsn", "host=h password=${P}", ""},
		{"dsn", "${URL}?sslmode=disable", ""},
		{"dsn", "file:dsn", ""},
		{"dsn", "postgres://me:hunter2@h/d", inFile},
		{"dsn", "${URL}?password=hunter2", inFile},
		{"dsn", "host=${H} sslpassword='hunter2'", inFile},
		{"dsn", "host=${H", "contains ${ without a name"},
		{"password", "${P}", ""},
		{"password", "file:${DIR}/password", ""},
		{"password", "hunter2", inFile},
		{"password", "${P}hunter2", inFile},
		{"password", "file:${DIR", "contains ${ without a name"},
	} {
		check := CheckDSN
		if tt.key == "password" {
			check = CheckPassword
		}

		err := check(tt.text)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s %s is refused: %v", tt.key, tt.text, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2")):
			t.Errorf("%s %s says %v, want %s", tt.key, tt.text, err, tt.want)
		}
	}
}
