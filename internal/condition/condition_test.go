package condition

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/internal/feature"
)

// row has an attribute of each type, by name.
func row() map[string]feature.Value {
	return map[string]feature.Value{
		"i": int64(5), "big": int64(9007199254740993), "f": 2.5, "nan": math.NaN(), "t": "Côte d'Ivoire", "empty": "", "yes": true, "no": false,
		"null": nil, "none": nil, "day": feature.Date{Year: 2024, Month: 2, Day: 29}, "at": time.Date(2024, 2, 29, 12, 30, 0, 0, time.UTC), "Größe m²": int64(1),
	}
}

func eval(t *testing.T, text string) (Truth, error) {
	t.Helper()
	c, err := Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}

	values := make([]feature.Value, len(c.Names()))
	for i, name := range c.Names() {
		v, ok := row()[name]
		if !ok {
			t.Fatalf("%s: there is no %q", text, name)
		}
		values[i] = v
	}

	return c.Eval(values)
}

func TestEval(t *testing.T) {
	for text, want := range map[string]Truth{
		"i = 5": True, "i=5.0": True, "i <> 5": False, "i != 4": True, "i < 5": False, "i <= 5": True, "i > 4.9999999999999999999": True, "i >= 5.1": False,
		"i = +5": True, "i > -5": True, "i = 5e0": True, "i < 1e300": True, "i > -.5e1": True,
		"big = 9007199254740993": True, "big = 9007199254740992": False, "big = 9007199254740993.0": True, "big > 9007199254740992.5": True,
		"big < 9223372036854775808": True, "big > -99999999999999999999": True,
		"f = 2.5": True, "f > 2": True, "f < 3": True, "f = 25e-1": True, "f <> 2.5000000000000000001": False,
		"nan > 1e308": True, "nan = 1": False, "nan <> 1": True, "nan <= 5": False,
		"t = 'Côte d''Ivoire'": True, "t = 'côte d''Ivoire'": False, "t > 'Cz'": True, "t < 'D'": True, "empty = ''": True, "empty < 'a'": True,
		"yes = true": True, "yes = TRUE": True, "yes <> false": True, "no < true": True, "no = true": False,
		`"null" = 1`: Unknown, `"null" <> 'x'`: Unknown, `"null" in (1, 'a')`: Unknown, `"null" not in (1)`: Unknown,
		`"null" is null`: True, `"null" is not null`: False, "i is null": False, "i IS NOT NULL": True,
		`not "null" = 1`: Unknown, "not i = 5": False, "not not i = 5": True, "not (i = 5)": False, "not i is null": True,
		"i in (1, 5.0)": True, "i in (1)": False, "i not in (1, 2)": True, "i NOT IN (5)": False, "t in ('a', 'Côte d''Ivoire')": True, "yes in (true)": True,
		"i = 5 and none = 1": Unknown, "i = 4 and none = 1": False, "none = 1 and i = 4": False,
		"i = 5 or none = 1": True, "i = 4 or none = 1": Unknown, "none = 1 OR none = 2": Unknown,
		"i = 4 and i = 4 or i = 5": True, "i = 5 or i = 4 and i = 4": True, "(i = 5 or i = 4) and i = 4": False, "not i = 4 and i = 5": True, "not (i = 4 and i = 5)": True,
		"day = '2024-02-29'": True, "day > '2024-02-28'": True, "day < '2023-12-31'": False, "day in ('2024-02-29')": True,
		"at = '2024-02-29T12:30:00Z'": True, "at = '2024-02-29 13:30:00+01:00'": True, "at > '2024-02-29'": True, "at < '2024-02-29 12:31'": True, "at = '2024-02-29 12:30:00+00'": True,
		`"Größe m²" = 1`: True, `"i"=5`: True, " \n i\t=\n5 ": True,
	} {
		if got, err := eval(t, text); err != nil || got != want {
			t.Errorf("%s: got %d, want %d: %v", text, got, want, err)
		}
	}
}

