package condition

import (
	"strings"
)

// Dialect is the SQL of a database.
type Dialect int

// The dialects.
const (
	// SQLite is the dialect of SQLite, and so of GeoPackage. SQLite treats the name of a missing
	// column as text, so check first that the column exists.
	SQLite Dialect = iota
	// GeoPackage is SQLite's dialect, but it compares text by its bytes, whatever the collation of
	// a column, and uses no index, so that rows keep their order.
	GeoPackage
	// PostgreSQL is the dialect of PostgreSQL, for any value of standard_conforming_strings.
	PostgreSQL
)

// SQL returns the condition as an SQL expression, in brackets if it needs them. It means the same
// as Eval if the columns have the types of feature.ColumnOf and text is compared by its bytes.
func (c *Condition) SQL(d Dialect) string {
	return string(c.root.appendSQL(nil, c.names, d))
}

func (l logic) appendSQL(b []byte, names []string, d Dialect) []byte {
	between := " or "
	if l.and {
		between = " and "
	}

	for i, part := range l.parts {
		if i > 0 {
			b = append(b, between...)
		}

		if inner, ok := part.(logic); ok && (l.and || !inner.and) {
			b = append(part.appendSQL(append(b, '('), names, d), ')')
		} else {
			b = part.appendSQL(b, names, d)
		}
	}

	return b
}

func (n negation) appendSQL(b []byte, names []string, d Dialect) []byte {
	return append(n.inner.appendSQL(append(b, "not ("...), names, d), ')')
}

func (n nullTest) appendSQL(b []byte, names []string, _ Dialect) []byte {
	b = appendName(b, names[n.attribute])
	if n.not {
		return append(b, " is not null"...)
	}
	return append(b, " is null"...)
}

func (c comparison) appendSQL(b []byte, names []string, d Dialect) []byte {
	b = appendCompared(b, names[c.attribute], d)
	b = append(append(append(b, ' '), c.operator...), ' ')

	return c.with.appendSQL(b, d)
}

func (m membership) appendSQL(b []byte, names []string, d Dialect) []byte {
	b = appendCompared(b, names[m.attribute], d)
	if m.not {
		b = append(b, " not"...)
	}

	b = append(b, " in ("...)
	for i, l := range m.list {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = l.appendSQL(b, d)
	}

	return append(b, ')')
}

// appendCompared writes the name of an attribute that is compared with a literal.
func appendCompared(b []byte, name string, d Dialect) []byte {
	if d != GeoPackage {
		return appendName(b, name)
	}
	return append(appendName(append(b, '+'), name), " collate binary"...)
}

// appendName writes the name of an attribute in quotes.
func appendName(b []byte, name string) []byte {
	return append(b, `"`+strings.ReplaceAll(name, `"`, `""`)+`"`...)
}

func (l literal) appendSQL(b []byte, d Dialect) []byte {
	switch v := l.value.(type) {
	case bool:
		if v {
			return append(b, "true"...)
		}
		return append(b, "false"...)
	case string:
		text := strings.ReplaceAll(v, "'", "''")
		if d == PostgreSQL && strings.Contains(text, `\`) {
			text = strings.ReplaceAll(text, `\`, `\\`)
			b = append(b, 'E')
		}
		return append(b, "'"+text+"'"...)
	}

	return append(b, l.text...)
}
