package crs

import (
	"testing"
)

func BenchmarkKnown(b *testing.B) {
	for b.Loop() {
		Known(3857)
	}
}
