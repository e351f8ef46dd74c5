package job

import (
	"strings"
	"unicode/utf8"

	"github.com/loadgrid/loadgrid/geomgen"
)

// MaxIdentifier is the longest name in bytes that PostgreSQL keeps whole.
const MaxIdentifier = 63

// Table names a table, exactly as it stands in the catalogue.
type Table struct {
	Schema string `json:"schema"` // empty: the first schema of the search_path
	Name   string `json:"name"`
}

// ParseTable reads [SCHEMA.]NAME. Names are taken as they are given, capitals
// included; a name with a dot in it stands in double quotes, as in SQL.
func ParseTable(s string) (Table, error) {
	bad := func(reason string) (Table, error) {
		return Table{}, &geomgen.ParamError{Param: "table", Value: s, Reason: reason}
	}
	var parts []string

	for rest := s; ; {
		var part string
		if strings.HasPrefix(rest, `"`) {
			end := quotedEnd(rest)
			if end < 0 {
				return bad("a double quote is not closed")
			}

			part, rest = strings.ReplaceAll(rest[1:end], `""`, `"`), rest[end+1:]
			if rest != "" && rest[0] != '.' {
				return bad("a dot must follow a name in double quotes")
			}
		} else {
			n := strings.IndexByte(rest, '.')
			if n < 0 {
				n = len(rest)
			}

			part, rest = rest[:n], rest[n:]
		}

		parts = append(parts, part)
		if rest == "" {
			break
		}

		rest = rest[1:]
	}

	switch len(parts) {
	case 1:
		return Table{Name: parts[0]}, nil
	case 2:
		if parts[0] == "" {
			return bad("the schema before the dot is empty")
		}

		return Table{Schema: parts[0], Name: parts[1]}, nil
	}

	return bad(`has more than one dot: a name that holds a dot stands in double quotes, as in '"a.b"'`)
}

// quotedEnd returns the place of the quote that closes the one s starts with.
func quotedEnd(s string) int {
	for i := 1; i < len(s); i++ {
		if s[i] != '"' {
			continue
		}

		if i+1 < len(s) && s[i+1] == '"' {
			i++
			continue
		}

		return i
	}

	return -1
}

// String returns the name for people: schema.name, quoted only where it must be.
func (t Table) String() string {
	name := plainName(t.Name)
	if t.Schema != "" {
		name = plainName(t.Schema) + "." + name
	}
	return name
}

// QuoteName returns a name in double quotes, for people. Statements quote names with
// pgx.Identifier, which this package does not know.
func QuoteName(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

func plainName(s string) string {
	if strings.ContainsAny(s, `."`) {
		return QuoteName(s)
	}
	return s
}

func (t Table) validate() error {
	if err := CheckIdentifier("table", t.Name); err != nil {
		return err
	}

	if t.Schema == "" {
		return nil
	}

	return CheckIdentifier("table", t.Schema)
}

// CheckReserved refuses the tables of the ledger, and schemas of PostgreSQL's own.
func (t Table) CheckReserved(ledgerSchema string) error {
	if strings.HasPrefix(t.Schema, "pg_") || t.Schema == "information_schema" {
		return &geomgen.ParamError{Param: "table", Value: t.String(), Reason: "the schema is PostgreSQL's own"}
	}

	if t.Schema == ledgerSchema && (t.Name == "runs" || t.Name == "chunks" || t.Name == "attempts" || t.Name == "starts" || t.Name == "identity" || t.Name == "marks" || t.Name == "shared_attempts" || t.Name == "run_features" || t.Name == "held_tables" || t.Name == "schema_migrations") {
		return &geomgen.ParamError{Param: "table", Value: t.String(), Reason: "the ledger has a table of this name in its schema"}
	}

	return nil
}

// CheckIdentifier refuses names that PostgreSQL does not keep as they are. The error is a
// *geomgen.ParamError of the parameter.
func CheckIdentifier(param, name string) error {
	switch {
	case name == "":
		return &geomgen.ParamError{Param: param, Value: `""`, Reason: "the name is empty"}
	case len(name) > MaxIdentifier:
		return &geomgen.ParamError{Param: param, Value: name, Reason: "is longer than the 63 bytes that PostgreSQL keeps of a name"}
	case !utf8.ValidString(name) || strings.ContainsRune(name, 0):
		return &geomgen.ParamError{Param: param, Value: strings.ToValidUTF8(name, "?"), Reason: "holds bytes that no name may hold"}
	}

	return nil
}
