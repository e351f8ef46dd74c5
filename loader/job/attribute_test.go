package job_test

import (
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/loader"
	"github.com/loadgrid/loadgrid/loader/job"
)

func TestParseAttribute(t *testing.T) {
	for text, want := range map[string]job.Attribute{
		"name":                  {Name: "name"},
		"pop:bigint":            {Name: "pop", Type: "bigint"},
		"pop: Double Precision": {Name: "pop", Type: "double precision"},
		"a:b:text":              {Name: "a:b", Type: "text"},
		"Name mit Ä":            {Name: "Name mit Ä"},
	} {
		if got, err := job.ParseAttribute("attribute", text); err != nil || got != want {
			t.Errorf("%q is %+v, %v, want %+v", text, got, err, want)
		}
	}

	for text, reason := range map[string]string{"pop:": "has no type after the colon", ":text": "has no name", "": "has no name", "pop:money": "type money is not supported"} {
		var param *geomgen.ParamError
		if _, err := job.ParseAttribute("each", text); !errors.As(err, &param) || param.Param != "each" || !strings.Contains(err.Error(), reason) {
			t.Errorf("%q: the error is %v", text, err)
		}
	}
}

func TestAttributesThatContradict(t *testing.T) {
	name, other := loader.Attribute{Name: "name"}, loader.Attribute{Name: "other"}
	one := []loader.Attribute{name}

	for what, test := range map[string]struct {
		param, reason string
		change        func(*loader.Job)
	}{
		"attribute without an area": {"attribute", "needs an area of interest", func(j *loader.Job) { j.Area, j.Attributes, j.Cols, j.Rows = nil, one, 2, 2 }},
		"each without an area":      {"each", "needs an area of interest", func(j *loader.Job) { j.Area, j.Each, j.Cols, j.Rows = nil, name, 2, 2 }},
		"no name":                   {"attribute", "the name is empty", func(j *loader.Job) { j.Attributes = []loader.Attribute{{Type: "text"}} }},
		"twice":                     {"attribute", "this name is taken by --attribute", func(j *loader.Job) { j.Attributes = []loader.Attribute{name, other, name} }},
		"that of each":              {"attribute", "this name is taken by --each", func(j *loader.Job) { j.Each, j.Attributes = name, one }},
		"each without a name":       {"each", "has no name", func(j *loader.Job) { j.Each = loader.Attribute{Type: "text"} }},
		"unknown type":              {"attribute", "type money is not supported", func(j *loader.Job) { j.Attributes = []loader.Attribute{{Name: "a", Type: "money"}} }},
		"unknown type of each":      {"each", "type money is not supported", func(j *loader.Job) { j.Each = loader.Attribute{Name: "a", Type: "money"} }},
		"json as a name":            {"each", "cannot be a key", func(j *loader.Job) { j.Each = loader.Attribute{Name: "a", Type: "jsonb"} }},
		"rule alone":                {"attribute-rule", "needs an attribute", func(j *loader.Job) { j.AttributeRule = geomgen.First }},
		"rule with each":            {"attribute-rule", "conflicts with each", func(j *loader.Job) { j.Each, j.Attributes, j.AttributeRule = other, one, geomgen.First }},
		"unknown rule":              {"attribute-rule", "must be largest, centroid or first", func(j *loader.Job) { j.Attributes, j.AttributeRule = one, "last" }},
		"coverage of pairs":         {"coverage", "conflicts with each", func(j *loader.Job) { j.Each, j.Coverage = name, true }},
		"index of codes of pairs": {"code-index", "conflicts with each", func(j *loader.Job) {
			j.Each, j.Code, j.CodeIndex, j.Grid = name, geomgen.INSPIRE, true, geomgen.Grid{DX: 1, DY: 1, SRID: 3035}
		}},
		"distributed pairs":        {"each", "conflicts with distribute", func(j *loader.Job) { j.Each, j.Distribute = name, loader.DistributeHash }},
		"the name of a column":     {"attribute", "cell_id", func(j *loader.Job) { j.Attributes = []loader.Attribute{{Name: "cell_id"}} }},
		"the name of the row":      {"attribute", "row", func(j *loader.Job) { j.Attributes = []loader.Attribute{{Name: "row"}} }},
		"the name of the geometry": {"attribute", "geom", func(j *loader.Job) { j.Attributes = []loader.Attribute{{Name: "geom"}} }},
		"the name of coverage":     {"attribute", "coverage", func(j *loader.Job) { j.Attributes, j.Coverage = []loader.Attribute{{Name: "coverage"}}, true }},
		"the name of a share":      {"attribute", "cell_share", func(j *loader.Job) { j.Each, j.Attributes = name, []loader.Attribute{{Name: "cell_share"}} }},
		"each named as a share":    {"each", "feature_share", func(j *loader.Job) { j.Each = loader.Attribute{Name: "feature_share"} }},
		"the name of a constant": {"set", "name", func(j *loader.Job) {
			j.Attributes, j.Set = one, []loader.Constant{{Name: "name", Type: "text", Value: "x"}}
		}},
		"a system column":              {"attribute", "ctid", func(j *loader.Job) { j.Attributes = []loader.Attribute{{Name: "ctid"}} }},
		"too long":                     {"attribute", "63 bytes", func(j *loader.Job) { j.Attributes = []loader.Attribute{{Name: strings.Repeat("x", 64)}} }},
		"index without a geometry":     {"index", "conflicts with geometry none", func(j *loader.Job) { j.Geometry, j.Index = geomgen.AsNone, loader.IndexGiST }},
		"clip without a geometry":      {"clip", "conflicts with geometry none", func(j *loader.Job) { j.Geometry, j.Clip = geomgen.AsNone, true }},
		"attributes that are not read": {"attribute", "was not read from the area", func(j *loader.Job) { j.Attributes = one }},
	} {
		j := plainJob()
		j.Cols, j.Rows, j.Area = 0, 0, &loader.Area{Polygons: triangle()}
		test.change(&j)
		_, err := loader.NewPlan(t.Context(), j)
		var param *geomgen.ParamError
		if !errors.As(err, &param) || param.Param != test.param || !strings.Contains(err.Error(), test.reason) {
			t.Errorf("%s: the error is %v, want one of %s with %q", what, err, test.param, test.reason)
		}
	}
}

