package geomgen

import (
	"errors"
	"testing"
)

// An extent between two lines that are one by the tolerance has no cell in it, and
// that is said of all shapes.
func TestThinExtents(t *testing.T) {
	for _, shape := range []Shape{Square, HexagonFlat, HexagonPointy} {
		_, _, err := (Grid{DX: 1, DY: 1, Shape: shape}).Extent(Box{XMin: 0, YMin: 0, XMax: 1e-10, YMax: 1})
		var param *ParamError
		if !errors.As(err, &param) || param.Param != "extent" {
			t.Errorf("%s: %v", shape, err)
		}
	}
}
