package geomgen

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
)

// Layer is an ordered list of features over a grid. Each feature has polygons that are valid together. Features
// may share borders, overlap and leave gaps. A rule selects pairs of a cell and a feature exactly as a Mask of
// only that feature selects cells, in exact arithmetic. So no cell is lost between two features with a common
// border. A Layer is immutable.
type Layer struct {
	grid     Grid
	lattice  lattice
	rule     Rule
	features []layerFeature
	boxes    []segment // for each feature: its box, from corner to corner
	index    tree      // of the boxes
	numbers  []int32   // from 0, for features with few segments
}

// layerFeature is a feature of a layer, with the points of its contour.
type layerFeature struct {
	points []Point // the caller's slice, if it is a single ring in the right direction
	rest   *layerRest
	area   float64
}

// layerRest is the part of a contour that a single ring with few segments does not need.
type layerRest struct {
	next  []int32
	index tree
}

// nearSegment is a segment of a feature near a block or a cell.
type nearSegment struct{ feature, segment int32 }

func compareNear(a, b nearSegment) int {
	return cmp.Or(cmp.Compare(a.feature, b.feature), cmp.Compare(a.segment, b.segment))
}

// maxUnindexed is the largest number of segments of a feature that are tested one by one.
const maxUnindexed = 32

// NewLayer returns a layer of features, each given by its polygons in the grid's CRS. A feature without polygons
// is empty. rule selects the features that Owners returns for a cell. First takes the first of them, and so does
// Largest for a cell that features only touch.
//
// The layer keeps points of the polygons, so you must not change them. In addition to the polygons, a layer takes
// about 80 bytes per feature. It takes 10 more bytes per position of features that have more than 32 positions,
// and 16 more per position of features that are not a single counter-clockwise ring.
//
// The error is an *InvalidError with the feature for polygons that are not valid together: see CheckPolygons. It
// is a *ParamError for an unknown rule, if all features are empty, or if they have more than 2^31 positions. If
// ctx ends, the error is its cause.
func NewLayer(ctx context.Context, g Grid, features [][]Polygon, rule Rule) (*Layer, error) {
	if err := rule.check(); err != nil {
		return nil, err
	}

	if err := checkPositions(features); err != nil {
		return nil, err
	}

	l := &Layer{grid: g, lattice: g.lattice(), rule: rule, features: make([]layerFeature, 0, len(features))}
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

	if !l.makeIndex(ctx) {
		return nil, &ParamError{"aoi", "(none)", "is empty: its features have no polygons"}
	}

	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return l, nil
}

// checkPositions refuses features with more positions than an index can hold.
func checkPositions(features [][]Polygon) error {
	n := 0
	for _, polygons := range features {
		for _, p := range polygons {
			for _, r := range p {
				n += len(r)
			}
		}
	}

	if n > math.MaxInt32 {
		return &ParamError{"aoi", strconv.Itoa(n) + " positions", "are more than 2^31"}
	}
	return nil
}

// check returns an error for an unknown rule.
func (r Rule) check() error {
	switch r {
	case Intersects, Within, Centroid, Overlaps:
		return nil
	}
	return &ParamError{"aoi-rule", string(r), "must be intersects, within, centroid or overlaps"}
}

// add adds a feature.
func (l *Layer) add(ctx context.Context, polygons []Polygon, sum *exactSum) error {
	var f layerFeature
	if len(polygons) == 1 && len(polygons[0]) == 1 && plainlySimple(polygons[0][0]) {
		f.points = polygons[0][0]
		if Clockwise(f.points) {
			f.points = slices.Clone(f.points)
			slices.Reverse(f.points)
		}
	} else if err := f.take(ctx, polygons); err != nil {
		return err
	}

	f.area = sum.contourArea(l.contour(&f))
	l.features = append(l.features, f)
	return nil
}

// take checks polygons, and stores them in the feature.
func (f *layerFeature) take(ctx context.Context, polygons []Polygon) error {
	o, err := validOutline(ctx, polygons)
	if err != nil || len(o.segments) == 0 {
		return err
	}

	c := o.contour()
	switch {
	case len(o.segments) > maxUnindexed:
		c = newContour(ctx, &o)
	case c.next != nil:
		for i := range c.points {
			if c.isSegment(i) {
				c.index.items = append(c.index.items, int32(i))
			}
		}
	}

	f.points = c.points
	if len(polygons) == 1 && len(polygons[0]) == 1 && slices.Equal(c.points, polygons[0][0]) {
		f.points = polygons[0][0]
	}
	if c.index.items != nil {
		f.rest = &layerRest{c.next, c.index}
	}
	return nil
}

