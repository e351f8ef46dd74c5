package options

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/quantity"
	"github.com/loadgrid/loadgrid/loader/crs"
)

// hostile holds texts that people type for numbers, and texts that they do not.
func hostile() []string {
	return []string{
		"", " ", "x", "0-3", "0–3", "1..3", "1 to 3", "1,2", "0,5", "1,000", "12,500", "1,000,000", "1,000.5", "2'500", "2’500", "2 500", "2\u00a0500", "2\u202f500", "2_500",
		"1km", "250 m", "30\"", "30'", "5%", "1k", "1M", "90d", "30", "1d", "1:30", "30 minutes", "soon", "9999999999999999h", "true", "yes", "on", "Ja",
		"0x10", "0o10", "0b1", "017", "1e3", "1e999", "-1e999", "1.5", "3.0", "--5", "-5", "−5", "+5", "NaN", "nan", "Inf", "-inf", "infinity", ".", "e5", "1e", "½", "٣", "3", "null", "~",
		"99999999999999999999", "-99999999999999999999", "9223372036854775808", "epsg3035", "EPSG 3035", "EPSG:", "EPSG:3035.0", "3035.0", "urn:ogc:def:crs:EPSG::3035",
		"http://www.opengis.net/def/crs/EPSG/0/3035", "ESRI:54009", "WGS84", "1;2;3;4", "1 2 3 4", "1,2,3", "1,2,3,4,5", "1,000,2,000,3,000,4,000", "1km,2km,3km,4km", "a,b,c,d", ",,,", "1,,2,3",
		"2x", "x2", "2x500x3", "1kmx", "1km,500", "%d", "%!s(int=5)", "1\n2", "\x00", "{{table}}", "$(reboot)", "'; drop table a; --", strings.Repeat("9", 400), strings.Repeat("1,", 1000),
	}
}

// Each wrong number is refused in our own words, and the error contains it: for a flag as its value, for a
// job file in its text. Neither panics.
func TestWrongNumbers(t *testing.T) {
	foreign := regexp.MustCompile(`strconv|pars(e|ing)|invalid syntax|out of range|time:|yaml:|unit \\"|%!`)
	refused := 0
	for _, o := range append(new(Load).Table(), Option{Name: "older-than", Value: Age(new(time.Duration))}) {
		if !o.Value.Numeric && o.Value.Type != "bool" && len(o.Value.Choices) == 0 {
			continue
		}

		for _, text := range hostile() {
			if err := o.set(text); err != nil {
				var param *geomgen.ParamError
				if !errors.As(err, &param) || param.Param != o.Name || param.Value != QuoteEmpty(text) || foreign.MatchString(param.Reason) || len(param.Reason) < 10 {
					t.Errorf("--%s %q: %v", o.Name, text, err)
				}
				refused++
			}

			for _, style := range []yaml.Style{0, yaml.DoubleQuotedStyle} {
				var doc yaml.Node
				if style == 0 && yaml.Load([]byte("- "+text), &doc) != nil {
					continue
				}
				n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: style, Value: text, Line: 1, Column: 1}
				if style == 0 && len(doc.Content) == 1 && len(doc.Content[0].Content) == 1 && doc.Content[0].Content[0].Kind == yaml.ScalarNode {
					n = doc.Content[0].Content[0]
				}

				if _, err := o.Read(n); err != nil {
					shown := strings.TrimSpace(strings.NewReplacer("\n", " ", "\x00", " ").Replace(n.Value))
					if !strings.Contains(err.Error(), shown[:min(len(shown), 50)]) && !strings.Contains(err.Error(), "YAML reads it as") && n.Tag != "!!null" || foreign.MatchString(strings.Replace(err.Error(), n.Value, "", 1)) {
						t.Errorf("%s: %q, %s: %v", o.Name, n.Value, n.Tag, err)
					}
				}
			}
		}
	}

	if refused < 1000 {
		t.Errorf("%d values are refused: some options are not tried", refused)
	}
}

