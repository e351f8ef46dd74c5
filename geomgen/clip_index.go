package geomgen

import (
	"context"
	"slices"
)

// lineIndex finds the lines of a mesh by position while they are being divided. It is a tree of the original
// lines, whose boxes grow with the parts of those lines.
type lineIndex struct {
	tree  tree
	leaf  []int32         // for an original line: its place in the tree
	from  []int32         // for each line: the original line that it was a part of
	parts map[int32][]int // for an original line: its parts
}

func newLineIndex(ctx context.Context, lines []line) lineIndex {
	x := lineIndex{leaf: make([]int32, len(lines)), from: make([]int32, len(lines)), parts: make(map[int32][]int)}
	segments := make([]segment, len(lines))
	for i, l := range lines {
		segments[i], x.from[i] = l.segment, int32(i)
	}

	x.tree = newTree(ctx, segments)
	for at, i := range x.tree.items {
		x.leaf[i] = int32(at)
	}

	return x
}

// near appends the numbers of lines whose boxes intersect a box, in order.
func (x *lineIndex) near(dst []int, lines []line, box Box) []int {
	add := func(i int) {
		if lines[i].box().intersects(box) {
			dst = append(dst, i)
		}
	}

	x.tree.walk(box, func(items []int32) bool {
		for _, i := range items {
			add(int(i))
			for _, part := range x.parts[i] {
				add(part)
			}
		}
		return true
	})

	slices.Sort(dst)
	return dst
}

// divided records that a line has become two, n and the last one, with a box around both.
func (x *lineIndex) divided(n, last int, box Box) {
	from := x.from[n]
	x.from = append(x.from, from)
	x.parts[from] = append(x.parts[from], last)

	node := x.leaf[from]
	for _, boxes := range x.tree.levels {
		node /= fanout
		boxes[node] = boxes[node].union(box)
	}
}
