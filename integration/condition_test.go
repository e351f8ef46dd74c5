package integration

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/condition"
	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/testrand"
)

// conditionColumns are columns of each type, with literals that may be compared with their values.
var conditionColumns = []struct {
	name, sql string
	literals  []string
	value     func(*rand.Rand) feature.Value
}{
	{"i", "bigint", []string{"0", "-1", "2", "2.0", "1.5", "9007199254740993", "9007199254740992.5", "9223372036854775807", "9223372036854775808", "-1e3", "+.5"},
		func(r *rand.Rand) feature.Value {
			return pick[int64](r, 0, -1, 1, 2, 3, -1000, 9007199254740992, 9007199254740993, math.MaxInt64, math.MinInt64)
		}},
	{"Größe m²", "double precision", []string{"0", "-1", "0.1", "1e-1", "0.1000000000000000055511151231257827", "9007199254740993", "1e300", "-2.5"},
		func(r *rand.Rand) feature.Value {
			return pick(r, 0, -1, 0.1, 9007199254740992, 9007199254740994, 1e300, -2.5, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1))
		}},
	{"t", `text collate "C"`, []string{"''", "'a'", "'A'", "'ä'", "'it''s'", `'a\b'`, `'\'`, "'丸'", `'"'`},
		func(r *rand.Rand) feature.Value {
			return pick(r, "", "a", "A", "b", "ä", "it's", `a\b`, `\`, "丸", `"`, "a ")
		}},
	{`say "b"`, "boolean", []string{"true", "FALSE"},
		func(r *rand.Rand) feature.Value { return r.IntN(2) == 0 }},
	{"day", "date", []string{"'2024-02-29'", "'1999-12-31'", "'2024-03-01'"},
		func(r *rand.Rand) feature.Value {
			return pick(r, feature.Date{Year: 2024, Month: 2, Day: 29}, feature.Date{Year: 1999, Month: 12, Day: 31}, feature.Date{Year: 2024, Month: 3, Day: 2})
		}},
	{"at", "timestamp with time zone", []string{"'2024-02-29T12:00:00Z'", "'2024-02-29 13:00:00+01'", "'2024-02-29T12:00:00.5Z'", "'2024-03-01'"},
		func(r *rand.Rand) feature.Value {
			noon := time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
			return pick(r, noon, noon.Add(500*time.Millisecond), noon.Add(12*time.Hour), noon.AddDate(1, 0, 0))
		}},
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// randomCondition returns a random condition that consists of several tests.
func randomCondition(r *rand.Rand, depth int) string {
	switch n := r.IntN(8); {
	case depth > 0 && n < 2:
		return randomCondition(r, depth-1) + pick(r, " and ", " or ", " AND\n", "\tOr ") + randomCondition(r, depth-1)
	case depth > 0 && n == 2:
		return "(" + randomCondition(r, depth-1) + ")"
	case depth > 0 && n == 3:
		return "not " + randomCondition(r, depth-1)
	}

	column := pick(r, conditionColumns...)
	name := pgx.Identifier{column.name}.Sanitize()

	switch r.IntN(5) {
	case 0:
		return name + pick(r, " is null", " is not null", " IS NULL")
	case 1:
		var list []string
		for range 1 + r.IntN(3) {
			list = append(list, pick(r, column.literals...))
		}
		return name + pick(r, " in (", " not in (") + strings.Join(list, ", ") + ")"
	}

	return name + pick(r, " = ", "<>", " != ", "<", " <= ", ">", ">=") + pick(r, column.literals...)
}

// A condition has the same result here as its SQL has in PostgreSQL, whatever standard_conforming_strings
// is.
func TestConditionsAreSQL(t *testing.T) {
	const rows, conditions = 200, 400
	s := newSandbox(t)
	rng := testrand.New(t, 77)

	var columns, names []string
	for _, c := range conditionColumns {
		names = append(names, c.name)
		columns = append(columns, pgx.Identifier{c.name}.Sanitize()+" "+c.sql)
	}
	s.exec("create table " + s.name("features") + " (n bigint, " + strings.Join(columns, ", ") + ")")

	var values [][]feature.Value
	var copied [][]any
	for n := range rows {
		row, sent := make([]feature.Value, len(names)), []any{int64(n)}
		for i, c := range conditionColumns {
			if rng.IntN(5) > 0 {
				row[i] = c.value(rng)
			}

			if d, ok := row[i].(feature.Date); ok {
				sent = append(sent, time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC))
			} else {
				sent = append(sent, row[i])
			}
		}
		values, copied = append(values, row), append(copied, sent)
	}

	if _, err := s.pool.CopyFrom(t.Context(), pgx.Identifier{s.schema, "features"}, append([]string{"n"}, names...), pgx.CopyFromRows(copied)); err != nil {
		t.Fatal(err)
	}

	conn, err := s.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()

	for i := range conditions {
		if _, err := conn.Exec(t.Context(), "set standard_conforming_strings = "+pick(rng, "on", "off")+"; set timezone = 'UTC'"); err != nil {
			t.Fatal(err)
		}

		text := randomCondition(rng, 3)
		c, err := condition.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}

		var want []int64
		sql := fmt.Sprintf("select coalesce(array_agg(case when c then 1 when not c then -1 else 0 end order by n), '{}') from (select n, (%s) c from %s) x", c.SQL(condition.PostgreSQL), s.name("features"))
		if err := conn.QueryRow(t.Context(), sql).Scan(&want); err != nil {
			t.Fatalf("%s: %s: %v", text, sql, err)
		}

		for n, row := range values {
			of := make([]feature.Value, len(c.Names()))
			for k, name := range c.Names() {
				of[k] = row[slices.Index(names, name)]
			}

			got, err := c.Eval(of)
			if err != nil || int64(got) != want[n] {
				t.Fatalf("condition %d, %s of %v: got %d, want %d: %v", i, text, of, got, want[n], err)
			}
		}
	}
}
