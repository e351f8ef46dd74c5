package jobfile

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// filePrefix leads to a file that holds the value.
const filePrefix = "file:"

// maxSecret bounds what is read of a file with a connection string or a password.
const maxSecret = 1 << 16

// Secrets fills in what a file does not say itself: variables of the environment and
// files. No error of it has a value in it.
type Secrets struct {
	// Dir is what relative names of files are relative to.
	Dir string
	// Lookup returns the value of a variable, as os.LookupEnv does.
	Lookup func(name string) (string, bool)
}

// part is a piece of a template: text, or the name of a variable.
type part struct {
	text     string
	variable string
}

// parseTemplate takes ${NAME} out of a text; $${ stands for ${ itself.
func parseTemplate(text string) ([]part, error) {
	variable := regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)
	var parts []part
	var plain strings.Builder
	flush := func() {
		if plain.Len() > 0 {
			parts = append(parts, part{text: plain.String()})
			plain.Reset()
		}
	}

	for text != "" {
		if strings.HasPrefix(text, "$${") {
			plain.WriteString("${")
			text = text[3:]
		} else if m := variable.FindStringSubmatch(text); m != nil {
			flush()
			parts = append(parts, part{variable: m[1]})
			text = text[len(m[0]):]
		} else if strings.HasPrefix(text, "${") {
			return nil, errors.New("holds ${ without a name and } behind it: ${NAME} is a variable of the environment, and $${ stands for ${")
		} else {
			plain.WriteByte(text[0])
			text = text[1:]
		}
	}

	flush()
	return parts, nil
}

// checkPassword refuses a password that stands in the file itself.
func checkPassword(text string) error {
	if strings.HasPrefix(text, filePrefix) {
		_, err := parseTemplate(text)
		return err
	}
	if parts, err := parseTemplate(text); err == nil && len(parts) == 1 && parts[0].variable != "" {
		return nil
	}
	return errors.New("must be ${VARIABLE} or file:PATH: a job file is no place for a password itself, others will read it")
}

// literalPassword tells whether a connection string has a password of which nothing
// comes from a variable.
func literalPassword(parts []part) bool {
	const variable = "VARIABLE"
	secrets := Secrets{Lookup: func(string) (string, bool) { return variable, true }}
	text, err := secrets.raw(parts)
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

// value looks a variable up.
func (s Secrets) value(name string) (string, error) {
	if v, ok := s.Lookup(name); ok {
		return v, nil
	}
	return "", fmt.Errorf("needs the variable %s, which is not set", name)
}

// fill fills in variables, each as encode writes its value.
func (s Secrets) fill(parts []part, encode func(string) string) (string, error) {
	var b strings.Builder
	for _, p := range parts {
		if p.variable != "" {
			v, err := s.value(p.variable)
			if err != nil {
				return "", err
			}
			b.WriteString(encode(v))
		}
		b.WriteString(p.text)
	}

	return b.String(), nil
}

// raw fills in variables as they are.
func (s Secrets) raw(parts []part) (string, error) {
	return s.fill(parts, func(v string) string { return v })
}

// file reads a value from a file, without the newline at its end.
func (s Secrets) file(parts []part) (_ string, err error) {
	name, err := s.raw(parts)
	if err != nil {
		return "", err
	}

	name = strings.TrimPrefix(name, filePrefix)
	if !filepath.IsAbs(name) {
		name = filepath.Join(s.Dir, name)
	}

	// The name that is shown has no values of variables in it.
	shown := strings.TrimPrefix(templateText(parts), filePrefix)
	f, err := os.Open(name)
	var data []byte
	if err == nil {
		data, err = io.ReadAll(io.LimitReader(f, maxSecret+1))
		err = errors.Join(err, f.Close())
	}

	var path *os.PathError
	switch {
	case errors.As(err, &path):
		return "", fmt.Errorf("is in file %s, which cannot be read: %w", shown, path.Err)
	case err != nil:
		return "", fmt.Errorf("is in file %s, which cannot be read", shown)
	case len(data) > maxSecret:
		return "", fmt.Errorf("is in file %s, which has more than %d bytes", shown, maxSecret)
	}

	text := strings.TrimSuffix(string(data), "\n")
	text = strings.TrimSuffix(text, "\r")
	if text == "" {
		return "", fmt.Errorf("is in file %s, which is empty", shown)
	}

	return text, nil
}

func templateText(parts []part) string {
	var b strings.Builder
	for _, p := range parts {
		if p.variable != "" {
			b.WriteString("${" + p.variable + "}")
		}
		b.WriteString(p.text)
	}
	return b.String()
}

// Password returns the password that a file's key of this name leads to.
func (s Secrets) Password(text string) (string, error) {
	if err := checkPassword(text); err != nil {
		return "", err
	}

	parts, err := parseTemplate(text)
	if err != nil {
		return "", err
	}

	if strings.HasPrefix(text, filePrefix) {
		return s.file(parts)
	}

	password, err := s.raw(parts)
	if err == nil && password == "" {
		err = fmt.Errorf("is the variable %s, which is empty", parts[0].variable)
	}

	return password, err
}

// DSN returns the connection string that a file's dsn leads to. A variable at its
// very start is taken as it is: it may be all of it. Any other is one value, or a part
// of one, whatever is in it: it is encoded for a URL, or quoted for a list of keywords.
func (s Secrets) DSN(text string) (string, error) {
	parts, err := parseTemplate(text)
	if err != nil {
		return "", err
	}

	if strings.HasPrefix(text, filePrefix) {
		return s.file(parts)
	}

	start, rest := "", parts
	if len(parts) > 0 && parts[0].variable != "" {
		if start, err = s.value(parts[0].variable); err != nil {
			return "", err
		}
		rest = parts[1:]
	}

	dsn := ""
	if first := append(rest, part{})[0].text; isURL(start + first) {
		dsn, err = s.url(rest)
	} else if start != "" && first != "" && !strings.ContainsRune(spaces, rune(first[0])) || start != "" && first == "" && len(rest) > 0 {
		err = errors.New("goes on behind the variable at its start without a space, and is no URL")
	} else {
		dsn, err = s.keywords(rest)
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

func (s Secrets) url(parts []part) (string, error) {
	// In a query a plus is a space, elsewhere itself: %20 is one everywhere.
	return s.fill(parts, func(v string) string { return strings.ReplaceAll(url.QueryEscape(v), "+", "%20") })
}

// WithPassword puts a password into a connection string that has none.
func WithPassword(dsn, password string) string {
	if !isURL(dsn) {
		settings, err := parseKeywords(dsn)
		for _, kv := range settings {
			if kv[0] == "password" {
				return dsn
			}
		}

		if err != nil { // whoever opens it says what is wrong
			return dsn
		}
		return strings.TrimLeft(dsn+" password="+quoteKeyword(password), " ")
	}

	u, err := url.Parse(dsn)
	if err != nil || u.Query().Has("password") {
		return dsn
	}

	if _, has := u.User.Password(); has {
		return dsn
	}

	// What is there stays as it is written.
	before, fragment, hasFragment := strings.Cut(dsn, "#")
	separator := "?"
	if strings.Contains(before, "?") {
		separator = "&"
	}

	dsn = before + separator + "password=" + strings.ReplaceAll(url.QueryEscape(password), "+", "%20")
	if hasFragment {
		dsn += "#" + fragment
	}

	return dsn
}