// The bytes are what PostgreSQL 15 sends: select encode(float8send('NaN'), 'hex') and so on.
func TestValuesAsFields(t *testing.T) {
	zone := time.FixedZone("", 3600)

	for _, test := range []struct {
		kind  string
		value feature.Value
		want  string // hexadecimal, without the length
	}{
		{"boolean", true, "01"}, {"boolean", "f", "00"},
		{"smallint", int64(-32768), "8000"}, {"integer", "7", "00000007"}, {"bigint", int64(math.MaxInt64), "7fffffffffffffff"},
		{"integer", 5.0, "00000005"},
		{"real", 0.1, "3dcccccd"}, {"real", math.Inf(1), "7f800000"},
		{"double precision", 0.1, "3fb999999999999a"}, {"double precision", int64(3), "4008000000000000"},
		{"double precision", math.Inf(-1), "fff0000000000000"}, {"double precision", math.NaN(), "7ff8000000000001"},
		{"double precision", 5e-324, "0000000000000001"}, {"double precision", math.Copysign(0, -1), "8000000000000000"},
		{"numeric", "12345678901234567890.50", "0006000400000002" + "04d2162e23340d80" + "1ed21388"},
		{"numeric", math.NaN(), "00000000c0000000"}, {"numeric", math.Inf(1), "00000000d0000000"},
		{"numeric", 1e21, "0001000500000000" + "000a"}, {"numeric", 2.5e-7, "0002ffff00000008" + "00000019"}, {"numeric", "-1.25E2", "0001000040000000" + "007d"},
		{"date", feature.Date{Year: 2000, Month: 1, Day: 2}, "00000001"}, {"date", feature.Date{Year: 1, Month: 1, Day: 1}, "fff4dbf9"}, {"date", "infinity", "7fffffff"}, {"date", "-infinity", "80000000"},
		{"date", "0044-03-15 BC", "fff49d7b"}, {"date", time.Date(2000, 1, 3, 23, 0, 0, 0, zone), "00000002"},
		{"timestamp", "infinity", "7fffffffffffffff"}, {"timestamptz", "-infinity", "8000000000000000"},
		{"timestamp", feature.Date{Year: 2000, Month: 1, Day: 2}, "000000141dd76000"}, {"timestamp", "2000-01-01T00:00:01", "00000000000f4240"},
		{"timestamp", "2000-01-01 00:00:00.000001", "0000000000000001"},
		{"timestamptz", time.Date(2000, 1, 1, 1, 0, 0, 2000, zone), "0000000000000002"},
		{"timestamptz", "2000-01-01 00:00:01+00", "00000000000f4240"}, {"timestamptz", "2000-01-01T01:00:01+01:00", "00000000000f4240"}, {"timestamptz", "2000-01-01T00:00:01Z", "00000000000f4240"},
		{"uuid", "00000000-0000-4000-8000-000000000001", "00000000000040008000000000000001"},
		{"json", `{"a":1}`, hex.EncodeToString([]byte(`{"a":1}`))}, {"jsonb", `[1]`, "01" + hex.EncodeToString([]byte(`[1]`))},
		{"text", "größe", hex.EncodeToString([]byte("größe"))}, {"text", "", ""}, {"", "x", "78"},
		{"text", int64(-5), "2d35"}, {"text", true, "74727565"}, {"text", 0.1, "302e31"},
	} {
		b, err := job.NewEncoder().Append([]byte{9}, job.Attribute{Name: "a", Type: test.kind}, test.value)
		if err != nil {
			t.Errorf("%v of %s: %v", test.value, test.kind, err)
			continue
		}

		if got := hex.EncodeToString(b[5:]); got != test.want || int(b[4]) != len(b)-5 || b[0] != 9 {
			t.Errorf("%v of %s is %s behind % x, want %s", test.value, test.kind, got, b[:5], test.want)
		}
	}

	if b, err := job.NewEncoder().Append(nil, job.Attribute{Name: "a", Type: "bigint"}, nil); err != nil || hex.EncodeToString(b) != "ffffffff" {
		t.Errorf("NULL is % x, %v", b, err)
	}
}

