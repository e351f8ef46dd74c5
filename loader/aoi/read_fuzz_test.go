package aoi

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
)

// For any input, a file or EWKB from a server, nothing panics and memory is limited. Accepted input can be sent
// to a server, comes back unchanged from the ledger, and selects and clips cells. Refused input gets a reason.
func FuzzReadArea(f *testing.F) {
	for _, seed := range areaSeeds() {
		f.Add([]byte(seed))
	}

	f.Fuzz(func(t *testing.T, in []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		a, err := ReadWith(t.Context(), bytes.NewReader(in), ReadOptions{})
		if err == nil {
			checkRings(t, a)
			checkLedger(t, a)
		} else {
			checkAreaError(t, err)
		}

		var fromServer Area
		if serverErr := fromServer.Unmarshal(in); serverErr == nil {
			checkRings(t, &fromServer)
			checkLedger(t, &fromServer)
		} else {
			checkAreaError(t, serverErr)
		}

		runtime.ReadMemStats(&after)
		// Count all allocations, including garbage: no peak can be higher.
		if bytes := after.TotalAlloc - before.TotalAlloc; bytes > 4<<20+4096*uint64(len(in)) {
			t.Fatalf("%d bytes of input took %d bytes of memory", len(in), bytes)
		}

		if err == nil && a.CheckCoordinates(degrees(4326)) == nil {
			CheckSelects(t, a)
		}
	})
}

func areaSeeds() []string {
	nested := strings.Repeat(`{"type":"GeometryCollection","geometries":[`, 40)
	seeds := []string{
		polygonOf, featureOf(polygonOf), features(polygonOf, "null", otherOf), named("urn:ogc:def:crs:EPSG::3035"),
		linked("https://epsg.io/3035.wkt"), withCRS(`{"type":"EPSG","properties":{"code":3035}}`), withCRS("null"),
		`{"type":"Feature","geometry":null,"place":` + polygonOf + `}`,
		`{"type":"GeometryCollection","geometries":[` + polygonOf + `]}`,
		`{"type":"MultiPolygon","coordinates":[[],[` + ringText + `]]}`,
		`{"type":"Polygon","coordinates":[[[0,0,1],[1e-300,0],[1,null],["",{}]]]}`,
		`{"type":"Polygon","coordinates":[[[-1.7e308,0],[1.7e308,5e-324],[0,1e308],[-1.7e308,-0]]]}`,
		`{"type":"Polygon","coordinates":[[[0,0],[` + strings.Repeat("9", 5000) + `,0],[1e999999999,1],[0,0]]]}`,
		nested, strings.Repeat("[", 2000), `{"type":` + strings.Repeat("[", 2000),
		`{"type":"GeometryCollection","geometries":[` + strings.Repeat(`{"type":"MultiPolygon","coordinates":[]},`, 2000) + polygonOf + `]}`,
		"POLYGON" + wktRing, "SRID=3035;MULTIPOLYGON((" + wktRing + "),EMPTY)", "POLYGON ZM((0 0 0 0,1 0 0 0,1 1 0 0,0 0 0 0))",
		"GEOMETRYCOLLECTION M(POINT EMPTY,POLYGON M((0 0 1,1 0 1,1 1 1,0 0 1)))", "POLYGON((0 0,1 0,\n1 1))", "\xef\xbb\xbf{}",
		"GEOMETRYCOLLECTION M(GEOMETRYCOLLECTION(POLYGON EMPTY),POLYGON(" + wktRing + "))",
		"SRID=99999999999;POLYGON" + wktRing, "POLYGON((0 0,1e308 0,1e308 -1e308,0 0))",
		strings.Repeat("GEOMETRYCOLLECTION(", 33) + "POLYGON" + wktRing, "MULTIPOLYGON(" + strings.Repeat("EMPTY,", 5000) + "EMPTY)",
	}

	// Correct EWKB, and EWKB that announces more polygons, rings or points than it has.
	square := geomgen.AppendPolygon(nil, []([]geomgen.Point){{{X: 0, Y: 0}, {X: 1, Y: 0}, {X: 1, Y: 1}, {X: 0, Y: 0}}})
	seeds = append(seeds, string(append(geomgen.AppendMultiPolygonHeader(nil, 4326, 1), square...)))

	for _, at := range []int{5, 9} {
		forged := bytes.Clone(square)
		binary.LittleEndian.PutUint32(forged[at:], 1<<27)
		seeds = append(seeds, string(forged), string(append(geomgen.AppendMultiPolygonHeader(nil, 0, 1<<27), forged...)))
	}

	return append(seeds, strings.Repeat("\x01\x07\x00\x00\x00\x01\x00\x00\x00", 50))
}

func checkAreaError(t *testing.T, err error) {
	t.Helper()
	var param *geomgen.ParamError
	if !errors.As(err, &param) || param.Param != "aoi" || param.Reason == "" {
		t.Fatalf("the error is %v", err)
	}
}

// checkRings checks that rings are closed and finite.
func checkRings(t *testing.T, a *Area) {
	t.Helper()
	if a.SRID < 0 {
		t.Fatalf("accepted SRID %d", a.SRID)
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
}

func checkLedger(t *testing.T, a *Area) {
	t.Helper()
	var back Area
	if err := back.Unmarshal(a.Marshal()); err != nil || back.Digest() != a.Digest() {
		t.Fatalf("out of the ledger came %+v: %v", back, err)
	}
}

// CheckSelects loads the area in a few dozen cells. Tests that know package plan set it, because this package
// does not import plan.
var CheckSelects func(*testing.T, *Area)
