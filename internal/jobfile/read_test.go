package jobfile

import (
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/internal/options"
)

// table is the table of load, whose options are the keys of job files.
func table() options.Table { return new(options.Load).Table() }

// read reads a file with the keys of load.
func read(data []byte) (*File, error) { return Read("f", data, table()) }

// got writes the settings of a job as flags, without the given ones.
func got(f *File, job *Job, given ...string) string {
	flags := make(options.Values)
	for _, name := range given {
		flags.Add(name, options.Item{Text: "given"})
	}

	var words []string
	merged := table().Merge(flags, job.Values, f.Defaults)
	for _, o := range table().In(options.Flag) {
		for _, item := range merged[o.Name] {
			if !flags.Has(o.Name) {
				words = append(words, "--"+o.Name+"="+item.Text)
			}
		}
	}
	for _, item := range merged["password"] {
		words = append(words, "--password="+item.Text)
	}

	return strings.Join(words, " ")
}

// readable are files, and their content as flags.
func readable() map[string]string {
	return map[string]string{
		"table: a.b":                            "--table=a.b",
		"table: yes":                            "--table=yes", // a string in YAML 1.2
		"table: \"2026\"":                       "--table=2026",
		"'table': '\"a.b\"'":                    `--table="a.b"`,
		"{table: t, cols: 3}":                   "--table=t --cols=3",
		"\ufefftable: t":                        "--table=t",
		"---\ntable: t\n...\n":                  "--table=t",
		"table: t\r\ncols: 1\r\n":               "--table=t --cols=1",
		"table: t # so":                         "--table=t",
		"cell-size: 1000":                       "--cell-size=1000",
		"cell-size: 1e3":                        "--cell-size=1e3",
		"cell-size: .5":                         "--cell-size=.5",
		"cell-size: [1, 2.5]":                   "--cell-size=1x2.5",
		"cell-size: [2, 500]":                   "--cell-size=2x500", // not 2500
		"cell-size: 1km":                        "--cell-size=1km",
		"cell-size: [250 m, 1km]":               "--cell-size=250 mx1km",
		"cell-size: 2x500":                      "--cell-size=2x500",
		"cell-size: [7]":                        "--cell-size=7",
		"cell-size: 1,2":                        "--cell-size=1,2", // a string
		"cell-size: '1000'":                     "--cell-size=1000",
		"extent: [-1, -2e1, +3, 4.25]":          "--extent=-1,-2e1,+3,4.25",
		"extent:\n- 0\n- 0\n- 1\n- 1":           "--extent=0,0,1,1",
		"extent: 0,0,1,1":                       "--extent=0,0,1,1",
		"origin: [0, 0]":                        "--origin=0,0",
		"srid: 3035":                            "--srid=3035",
		"srid: EPSG:3035":                       "--srid=EPSG:3035",
		"srid: '3035'":                          "--srid=3035",
		"rotate: -0.5":                          "--rotate=-0.5",
		"coverage: true\nclip: false":           "--coverage=true --clip=false",
		"set: [a=1, 'b:date=2026-03-01']":       "--set=a=1 --set=b:date=2026-03-01",
		"set:\n  - loaded:date=2026-03-01":      "--set=loaded:date=2026-03-01",
		"set: [\"a={\\\"b\\\": 1}\"]":           `--set=a={"b": 1}`,
		"aoi-sql-timeout: 90s":                  "--aoi-sql-timeout=90s",
		"wait: 1h30m":                           "--wait=1h30m",
		"prune-runs: 90d":                       "--prune-runs=90d",
		"aoi-sql: |\n  select geom\n  from a\n": "--aoi-sql=select geom\nfrom a\n",
		"after: select '${x}'":                  "--after=select '${x}'",
		"after: [select 1, 'select 2']":         "--after=select 1 --after=select 2",
		"before: >-\n  grant select\n  on {{table}} to a": "--before=grant select on {{table}} to a",
		"dsn: host=${H}":                   "--dsn=host=${H}",
		"dsn: postgres://me:${P}@h:5432/d": "--dsn=postgres://me:${P}@h:5432/d",
		"dsn: postgres://me@h:5432/d?a=b":  "--dsn=postgres://me@h:5432/d?a=b",
		"dsn: postgres://h:5432/d?user=a":  "--dsn=postgres://h:5432/d?user=a",
		"dsn: postgres://h:1,i:2/d":        "--dsn=postgres://h:1,i:2/d",
		"dsn: host=h password=a${P}":       "--dsn=host=h password=a${P}",
		"dsn: file:a?password=b":           "--dsn=file:a?password=b",
		"password: ${P}":                   "--password=${P}",
		"password: file:a b":               "--password=file:a b",
		"aoi: '-'":                         "--aoi=-",
	}
}

