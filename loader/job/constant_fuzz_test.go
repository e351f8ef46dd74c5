package job

import (
	"errors"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
)

// FuzzConstant reads user input. It checks that an accepted constant survives a round trip, and that its encoding
// has the length in its length field.
func FuzzConstant(f *testing.F) {
	for _, s := range []string{
		"a=b", "a=", "=b", "a=b=c:d", "year:integer=2026", "a b:Double Precision=1e3", "t:timestamptz=2026-01-01 00:00:00+02", "n:numeric=1.50",
		"n:numeric=1e131072", "n:numeric=NaN", "f:float8=-Infinity", "f:real=1e40", "d:date=infinity", "d:date=5874897-12-31", "t:timestamp=294276-12-31 23:59:59.999999",
		"u:uuid=00000000-0000-0000-0000-000000000000", `j:jsonb={"a": [1, "x:y=z"]}`, "j:json=[[[[[[]]]]]]", "b:bool=t", "i:smallint=-32768", "a\x00=\xff",
		"n:numeric=1e999999999", "n:numeric=0." + strings.Repeat("0", 300) + "1", "j:json=" + strings.Repeat("[", 2000),
	} {
		f.Add(s)
	}

	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseConstant(s)
		if err != nil {
			var param *geomgen.ParamError
			if !errors.As(err, &param) || param.Param != "set" || param.Reason == "" {
				t.Fatalf("the error is %v", err)
			}

			return
		}

		b, err := c.Encode([]byte("x"))
		if err != nil || b[0] != 'x' || len(b) < 5 || int(b[1])<<24|int(b[2])<<16|int(b[3])<<8|int(b[4]) != len(b)-5 {
			t.Fatalf("%q is encoded as %x, %v", s, b, err)
		}

		if len(b) > 1<<16+64*len(s) {
			t.Fatalf("%q is encoded in %d bytes", s, len(b))
		}

		if again, err := ParseConstant(c.String()); !strings.ContainsAny(c.Name, "=:") && (err != nil || again != c) {
			t.Fatalf("%q is %+v, written as %q, read as %+v, %v", s, c, c.String(), again, err)
		}
	})
}
