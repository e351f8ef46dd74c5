package loader

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
)

// Whatever comes in, nothing panics; what is accepted can be sent to a server and
// comes back from the ledger as it was; what is not says why.
func FuzzReadArea(f *testing.F) {
	for _, seed := range []string{
		polygonOf, feature(polygonOf), features(polygonOf, "null", otherOf), named("urn:ogc:def:crs:EPSG::3035"),
		`{"type":"GeometryCollection","geometries":[` + polygonOf + `]}`,
		`{"type":"MultiPolygon","coordinates":[[],[` + ringText + `]]}`,
		`{"type":"Polygon","coordinates":[[[0,0,1],[1e-300,0],[1,null],["",{}]]]}`,
		"POLYGON" + wktRing, "SRID=3035;MULTIPOLYGON((" + wktRing + "),EMPTY)", "POLYGON ZM((0 0 0 0,1 0 0 0,1 1 0 0,0 0 0 0))",
		"GEOMETRYCOLLECTION M(POINT EMPTY,POLYGON M((0 0 1,1 0 1,1 1 1,0 0 1)))", "POLYGON((0 0,1 0,\n1 1))", "\xef\xbb\xbf{}",
		"GEOMETRYCOLLECTION M(GEOMETRYCOLLECTION(POLYGON EMPTY),POLYGON(" + wktRing + "))",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		a, err := readArea(bytes.NewReader(in), 1<<20)
		if err != nil {
			var param *geomgen.ParamError
			if !errors.As(err, &param) || param.Param != "aoi" || param.Reason == "" {
				t.Fatalf("the error is %v", err)
			}
			return
		}
		if len(a.Polygons) == 0 || a.SRID < 0 {
			t.Fatalf("accepted %+v", a)
		}
		for _, p := range a.Polygons {
			if len(p) == 0 {
				t.Fatal("a polygon has no ring")
			}
			for _, ring := range p {
				if len(ring) < 4 || ring[0] != ring[len(ring)-1] {
					t.Fatalf("accepted the ring %v", ring)
				}
				for _, q := range ring {
					if math.IsNaN(q.X) || math.IsInf(q.X, 0) || math.IsNaN(q.Y) || math.IsInf(q.Y, 0) {
						t.Fatalf("accepted the point %v", q)
					}
				}
			}
		}
		_ = a.check(4326) // must not panic
		var back Area
		if err := back.unmarshal(a.Marshal()); err != nil || back.digest() != a.digest() {
			t.Fatalf("out of the ledger came %+v: %v", back, err)
		}
	})
}