func TestReadValues(t *testing.T) {
	for text, want := range readable() {
		f, err := read([]byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if len(f.Jobs) != 1 || got(f, f.Jobs[0]) != want {
			t.Errorf("%q is %s, want %s", text, got(f, f.Jobs[0]), want)
		}
	}
}

type mistake struct{ name, text, want string }

// mistakes are files that are refused, and their errors.
func mistakes() []mistake {
	return []mistake{
		{"empty", "", "f:1:1: has no job"},
		{"a comment alone", "# x\n", "f:1:1: has no job"},
		{"a document with nothing in it", "---\n", "a job file must be a mapping of keys to values, not nothing"},
		{"a list", "- table: a\n", "f:1:1: a job file must be a mapping of keys to values, not a list"},
		{"text", "table", "f:1:1: a job file must be a mapping"},
		{"two documents", "table: a\n---\ntable: b\n", "f:2:1: a second YAML document starts here"},
		{"too long", "table: " + strings.Repeat("a", MaxSize), "f:1:1: has more than 1048576 bytes"},
		{"UTF-16", "\xff\xfet\x00", "f:1:1: is text in UTF-16"},
		{"Latin 1", "table: a\nname: \xe9\n", "f:2:7: is not text in UTF-8"},
		{"NUL", "table: a\x00", "f:1:9: is not text"},
		{"a tab", "defaults:\n\tcols: 1\n", "f:2:1: is not valid YAML: a tab where YAML needs spaces"},
		{"a quote left open", "table: 'a\n", "(while scanning a quoted scalar that begins on line 1)"},
		{"a bracket left open", "extent: [1, 2\n", "is not valid YAML: did not find expected ',' or ']'"},
		{"a backquote", "table: `a`\n", "f:1:8: is not valid YAML: found character that cannot start any token: put the text in quotes"},
		{"a colon", "table: a: b\n", "f:1:9: is not valid YAML: mapping values"},
		{"behind the end", "{table: a}}", "f:1:11: is not valid YAML"},
		{"version of YAML", "%YAML 9.9\n---\ntable: a\n", "f:1:1: is not valid YAML: found incompatible YAML document"},
		{"deep nesting", strings.Repeat("[", 100000), "exceeded max depth"},

		{"unknown key, underscore", "table: a\ncell_size: 1\n", `f:2:1: unknown key "cell_size": did you mean "cell-size"?`},
		{"unknown key, letters swapped", "tabel: a\n", `f:1:1: unknown key "tabel": did you mean "table"?`},
		{"unknown key, case", "jobs:\n  - table: a\n    SRID: 1\n", `f:3:5: unknown key "SRID"`},
		{"unknown key like none", "frobnicate: a\n", `f:1:1: unknown key "frobnicate"`},
		{"unknown key at the top of several", "job:\n- table: a\ndefaults: {}\n", `f:1:1: unknown key "job": did you mean "jobs"?`},
		{"flag of the command line alone", "keep-going: true\n", `f:1:1: unknown key "keep-going"`},
		{"several mistakes", "cols: a\nrows: b\nfoo: 1\n", "f:1:7: cols a: must be a whole number from 1 to 2^30; 2:7: rows b: must be"},
		{"many mistakes", strings.Repeat("? []\n: 1\n", 9), "; and 4 more"},
		{"a key twice", "table: a\ncols: 1\ntable: b\n", `f:3:1: "table" is set twice: it is already on line 1`},
		{"jobs twice", "jobs: [{table: a}]\njobs: [{table: b}]\n", `f:2:1: "jobs" is set twice`},
		{"a key that is a list", "? [a]\n: 1\n", "f:1:3: a key must be a name, not a list"},
		{"no value", "table:\n", "f:1:7: table has no value"},
		{"null", "table: ~\n", "f:1:8: table has no value"},

		{"anchor", "table: &a x\n", "f:1:8: job files cannot have anchors and aliases"},
		{"alias", "defaults: &a {cols: 1}\njobs: [*a]\n", "f:1:11: job files cannot have anchors and aliases"},
		{"alias of nothing", "password: *secret\n", "f:1:11: job files cannot have anchors and aliases"},
		{"merge key", "<<: {cols: 1}\n", "f:1:1: job files cannot have anchors and aliases"},
		{"a bomb", "a: &a [x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c]\n", "f:1:4: job files cannot have anchors and aliases"},
		{"tag", "table: !!str 5\n", "f:1:8: job files cannot have tags (!)"},
		{"tag of its own", "password: !x y\n", "f:1:11: job files cannot have tags (!)"},
		{"tag without a name", "cols: ! 5\n", "f:1:7: job files cannot have tags (!)"},
		{"tag without a name at a list", "extent: ! [1, 2, 3, 4]\n", "f:1:9: job files cannot have tags (!)"},
		{"tag without a name at the root", "! {table: x}\n", "f:1:1: job files cannot have tags (!)"},
		{"tag without a name in a list", "extent: [! 1, 2, 3, 4]\n", "f:1:10: job files cannot have tags (!)"},

		{"string, number", "table: 5\n", "f:1:8: table must be a string, but YAML reads it as a number: put it in quotes"},
		{"string, octal", "table: 017\n", "table must be a string, but YAML reads it as a number in a form that programs read differently"},
		{"string, date", "table: 2026-03-01\n", "table must be a string, but YAML reads it as a date: put it in quotes"},
		{"string, bool", "table: true\n", "table must be a string, but YAML reads it as true or false"},
		{"string, list", "table: [a]\n", "table must be a string, not a list"},
		{"bool yes", "coverage: yes\n", "f:1:11: coverage yes: must be true or false"},
		{"bool on", "coverage: on\n", "f:1:11: coverage on: must be true or false"},
		{"bool in quotes", "coverage: 'true'\n", "f:1:11: coverage true: must be true or false, without quotes"},
		{"bool in capitals", "coverage: True\n", "f:1:11: coverage True: must be true or false, in lower case"},
		{"bool 1", "coverage: 1\n", "f:1:11: coverage 1: must be true or false"},
		{"whole, underscore", "cols: 1_000\n", "f:1:7: cols 1_000: must be a whole number from 1 to 2^30: write 1000"},
		{"whole, hexadecimal", "cols: 0x10\n", "f:1:7: cols 0x10: must be a whole number from 1 to 2^30"},
		{"whole, octal", "cols: 010\n", "f:1:7: cols 010: must be a whole number from 1 to 2^30, not a number in a form that programs read differently"},
		{"whole, octal 1.2", "cols: 0o10\n", "f:1:7: cols 0o10: must be a whole number from 1 to 2^30"},
		{"whole, exponent", "cols: 1e3\n", "f:1:7: cols 1e3: must be a whole number from 1 to 2^30: write 1000"},
		{"whole, fraction", "cols: 1.5\n", "f:1:7: cols 1.5: must be a whole number from 1 to 2^30"},
		{"whole, quoted", "cols: '1'\n", "f:1:7: cols 1: must be a whole number from 1 to 2^30, without quotes"},
		{"whole, sexagesimal", "cols: 1:30\n", "f:1:7: cols 1:30: must be a whole number from 1 to 2^30"},
		{"whole, digits", "cols: 99999999999999999999\n", "f:1:7: cols 99999999999999999999: must be a whole number from 1 to 2^30"},
		{"whole, too small", "cols: 0\n", "f:1:7: cols 0: must be a whole number from 1 to 2^30"},
		{"script, empty", "after: []\n", "f:1:8: after is an empty list"},
		{"script, number in it", "after: [select 1, 5]\n", "f:1:19: after must be a string"},
		{"number, NaN", "rotate: .nan\n", "f:1:9: rotate .nan: must be a number"},
		{"number, infinity", "cell-size: -.inf\n", "f:1:12: cell-size -.inf: must be one size or two, such as 1000, 2x500 or 1km"},
		{"number, too large", "rotate: 1e999\n", "f:1:9: rotate 1e999: must be a number, but is too large"},
		{"number, underscore in a list", "extent: [1, 2, 3_0, 4]\n", "f:1:16: extent 3_0: must be a number"},
		{"numbers, too few", "extent: [1, 2]\n", "f:1:9: extent must be a list of 4 numbers, not of 2"},
		{"numbers, one of them text", "origin: [1, a]\n", "f:1:13: origin a: must be a number"},
		{"numbers, one", "extent: 5\n", "f:1:9: extent 5: must be a list of 4 numbers, not a number"},
		{"sizes, a comma that may be of thousands", "cell-size: 2,500\n", "f:1:12: cell-size 2,500: is ambiguous: write 2500 or 2x500"},
		{"sizes, the same in quotes", "cell-size: '2,500'\n", "f:1:12: cell-size 2,500: is ambiguous: write 2500 or 2x500"},
		{"sizes, the same in a list", "cell-size: ['2,500']\n", "f:1:13: cell-size 2,500: is ambiguous: write 2500 or 2x500"},
		{"sizes, three", "cell-size: [1, 2, 3]\n", "f:1:12: cell-size must be a size or a list of two, not of 3"},
		{"sizes, two in one of a list", "cell-size: [1x2, 2]\n", "f:1:13: cell-size 1x2: must be one size"},
		{"sizes, an unknown unit", "cell-size: 1 furlong\n", `cell-size 1 furlong: must be one size or two, such as 1000, 2x500 or 1km: "furlong" is not a unit`},
		{"number, a range", "zoom: 0-3\n", "f:1:7: zoom 0-3: must be a whole number from 0 to 30, not a range"},
		{"number, grouped", "cols: 1 000\n", "f:1:7: cols 1 000: must be a whole number from 1 to 2^30: write 1000"},
		{"number, lines", "cols: |\n  1\n  2\n", "f:1:7: cols 1 2 : must be a whole number"},
		{"age, number", "prune-runs: 90\n", "f:1:13: prune-runs 90: must be an age"},
		{"numbers, mapping", "cell-size: {x: 1}\n", "cell-size must be a size or a list of two, not a mapping"},
		{"srid, bool", "srid: true\n", "f:1:7: srid true: must be a number, such as 3035 or EPSG:3035"},
		{"srid, another authority", "srid: WGS84\n", "f:1:7: srid WGS84: must be a number, such as 3035 or EPSG:3035"},
		{"srid, variable", "srid: ${S}\n", "f:1:7: srid ${S}: must be a number or a string such as EPSG:3035, and contains ${, which only dsn and password can have"},
		{"srid, float", "srid: 3035.0\n", "f:1:7: srid 3035.0: must be a number, such as 3035 or EPSG:3035: write 3035"},
		{"set, text", "set: a=b\n", "f:1:6: set must be a list, not a string"},
		{"set, empty", "set: []\n", "f:1:6: set is an empty list"},
		{"set, mapping", "set:\n  - a: b\n", "f:2:5: set must be a string, not a mapping"},
		{"set, date", "set: [a=1, 2026-03-01]\n", "f:1:12: set must be a string, but YAML reads it as a date"},
		{"duration, number", "wait: 90\n", "f:1:7: wait 90: must be a duration with its unit, such as 90s, 30m or 1h30m"},
		{"duration, days", "wait: 1d\n", "f:1:7: wait 1d: must be a duration with its unit, such as 90s, 30m or 1h30m: a day is 24h"},
		{"duration, sexagesimal", "wait: 1:30\n", "f:1:7: wait 1:30: must be a duration with its unit, such as 90s, 30m or 1h30m"},
		{"choice", "if-exists: truncate\n", "f:1:12: if-exists truncate: must be fail, append or replace"},
		{"choice, empty", "shape: ''\n", `f:1:8: shape "": must be square, hexagon or xyz`},

		{"variable in a name", "table: ${T}\n", "f:1:8: table contains ${, which only dsn and password can have"},
		{"variable in a list", "set: [a=1, 'b=${B}']\n", "f:1:12: set contains ${"},
		{"variable in numbers", "extent: '${E}'\n", "f:1:9: extent contains ${"},
		{"variable without an end", "dsn: host=${H\n", "f:1:6: dsn contains ${ without a name"},
		{"variable without a name", "dsn: host=${}\n", "dsn contains ${ without a name"},
		{"variable with a default", "dsn: ${A:-b}\n", "dsn contains ${ without a name"},
		{"password itself", "password: hunter2\n", "f:1:11: password must be ${VARIABLE} or file:PATH: others can read a password"},
		{"password in part", "password: ${A}2\n", "f:1:11: password must be ${VARIABLE} or file:PATH"},
		{"password that is a number", "password: 1234567\n", "f:1:11: password must be ${VARIABLE} or file:PATH"},

		{"password in a URL", "dsn: postgres://me:hunter2@h/d\n", "f:1:6: dsn contains a password, which others can read in a job file"},
		{"password in a URL's query", "dsn: postgres://me@h/d?sslmode=disable&password=hunter2\n", "dsn contains a password"},
		{"password behind a variable", "dsn: ${URL}?password=hunter2\n", "dsn contains a password"},
		{"password among keywords", "dsn: host=${H} password = 'hunter2'\n", "f:1:6: dsn contains a password"},
		{"password among keywords behind a variable", "dsn: ${DSN} password=hunter2\n", "f:1:6: dsn contains a password"},

		{"name that is empty", "name: ''\ntable: a\n", "f:1:7: name must have 1 to 100 bytes"},
		{"name of two lines", "name: \"a\\nb\"\ntable: a\n", "f:1:7: name must have"},
		{"name in defaults", "defaults: {name: a}\njobs: [{table: a}]\n", `f:1:12: unknown key "name"`},
		{"two of one name", "jobs:\n- {name: a, table: x}\n- {name: b, table: y}\n- {name: a, table: z}\n", `f:4:10: two jobs are called "a", on lines 2 and 4`},
		{"two of one table", "jobs:\n- table: x\n- table: x\n", `f:3:10: two jobs are called "x", on lines 2 and 3: give each its own name`},
		{"a table as another's name", "jobs:\n- table: x\n- {name: x, table: y}\n", `f:3:10: two jobs are called "x"`},
		{"no name", "jobs:\n- table: x\n- cols: 1\n", "f:3:3: each of several jobs needs a name or a table"},
		{"jobs that are empty", "jobs: []\n", "f:1:7: jobs must be a list of jobs"},
		{"jobs that are nothing", "jobs:\n", "f:1:6: jobs must be a list of jobs"},
		{"jobs that are a mapping", "jobs: {a: {table: x}}\n", "f:1:7: jobs must be a list of jobs"},
		{"a job that is text", "jobs: [x]\n", "f:1:8: must be a mapping of keys to values, not a string"},
		{"defaults alone", "defaults: {cols: 1}\n", "f:1:1: has no jobs: the key jobs is missing"},
		{"defaults that are nothing", "defaults:\njobs: [{table: x}]\n", "f:1:10: must be a mapping"},
		{"a key beside jobs", "table: a\njobs: [{table: x}]\n", "f:1:1: table is at the same level as defaults and jobs"},
	}
}

func TestReadRefuses(t *testing.T) {
	for _, tt := range mistakes() {
		t.Run(tt.name, func(t *testing.T) {
			_, err := read([]byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("says %v\nwant %s", err, tt.want)
			} else if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "1234567") {
				t.Errorf("shows a password: %v", err)
			}
		})
	}
}

