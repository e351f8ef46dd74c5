package geomgen

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
)

// Layer is features over a grid, in an order: each with polygons that are valid together.
// Features may share borders, overlap and leave gaps. A pair of a cell and a feature is
// selected by a rule, as a Mask of the feature alone selects the cell, in exact arithmetic:
// so no cell is lost between two features with the same border. A Layer is not changed by
// its use.
type Layer struct {
	grid     Grid
	lattice  lattice
	rule     Rule
	features []layerFeature
	all      outline // of all features, one behind the other; next counts from the feature's first segment
	of       []int32 // of each segment: its feature
	boxes    outline // of each feature: its box, as a segment from corner to corner
	numbers  []int32 // from 0 on, for features with few segments
}

// layerFeature is one feature of a layer.
type layerFeature struct {
	first, end int32 // segments from first to before end
	index      *tree // of its own segments, nil for few
	area       float64
}

// maxUnindexed is how many segments of a feature are looked at one by one.
const maxUnindexed = 32

// NewLayer returns a layer of features, each by its polygons in the grid's CRS, none for one
// that is nowhere. The rule selects the features that Owners returns for a cell. First takes the
// first of them, and so does Largest for a cell that features merely touch. The error is an
// *InvalidError, with the feature, for polygons that are not valid together: see CheckPolygons;
// a *ParamError for an unknown rule, and for features that are all empty or have more than 2^31
// positions; and the cause of ctx, which ends the work early. A layer takes some 60 bytes a
// position and 120 a feature.
func NewLayer(ctx context.Context, g Grid, features [][]Polygon, rule Rule) (*Layer, error) {
	if err := rule.check(); err != nil {
		return nil, err
	}

	n := 0
	for _, polygons := range features {
		for _, p := range polygons {
			for _, r := range p {
				n += len(r)
			}
		}
	}
	if n > math.MaxInt32 {
		return nil, &ParamError{"aoi", strconv.Itoa(n) + " positions", "are more than 2^31"}
	}

	l := &Layer{grid: g, lattice: g.lattice(), rule: rule, features: make([]layerFeature, 0, len(features))}
	l.all.segments, l.all.next, l.of = make([]segment, 0, n), make([]int32, 0, n), make([]int32, 0, n)
	l.numbers = make([]int32, maxUnindexed)
	for i := range l.numbers {
		l.numbers[i] = int32(i)
	}

	var sum exactSum
	for i, polygons := range features {
		if err := l.add(ctx, polygons, &sum); err != nil {
			var invalid *InvalidError
			if errors.As(err, &invalid) {
				invalid.Feature = i + 1
			}
			return nil, err
		}
	}

	if len(l.all.segments) == 0 {
		return nil, &ParamError{"aoi", "(none)", "is empty: its features have no polygons"}
	}

	l.makeIndexes(ctx)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return l, nil
}

// check reports an unknown rule.
func (r Rule) check() error {
	switch r {
	case Intersects, Within, Centroid, Overlaps:
		return nil
	}
	return &ParamError{"aoi-rule", string(r), "must be intersects, within, centroid or overlaps"}
}

// add adds a feature.
func (l *Layer) add(ctx context.Context, polygons []Polygon, sum *exactSum) error {
	f := layerFeature{first: int32(len(l.all.segments))}
	if len(polygons) == 1 && len(polygons[0]) == 1 && plainlySimple(polygons[0][0]) {
		_, end := l.all.addSegments(polygons[0][0], false)
		for i := f.first; i < end; i++ {
			l.all.next[i] -= f.first
		}
	} else {
		o, err := validOutline(ctx, polygons)
		if err != nil {
			return err
		}
		l.all.segments, l.all.next = append(l.all.segments, o.segments...), append(l.all.next, o.next...)
	}

	f.end = int32(len(l.all.segments))
	for range f.end - f.first {
		l.of = append(l.of, int32(len(l.features)))
	}

	segments := l.all.segments[f.first:f.end]
	if len(segments) > maxUnindexed {
		index := newTree(ctx, segments)
		f.index = &index
	}
	f.area = sum.segmentsArea(segments)
	l.features = append(l.features, f)
	return nil
}

