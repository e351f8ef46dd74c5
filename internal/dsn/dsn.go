// Package dsn owns the reading of connection strings. What it says of a wrong one never
// shows it, since there may be a password in it.
package dsn

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Error reports a connection string that cannot be used. It does not show it, since
// there may be a password in it.
type Error struct {
	Reason string
}

func (e *Error) Error() string { return "connection string (not shown): " + e.Reason }

// Parse reads a connection string: a URL or a list of keywords as psql takes them. What it
// leaves open comes from the PG* environment, the service file and the password file. The
// error is an *Error.
func Parse(text string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(text)
	if err != nil {
		return nil, &Error{reason(err)}
	}

	return config, checkHosts(text, config.ConnConfig)
}

// reason says why a connection string cannot be read. The parser's own
// message may quote the string, and the password in it: only what is known to
// be free of it is passed on.
func reason(err error) string {
	text := "is no connection string: it must look like 'host=db dbname=gis user=me' or postgresql://me@db/gis"
	for known, hint := range map[string]string{
		"failed to read service":  " (service, PGSERVICE, PGSERVICEFILE)",
		"failed to configure TLS": " (sslmode, sslrootcert, sslcert, sslkey)",
		"invalid port":            "", "invalid connect_timeout": "", "invalid sslcertmode": "",
		"could not match": " the number of ports to that of hosts",
	} {
		if strings.Contains(err.Error(), "`: "+known) {
			text = known + hint
		}
	}

	var file *fs.PathError
	if errors.As(err, &file) {
		text += ": " + file.Error()
	}

	return text
}

// checkHosts refuses a connection string of which the parser may have taken a
// part of the password for a host or a database: those are printed, and looked
// up in DNS.
func checkHosts(text string, c *pgx.ConnConfig) error {
	refuse := func() error {
		return &Error{"where its host begins is in doubt: in a URL write %40, %2F, %3F, %23, %3A for @ / ? # : in user and password; in a list of keywords put spaces between them"}
	}
	if _, rest, ok := strings.Cut(text, "://"); ok {
		rest, _, _ = strings.Cut(rest, "?")
		_, path, _ := strings.Cut(rest, "/")
		if strings.Count(rest, "@") > 1 || strings.Contains(path, "@") {
			return refuse()
		}
	}

	hosts := []string{c.Host}

	for _, f := range c.Fallbacks {
		hosts = append(hosts, f.Host)
	}

	for _, h := range hosts {
		// A path is a socket's, and so is a name that begins with @.
		if !strings.HasPrefix(h, "/") && len(h) > 0 && strings.ContainsAny(h[1:], "@;= ") {
			return refuse()
		}
	}

	return nil
}
