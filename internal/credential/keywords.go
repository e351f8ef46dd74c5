package credential

import (
	"errors"
	"strings"
)

// spaces separate the keywords of a connection string.
const spaces = " \t\n\r\v\f"

// symbol is a byte of a template, or the whole value of a variable.
type symbol struct {
	char  byte
	value *string
}

func (s symbol) is(chars string) bool {
	return s.value == nil && strings.IndexByte(chars, s.char) >= 0
}

// keywords fills in the variables of a list of keywords. It quotes every value, and puts a space before each
// setting. Text without variables stays as it is.
func (r Resolver) keywords(parts []part) (string, error) {
	var text []symbol
	variables := false
	for _, p := range parts {
		if p.variable != "" {
			v, err := r.value(p.variable)
			if err != nil {
				return "", err
			}

			variables = true
			text = append(text, symbol{value: &v})
		}

		for i := range len(p.text) {
			text = append(text, symbol{char: p.text[i]})
		}
	}

	if !variables {
		return templateText(parts), nil
	}

	settings, err := scanKeywords(text)
	if err != nil {
		return "", err
	}

	var b strings.Builder
	for _, kv := range settings {
		b.WriteString(" " + kv[0] + "=" + quoteKeyword(kv[1]))
	}

	return b.String(), nil
}

func parseKeywords(dsn string) ([][2]string, error) {
	text := make([]symbol, len(dsn))
	for i := range len(dsn) {
		text[i].char = dsn[i]
	}
	return scanKeywords(text)
}

// scanKeywords reads keywords and values by the rules of libpq (PQconninfoParse).
func scanKeywords(text []symbol) (settings [][2]string, err error) {
	skip := func() {
		for len(text) > 0 && text[0].is(spaces) {
			text = text[1:]
		}
	}

	for skip(); len(text) > 0; skip() {
		var key strings.Builder
		for len(text) > 0 && !text[0].is("="+spaces) {
			if text[0].value != nil {
				return nil, errors.New("has a variable where a keyword belongs: it must look like 'host=${HOST} user=${NAME}'")
			}

			key.WriteByte(text[0].char)
			text = text[1:]
		}

		if skip(); len(text) == 0 || !text[0].is("=") || key.Len() == 0 {
			return nil, errors.New("is not a connection string: it must look like 'host=db dbname=gis user=me' or postgresql://me@db/gis")
		}

		text = text[1:]
		skip()
		var value string
		if value, text, err = scanValue(text); err != nil {
			return nil, err
		}

		settings = append(settings, [2]string{key.String(), value})
	}

	return settings, nil
}

// scanValue takes a value off the start of a text.
func scanValue(text []symbol) (value string, rest []symbol, err error) {
	var b strings.Builder
	quoted := len(text) > 0 && text[0].is("'")
	if quoted {
		text = text[1:]
	}

	for len(text) > 0 {
		s := text[0]
		switch {
		case quoted && s.is("'"):
			return b.String(), text[1:], nil
		case !quoted && s.is(spaces):
			return b.String(), text, nil
		case s.is(`\`) && len(text) > 1 && text[1].value == nil:
			text = text[1:]
			b.WriteByte(text[0].char)
		case s.value != nil:
			b.WriteString(*s.value)
		default:
			b.WriteByte(s.char)
		}

		text = text[1:]
	}

	if quoted {
		return "", nil, errors.New("has an unclosed quote")
	}
	return b.String(), nil, nil
}

// quoteKeyword quotes a value for a list of keywords.
func quoteKeyword(value string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "'"
}
