// Package credential owns the references by which a job file names a connection string and a password
// without containing the password: environment variables and other files.
package credential

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// filePrefix is before the name of a file that contains the value.
const filePrefix = "file:"

// maxSecret is the maximum size of a file with a connection string or a password.
const maxSecret = 1 << 16

// Resolver resolves references to environment variables and files. Its errors contain no values.
type Resolver struct {
	// Dir is the base of relative file names.
	Dir string
	// Lookup returns the value of a variable, as os.LookupEnv does.
	Lookup func(name string) (string, bool)
}

// CheckPassword refuses a password in plain text.
func CheckPassword(text string) error {
	if strings.HasPrefix(text, filePrefix) {
		_, err := parseTemplate(text)
		return err
	}

	if parts, err := parseTemplate(text); err == nil && len(parts) == 1 && parts[0].variable != "" {
		return nil
	}
	return errors.New("must be ${VARIABLE} or file:PATH: others can read a password in a job file")
}

// Password returns the password that the key password of a file refers to.
func (r Resolver) Password(text string) (string, error) {
	if err := CheckPassword(text); err != nil {
		return "", err
	}

	parts, err := parseTemplate(text)
	if err != nil {
		return "", err
	}

	if strings.HasPrefix(text, filePrefix) {
		return r.file(parts)
	}

	password, err := r.raw(parts)
	if err == nil && password == "" {
		err = fmt.Errorf("is the variable %s, which is empty", parts[0].variable)
	}

	return password, err
}

// value looks up a variable.
func (r Resolver) value(name string) (string, error) {
	if v, ok := r.Lookup(name); ok {
		return v, nil
	}
	return "", fmt.Errorf("needs the variable %s, which is not set", name)
}

// fill fills in variables, encoding their values with encode.
func (r Resolver) fill(parts []part, encode func(string) string) (string, error) {
	var b strings.Builder
	for _, p := range parts {
		if p.variable != "" {
			v, err := r.value(p.variable)
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
func (r Resolver) raw(parts []part) (string, error) {
	return r.fill(parts, func(v string) string { return v })
}

// file reads a value from a file, without the newline at its end.
func (r Resolver) file(parts []part) (_ string, err error) {
	name, err := r.raw(parts)
	if err != nil {
		return "", err
	}

	name = strings.TrimPrefix(name, filePrefix)
	if !filepath.IsAbs(name) {
		name = filepath.Join(r.Dir, name)
	}

	// The name in messages has no values of variables.
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
