package feature

import (
	"fmt"
	"strconv"

	"github.com/loadgrid/loadgrid/geomgen"
)

// BadArea returns a *geomgen.ParamError about the area of interest.
func BadArea(format string, args ...any) error {
	return &geomgen.ParamError{Param: "aoi", Value: "(the area)", Reason: fmt.Errorf(format, args...).Error()}
}

// FormatPoint writes a point's coordinates, never with an exponent.
func FormatPoint(p geomgen.Point) string {
	return strconv.FormatFloat(p.X, 'f', -1, 64) + " " + strconv.FormatFloat(p.Y, 'f', -1, 64)
}
