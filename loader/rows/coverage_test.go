package rows

import (
	"math"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
)

// The column's type has fewer digits than a share. 0 and 1 must still mean nothing and everything.
func TestCoverageIsRoundedTowardsTheTruth(t *testing.T) {
	for _, test := range []struct {
		share float64
		want  float32
	}{
		{0, 0}, {1, 1}, {0.0625, 0.0625}, {0.1, 0.1},
		{math.SmallestNonzeroFloat64, math.SmallestNonzeroFloat32},
		{1e-50, math.SmallestNonzeroFloat32},
		{1 - 1e-12, 1 - 0x1p-24},
		{math.Nextafter(1, 0), 1 - 0x1p-24},
	} {
		if got := coverageOf(geomgen.Part{Share: test.share}); got != test.want {
			t.Errorf("share %v is %v, want %v", test.share, got, test.want)
		}
	}
}
