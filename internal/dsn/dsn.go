// Package dsn owns the parsing of connection strings. Its errors never show the string, because it may
// contain a password.
package dsn

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Error reports an unusable connection string. It does not show the string, because it may contain a password.
type Error struct {
	Reason string
}

func (e *Error) Error() string { return "connection string (not shown): " + e.Reason }

// Parse parses a connection string: a URL or a list of keywords, as for psql. Missing settings come from the PG*
// environment, the service file and the password file. The error is an *Error.
func Parse(text string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(text)
	if err != nil {
		return nil, &Error{reason(err)}
	}

	return config, checkHosts(text, config.ConnConfig)
}

// reason explains why a connection string cannot be parsed. The parser's own message may quote the
// string with its password, so reason passes on only the parts that are known to be safe.
func reason(err error) string {
	text := "is not a connection string: it must look like 'host=db dbname=gis user=me' or postgresql://me@db/gis"
	for known, hint := range map[string]string{
		"failed to read service":  " (service, PGSERVICE, PGSERVICEFILE)",
		"failed to configure TLS": " (sslmode, sslrootcert, sslcert, sslkey)",
		"invalid port":            "", "invalid connect_timeout": "", "invalid sslcertmode": "",
		"could not match": " the number of ports to the number of hosts",
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

// checkHosts refuses a connection string if the parser may have read a part of the password as a
// host or a database, because those are printed and looked up in DNS.
func checkHosts(text string, c *pgx.ConnConfig) error {
	refuse := func() error {
		return &Error{"it is unclear where the host begins: in a URL, write %40, %2F, %3F, %23, %3A for @ / ? # : in the user and the password; in a list of keywords, separate the settings with spaces"}
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
		// A path is a socket, and so is a name that begins with @.
		if !strings.HasPrefix(h, "/") && len(h) > 0 && strings.ContainsAny(h[1:], "@;= ") {
			return refuse()
		}
	}

	return nil
}
