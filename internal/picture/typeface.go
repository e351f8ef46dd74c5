package picture

import (
	"fmt"
	"strings"

	"github.com/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
)

// typeface is the font of a picture: Liberation Sans, whose letters are as wide as those of Arial and Helvetica. An
// SVG that is shown with one of these has its texts where they belong.
type typeface struct {
	font *opentype.Font
	// complete means that other fonts have the letters that this one lacks, as in the program that shows an SVG.
	complete bool
}

// fontFamily names the font in an SVG, and others for where it is not installed.
const fontFamily = "Liberation Sans, Arial, Helvetica, sans-serif"

// newTypeface returns the font for a file of this name.
func newTypeface(name string) (typeface, error) {
	f, err := opentype.Parse(liberationsansregular.TTF)
	if err != nil {
		return typeface{}, fmt.Errorf("reading the font: %w", err)
	}
	return typeface{font: f, complete: isSVG(name)}, nil
}

// face returns the font in a size in pixels.
func (t typeface) face(pixels float64) (font.Face, error) {
	f, err := opentype.NewFace(t.font, &opentype.FaceOptions{Size: pixels, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return nil, fmt.Errorf("reading the font in size %g: %w", pixels, err)
	}
	return f, nil
}

// width returns how wide a text is in points.
func (t typeface) width(text string, size float64) float64 {
	const detail = 10 // the font measures in 64th of a pixel
	face, err := t.face(detail * size)
	if err != nil {
		return 0
	}
	if !t.complete {
		text = t.spell(text)
	}

	others := 0 // letters of other fonts: as wide as high, as those of Chinese and Japanese are
	text = strings.Map(func(r rune) rune {
		if t.has(r) {
			return r
		}
		others++
		return -1
	}, text)

	return float64(font.MeasureString(face, text))/64/detail + float64(others)*size
}

// fit returns the largest size up to most in which a text is not wider than width.
func (t typeface) fit(text string, most, width float64) float64 {
	if wide := t.width(text, most); wide > width {
		return most * width / wide
	}
	return most
}

// shorten cuts a text off where it is wider than width.
func (t typeface) shorten(text string, size, width float64) string {
	if t.width(text, size) <= width {
		return text
	}

	letters := []rune(text)
	for len(letters) > 1 && t.width(string(letters)+"…", size) > width {
		letters = letters[:len(letters)-1]
	}

	return strings.TrimRight(string(letters), " ") + "…"
}

func (t typeface) has(r rune) bool {
	i, err := t.font.GlyphIndex(nil, r)
	return err == nil && i != 0
}

// spell writes letters that the font does not have by their numbers. It has the
// Latin, Greek and Cyrillic ones.
func (t typeface) spell(text string) string {
	var b strings.Builder
	for _, r := range text {
		if t.has(r) {
			b.WriteRune(r)
		} else if r < 0x10000 {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}

	return b.String()
}
