package integration

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// answers runs statements like psql and returns psql's output for each statement that returns rows.
func answers(ctx context.Context, conn *pgx.Conn, statements string) (tables []string, err error) {
	results, err := conn.PgConn().Exec(ctx, statements).ReadAll()
	if err != nil {
		return nil, err
	}

	for _, r := range results {
		if len(r.FieldDescriptions) > 0 {
			tables = append(tables, psqlTable(r))
		}
	}

	return tables, nil
}

// psqlTable formats a result like psql by default, without spaces at the ends of lines.
func psqlTable(r *pgconn.Result) string {
	width := make([]int, len(r.FieldDescriptions))
	for i, f := range r.FieldDescriptions {
		width[i] = utf8.RuneCountInString(f.Name)
		for _, row := range r.Rows {
			width[i] = max(width[i], utf8.RuneCount(row[i]))
		}
	}

	var names, rule []string
	for i, f := range r.FieldDescriptions {
		left := (width[i] - utf8.RuneCountInString(f.Name)) / 2
		names = append(names, fmt.Sprintf(" %-*s ", width[i], strings.Repeat(" ", left)+f.Name))
		rule = append(rule, strings.Repeat("-", width[i]+2))
	}
	lines := []string{strings.Join(names, "|"), strings.Join(rule, "+")}

	for _, row := range r.Rows {
		var cells []string
		for i, f := range r.FieldDescriptions {
			w := -width[i]
			if isNumber(f.DataTypeOID) {
				w = width[i]
			}
			cells = append(cells, fmt.Sprintf(" %*s ", w, row[i]))
		}
		lines = append(lines, strings.Join(cells, "|"))
	}

	end := "rows"
	if len(r.Rows) == 1 {
		end = "row"
	}
	lines = append(lines, fmt.Sprintf("(%d %s)", len(r.Rows), end))

	return trimLines(strings.Join(lines, "\n") + "\n")
}

// isNumber reports whether psql aligns values of a type to the right.
func isNumber(oid uint32) bool {
	return slices.Contains([]uint32{pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.Float4OID, pgtype.Float8OID, pgtype.NumericOID, pgtype.OIDOID}, oid)
}

// trimLines removes the spaces at the ends of lines.
func trimLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// command is a command in a console block, with its shown output.
type command struct {
	line, shown string
}

// consoleCommands parses a console block. A command begins with a dollar sign and continues after a
// backslash.
func consoleCommands(text string) (all []command) {
	goesOn := false
	for line := range strings.Lines(text) {
		begin, isCommand := strings.CutPrefix(line, "$ ")
		switch {
		case isCommand:
			all = append(all, command{line: begin})
		case len(all) == 0:
			all = append(all, command{shown: line}) // output without a command, which runCommand refuses
		case goesOn:
			all[len(all)-1].line += line
		default:
			all[len(all)-1].shown += line
		}
		goesOn = strings.HasSuffix(strings.TrimRight(line, "\n"), "\\") && (isCommand || goesOn)
	}

	return all
}

// isShown reports whether a document shows the output of a command. A line of three dots matches any lines, three dots at the
// end of a line match its rest, and a document that shows nothing leaves the output out.
func isShown(shown, output string) bool {
	if shown == "" {
		return true
	}

	pattern := ""
	for line := range strings.Lines(shown) {
		begin, open := strings.CutSuffix(line, "...\n")
		switch {
		case line == "...\n":
			pattern += `(?:.*\n)*`
		case open:
			pattern += regexp.QuoteMeta(begin) + `.*\n`
		default:
			pattern += regexp.QuoteMeta(line)
		}
	}

	return regexp.MustCompile(`\A` + pattern + `\z`).MatchString(output)
}
