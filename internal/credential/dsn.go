package credential

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// CheckDSN refuses a connection string that contains a password or malformed variables.
func CheckDSN(text string) error {
	parts, err := parseTemplate(text)
	if err != nil {
		return err
	}

	if literalPassword(parts) {
		return errors.New("contains a password, which others can read in a job file: use ${VARIABLE} instead")
	}
	return nil
}

// literalPassword reports whether a connection string has a password with no part from a variable.
func literalPassword(parts []part) bool {
	const variable = "VARIABLE"
	resolver := Resolver{Lookup: func(string) (string, bool) { return variable, true }}
	text, err := resolver.raw(parts)
	if err != nil || strings.HasPrefix(text, filePrefix) {
		return false
	}

	literal := func(value string) bool { return value != "" && !strings.Contains(value, variable) }
	for _, m := range regexp.MustCompile(`(?:^postgres(?:ql)?://[^/?#@]*?:|[?&](?:ssl)?password=)([^@&#]*)`).FindAllStringSubmatch(text, -1) {
		inUser := strings.HasPrefix(m[0], "postgres")
		if literal(m[1]) && (!inUser || strings.Contains(text, "@")) {
			return true
		}
	}

	if isURL(text) {
		return false
	}

	settings, _ := parseKeywords(strings.TrimPrefix(text, variable))
	return slices.ContainsFunc(settings, func(kv [2]string) bool {
		return (kv[0] == "password" || kv[0] == "sslpassword") && literal(kv[1])
	})
}

// DSN returns the connection string for the dsn of a file. A variable at its very start is used as it is, because
// it may be the whole string. Any other variable is one value, or a part of one, whatever it contains: it is
// encoded for a URL, or quoted for a list of keywords.
func (r Resolver) DSN(text string) (string, error) {
	parts, err := parseTemplate(text)
	if err != nil {
		return "", err
	}

	if strings.HasPrefix(text, filePrefix) {
		return r.file(parts)
	}

	start, rest := "", parts
	if len(parts) > 0 && parts[0].variable != "" {
		if start, err = r.value(parts[0].variable); err != nil {
			return "", err
		}

		rest = parts[1:]
	}

	dsn := ""
	if first := append(rest, part{})[0].text; isURL(start + first) {
		dsn, err = r.url(rest)
	} else if start != "" && first != "" && !strings.ContainsRune(spaces, rune(first[0])) || start != "" && first == "" && len(rest) > 0 {
		err = errors.New("needs a space after the variable at its start, because it is not a URL")
	} else {
		dsn, err = r.keywords(rest)
		if start == "" {
			dsn = strings.TrimPrefix(dsn, " ")
		}
	}

	if err == nil && start+dsn == "" {
		err = errors.New("is empty")
	}
	return start + dsn, err
}

func isURL(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

func (r Resolver) url(parts []part) (string, error) {
	// A plus is a space in a query, but a plus elsewhere. %20 is a space everywhere.
	return r.fill(parts, func(v string) string { return strings.ReplaceAll(url.QueryEscape(v), "+", "%20") })
}