func TestTypeErrors(t *testing.T) {
	for text, want := range map[string]string{
		"t = 5":                     "compares attribute t, which is text such as Côte d'Ivoire, with 5, which is a number",
		"i = '5'":                   "compares attribute i, which is a number such as 5, with '5', which is text",
		"f < 'x'":                   "attribute f, which is a number such as 2.5, with 'x', which is text",
		"i = true":                  "with true, which is a boolean",
		"yes = 1":                   "attribute yes, which is a boolean such as true, with 1, which is a number",
		"i in (5, 'a')":             "with 'a', which is text",
		"day = 'yesterday'":         "attribute day, which is a date such as 2024-02-29, with 'yesterday', which is text: write a date as '2026-01-31'",
		"day = 2024":                "with 2024, which is a number: write a date",
		"at = 'noon'":               "attribute at, which is a time such as 2024-02-29T12:30:00Z",
		"i = 5 or t = 5":            "attribute t",
		"i = 4 and t = 5":           "attribute t",
		`"Größe m²" = '1'`:          "attribute Größe m², which is a number",
		"none = 1 and not t in (1)": "attribute t",
	} {
		_, err := eval(t, text)
		if !errors.As(err, new(*TypeError)) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func TestSyntaxErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "the condition is empty",
		" \n":                               "the condition is empty",
		"i":                                 "after the name of an attribute, at the end",
		"i =":                               "true or false, at the end",
		"i == 5":                            `expected a number, a text in single quotes, true or false, at character 4, near = 5`,
		"i = x":                             "write text in single quotes, as in name = 'France', at character 5, near x",
		`i = "x"`:                           "write text in single quotes",
		"5 = i":                             "begin with the name of an attribute",
		"'i' = 5":                           "begin with the name of an attribute, with or without double quotes, at character 1",
		"i = null":                          "write is null or is not null, at character 5",
		"i in ()":                           "true or false, at character 7, near )",
		"i in (1":                           `expected ")", at the end`,
		"i in 1":                            `expected "(", at character 6`,
		"i not 5":                           `expected "in", at character 7`,
		"i is 5":                            `expected "null", at character 6`,
		"i = 5 i = 6":                       `expected "and", "or" or the end, at character 7, near i = 6`,
		"i = 5 and":                         "expected the name of an attribute, at the end",
		"i = 5)":                            `expected "and", "or" or the end, at character 6, near )`,
		"(i = 5":                            `expected ")", at the end`,
		"and = 5":                           "expected the name of an attribute, at character 1",
		"i like 'x'":                        "expected =, <>, <, <=, >, >=, in, not in, is null or is not null after the name of an attribute, at character 3, near like 'x'",
		"i between 1 and 2":                 "near between",
		"i = 'x":                            "a quote is not closed, at character 5",
		`"i = 5`:                            "a quote is not closed, at character 1",
		`"" = 5`:                            "the name of an attribute is empty",
		"i = 5; drop table x":               "a condition cannot contain ';', at character 6",
		"ü = 5 §":                           "a condition cannot contain '§', at character 7",
		"i = 1e400":                         "too large, too small or too long, at character 5",
		"i = 1e-400":                        "too large, too small or too long",
		"i = 1.2.3":                         "neither a number nor a name",
		"i = 5x":                            "neither a number nor a name",
		"addr:street = 'x'":                 "a condition cannot contain ':', at character 5",
		"i = '\x00'":                        "a zero byte",
		"i = '\xff'":                        "not UTF-8",
		strings.Repeat("(", 1000):           "nested more than 100 deep",
		strings.Repeat("not ", 1000):        "nested more than 100 deep",
		"i = " + strings.Repeat("1", 1<<20): "longer than 1 MiB",
		"i = " + strings.Repeat("1", 401):   "too large, too small or too long",
	} {
		_, err := Parse(text)
		if !errors.As(err, new(*SyntaxError)) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: got %v, want %q", text, err, want)
		} else if strings.Contains(err.Error(), "\n") || len(err.Error()) > 300 {
			t.Errorf("%.40s: the message is not a single short line: %q", text, err)
		}
	}
}

func TestSQL(t *testing.T) {
	for text, want := range map[string]string{
		"a=1 AND b != 'x' Or not c Is Null":      `"a" = 1 and "b" <> 'x' or not ("c" is null)`,
		"(a = 1 or b = 2) and c in (1, 'd')":     `("a" = 1 or "b" = 2) and "c" in (1, 'd')`,
		`"x""y" not in (TRUE) and a is not null`: `"x""y" not in (true) and "a" is not null`,
		`a = '''; drop table x; --'`:             `"a" = '''; drop table x; --'`,
		`a = 'C:\temp'`:                          `"a" = 'C:\temp'`,
		"((a >= -.5e3))":                         `"a" >= -.5e3`,
	} {
		c, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}

		if got := c.SQL(SQLite); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}

	c, err := Parse("a = 'x' and b is null and c not in (1)")
	if want := `+"a" collate binary = 'x' and "b" is null and +"c" collate binary not in (1)`; err != nil || c.SQL(GeoPackage) != want {
		t.Errorf("got %s, want %s", c.SQL(GeoPackage), want)
	}

	c, err = Parse(`a = 'C:\temp''s' and b = 'x'`)
	if want := `"a" = E'C:\\temp''s' and "b" = 'x'`; err != nil || c.SQL(PostgreSQL) != want {
		t.Errorf("got %s, want %s", c.SQL(PostgreSQL), want)
	}
}

// Nothing panics. The SQL of a condition is itself a condition, with the same truth and the same SQL.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"name = 'France' and pop > 1e6", `not ("a""b" in (1, 'x''y', true) or c is not null)`, "a<>.5 OR b!=-2 and not c>=+3e-2",
		"a = '\\'", "((((a is null))))", "a in (", "\"", "'", "a = 0e999999999", "a = 1e-310", "ä_1$ <= '丸'", "a=1 or b=2 and c=3 or d=4", "a = .e", "a = 1e+",
	} {
		f.Add(seed)
	}

	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse(text)
		if err != nil {
			if !errors.As(err, new(*SyntaxError)) {
				t.Fatal(err)
			}
			return
		}

		again, err := Parse(c.SQL(SQLite))
		if err != nil || again.SQL(SQLite) != c.SQL(SQLite) {
			t.Fatalf("%s became %s: %v", text, c.SQL(SQLite), err)
		}

		for _, v := range []feature.Value{nil, int64(1), 0.5, math.NaN(), "x", true} {
			values := make([]feature.Value, len(c.Names()))
			for i := range values {
				values[i] = v
			}

			one, err := c.Eval(values)
			other, otherErr := again.Eval(values)
			if one != other || (err == nil) != (otherErr == nil) || v == nil && err != nil {
				t.Fatalf("%s: %d, %d: %v", text, one, other, err)
			}
		}
	})
}
