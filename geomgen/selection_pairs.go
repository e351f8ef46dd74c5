package geomgen

import (
	"context"
	"math"
)

// SelectPairs is Select for pairs of a cell and a feature: Count, Bounds, CellAt and Blocks count pairs. It
// excludes cells that are in no feature.
func SelectPairs(ctx context.Context, r Range, l *Layer, masks ...*Mask) (*Selection, error) {
	s, _, err := (&Selection{cells: r, masks: masks, layer: l, pairs: true}).counted(ctx, 0, math.MaxInt)
	return s, err
}

// EstimatePairs is Estimate for pairs of a cell and a feature.
func EstimatePairs(ctx context.Context, blocks int, r Range, l *Layer, masks ...*Mask) (*Selection, error) {
	return (&Selection{cells: r, masks: masks, layer: l, pairs: true}).estimated(ctx, blocks)
}

// WithLayer returns a selection of the same cells, whose walkers know which features of a layer a cell is in. The
// layer's grid must be the grid of the masks. It is not for a selection of pairs.
func (s *Selection) WithLayer(l *Layer) *Selection {
	with := *s
	with.layer = l
	return &with
}
