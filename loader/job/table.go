package job

import (
	"strings"
	"unicode/utf8"

	"github.com/loadgrid/loadgrid/geomgen"
)

// MaxIdentifier is the length in bytes of the longest name that PostgreSQL does not truncate.
const MaxIdentifier = 63

// Table names a table, exactly as in the catalogue.
type Table struct {
	Schema string `json:"schema"` // if empty, the first schema of the search_path
	Name   string `json:"name"`
}

// ParseTable reads [SCHEMA.]NAME. It keeps names as they are, including capitals. A name that contains a dot must
// be in double quotes, as in SQL.
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

	return bad(`has more than one dot: put a name that contains a dot in double quotes, as in '"a.b"'`)
}

// quotedEnd returns the position of the quote that closes the one at the start of s.
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

// String returns the name for people: schema.name, quoted only where necessary.
func (t Table) String() string {
	name := plainName(t.Name)
	if t.Schema != "" {
		name = plainName(t.Schema) + "." + name
	}
	return name
}

// QuoteName returns a name in double quotes, for people. Statements quote names with pgx.Identifier, which this
// package does not import.
func QuoteName(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

func plainName(s string) string {
	if strings.ContainsAny(s, `."`) {
		return QuoteName(s)
	}
	return s
}

func (t Table) validate() error {
	if t == (Table{}) {
		return &geomgen.ParamError{Param: "table", Value: "(none)", Reason: "a load needs a table: give its name as [SCHEMA.]NAME"}
	}

	if err := CheckIdentifier("table", t.Name); err != nil {
		return err
	}

	if t.Schema == "" {
		return nil
	}

	return CheckIdentifier("table", t.Schema)
}

// CheckReserved refuses the tables of the ledger and PostgreSQL's own schemas.
func (t Table) CheckReserved(ledgerSchema string) error {
	if strings.HasPrefix(t.Schema, "pg_") || t.Schema == "information_schema" {
		return &geomgen.ParamError{Param: "table", Value: t.String(), Reason: "the schema belongs to PostgreSQL"}
	}

	if t.Schema == ledgerSchema && (t.Name == "runs" || t.Name == "chunks" || t.Name == "attempts" || t.Name == "starts" || t.Name == "identity" || t.Name == "marks" || t.Name == "shared_attempts" || t.Name == "run_features" || t.Name == "held_tables" || t.Name == "schema_migrations") {
		return &geomgen.ParamError{Param: "table", Value: t.String(), Reason: "the ledger has a table with this name in its schema"}
	}

	return nil
}

// CheckIdentifier refuses names that PostgreSQL would change. The error is a *geomgen.ParamError for the
// parameter.
func CheckIdentifier(param, name string) error {
	switch {
	case name == "":
		return &geomgen.ParamError{Param: param, Value: `""`, Reason: "the name is empty"}
	case len(name) > MaxIdentifier:
		return &geomgen.ParamError{Param: param, Value: name, Reason: "is longer than 63 bytes, the longest name that PostgreSQL keeps"}
	case !utf8.ValidString(name) || strings.ContainsRune(name, 0):
		return &geomgen.ParamError{Param: param, Value: strings.ToValidUTF8(name, "?"), Reason: "contains bytes that are not allowed in a name"}
	}

	return nil
}
