package credential

import (
	"net/url"
	"strings"
)

// HasPassword reports whether a connection string itself has a password for the server. It
// does not look in the environment or in files, where the connection may find another one.
func HasPassword(dsn string) bool { return hasSetting(dsn, "password") }

// HasSecret reports whether a connection string has a password for the server, or one for
// a client key.
func HasSecret(dsn string) bool { return hasSetting(dsn, "password") || hasSetting(dsn, "sslpassword") }

func hasSetting(dsn, name string) bool {
	settings := parseURL
	if !isURL(dsn) {
		settings = parseKeywords
	}

	list, err := settings(dsn)
	if err != nil {
		return false // it cannot be used to connect anyway
	}

	value := ""
	for _, kv := range list {
		if kv[0] == name {
			value = kv[1] // if a setting is given twice, the last one counts
		}
	}

	return value != ""
}

// parseURL reads the user's password and the parameters of a connection URL by the rules of libpq
// (conninfo_uri_parse_options), which differ from net/url: a password may contain # and ? unencoded.
func parseURL(dsn string) (settings [][2]string, err error) {
	_, rest, _ := strings.Cut(dsn, "://")
	if end := strings.IndexAny(rest, "@/"); end >= 0 && rest[end] == '@' {
		_, password, _ := strings.Cut(rest[:end], ":")
		settings = append(settings, [2]string{"password", strings.Trim(password, " ")})
		rest = rest[end+1:]
	}

	_, query, _ := strings.Cut(rest, "?")
	for parameter := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(parameter, "=")
		if key, err = url.PathUnescape(strings.Trim(key, " ")); err != nil {
			return nil, err
		}

		settings = append(settings, [2]string{key, strings.Trim(value, " ")})
	}

	return settings, nil
}