// makeIndex makes the index of the features' boxes. It returns false if all features are empty.
func (l *Layer) makeIndex(ctx context.Context) bool {
	some := slices.IndexFunc(l.features, func(f layerFeature) bool { return len(f.points) > 0 })
	if some < 0 {
		return false
	}

	l.boxes = make([]segment, len(l.features))
	for i, f := range l.features {
		points := f.points
		if len(points) == 0 {
			points = l.features[some].points[:1] // any point will do for an empty feature
		}
		b := Polygon{points}.Bounds()
		l.boxes[i] = segment{Point{b.XMin, b.YMin}, Point{b.XMax, b.YMax}}
	}

	l.index = newTree(ctx, l.boxes)
	return true
}

// Features returns the number of features.
func (l *Layer) Features() int { return len(l.features) }

// Bounds returns the box around all features, in CRS units.
func (l *Layer) Bounds() Box { return l.index.bounds() }

// Area returns the area of a feature in square units of the CRS: the exact area, rounded to the nearest number.
// Features are numbered from 0.
func (l *Layer) Area(feature int32) float64 { return l.features[feature].area }

// ShareOfFeature returns the share of a feature's area that is in a cell, 0 to 1. o has the share of the cell's
// area that is in the feature.
func (l *Layer) ShareOfFeature(c Cell, o Owner) float64 {
	v := l.lattice.convex(l.grid, c)
	return min(1, o.Share*RingArea(v.corners[:v.n])/l.features[o.Feature].area)
}

// Contains reports whether the rule selects the pair of a cell and a feature.
func (l *Layer) Contains(c Cell, feature int32) bool { return l.Feature(feature).Contains(c) }

// selects reports whether the rule selects any feature for a cell.
func (l *Layer) selects(c Cell) bool {
	v := l.lattice.convex(l.grid, c)
	found := false
	l.walk(v.box, func(feature int32) bool {
		found = l.Contains(c, feature)
		return !found
	})
	return found
}

// Feature returns a mask of one feature, which takes almost no memory.
func (l *Layer) Feature(feature int32) *Mask {
	return &Mask{l.grid, l.lattice, l.contour(&l.features[feature]), l.rule}
}

// contour returns the contour of a feature.
func (l *Layer) contour(f *layerFeature) contour {
	c := contour{points: f.points}
	if f.rest != nil {
		c.next, c.index = f.rest.next, f.rest.index
	} else if len(f.points) > 0 {
		c.index.items = l.numbers[:len(f.points)-1]
	}
	return c
}

// segment returns a segment of a feature.
func (l *Layer) segment(n nearSegment) segment {
	points := l.features[n.feature].points
	return segment{points[n.segment], points[n.segment+1]}
}

// containsPoint reports whether a point is in a feature or on its edge.
func (l *Layer) containsPoint(feature int32, p Point) bool {
	c := l.contour(&l.features[feature])
	inside, edge := c.locate(p)
	return inside || edge
}

// walk calls visit for each feature whose box intersects a box, until visit returns false.
func (l *Layer) walk(box Box, visit func(feature int32) bool) {
	l.index.walk(box, func(items []int32) bool {
		for _, i := range items {
			if l.boxes[i].box().intersects(box) && !visit(i) {
				return false
			}
		}
		return true
	})
}

// near appends the segments near a box in the order of features. all is false if there are more than most.
func (l *Layer) near(dst []nearSegment, box Box, most int) (near []nearSegment, all bool) {
	from := len(dst)
	all = true
	l.walk(box, func(feature int32) bool {
		c := l.contour(&l.features[feature])
		c.index.walk(box, func(items []int32) bool {
			for _, i := range items {
				if c.segment(i).mayIntersect(box) {
					dst = append(dst, nearSegment{feature, i})
				}
			}
			all = len(dst)-from <= most
			return all
		})
		return all
	})

	if all {
		slices.SortFunc(dst[from:], compareNear)
	}
	return dst, all
}

// countNear returns the number of features whose boxes intersect a box.
func (l *Layer) countNear(box Box) (n int64) {
	l.walk(box, func(int32) bool {
		n++
		return true
	})
	return n
}

// AttributeRule chooses the feature that gives a cell its attributes.
type AttributeRule string

// Values of AttributeRule.
const (
	// Largest takes the feature with the largest share of the cell. Among equal shares, it takes the first
	// feature. If no feature has a share, it takes the first that the layer's rule selects.
	Largest AttributeRule = "largest"
	// AtCentroid takes the first feature with the cell's centre inside or on its edge.
	AtCentroid AttributeRule = "centroid"
	// First takes the first feature that the layer's rule selects.
	First AttributeRule = "first"
)

// Owner is a feature that a rule selects for a cell.
type Owner struct {
	Feature int32   // from 0
	Share   float64 // of the cell's area that is in the feature: see Part
}

func compareOwners(a, b Owner) int { return cmp.Compare(a.Feature, b.Feature) }
