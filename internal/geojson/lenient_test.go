package geojson

import (
	"io"
	"strings"
	"testing"
)

func TestLenient(t *testing.T) {
	long := strings.Repeat("a", 2*maxToken)

	for in, want := range map[string]string{
		"":                                          "",
		`{"a":NaN,"b":"NaN"}`:                       `{"a":` + nanString + `,"b":"NaN"}`,
		`[Infinity,-Infinity]`:                      `[` + infinityString + `,` + minusInfinityString + `]`,
		`[-1,-I,In,N,Na,NaNa]`:                      `[-1,-I,In,N,Na,` + nanString + `a]`,
		`"\"NaN\\"NaN`:                              `"\"NaN\\"` + nanString,
		"\x1e{\"\x1e\":1}\x1e":                      "\n{\"\x1e\":1}\n",
		`"\u00fc` + long + `"1`:                     `"\u00fc` + long[:maxToken-6] + `"1`,
		`"` + long[:maxToken-2] + `\u00fcx"`:        `"` + long[:maxToken-2] + `\u00fc"`,
		`"` + long[:maxToken-1] + `\\\"x"`:          `"` + long[:maxToken-1] + `\\"`,
		"1" + strings.Repeat(" ", 5000) + "2":       "1" + strings.Repeat(" ", maxSpace) + "2",
		"[" + strings.Repeat("7", 2*maxToken) + "]": "[" + strings.Repeat("7", maxToken) + "]",
		"-": "-", "Infinit": "Infinit",
	} {
		for _, pieces := range []int{1, 2, 7, 1 << 20} {
			got, err := io.ReadAll(newLenient(&shortReader{strings.NewReader(in), pieces}))
			if err != nil || string(got) != want {
				t.Errorf("%.60q by %d: got %.60q (%d), want %.60q (%d): %v", in, pieces, got, len(got), want, len(want), err)
			}
		}
	}
}

type shortReader struct {
	r io.Reader
	n int
}

func (r *shortReader) Read(b []byte) (int, error) { return r.r.Read(b[:min(len(b), r.n)]) }
