package seam

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/testrand"
)

type points = []geomgen.Point

// degrees is the frame of longitude and latitude.
func degrees() Frame { return Around(0) }

// ring makes a ring from alternating x and y.
func ring(xy ...float64) (r points) {
	for i := 0; i < len(xy); i += 2 {
		r = append(r, geomgen.Point{X: xy[i], Y: xy[i+1]})
	}
	return r
}

// sum checks that polygons are valid and in the frame, and returns their area in square units.
func sum(t *testing.T, polygons []geomgen.Polygon, f Frame) (total float64) {
	t.Helper()
	for _, p := range polygons {
		if err := geomgen.CheckPolygons([]geomgen.Polygon{p}); err != nil {
			t.Fatalf("%v of %v", err, p)
		}

		for k, ring := range p {
			total += geomgen.RingArea(ring)
			if (geomgen.RingArea(ring) > 0) != (k == 0) {
				t.Errorf("ring %d of %v runs in the wrong direction", k, p)
			}

			for _, q := range ring {
				if q.X < f.XMin || q.X > f.XMax || q.Y < f.YMin || q.Y > f.YMax {
					t.Errorf("%v lies outside the frame", q)
				}
			}
		}
	}

	return total
}

func TestCut(t *testing.T) {
	for name, test := range map[string]struct {
		rings    []points
		polygons int
		area     float64
	}{
		"nothing to cut":                   {[]points{ring(10, 0, 20, 0, 20, 5, 10, 5, 10, 0)}, 1, 50},
		"across":                           {[]points{ring(170, 0, -170, 0, -170, 5, 170, 5, 170, 0)}, 2, 100},
		"from the other side":              {[]points{ring(-170, 0, -170, 5, 170, 5, 170, 0, -170, 0)}, 2, 100},
		"hole across":                      {[]points{ring(160, 0, -160, 0, -160, 9, 160, 9, 160, 0), ring(175, 3, 175, 6, -175, 6, -175, 3, 175, 3)}, 2, 330},
		"hole beside":                      {[]points{ring(160, 0, -160, 0, -160, 9, 160, 9, 160, 0), ring(-175, 3, -175, 6, -170, 6, -170, 3, -175, 3)}, 2, 345},
		"north pole":                       {[]points{ring(0, 80, 120, 80, -120, 80, 0, 80)}, 1, 3600},
		"south pole":                       {[]points{ring(0, -80, -120, -80, 120, -80, 0, -80)}, 1, 3600},
		"all but a south cap":              {[]points{ring(0, -80, 120, -80, -120, -80, 0, -80)}, 1, 360 * 170},
		"ring around the pole":             {[]points{ring(0, 60, 120, 60, -120, 60, 0, 60), ring(0, 80, -120, 80, 120, 80, 0, 80)}, 1, 7200},
		"through the pole":                 {[]points{ring(-90, 80, 0, 80, 90, 80, 17, 90, -90, 80)}, 1, 1800},
		"through the pole, other half":     {[]points{ring(90, 80, 180, 80, -90, 80, 17, 90, 90, 80)}, 2, 1800},
		"corner on the seam":               {[]points{ring(170, 0, 180, 5, 170, 10, 170, 0)}, 1, 50},
		"corner on the seam, west of zero": {[]points{ring(-170, 0, -170, 10, 180, 5, -170, 0)}, 1, 50},
		"edge on the seam":                 {[]points{ring(170, 0, 180, 0, -180, 10, 170, 10, 170, 0)}, 1, 100},
		"edge on the seam, both sides":     {[]points{ring(170, 0, 180, 0, 180, 5, -170, 5, -170, 10, 170, 10, 170, 0)}, 2, 150},
		"all but a lake":                   {[]points{ring(0, 0, 0, 10, 10, 10, 10, 0, 0, 0)}, 1, 360*180 - 100},
		"a rounding beyond":                {[]points{ring(177, -17, 180.00000000000014, -17, 180.00000000000014, -16, 177, -16, 177, -17)}, 1, 3},
		"beyond the seam":                  {[]points{ring(190, 10, 200, 10, 200, 20, 190, 20, 190, 10)}, 1, 100},
	} {
		t.Run(name, func(t *testing.T) {
			f := degrees()
			got, err := Cut(t.Context(), test.rings, f)
			if err != nil {
				t.Fatal(err)
			}

			if a := sum(t, got, f); len(got) != test.polygons || math.Abs(a-test.area) > 1e-9*test.area {
				t.Errorf("%d polygons of area %v, want %d of %v: %v", len(got), a, test.polygons, test.area, got)
			}
		})
	}
}

