package geomgen

import "context"

// LayerClipper computes the parts of cells that are in features of a layer. It reuses its memory from one cell to
// the next, so only one goroutine may use it.
type LayerClipper struct {
	layer   *Layer
	mask    Mask
	clipper Clipper
}

// NewLayerClipper returns a LayerClipper for the cells of the layer's grid.
func NewLayerClipper(l *Layer) *LayerClipper {
	return &LayerClipper{layer: l, mask: Mask{grid: l.grid, lattice: l.lattice, rule: l.rule}}
}

// Clip returns the part of a cell that is in a feature: see Clipper.Clip.
func (c *LayerClipper) Clip(cell Cell, feature int32) (Part, error) {
	return c.ClipContext(context.Background(), cell, feature)
}

// ClipContext is Clip with a context. If ctx ends, it stops and returns the cause.
func (c *LayerClipper) ClipContext(ctx context.Context, cell Cell, feature int32) (Part, error) {
	c.mask.contour = c.layer.contour(&c.layer.features[feature])
	c.clipper.mask = &c.mask
	return c.clipper.ClipContext(ctx, cell)
}
