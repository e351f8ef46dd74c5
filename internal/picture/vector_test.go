package picture

import (
	"image/color"
	"strings"
	"testing"
)

// A text of an SVG has its length, so that it also fits where a wider font is used. A text with letters that the font
// does not have is as long as the viewer's own font makes it.
func TestSVGTextsHaveTheirLength(t *testing.T) {
	face, err := newTypeface("a.svg")
	if err != nil {
		t.Fatal(err)
	}

	for text, want := range map[string]bool{"loadgrid, plain, GiST": true, "Ελλάδα": true, "国": false} {
		v := newVector(face, color.NRGBA{}, 100, 100)
		v.write(label{text: text, size: 10})
		data, err := v.encode()
		if err != nil {
			t.Fatal(err)
		}

		length := `textLength="` + number(face.width(text, 10)) + `"`
		if got := strings.Contains(string(data), length); got != want || strings.Contains(string(data), "textLength") != want {
			t.Errorf("%s: the SVG has %s: %v, want %v:\n%s", text, length, got, want, data)
		}
	}
}