func TestRingsThatCross(t *testing.T) {
	_, err := Cut(t.Context(), []points{ring(170, 0, -170, 0, -170, 5, 170, 5, 170, 0), ring(175, 1, -175, 1, -175, 4, 175, 4, 175, 1)}, degrees())
	if err == nil {
		t.Error("a shell in a shell was cut")
	}
}

// star returns a ring around a place, counter-clockwise.
func star(r *rand.Rand, x, y, radius float64) points {
	n := 3 + r.IntN(20)
	var ring points
	for i := range n {
		angle := 2 * math.Pi * (float64(i) + 0.8*r.Float64()) / float64(n)
		far := radius * (0.2 + 0.8*r.Float64())
		ring = append(ring, geomgen.Point{X: x + far*math.Cos(angle), Y: y + far*math.Sin(angle)})
	}

	return append(ring, ring[0])
}

// A star in the plane, folded and cut, keeps its area and contains the same places.
func TestStarsAcrossTheSeam(t *testing.T) {
	r := testrand.New(t, 1)
	f := degrees()

	for range 2000 {
		plane := star(r, 180+20*r.Float64()-10, 40*r.Float64()-20, 1+20*r.Float64())
		want := geomgen.RingArea(plane)

		folded, _, err := Fold(t.Context(), []geomgen.Polygon{{plane}}, f.Seam())
		if err != nil {
			t.Fatal(err)
		}

		globe := make(points, len(plane))
		for i, p := range plane {
			globe[i] = f.into(p)
		}

		cut, err := Cut(t.Context(), []points{globe}, f)
		if err != nil {
			t.Fatal(err)
		}

		for name, pieces := range map[string][]geomgen.Polygon{"folded": folded, "cut": cut} {
			if got := sum(t, pieces, f); math.Abs(got-want) > 1e-9*want {
				t.Fatalf("%s: area %v of %v, in the plane %v", name, got, pieces, want)
			}

			for range 20 {
				p := geomgen.Point{X: 180 + 60*r.Float64() - 30, Y: 80*r.Float64() - 40}
				in := false
				for _, piece := range pieces {
					in = in || contains(piece[0], f.into(p))
				}
				if in != contains(plane, p) {
					t.Fatalf("%s: %v is in it: %v, and in the plane: %v", name, p, in, !in)
				}
			}
		}
	}
}