// makeIndexes makes those of all segments and of the features' boxes.
func (l *Layer) makeIndexes(ctx context.Context) {
	l.all.index = newTree(ctx, l.all.segments)
	l.boxes.segments = make([]segment, len(l.features))
	for i, f := range l.features {
		b := l.all.segments[min(int(f.first), len(l.all.segments)-1)].box() // of an empty feature as good as any
		for _, s := range l.all.segments[f.first:f.end] {
			b = b.union(s.box())
		}
		l.boxes.segments[i] = segment{Point{b.XMin, b.YMin}, Point{b.XMax, b.YMax}}
	}

	l.boxes.index = newTree(ctx, l.boxes.segments)
}

// Features returns the number of features.
func (l *Layer) Features() int { return len(l.features) }

// Bounds returns the box around all features, in CRS units.
func (l *Layer) Bounds() Box { return l.all.index.bounds() }

// Area returns the area of a feature in square units of the CRS: the exact one, rounded to
// the nearest number. The features count from 0.
func (l *Layer) Area(feature int32) float64 { return l.features[feature].area }

// ShareOfFeature returns what share of a feature's area lies in a cell, 0 to 1, given the
// share of the cell's that lies in the feature.
func (l *Layer) ShareOfFeature(c Cell, o Owner) float64 {
	v := l.lattice.convex(l.grid, c)
	return min(1, o.Share*RingArea(v.corners[:v.n])/l.features[o.Feature].area)
}

// Contains tells whether the rule selects the pair of a cell and a feature.
func (l *Layer) Contains(c Cell, feature int32) bool { return l.Feature(feature).Contains(c) }

// selects tells whether the rule selects some feature for a cell.
func (l *Layer) selects(c Cell) bool {
	v := l.lattice.convex(l.grid, c)
	found := false
	l.boxes.index.walk(v.box, func(items []int32) bool {
		for _, i := range items {
			found = found || l.boxes.segments[i].box().intersects(v.box) && l.Contains(c, i)
		}
		return !found
	})
	return found
}

// Feature returns a mask of one feature, which takes next to no memory.
func (l *Layer) Feature(feature int32) *Mask {
	return &Mask{l.grid, l.lattice, l.outline(feature), l.rule}
}

// outline returns that of a feature, whose segments count from 0.
func (l *Layer) outline(feature int32) outline {
	f := &l.features[feature]
	o := outline{segments: l.all.segments[f.first:f.end], next: l.all.next[f.first:f.end]}
	if f.index != nil {
		o.index = *f.index
	} else {
		o.index.items = l.numbers[:f.end-f.first]
	}
	return o
}

// containsPoint tells whether a point lies in a feature or on its edge.
func (l *Layer) containsPoint(feature int32, p Point) bool {
	o := l.outline(feature)
	inside, edge := o.locate(p)
	return inside || edge
}

// near appends the segments near a box in the order of features; all is false when there are
// more than most.
func (l *Layer) near(dst []int32, box Box, most int) (near []int32, all bool) {
	from := len(dst)
	near, all = l.all.collect(dst, box, most)
	if all {
		slices.Sort(near[from:])
	}
	return near, all
}

// featuresAt calls visit for features whose box has a point in it.
func (l *Layer) featuresAt(p Point, visit func(feature int32)) {
	box := Box{p.X, p.Y, p.X, p.Y}
	l.boxes.index.walk(box, func(items []int32) bool {
		for _, i := range items {
			if l.boxes.segments[i].box().intersects(box) {
				visit(i)
			}
		}
		return true
	})
}

// countNear returns the number of features whose boxes intersect a box.
func (l *Layer) countNear(box Box) (n int64) {
	l.boxes.index.walk(box, func(items []int32) bool {
		for _, i := range items {
			if l.boxes.segments[i].box().intersects(box) {
				n++
			}
		}
		return true
	})

	return n
}

// AttributeRule says which feature a cell takes the attributes of.
type AttributeRule string

// The rules of attributes.
const (
	// Largest takes the feature with the largest share of the cell, of equal ones the first in
	// order; where no feature has a share, the first that the layer's rule selects.
	Largest AttributeRule = "largest"
	// AtCentroid takes the first feature that has the cell's centre in it or on its edge.
	AtCentroid AttributeRule = "centroid"
	// First takes the first feature that the layer's rule selects.
	First AttributeRule = "first"
)

// Owner is a feature that a rule selects for a cell.
type Owner struct {
	Feature int32   // from 0
	Share   float64 // of the cell's area that lies in the feature: see Part
}

func compareOwners(a, b Owner) int { return cmp.Compare(a.Feature, b.Feature) }
