package aoi

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/testrand"
	"github.com/loadgrid/loadgrid/loader/crs"
)

func TestAreaInDegrees(t *testing.T) {
	for _, test := range []struct {
		name, wkt string
		words     []string // in the error; empty if no error is expected
	}{
		{"the world", "POLYGON((-180 -90,180 -90,180 90,-180 90,-180 -90))", nil},
		{"a pole inside", "POLYGON((-180 -90,-180 -84,0 -70,180 -84,180 -90,-180 -90))", nil},
		{"cut at the antimeridian", "MULTIPOLYGON(((179 0,180 0,180 1,179 0)),((-180 0,-179 0,-180 1,-180 0)))", nil},
		{"half round the earth", "POLYGON((-90 0,90 0,0 50,-90 0))", nil},
		{"latitude beyond the pole", "POLYGON((0 0,1 0,1 90.5,0 0))", []string{"latitude beyond 90", "polygon 1, ring 1, at 1 90.5", "longitude comes first"}},
		{"metres", "POLYGON((4321000 3210000,4322000 3210000,4321000 3211000,4321000 3210000))", []string{"at 4321000 3210000"}},
		{"longitude far beyond", "POLYGON((0 0,400 0,1 1,0 0))", []string{"longitude beyond 360", "at 400 0"}},
		{"beyond the antimeridian", "POLYGON((179 0,181 0,180 1,179 0))", nil},
		{"beyond by a rounding", "POLYGON((177 -17,180.00000000000014 -17,180 -90.00000000000001,177 -17))", nil},
		{"across the antimeridian", "POLYGON((179 0,-179 0,-179 1,179 0))", []string{"crosses the antimeridian", "at -179 0, from 179 0", "cut it in two at 180", "RFC 7946, 3.1.9", "-wrapdateline", "aoi-wrap", "add a point in between"}},
		{"in the second polygon's hole", "MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((-180 -60,180 -60,180 60,-180 60,-180 -60),(-170 0,170 0,0 9,-170 0)))", []string{"polygon 2, ring 2, at 170 0, from -170 0"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, in := range []struct {
				prefix string
				srid   int32
			}{{"SRID=4326;", 4326}, {"", 4258}} {
				a, err := Read(strings.NewReader(in.prefix + test.wkt))
				if err != nil {
					t.Fatal(err)
				}

				err = a.CheckCoordinates(degrees(in.srid))
				if test.words != nil {
					checkParam(t, err, "aoi", test.words...)
				} else if err != nil {
					t.Error(err)
				}
			}

			if a, err := Read(strings.NewReader("SRID=3857;" + test.wkt)); err != nil || a.CheckCoordinates(crs.CRS{SRID: 3857, Kind: crs.Projected, PerUnit: 1}) != nil {
				t.Errorf("in metres anything goes: %v", err)
			}
		})
	}
}

// degrees returns a CRS of longitude and latitude.
func degrees(srid int32) crs.CRS { return crs.CRS{SRID: srid, Kind: crs.Geographic, PerUnit: 1} }

func TestAreaNeedsServer(t *testing.T) {
	for _, test := range []struct {
		name string
		area Area
		srid int32
		why  string
	}{
		{"the grid's CRS", Area{SRID: 3035}, 3035, ""},
		{"no CRS of its own", Area{}, 3035, ""},
		{"no CRS at all", Area{}, 0, ""},
		{"another CRS", Area{SRID: 4326}, 3035, "it is in EPSG:4326 and the grid is in EPSG:3035"},
		{"a query", Area{SQL: "select geom from t"}, 3035, "it is a query"},
		{"ready", Area{SQL: "select geom from t", SRID: 3035, ready: true}, 3035, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if need, why := test.area.NeedsServer(test.srid); need != (test.why != "") || why != test.why {
				t.Errorf("got %v, %q", need, why)
			}
		})
	}

	checkParam(t, (&Area{SRID: 3035}).CheckSRID(0), "srid", "leaves the grid without a CRS", "EPSG:3035")
}

func TestAreaIsTheSameOutOfTheLedger(t *testing.T) {
	for _, a := range []Area{
		{SRID: 3035, Polygons: []geomgen.Polygon{square(0, 0, 1), {square(5, 5, 9)[0], square(6, 6, 1)[0]}}},
		{Polygons: []geomgen.Polygon{square(0.1, -0.3, 1e-9)}},
		{SQL: "select geom from t", SRID: 3035},
	} {
		b := a.Marshal()
		var got Area
		if err := got.Unmarshal(b); err != nil {
			t.Fatal(err)
		}

		if got.SRID != a.SRID || !reflect.DeepEqual(canonical(got.Polygons), canonical(a.Polygons)) || !got.ready {
			t.Errorf("%+v became %+v", a, got)
		}

		if again := got.Marshal(); !bytes.Equal(b, again) {
			t.Errorf("%x became %x", b, again)
		}

		if err := got.Unmarshal(b[:len(b)-1]); err == nil {
			t.Error("an area that is cut off was read")
		}
	}

	one, other := Area{Polygons: []geomgen.Polygon{square(0, 0, 1)}}, Area{Polygons: []geomgen.Polygon{square(0, 0, 1+0x1p-52)}}
	if one.Digest() == other.Digest() {
		t.Errorf("digests %s and %s", one.Digest(), other.Digest())
	}
}

// The order of the polygons and the start of their rings do not matter.
func TestAreaIsTheSameInAnyOrder(t *testing.T) {
	rng := testrand.New(t, 102)
	star := []geomgen.Point{{X: 2, Y: 1}, {X: 5, Y: 0}, {X: 4, Y: 3}, {X: 6, Y: 6}, {X: 3, Y: 4}, {X: 0, Y: 5}, {X: 2, Y: 1}}
	a := Area{Polygons: []geomgen.Polygon{{star}, square(10, 0, 3), {square(20, 0, 9)[0], square(21, 1, 1)[0], square(23, 1, 1)[0], square(21, 5, 2)[0]}}}
	want := a.Digest()

	for range 200 {
		for _, p := range a.Polygons {
			rng.Shuffle(len(p)-1, func(i, j int) { p[i+1], p[j+1] = p[j+1], p[i+1] })
			for k, ring := range p {
				n := len(ring) - 1
				turned, by := make([]geomgen.Point, n), rng.IntN(n)

				for i := range turned {
					turned[i] = ring[(i+by)%n]
				}

				if rng.IntN(2) == 0 {
					slices.Reverse(turned)
				}

				p[k] = append(turned, turned[0])
			}
		}

		rng.Shuffle(len(a.Polygons), func(i, j int) { a.Polygons[i], a.Polygons[j] = a.Polygons[j], a.Polygons[i] })
		if err := geomgen.CheckPolygons(a.Polygons); err != nil {
			t.Fatal(err)
		}

		if got := a.Digest(); got != want {
			t.Fatalf("another area: %v", a.Polygons)
		}
	}

	p := a.Polygons[0][0]
	p[1], p[2] = p[2], p[1] // the same corners
	if a.Digest() == want {
		t.Error("another ring is the same area")
	}
}
