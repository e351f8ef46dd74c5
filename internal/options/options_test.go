package options

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/loadgrid/loadgrid/geomgen"
)

// Each option in the table is complete and consistent.
func TestTable(t *testing.T) {
	table := new(Load).Table()
	seen := make(map[string]bool)

	for _, o := range table {
		if seen[o.Name] || !regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`).MatchString(o.Name) {
			t.Errorf("%q is not a name, or there twice", o.Name)
		}
		seen[o.Name] = true

		if o.Group == "" || o.Help == "" || o.Value.Type == "" || o.Value.set == nil || o.Value.read == nil {
			t.Errorf("%s lacks something: %+v", o.Name, o)
		}

		if o.Default != "" {
			if err := o.set(o.Default); err != nil {
				t.Errorf("the default of %s is refused: %v", o.Name, err)
			}
		}

		// The help names exactly the choices.
		if choices := strings.Join(o.Value.Choices, "|"); choices != "" && !strings.Contains(o.Help, "`"+choices+"`") {
			t.Errorf("%s may be %s, and its help says %s", o.Name, choices, o.Help)
		}

		names := slices.Clone(o.Overrides)
		for _, c := range append(slices.Clone(o.With), o.Without...) {
			names = append(names, c.Options...)
			if c.Reason == "" {
				t.Errorf("%s has a condition without a reason", o.Name)
			}
		}
		for _, name := range names {
			if _, ok := table.Find(name); !ok {
				t.Errorf("%s names %s, which is not an option", o.Name, name)
			}
		}
	}

	for _, name := range []string{"name", "password"} { // the process list would show a flag
		if o, _ := table.Find(name); o.IsIn(Flag) {
			t.Errorf("%s is a flag", name)
		}
	}
}

// A flag and a key with the same value have the same meaning and the same errors.
func TestFlagsAndKeysAgree(t *testing.T) {
	for name, values := range map[string][]string{
		"cols": {"1", "0", "-1", "1.5", "x", "9223372036854775808"}, "keep": {"0", "-1", "101"}, "zoom": {"0", "31", "3000000000"},
		"rotate": {"0", "-3.5", "1e3", "x"}, "coverage": {"true", "false", "maybe"}, "srid": {"3035", "EPSG:3035", "epsg:1", "x"},
		"cell-size": {"1", "1,2", "1,2,3", "a"}, "extent": {"0,0,1,1", "0,0,1", "a,b,c,d"}, "shape": {"square", "circle"},
		"wait": {"0s", "30m", "-1s", "soon"}, "after-timeout": {"0s", "1ms"}, "prune-runs": {"90d", "2w", "12h", "1s", "0s", "1ms", "soon", "-1d", "1d12h"},
		"set": {"a=1", "a"}, "code": {"quadkey", ""}, "table": {"a.b", "a.b.c", `"a.b"`}, "aoi": {"x.wkt", ""},
	} {
		for _, value := range values {
			flag := new(Load).Table().Apply(Values{name: {{Text: value}}})

			o, _ := new(Load).Table().Find(name)
			key := readKey(t, o, value)
			if key == nil {
				key = o.set(value)
			}
			if name == "zoom" || name == "after-timeout" {
				flag = o.set(value) // without the conditions, which need the others
			}

			if (flag == nil) != (key == nil) {
				t.Errorf("%s %q: the flag says %v, the key %v", name, value, flag, key)
			}
			if flag != nil && !errors.As(flag, new(*geomgen.ParamError)) {
				t.Errorf("%s %q: the error is %v", name, value, flag)
			}
		}
	}
}

// readKey reads a value in the form of a job file.
func readKey(t *testing.T, o Option, value string) error {
	t.Helper()
	text := value
	if o.Value.Type == "text" || o.Value.Type == "file" || strings.Contains(value, ",") || value == "" {
		text = "'" + value + "'"
	}
	if o.Value.List {
		text = "[" + text + "]"
	}

	var doc yaml.Node
	if err := yaml.Load([]byte(text), &doc); err != nil {
		t.Fatalf("%s: %v", text, err)
	}

	_, err := o.Read(doc.Content[0])
	return err
}

func TestAges(t *testing.T) {
	for text, want := range map[string]time.Duration{"90d": 90 * 24 * time.Hour, "2w": 14 * 24 * time.Hour, "12h": 12 * time.Hour, "1d12h": 36 * time.Hour, "1s": time.Second, "1y": 365 * 24 * time.Hour} {
		var age time.Duration
		if err := Age(&age).set(text); err != nil || age != want {
			t.Errorf("%s is %s, want %s, %v", text, age, want, err)
		}
	}

	for _, text := range []string{"", "0", "0d", "900ms", "-1d", "90", "1.5", "d", "9999999999d", "1h1d"} {
		var age time.Duration
		if err := Age(&age).set(text); err == nil {
			t.Errorf("%q is %s", text, age)
		}
	}
}

// The first layer wins, and removes the options that it overrides.
func TestMerge(t *testing.T) {
	table := new(Load).Table()
	layer := func(text string) Values {
		v := make(Values)
		for _, word := range strings.Fields(text) {
			name, value, _ := strings.Cut(word, "=")
			v.Add(name, Item{Text: value})
		}
		return v
	}

	for _, tt := range []struct{ line, job, defaults, want string }{
		{"", "cols=1 rows=2", "extent=9", "cols=1 rows=2"},
		{"extent=9", "cols=1", "rows=2", "extent=9"},
		{"", "extent=9", "cols=1 rows=2 index=brin", "extent=9 index=brin"},
		{"", "aoi=a", "aoi-sql=b aoi-sql-timeout=1s", "aoi=a"},
		{"aoi-sql-timeout=1s", "aoi-sql=b", "aoi=a", "aoi-sql=b aoi-sql-timeout=1s"},
		{"set=a set=b", "set=c", "set=d", "set=a set=b"},
	} {
		var got []string
		merged := table.Merge(layer(tt.line), layer(tt.job), layer(tt.defaults))
		for _, o := range table {
			for _, item := range merged[o.Name] {
				got = append(got, o.Name+"="+item.Text)
			}
		}

		if text := strings.Join(got, " "); text != tt.want {
			t.Errorf("%+v: got %s", tt, text)
		}
	}
}
