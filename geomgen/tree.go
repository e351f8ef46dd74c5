package geomgen

import (
	"cmp"
	"context"
	"slices"
)

// fanout is the number of entries of a node in the tree.
const fanout = 8

// tree finds segments by position. It is a packed R-tree, whose leaves take the segments in the order of a
// Hilbert curve. Source: I. Kamel and C. Faloutsos, On Packing R-trees, CIKM 1993.
type tree struct {
	items []int32 // indexes of segments, in the order of the leaves
	// The boxes of the nodes, level by level from the leaves up; the last level is one box. A node covers fanout
	// entries of the level below, or of items. Without levels, all segments form one leaf.
	levels [][]Box
}

// newTree makes a tree of segments. If ctx ends, it returns soon, with an unusable result.
func newTree(ctx context.Context, segments []segment) tree {
	var t tree
	t.items = hilbertOrder(ctx, segments)
	boxes := make([]Box, 0, len(segments)/fanout+1)
	for leaf := range slices.Chunk(t.items, fanout) {
		b := segments[leaf[0]].box()
		for _, s := range leaf[1:] {
			b = b.union(segments[s].box())
		}
		boxes = append(boxes, b)
	}

	t.levels = append(t.levels, boxes)
	for len(boxes) > 1 {
		up := make([]Box, 0, len(boxes)/fanout+1)
		for part := range slices.Chunk(boxes, fanout) {
			b := part[0]
			for _, other := range part[1:] {
				b = b.union(other)
			}
			up = append(up, b)
		}
		t.levels = append(t.levels, up)
		boxes = up
	}

	return t
}

// hilbertOrder returns the indexes of the segments, sorted by the positions of their centres on a Hilbert curve
// through the box around them.
func hilbertOrder(ctx context.Context, segments []segment) []int32 {
	all := segments[0].box()
	for _, s := range segments[1:] {
		all = all.union(s.box())
	}

	const side = 1 << 20
	scale := func(v, lo, hi float64) int32 {
		if !(hi > lo) {
			return 0
		}
		return int32((v/2 - lo/2) / (hi/2 - lo/2) * (side - 1))
	}

	keys := make([]int64, len(segments))
	items := make([]int32, len(segments))
	for i, s := range segments {
		c := middle(s.a, s.b)
		keys[i] = CellID(Cell{scale(c.X, all.XMin, all.XMax), scale(c.Y, all.YMin, all.YMax)})
		items[i] = int32(i)
	}

	sortUntil(ctx, items, func(i, j int32) int { return cmp.Or(cmp.Compare(keys[i], keys[j]), cmp.Compare(i, j)) })
	return items
}

// bounds returns the box around all segments.
func (t *tree) bounds() Box {
	return t.levels[len(t.levels)-1][0]
}

// walk calls visit for each leaf whose box intersects q, with the indexes of its segments, until visit returns
// false.
func (t *tree) walk(q Box, visit func(items []int32) bool) {
	if len(t.levels) == 0 {
		visit(t.items)
		return
	}
	t.descend(len(t.levels)-1, 0, q, visit)
}

func (t *tree) descend(level, node int, q Box, visit func(items []int32) bool) bool {
	if !t.levels[level][node].intersects(q) {
		return true
	}
	if level == 0 {
		return visit(t.items[node*fanout : min((node+1)*fanout, len(t.items))])
	}

	for child := node * fanout; child < min((node+1)*fanout, len(t.levels[level-1])); child++ {
		if !t.descend(level-1, child, q, visit) {
			return false
		}
	}

	return true
}

// alongRay calls visit for each leaf whose box a ray meets within reach, or whose box contains the ray's
// beginning, until visit returns false. Near leaves come first, and visit may shorten reach.
func (t *tree) alongRay(r ray, reach *float64, visit func(items []int32) bool) {
	if len(t.levels) == 0 {
		visit(t.items)
		return
	}
	t.descendRay(len(t.levels)-1, 0, r, reach, visit)
}

func (t *tree) descendRay(level, node int, r ray, reach *float64, visit func(items []int32) bool) bool {
	if level == 0 {
		return visit(t.items[node*fanout : min((node+1)*fanout, len(t.items))])
	}

	boxes := t.levels[level-1]
	var near [fanout]int
	n := 0
	for child := node * fanout; child < min((node+1)*fanout, len(boxes)); child++ {
		if b := &boxes[child]; b.XMin > *reach || !r.meets(b) {
			continue
		}

		k := n
		for ; k > 0 && boxes[near[k-1]].XMin > boxes[child].XMin; k-- {
			near[k] = near[k-1]
		}
		near[k] = child
		n++
	}

	for _, child := range near[:n] {
		if boxes[child].XMin > *reach {
			break
		}
		if !t.descendRay(level-1, child, r, reach, visit) {
			return false
		}
	}

	return true
}

// union returns the box around both boxes.
func (b Box) union(o Box) Box {
	return Box{min(b.XMin, o.XMin), min(b.YMin, o.YMin), max(b.XMax, o.XMax), max(b.YMax, o.YMax)}
}

// intersects reports whether the two have a point in common, including edges.
func (b Box) intersects(o Box) bool {
	return b.XMin <= o.XMax && b.XMax >= o.XMin && b.YMin <= o.YMax && b.YMax >= o.YMin
}

// segment is a piece of an area's edge. The area is to its left.
type segment struct{ a, b Point }

func (s segment) box() Box {
	return Box{min(s.a.X, s.b.X), min(s.a.Y, s.b.Y), max(s.a.X, s.b.X), max(s.a.Y, s.b.Y)}
}
