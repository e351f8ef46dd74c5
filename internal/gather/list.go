package gather

// blockLen is the number of elements in a block of a list. groupLen is the number of positions,
// rings or values that are allocated together.
const (
	blockLen = 1 << 15
	groupLen = 1 << 12
)

// list is a list that grows without copying. It keeps its memory when it is emptied.
type list[T any] struct {
	blocks [][]T
	n      int
}

func (l *list[T]) add(v T) {
	b := l.n / blockLen
	if b == len(l.blocks) {
		size := blockLen
		if b == 0 {
			size = 8 // most lists are short
		}
		l.blocks = append(l.blocks, make([]T, 0, size))
	}

	l.blocks[b] = append(l.blocks[b], v)
	l.n++
}

// empty empties the list.
func (l *list[T]) empty() { l.cut(0) }

// cut keeps the first n elements, and clears the pointers of the others.
func (l *list[T]) cut(n int) {
	for b := n / blockLen; b < len(l.blocks) && b*blockLen < l.n; b++ {
		keep := max(0, n-b*blockLen)
		clear(l.blocks[b][keep:])
		l.blocks[b] = l.blocks[b][:keep]
	}

	l.n = n
}

// appendTo appends the elements of the list to dst.
func (l *list[T]) appendTo(dst []T) []T {
	for _, b := range l.blocks[:min(len(l.blocks), (l.n+blockLen-1)/blockLen)] {
		dst = append(dst, b...)
	}
	return dst
}

// slice returns a copy of the elements, nil for none.
func (l *list[T]) slice() []T {
	if l.n == 0 {
		return nil
	}
	return l.appendTo(make([]T, 0, l.n))
}

// group allocates short slices together, to waste no memory on each.
type group[T any] struct {
	room []T
	n    int // number of blocks so far
}

// make returns an empty slice with capacity n.
func (g *group[T]) make(n int) []T {
	if n > groupLen/4 {
		return make([]T, 0, n)
	}

	if len(g.room)+n > cap(g.room) {
		g.room = make([]T, 0, groupLen)
		g.n++
	}

	from := len(g.room)
	g.room = g.room[:from+n]
	return g.room[from : from : from+n]
}

// rewind releases what was allocated after the group had the state then.
func (g *group[T]) rewind(then group[T]) {
	kept := 0
	if g.n == then.n {
		kept = len(then.room)
	}

	clear(g.room[kept:])
	g.room = g.room[:kept]
}

// take returns a copy of the elements of a list.
func (g *group[T]) take(l *list[T]) []T { return l.appendTo(g.make(l.n)) }
