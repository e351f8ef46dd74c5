package geomgen

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// rings collects rings point by point, and combines them into polygons. It reuses its memory from one use to the
// next.
type rings struct {
	work   []Point // the present ring
	points []Point // of the finished rings, closed, one after another
	done   []finished
	sorted []int32
	shells []int // indexes of finished rings
	holes  []int
	out    Part
}

// finished is a ring as a range of points, with its area, which is positive for a shell.
type finished struct {
	from, to int
	area     float64
	shell    int // for a hole: the index of its shell, or -1
}

func (r *rings) reset() {
	r.points, r.done = r.points[:0], r.done[:0]
}

func (r *rings) begin() { r.work = r.work[:0] }

// add adds a point to the present ring, unless it repeats the previous point.
func (r *rings) add(p Point) {
	if n := len(r.work); n == 0 || r.work[n-1] != p {
		r.work = append(r.work, p)
	}
}

// end finishes the present ring. If the ring visits a point twice, the points between the visits form a ring of
// their own.
func (r *rings) end() {
	if n := len(r.work); n > 1 && r.work[0] == r.work[n-1] {
		r.work = r.work[:n-1]
	}
	if !r.repeats() {
		r.finish(r.work)
		return
	}

	place := make(map[Point]int, len(r.work))
	stack := make([]Point, 0, len(r.work))
	for _, p := range r.work {
		if at, ok := place[p]; ok {
			r.finish(stack[at:])
			for _, q := range stack[at+1:] {
				delete(place, q)
			}
			stack = stack[:at+1]
			continue
		}
		place[p] = len(stack)
		stack = append(stack, p)
	}

	r.finish(stack)
}

// repeats reports whether the present ring visits a point twice.
func (r *rings) repeats() bool {
	r.sorted = r.sorted[:0]
	for i := range r.work {
		r.sorted = append(r.sorted, int32(i))
	}

	slices.SortFunc(r.sorted, func(i, j int32) int {
		return cmp.Or(cmp.Compare(r.work[i].X, r.work[j].X), cmp.Compare(r.work[i].Y, r.work[j].Y))
	})
	for i := 1; i < len(r.sorted); i++ {
		if r.work[r.sorted[i-1]] == r.work[r.sorted[i]] {
			return true
		}
	}

	return false
}

// finish stores a ring, unless it has no area.
func (r *rings) finish(ring []Point) {
	if len(ring) < 3 {
		return
	}

	area := RingArea(ring)
	if off := areaError * ringSize(ring); math.Abs(area) <= off { // its sign is in doubt
		way := turning(ring)
		if way == 0 {
			return
		}
		area = math.Copysign(max(math.Abs(area), math.SmallestNonzeroFloat64), float64(way))
	}

	from := len(r.points)
	r.points = append(append(r.points, ring...), ring[0])
	r.done = append(r.done, finished{from: from, to: len(r.points), area: area})
}

// areaError bounds the error of RingArea, relative to ringSize and per corner.
const areaError = 1e-15

// ringSize returns the measure for the error of RingArea: the number of corners times the area of the box around
// the ring.
func ringSize(ring []Point) float64 {
	b := Box{ring[0].X, ring[0].Y, ring[0].X, ring[0].Y}
	for _, p := range ring[1:] {
		b = b.union(Box{p.X, p.Y, p.X, p.Y})
	}
	return float64(len(ring)) * (b.XMax - b.XMin) * (b.YMax - b.YMin)
}

// turning returns the exact direction of a ring that does not cross itself: 1 for counter-clockwise, and 0 if it
// has no area.
func turning(ring []Point) int {
	low := 0
	for i, p := range ring {
		if q := ring[low]; p.Y < q.Y || p.Y == q.Y && p.X < q.X {
			low = i
		}
	}
	n := len(ring)
	return side(ring[(low+n-1)%n], ring[low], ring[(low+1)%n])
}

// part combines the rings into a Part, without its share of the cell.
func (r *rings) part(ctx context.Context) (Part, error) {
	r.shells, r.holes = r.shells[:0], r.holes[:0]
	for i := range r.done {
		if f := &r.done[i]; f.area > 0 {
			r.shells = append(r.shells, i)
		} else {
			r.holes = append(r.holes, i)
		}
	}

	if err := r.findShells(ctx); err != nil {
		return Part{}, err
	}

	slices.SortFunc(r.holes, func(i, k int) int { return cmp.Or(cmp.Compare(r.done[i].shell, r.done[k].shell), cmp.Compare(i, k)) })
	holes := r.holes
	for len(holes) > 0 && r.done[holes[0]].shell < 0 {
		holes = holes[1:]
	}

	r.out.Rings, r.out.Shells = r.out.Rings[:0], r.out.Shells[:0]
	add := func(f finished) { r.out.Rings = append(r.out.Rings, r.points[f.from:f.to]) }
	for _, i := range r.shells {
		r.out.Shells = append(r.out.Shells, len(r.out.Rings))
		add(r.done[i])
		for ; len(holes) > 0 && r.done[holes[0]].shell == i; holes = holes[1:] {
			add(r.done[holes[0]])
		}
	}

	return r.out, nil
}

// findShells finds the smallest shell around each hole.
func (r *rings) findShells(ctx context.Context) error {
	switch {
	case len(r.holes) == 0 || len(r.shells) == 0:
		return nil
	case len(r.shells) == 1:
		for _, i := range r.holes {
			r.done[i].shell = r.shells[0]
		}
		return nil
	}

	all := make([][]Point, len(r.done))
	for i, f := range r.done {
		all[i] = r.points[f.from:f.to]
	}

	around, err := ShellsAround(ctx, all)
	for _, i := range r.holes {
		r.done[i].shell = around[i]
	}

	return err
}

// insideRing reports whether a point is inside a closed ring, or on its edge.
func insideRing(ring []Point, p Point) (inside, edge bool) {
	for i := 1; i < len(ring); i++ {
		a, b := ring[i-1], ring[i]
		if a.X < p.X && b.X < p.X || a.Y < p.Y && b.Y < p.Y || a.Y > p.Y && b.Y > p.Y {
			continue
		}

		where := side(a, b, p)
		if where == 0 && (segment{a, b}).box().intersects(Box{p.X, p.Y, p.X, p.Y}) {
			return false, true
		}
		if up := b.Y > p.Y; up != (a.Y > p.Y) && (where > 0) == up {
			inside = !inside
		}
	}
	return inside, false
}