func TestMerge(t *testing.T) {
	const text = `
defaults:
  cols: 1
  rows: 2
  aoi-sql: select 1
  aoi-sql-timeout: 1s
  set: [a=1, b=2]
  index: brin
jobs:
  - {name: a, extent: [0, 0, 1, 1], aoi: x.wkt, set: [c=3]}
  - {name: b, rows: 5, index: gist}
`

	f, err := read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}

	for _, tt := range []struct {
		job   int
		given string
		want  string
	}{
		{0, "", "--extent=0,0,1,1 --aoi=x.wkt --set=c=3 --index=brin"},
		{0, "index set", "--extent=0,0,1,1 --aoi=x.wkt"},
		{0, "cols", "--aoi=x.wkt --set=c=3 --index=brin"},
		{0, "aoi-sql", "--extent=0,0,1,1 --set=c=3 --index=brin"},
		{0, "aoi-sql-timeout", "--extent=0,0,1,1 --set=c=3 --index=brin"},
		{1, "", "--cols=1 --rows=5 --aoi-sql=select 1 --aoi-sql-timeout=1s --set=a=1 --set=b=2 --index=gist"},
		{1, "extent", "--aoi-sql=select 1 --aoi-sql-timeout=1s --set=a=1 --set=b=2 --index=gist"},
		{1, "cols", "--rows=5 --aoi-sql=select 1 --aoi-sql-timeout=1s --set=a=1 --set=b=2 --index=gist"},
		{1, "aoi", "--cols=1 --rows=5 --set=a=1 --set=b=2 --index=gist"},
	} {
		if s := got(f, f.Jobs[tt.job], strings.Fields(tt.given)...); s != tt.want {
			t.Errorf("job %d beside flags %q has %s\nwant %s", tt.job, tt.given, s, tt.want)
		}
	}
}

// The error for another kind of file names that kind.
func TestForeignFiles(t *testing.T) {
	for data, want := range map[string]string{
		"PK\x03\x04rest":                               "is a ZIP archive",
		"SQLite format 3\x00rest":                      "is a GeoPackage",
		"\x00\x00\x27\x0arest":                         "is a Shapefile",
		"\x1f\x8brest":                                 "is compressed with gzip",
		"\xff\xfet\x00a\x00b\x00":                      "is text in UTF-16",
		"\xfe\xff\x00t\x00a\x00b":                      "is text in UTF-16",
		"t\x00a\x00b\x00":                              "is text in UTF-16",
		"\x00t\x00a\x00b":                              "is text in UTF-16",
		`{"type":"Polygon","coordinates":[[]]}`:        "it is GeoJSON of type \"Polygon\"",
		`{"type":"FeatureCollection", "features": []}`: "name the file of an area with aoi",
	} {
		_, err := Read("f", []byte(data), new(options.Load).Table())
		if err == nil || !strings.HasPrefix(err.Error(), "f:1:1: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", data, err, want)
		}
	}
}
