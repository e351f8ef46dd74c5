package area

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/loadgrid/loadgrid/geomgen"
)

// track is a ring in the plane of its CRS and on the globe, point by point.
type track struct {
	plane, globe []geomgen.Point
}

// leftward returns the ring on the globe with the area on its left, as in the plane: the inside of
// a shell, the outside of a hole. Transformations do not mirror.
func (t *track) leftward(hole bool) []geomgen.Point {
	if (geomgen.RingArea(t.plane) > 0) == hole {
		slices.Reverse(t.globe)
	}

	return t.globe
}

// refine inserts points where a segment spans more than a degree of the globe: near a pole, a line
// that is straight in the plane is far from straight on the globe.
func (r *resolver) refine(ctx context.Context, t *track, srid int32, m globeMap) error {
	const rounds, shortest = 40, 1e-3 // CRS units
	degree := m.frame.Period() / 360

	for range rounds {
		var xs, ys []float64
		var before []int // for each new point, the index of the point that follows it

		for i := 1; i < len(t.plane); i++ {
			p, q := t.plane[i-1], t.plane[i]
			turn := math.Abs(t.globe[i].X - t.globe[i-1].X)
			if min(turn, m.frame.Period()-turn) <= degree || math.Hypot(q.X-p.X, q.Y-p.Y) < shortest {
				continue
			}

			before = append(before, i)
			xs, ys = append(xs, p.X/2+q.X/2), append(ys, p.Y/2+q.Y/2)
		}

		if len(before) == 0 {
			return nil
		}

		points, err := r.transformPoints(ctx, xs, ys, srid, m.globe)
		if err != nil {
			return err
		}

		t.insert(before, xs, ys, points)
	}

	return nil
}

// insert inserts points, each before the point that follows it.
func (t *track) insert(before []int, xs, ys []float64, globe []geomgen.Point) {
	n := len(t.plane) + len(before)
	plane, on := make([]geomgen.Point, 0, n), make([]geomgen.Point, 0, n)

	from := 0
	for k, to := range before {
		plane = append(append(plane, t.plane[from:to]...), geomgen.Point{X: xs[k], Y: ys[k]})
		on = append(append(on, t.globe[from:to]...), globe[k])
		from = to
	}

	t.plane, t.globe = append(plane, t.plane[from:]...), append(on, t.globe[from:]...)
}

// transformPoints has the server transform points.
func (r *resolver) transformPoints(ctx context.Context, xs, ys []float64, from, to int32) (points []geomgen.Point, err error) {
	sql := fmt.Sprintf("select array_agg(%[1]s(p) order by n), array_agg(%[2]s(p) order by n)"+
		" from unnest($1::float8[], $2::float8[]) with ordinality as u(x, y, n), lateral %[3]s(%[4]s(%[5]s(x, y), $3::integer), $4::integer) as p",
		r.fn("st_x"), r.fn("st_y"), r.fn("st_transform"), r.fn("st_setsrid"), r.fn("st_makepoint"))

	var tx, ty []float64
	what := fmt.Sprintf("transform points from EPSG:%d to EPSG:%d", from, to)
	if err := r.queryOne(ctx, what, sql, []any{xs, ys, from, to}, &tx, &ty); err != nil {
		return nil, err
	}

	for i := range tx {
		points = append(points, geomgen.Point{X: tx[i], Y: ty[i]})
	}

	return points, nil
}