func TestFold(t *testing.T) {
	box := func(x0, x1 float64) geomgen.Polygon {
		return geomgen.Polygon{{{X: x0, Y: 10}, {X: x1, Y: 10}, {X: x1, Y: 20}, {X: x0, Y: 20}, {X: x0, Y: 10}}}
	}

	for name, test := range map[string]struct {
		x0, x1  float64
		want    [][2]float64
		changed bool
	}{
		"on the map":       {-180, 180, [][2]float64{{-180, 180}}, false},
		"east of it":       {190, 200, [][2]float64{{-170, -160}}, true},
		"west of it":       {-200, -190, [][2]float64{{160, 170}}, true},
		"across":           {170, 190, [][2]float64{{170, 180}, {-180, -170}}, true},
		"more than a turn": {-190, 190, [][2]float64{{170, 180}, {-180, 180}, {-180, -170}}, true},
	} {
		got, changed, err := Fold(t.Context(), []geomgen.Polygon{box(test.x0, test.x1)}, degrees().Seam())
		if err != nil {
			t.Fatal(err)
		}

		same := len(got) == len(test.want) && changed == test.changed
		for i := range got {
			b := got[i].Bounds()
			same = same && b.XMin == test.want[i][0] && b.XMax == test.want[i][1] && b.YMin == 10 && b.YMax == 20
		}
		if !same {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// Halve cuts a polygon that reaches from seam to seam, and no other.
func TestHalve(t *testing.T) {
	world := geomgen.Polygon{ring(-180, -90, 180, -90, 180, -60, 0, -70, -180, -60, -180, -90)}
	island := geomgen.Polygon{ring(-10, 0, 10, 0, 10, 9, -10, 9, -10, 0)}

	got, err := Halve(t.Context(), []geomgen.Polygon{world, island}, degrees().Seam())
	if err != nil || len(got) != 3 {
		t.Fatalf("%v, %v", got, err)
	}

	if a, want := sum(t, got, degrees()), geomgen.RingArea(world[0])+geomgen.RingArea(island[0]); math.Abs(a-want) > 1e-9*want {
		t.Errorf("area %v, want %v", a, want)
	}
	if w, e := got[0].Bounds(), got[1].Bounds(); w.XMax != 0 || e.XMin != 0 || got[2].Bounds() != island.Bounds() {
		t.Errorf("cut at %v and %v", w, e)
	}
}

func TestShortWay(t *testing.T) {
	for name, test := range map[string]struct {
		polygon geomgen.Polygon
		area    float64 // 0 for an error
	}{
		"box":                         {geomgen.Polygon{ring(179, 51, -179, 51, -179, 52, 179, 52, 179, 51)}, 2},
		"box, clockwise":              {geomgen.Polygon{ring(179, 51, 179, 52, -179, 52, -179, 51, 179, 51)}, 2},
		"with a hole":                 {geomgen.Polygon{ring(170, 50, -170, 50, -170, 60, 170, 60, 170, 50), ring(179, 51, -179, 51, -179, 52, 179, 52, 179, 51)}, 198},
		"no long edge":                {geomgen.Polygon{ring(0, 0, 9, 0, 9, 9, 0, 9, 0, 0)}, 81},
		"around the south":            {geomgen.Polygon{ring(0, -80, 120, -80, -120, -80, 0, -80)}, 3600},
		"around the south, other way": {geomgen.Polygon{ring(0, -80, -120, -80, 120, -80, 0, -80)}, 3600},
		"around both":                 {geomgen.Polygon{ring(0, -80, -120, -80, 120, 1, 0, -80)}, 0},
	} {
		got, err := degrees().ShortWay(t.Context(), test.polygon)
		if (err != nil) != (test.area == 0) {
			t.Errorf("%s: error %v", name, err)
		} else if a := sum(t, got, degrees()); math.Abs(a-test.area) > 1e-9 {
			t.Errorf("%s: area %v of %v", name, a, got)
		}
	}
}

func TestBand(t *testing.T) {
	world := geomgen.Polygon{ring(-180, -90, 180, -90, 180, 90, -180, 90, -180, -90)}
	got, err := Band(t.Context(), []geomgen.Polygon{world, {ring(0, 86, 9, 86, 9, 89, 0, 86)}}, degrees(), 85)
	if err != nil || len(got) != 1 || sum(t, got, degrees()) != 360*170 {
		t.Errorf("%v, %v", got, err)
	}
}

func FuzzCut(f *testing.F) {
	f.Add(uint64(1), 179.5, 10.0, 5.0)
	f.Add(uint64(2), -180.0, 89.0, 3.0)
	f.Fuzz(func(t *testing.T, seed uint64, x, y, radius float64) {
		if !(math.Abs(x) <= 180 && math.Abs(y) <= 60 && radius > 1e-3 && radius < 25) {
			t.Skip()
		}

		plane := star(rand.New(rand.NewPCG(seed, 0)), x, y, radius)
		globe := make(points, len(plane))
		for i, p := range plane {
			globe[i] = degrees().into(p)
		}

		got, err := Cut(t.Context(), []points{globe}, degrees())
		if err != nil {
			t.Fatal(err)
		}
		if a := sum(t, got, degrees()); math.Abs(a-geomgen.RingArea(plane)) > 1e-9*a {
			t.Errorf("area %v of %v, in the plane %v", a, got, geomgen.RingArea(plane))
		}
	})
}

// contains tells whether a point lies in a closed ring, by the segments that a ray to the right
// crosses.
func contains(ring []geomgen.Point, p geomgen.Point) bool {
	inside := false
	for i := 1; i < len(ring); i++ {
		a, b := ring[i-1], ring[i]
		if (a.Y > p.Y) != (b.Y > p.Y) && p.X < a.X+(p.Y-a.Y)/(b.Y-a.Y)*(b.X-a.X) {
			inside = !inside
		}
	}

	return inside
}
