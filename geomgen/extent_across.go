package geomgen

// ExtentAcross returns the cells whose inside meets the inside of one of two extents. The extents must have the
// same height and be disjoint, like the two parts of an extent that crosses the seam of a map. If these cells are
// not a rectangle of columns and rows, they are the cells of the Range that the Mask selects. Otherwise, the mask
// is nil. Bounds and errors are as for Extent, but one of the two may contain no cell.
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
		if ra.MinCol <= rb.MaxCol && rb.MinCol <= ra.MaxCol { // there is nothing between them
			return both, nil, g.CheckRange(both)
		}
		a, b = g.BoxAround(ra), g.BoxAround(rb)
	} else if g.Rotate == 0 {
		a, b = g.snap(a), g.snap(b)
	}

	m, err := NewMask(g, []Polygon{a.polygon(), b.polygon()}, Overlaps)
	return both, m, err
}
