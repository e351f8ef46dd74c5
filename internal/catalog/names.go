package catalog

import (
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/loader/job"
)

// ColumnList returns the names, quoted for SQL and separated by commas.
func ColumnList(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = pgx.Identifier{n}.Sanitize()
	}
	return strings.Join(quoted, ", ")
}

// ObjectName returns table_column_label, or table_label without a column, as PostgreSQL names an index. If the
// name is too long, the longer of table and column is truncated. The name of a staging table is never truncated:
// it ends in the number of its partition, and its indexes are found by it.
func ObjectName(table, column, label string) string {
	for {
		name := table + "_" + label
		if column != "" {
			name = table + "_" + column + "_" + label
		}

		switch {
		case len(name) <= job.MaxIdentifier:
			return name
		case table == "" && column == "": // a label of that length is not ours
			label = withoutLastRune(label)
		case column == "", len(table) > len(column) && !strings.HasPrefix(table, stagingPrefix):
			table = withoutLastRune(table)
		default:
			column = withoutLastRune(column)
		}
	}
}

func withoutLastRune(s string) string {
	_, size := utf8.DecodeLastRuneInString(s)
	return s[:len(s)-size]
}

// QuoteTable returns the name of a table, quoted for SQL.
func QuoteTable(t job.Table) string {
	if t.Schema == "" {
		return pgx.Identifier{t.Name}.Sanitize()
	}
	return pgx.Identifier{t.Schema, t.Name}.Sanitize()
}
