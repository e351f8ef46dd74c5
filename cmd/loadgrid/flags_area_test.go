package main

import "testing"

func TestTimeoutOfTheQuery(t *testing.T) {
	clearEnv(t)
	for name, args := range map[string][]string{
		"without a query": {"--aoi-sql-timeout", "5s"},
		"with a file":     {"--aoi", "../../testdata/luxembourg.wkt", "--aoi-sql-timeout", "5s"},
		"zero":            {"--aoi-sql", "select 1", "--aoi-sql-timeout", "0"},
		"negative":        {"--aoi-sql", "select 1", "--aoi-sql-timeout", "-5s"},
		"too short":       {"--aoi-sql", "select 1", "--aoi-sql-timeout", "5us"},
		"too long":        {"--aoi-sql", "select 1", "--aoi-sql-timeout", "1000h"},
		"no duration":     {"--aoi-sql", "select 1", "--aoi-sql-timeout", "5"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := call(t.Context(), append([]string{"plan", "--cell-size", "1", "--dsn", unusedServer(t)}, args...)...)
			if code != exitUsage || stdout != "" {
				t.Errorf("exit code %d, stdout %q", code, stdout)
			}
			checkOneLine(t, stderr, "--aoi-sql-timeout")
		})
	}
}

// Options on the features of a file need a file, and a condition is checked before the file is read.
func TestFeaturesOfTheFile(t *testing.T) {
	clearEnv(t)
	const file = "../../testdata/countries.geojson"

	for name, test := range map[string]struct {
		args  []string
		words []string
	}{
		"a condition with a query":   {[]string{"--aoi-sql", "select 1", "--aoi-where", "a = 1"}, []string{"--aoi-where a = 1", "needs a file (aoi)", "a query (aoi-sql) can do this itself"}},
		"a layer with a query":       {[]string{"--aoi-sql", "select 1", "--aoi-layer", "a"}, []string{"--aoi-layer a", "needs a file (aoi)"}},
		"ogr2ogr with a query":       {[]string{"--aoi-sql", "select 1", "--aoi-ogr"}, []string{"--aoi-ogr", "needs a file (aoi)"}},
		"a condition without a file": {[]string{"--extent", "0,0,1,1", "--aoi-where", "a = 1"}, []string{"--aoi-where", "needs a file (aoi)"}},
		"no condition":               {[]string{"--aoi", "no such file", "--aoi-where", "name ="}, []string{"--aoi-where name =", "is not a condition", "at the end"}},
		"an empty condition":         {[]string{"--aoi", file, "--aoi-where", ""}, []string{"--aoi-where", "the condition is empty"}},
		"an attribute that is none":  {[]string{"--aoi", file, "--aoi-where", "Name = 'France'"}, []string{"--aoi-where", "did you mean name?"}},
		"text with a number":         {[]string{"--aoi", file, "--aoi-where", "name = 5"}, []string{"--aoi-where", "attribute name, which is text", "5, which is a number"}},
		"a layer of GeoJSON":         {[]string{"--aoi", file, "--aoi-layer", "a"}, []string{"--aoi-layer a", "GeoJSON has no layers"}},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := call(t.Context(), append([]string{"plan", "--cell-size", "1", "--srid", "4326", "--dsn", unusedServer(t)}, test.args...)...)
			if code != exitUsage || stdout != "" {
				t.Errorf("exit code %d, stdout %q", code, stdout)
			}
			checkOneLine(t, stderr, test.words...)
		})
	}

	dump := func(where string) string {
		code, stdout, stderr := call(t.Context(), "dump", "--cell-size", "1", "--srid", "4326", "--aoi", file, "--aoi-where", where)
		if code != 0 {
			t.Errorf("%s: exit code %d: %s", where, code, stderr)
		}
		return stdout
	}

	both, one := dump("name in ('Luxembourg', 'Estonia')"), dump("iso_a3 = 'LUX' and not name = 'France'")
	if len(one) == 0 || len(one) >= len(both) {
		t.Errorf("%d bytes of %d", len(one), len(both))
	}
}
