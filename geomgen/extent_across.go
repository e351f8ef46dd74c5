package geomgen

// ExtentAcross returns the cells whose inside meets the inside of one of two extents, which
// have the same height and lie apart: an extent that crosses the seam of a map is two on it.
// Where these cells are no rectangle of columns and rows, they are the cells of the Range
// that the Mask selects, else the mask is nil. Bounds and errors are those of Extent; one of
// the two may have no cell in it.
func (g Grid) ExtentAcross(a, b Box) (Range, *Mask, error) {
	ra, ma, errA := g.Extent(a)
	rb, mb, errB := g.Extent(b)

	switch {
	case errA != nil:
		return ra, ma, errA
	case errB != nil:
		return rb, mb, errB
	}

	both := ra.around(rb)
	if g.rectangular() {
		if ra.MinCol <= rb.MaxCol && rb.MinCol <= ra.MaxCol { // nothing lies between
			return both, nil, g.CheckRange(both)
		}
		a, b = g.BoxAround(ra), g.BoxAround(rb)
	} else if g.Rotate == 0 {
		a, b = g.snap(a), g.snap(b)
	}

	m, err := NewMask(g, []Polygon{a.polygon(), b.polygon()}, Overlaps)
	return both, m, err
}
