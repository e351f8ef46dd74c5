package wktarea

import (
	"bufio"
	"errors"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/gather"
)

// For any input, nothing panics, errors are about the area, and a second line gives the same
// polygons again.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"POLYGON((0 0,1 0,1 1,0 0))", "SRID=3035;POLYGON((0 0,1 0,1 1,0 0))\n\nSRID=3035;MULTIPOLYGON(((0 0,1 0,1 1,0 0)),EMPTY)", "POLYGON ZM((0 0 0 0,1 0 0 0,1 1 0 0,0 0 0 0))\n",
		"GEOMETRYCOLLECTION M(POINT EMPTY,POLYGON M((0 0 1,1 0 1,1 1 1,0 0 1)))", "POLYGON EMPTY", "TIN", "\n\n", "SRID=", "POLYGON((0 0,\n1 0,1 1,0 0))x", "CURVEPOLYGONZM(",
	} {
		f.Add(seed)
	}

	f.Fuzz(func(t *testing.T, in string) {
		read := func(text string) ([]geomgen.Polygon, int32, error) {
			var to gather.Collector
			schema, err := Read(bufio.NewReader(strings.NewReader(text)), &to)
			polygons, _ := to.Polygons()
			return polygons, schema.SRID, err
		}

		polygons, srid, err := read(in)
		var param *geomgen.ParamError
		if err != nil {
			if !errors.As(err, &param) {
				t.Fatal(err)
			}
			return
		}

		twice, sridTwice, err := read(in + "\n" + in)
		if err != nil || len(twice) != 2*len(polygons) || srid != sridTwice && len(polygons) > 0 {
			t.Fatalf("%v became %v: %v", polygons, twice, err)
		}
	})
}