func TestValuesThatTheTypeDoesNotHave(t *testing.T) {
	for _, test := range []struct {
		kind  string
		value feature.Value
	}{
		{"smallint", int64(32768)}, {"integer", 1e10}, {"integer", 1.5}, {"bigint", math.NaN()}, {"bigint", 1e19}, {"bigint", "12a"},
		{"real", 1e300}, {"boolean", int64(5)}, {"date", "yesterday-ish"}, {"date", "2026-02-30"}, {"timestamptz", true},
		{"uuid", "1"}, {"json", "{"}, {"text", "a\x00b"}, {"text", "\xff"}, {"numeric", "1,5"}, {"numeric", ""}, {"numeric", "1e99999999"}, {"numeric", "e5"},
	} {
		_, err := job.NewEncoder().Append(nil, job.Attribute{Name: "pop", Type: test.kind}, test.value)
		var param *geomgen.ParamError
		if !errors.As(err, &param) || param.Param != "attribute" || param.Value != "pop:"+test.kind || strings.ContainsRune(err.Error(), 0) {
			t.Errorf("%v as %s: the error is %v", test.value, test.kind, err)
		}
	}
}

// Names have the same key if and only if they are equal in the column's type.
func TestNameKeys(t *testing.T) {
	for kind, groups := range map[string][][]feature.Value{
		"text":             {{"a", "a"}, {"A"}, {"1", int64(1)}, {"1.0"}, {""}},
		"bigint":           {{int64(1), "1", "01", 1.0}, {int64(-1)}, {int64(0), math.Copysign(0, -1)}},
		"numeric":          {{"1.0", "1.00", int64(1), "1"}, {"0", "-0.00"}, {"NaN", math.NaN()}, {"1e3", "1000"}, {"Infinity", math.Inf(1)}},
		"double precision": {{0.0, math.Copysign(0, -1), int64(0)}, {math.NaN(), "nan"}, {0.1, "0.10"}, {-0.1}},
		"real":             {{0.0, math.Copysign(0, -1)}, {0.1, 0.1 + 1e-12}},
		"timestamptz":      {{"2026-01-01 12:00:00+00", "2026-01-01 13:00:00+01", time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}, {"2026-01-01 12:00:00+01"}},
		"date":             {{feature.Date{Year: 2026, Month: 1, Day: 1}, "2026-01-01"}, {"2026-01-02"}},
		"boolean":          {{true, "t", "true"}, {false, "f"}},
		"uuid":             {{"00000000-0000-4000-8000-00000000000A", "00000000-0000-4000-8000-00000000000a"}},
	} {
		keys := map[string]int{}
		key := job.Job{Each: job.Attribute{Name: "n", Type: kind}}.NameKey()
		for g, group := range groups {
			for i, v := range group {
				k, err := key(v)
				if err != nil {
					t.Errorf("%s: %v: %v", kind, v, err)
				}
				if before, there := keys[k]; there != (i > 0) || there && before != g {
					t.Errorf("%s: %v of group %d has the key of group %d, %v", kind, v, g, before, there)
				}
				keys[k] = g
			}
		}
	}

	if _, err := (job.Job{Each: job.Attribute{Name: "n", Type: "jsonb"}}).NameKey()("1"); !errors.As(err, new(*geomgen.ParamError)) {
		t.Errorf("the error of json is %v", err)
	}
	if _, err := (job.Job{Each: job.Attribute{Name: "n", Type: "bigint"}}).NameKey()("x"); !errors.As(err, new(*geomgen.ParamError)) {
		t.Errorf("the error of no number is %v", err)
	}
}
