package picture

import (
	"math"
	"testing"
)

func TestNumbersAreGrouped(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0", -0.5: "-0.5", 999: "999", 1000: "1,000", -29_900_000: "-29,900,000", 1234567.5: "1,234,567.5", 1e-7: "1e-07", 123456789012345: "123,456,789,012,345",
	} {
		if got := numberText(f); got != want {
			t.Errorf("%v is %q, want %q", f, got, want)
		}
	}

	for f, want := range map[float64]string{3.24817: "3.248", 123456.789: "123,457", 1e6: "1,000,000", 0.000123456: "0.0001235", math.Copysign(0, -1): "0"} {
		if got := valueText(f); got != want {
			t.Errorf("the value %v is %q, want %q", f, got, want)
		}
	}

	if got := Number(1000.0000001); got != "1,000" {
		t.Errorf("a length is %q", got)
	}
}

// The texts of the ticks never overlap, neither those of a map nor those of a legend.
func TestTicksDoNotOverlap(t *testing.T) {
	v := viewport{letters: testTypeface(t), inks: Light.inks()}
	for _, low := range []float64{0, -1, 3.25, 1e6, 29_900_000, -1e9, 0.001} {
		for _, span := range []float64{1e-4, 0.3, 1, 7, 1000, 123456, 9e7} {
			for _, width := range []float64{80, 230, leastWidth, mapWidth} {
				end := math.Inf(-1)
				for _, tick := range v.ticks(low, low+span, width) {
					half := v.letters.width(tick.text, textSize) / 2
					at := (tick.value - low) / span * width
					if tick.text == "" {
						continue
					}
					if at-half < end {
						t.Errorf("%g to %g in %g points: %q overlaps", low, low+span, width, tick.text)
					}
					end = at + half
				}

				end = math.Inf(-1)
				for _, text := range (Legend{Low: low, High: low + span}).ticks(v, rect{10, 0, 10 + width, 9}) {
					wide := v.letters.width(text.text, text.size)
					from := text.at.x - float64(text.align)*wide
					if from < end && width > 200 {
						t.Errorf("a legend from %g to %g in %g points: %q overlaps", low, low+span, width, text.text)
					}
					end = from + wide
				}
			}
		}
	}
}