// If the intention is clear, the message says what to write.
func TestCures(t *testing.T) {
	for _, tt := range []struct{ option, text, want string }{
		{"zoom", "0-3", "from 0 to 30, not a range"},
		{"cols", "1,000", "write 1000"},
		{"cols", "1,000,000", "write 1000000"},
		{"cols", "2'500", "write 2500"},
		{"cols", "2 500", "write 2500"},
		{"cols", "2_500", "write 2500"},
		{"cols", "1e3", "write 1000"},
		{"cols", "3.0", "write 3"},
		{"rows", "−5", "write -5"},
		{"partitions", "257", "from 0 to 256"},
		{"streams", "65", "from 1 to 64"},
		{"keep", "101", "from 0 to 100"},
		{"rotate", "0,5", "write 0.5"},
		{"rotate", "1,000", "write 1000 or 1.000"},
		{"rotate", "30°", "write 30"},
		{"aoi-segmentize", "1km", "without a unit such as km"},
		{"wait", "30", "write 30s"},
		{"wait", "30 minutes", "write 30m"},
		{"wait", "2 hours", "write 2h"},
		{"wait", "1d", "24h"},
		{"prune-runs", "90", "write 90d"},
		{"srid", "epsg3035", "write EPSG:3035"},
		{"srid", "3035.0", "write 3035"},
		{"srid", "urn:ogc:def:crs:EPSG::3035", "write EPSG:3035"},
		{"extent", "1,000,2,000,3,000,4,000", "write 1000, not 1,000"},
		{"extent", "1km,2km,3km,4km", "coordinates have no unit"},
		{"origin", "0,5m", `unlike "5m"`},
		{"cell-size", "2,500", "write 2500 or 2x500"},
		{"cell-size", "12,500", "write 12500 or 12x500"},
		{"cell-size", "2,500.5", "write 2500.5 or 2x500.5"},
		{"cell-size", "2,500m", "write 2500m or 2x500m"},
		{"cell-size", "0,500", "write 0.500 or 0x500"},
		{"cell-size", "1,000,000", "write 1000000"},
		{"cell-size", "1,000x2,000", "write 1000x2000"},
		{"cell-size", "1,000x50", "write 1000x50"},
		{"cell-size", "1,000,2,000", "write 1000x2000"},
		{"cell-size", "0,5", "write 0.5"},
		{"cell-size", "1,5m", "a unit or none"},
		{"cell-size", "2'500", "write 2500"},
		{"cell-size", "30\"", `"\"" is not a unit`},
		{"cell-size", "1 parsec", `"parsec" is not a unit`},
	} {
		o, _ := new(Load).Table().Find(tt.option)
		if err := o.set(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("--%s %s: %v, should say %s", tt.option, tt.text, err, tt.want)
		}
	}
}

func TestSizes(t *testing.T) {
	const foot, usFoot = 0.3048, 1200.0 / 3937
	for _, tt := range []struct {
		srid, size string
		dx, dy     float64
	}{
		{"0", "1000", 1000, 1000}, {"0", "2x500", 2, 500}, {"0", "2.0,500", 2, 500}, {"0", "2 × 500", 2, 500}, {"0", "2,50", 2, 50}, {"0", "2500,2500", 2500, 2500}, {"0", "2, 500", 2, 500},
		{"0", "1e3", 1000, 1000}, {"0", ".5", 0.5, 0.5}, {"4326", "0.1deg", 0.1, 0.1}, {"4326", "0.1°x0.2 °", 0.1, 0.2}, {"4258", "1 degree", 1, 1},
		{"3035", "1km", 1000, 1000}, {"3035", "250 m", 250, 250}, {"3035", "1kmx250m", 1000, 250}, {"3035", "1km,2km", 1000, 2000}, {"3035", "0.07km", 70, 70}, {"3035", "1 ft", foot, foot},
		{"3035", "3937us-ft", 1200, 1200}, {"3035", "1mi", 1609.344, 1609.344}, {"3035", "10cm", 0.1, 0.1}, {"3035", "1KM", 1000, 1000}, {"3857", "1\u00a0km", 1000, 1000},
		{"2263", "1km", 1000 / usFoot, 1000 / usFoot}, {"2263", "3.937km", 3937 * 3937 / 1200., 3937 * 3937 / 1200.}, {"2263", "250us-ft", 250, 250},
		{"2222", "250ft", 250, 250}, {"2222", "0.3048m", 1, 1}, {"2222", "1km", 1000 / foot, 1000 / foot},
	} {
		var c Cells
		v := Values{"srid": {{Text: tt.srid}}, "cell-size": {{Text: tt.size}}}
		err := c.Table().Apply(v)
		if err == nil {
			err = c.Complete(t.Context(), v, nil)
		}
		if err != nil || c.Job.Grid.DX != tt.dx || c.Job.Grid.DY != tt.dy {
			t.Errorf("SRID %s, %s: %v x %v, want %v x %v, %v", tt.srid, tt.size, c.Job.Grid.DX, c.Job.Grid.DY, tt.dx, tt.dy, err)
		}

		srid, _ := quantity.SRID(tt.srid)
		known, _ := crs.Known(srid)
		if converted := c.size[0].IsLength() && !known.Metres(); converted != (len(c.Notes) == 1) {
			t.Errorf("SRID %s, %s: the notes are %q", tt.srid, tt.size, c.Notes)
		}
	}
}

// A size may have its own unit only if the unit of the CRS is known, and is a length.
func TestSizesRefused(t *testing.T) {
	for _, tt := range []struct{ srid, size, want string }{
		{"0", "1km", "without srid"}, {"0", "1deg", "without srid"}, {"4326", "1km", "degree"}, {"4979", "1m", "degree"}, {"4807", "1km", "grad"}, {"4807", "1deg", "grad"},
		{"3035", "0.1deg", "metre"}, {"990001", "1km", "server"}, {"990001", "1deg", "server"}, {"2263", "100ft", "100us-ft"},
	} {
		var c Cells
		v := Values{"srid": {{Text: tt.srid}}, "cell-size": {{Text: tt.size}}}
		err := c.Table().Apply(v)
		if err == nil {
			err = c.Complete(t.Context(), v, nil)
		}

		var param *geomgen.ParamError
		if !errors.As(err, &param) || param.Param != "cell-size" || param.Value != tt.size || !strings.Contains(param.Reason, tt.want) {
			t.Errorf("SRID %s, %s: %v", tt.srid, tt.size, err)
		}
	}
}
