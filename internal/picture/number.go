package picture

import (
	"math"
	"strconv"
	"strings"
)

// group puts commas between groups of three digits of a number's whole part.
func group(number string) string {
	rest := ""
	if i := strings.IndexAny(number, ".eE"); i >= 0 {
		number, rest = number[:i], number[i:]
	}

	sign := ""
	if after, ok := strings.CutPrefix(number, "-"); ok {
		sign, number = "-", after
	}

	for i := len(number) - 3; i > 0; i -= 3 {
		number = number[:i] + "," + number[i:]
	}

	return sign + number + rest
}

// numberText writes a number with its digits in groups.
func numberText(f float64) string {
	if a := math.Abs(f); a == 0 || a >= 1e-6 && a < 1e15 {
		return group(strconv.FormatFloat(f+0, 'f', -1, 64)) // + 0: no minus zero
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// valueText writes a value as numberText does, a whole one with all digits and another one with four that count.
func valueText(f float64) string {
	if f == math.Trunc(f) {
		return numberText(f)
	}

	if a := math.Abs(f); a >= 1000 && a < 1e15 {
		return numberText(math.Round(f))
	}

	return roundedText(f, 4)
}

// valueTexts writes two values as valueText does, with more digits if both would look the same.
func valueTexts(a, b float64) (string, string) {
	textA, textB := valueText(a), valueText(b)
	for digits := 5; textA == textB && a != b && digits <= 17; digits++ {
		textA, textB = roundedText(a, digits), roundedText(b, digits)
	}

	return textA, textB
}

// roundedText writes a number with so many digits that count.
func roundedText(f float64, digits int) string {
	short, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'g', digits, 64), 64)
	return numberText(short)
}

// writeNumber writes a multiple of step, with the digits that tell it from others.
func writeNumber(f, step float64) string {
	digits := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	return group(strconv.FormatFloat(f+0, 'f', digits, 64))
}

// Number writes a number as pictures do: with up to seven digits that count, and its whole part in groups.
func Number(f float64) string { return roundedText(f, 7) }
