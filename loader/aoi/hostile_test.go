package aoi

import (
	"io"
	"strings"
	"testing"
	"time"
)

// Malicious files end in an error, quickly and within limits, however long they are.
func TestHostileTexts(t *testing.T) {
	// Endless tokens are long here because they would be in memory. Repeated parts can be shorter.
	const long, many = 16 << 20, 3 << 20
	head := `{"type":"Feature","properties":{"a":1},"geometry":` + polygonOf + `,"x":`
	endless := func(before, part string, size int) io.Reader {
		part = strings.Repeat(part, 1+(1<<16)/len(part))
		return io.MultiReader(strings.NewReader(before), repeated(size/len(part), func(int) string { return part }))
	}

	for _, test := range []struct {
		name   string
		before string
		part   string
		size   int
		o      ReadOptions
		words  []string
	}{
		{"a text", head + `"`, "lorem ipsum", long, ReadOptions{}, []string{"ends too early"}},
		{"a text of escapes", head + `"`, `\\\"\u00fc`, long, ReadOptions{}, []string{"ends too early"}},
		{"a name", head + `{"`, "lorem ipsum", long, ReadOptions{}, []string{"ends too early"}},
		{"a number", head, "123456789", long, ReadOptions{}, []string{"ends too early"}},
		{"white space", head, " \n", long, ReadOptions{}, []string{"ends too early"}},
		{"lists", head, "[", long, ReadOptions{}, []string{"near byte"}},
		{"objects", head, `{"a":`, long, ReadOptions{}, []string{"near byte"}},
		{"a list", head + "[", "0,", many, ReadOptions{}, []string{"ends too early"}},
		{"a list that somebody reads", `{"type":"Feature","properties":{"a":[`, "0,", many, ReadOptions{Attributes: []string{"a"}}, []string{"longer than"}},
		{"a text that somebody reads", `{"type":"Feature","properties":{"a":"`, "0,", long, ReadOptions{Attributes: []string{"a"}}, []string{"ends too early"}},
		{"many names", `{"type":"Feature","properties":{"a":"b"`, `,"ab":1`, many, ReadOptions{Attributes: []string{"b"}}, []string{"ends too early"}},
		{"minus", head, "-", long, ReadOptions{}, []string{"near byte"}},
		{"positions", `{"type":"Polygon","coordinates":[[[0,0]`, ",[1,1]", many, ReadOptions{MaxPositions: 1 << 16}, []string{"ends too early"}},
		{"empty rings", `{"type":"Polygon","coordinates":[[]`, ",[]", many, ReadOptions{}, []string{"ends too early"}},
		{"empty documents", "", `{"type":"Feature","geometry":null}`, many, ReadOptions{}, []string{"is empty"}},

		{"a word of WKT", "POLYGON((", "1234567890", long, ReadOptions{}, []string{"too long"}},
		{"brackets of WKT", "POLYGON", "(", long, ReadOptions{}, []string{"pos"}},
		{"empty polygons of WKT", "MULTIPOLYGON(EMPTY", ",EMPTY", many, ReadOptions{}, []string{"unexpected end"}},
		{"empty lines of WKT", "POLYGON EMPTY", "\nPOLYGON EMPTY", many, ReadOptions{}, []string{"is empty"}},

		{"polygons of WKB", "\x01\x06\x00\x00\x00\xff\xff\xff\xff", "\x01\x03\x00\x00\x00\x00\x00\x00\x00", many, ReadOptions{}, []string{"declares more"}},
		{"rings of WKB", "\x01\x03\x00\x00\x00\xff\xff\xff\xff", "\x00\x00\x00\x00", many, ReadOptions{}, []string{"not valid"}},
		{"positions of WKB", "\x01\x03\x00\x00\x00\x01\x00\x00\x00\xff\xff\xff\xff", "\x00\x00\x00\x00\x00\x00\x00\x00", many, ReadOptions{MaxPositions: 1 << 16}, []string{"declares more"}},
		{"collections of WKB", "", "\x01\x07\x00\x00\x00\xff\xff\xff\xff", long, ReadOptions{}, []string{"nested too deep"}},
		{"positions in hex", "010300000001000000FFFFFFFF", "00", many, ReadOptions{MaxPositions: 1 << 16}, []string{"declares more"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var err error
			start := time.Now()
			peak := heapWhile(func() { _, err = ReadWith(t.Context(), endless(test.before, test.part, test.size), test.o) })
			took := time.Since(start)
			checkParam(t, err, "aoi", test.words...)

			t.Logf("%v, %d MiB: %v", took.Round(time.Millisecond), peak>>20, err)
			if peak > 8<<20 {
				t.Errorf("the heap grew by %d bytes", peak)
			}
		})
	}
}
