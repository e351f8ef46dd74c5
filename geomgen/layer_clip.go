package geomgen

import "context"

// LayerClipper computes the parts of cells that lie in features of a layer. It keeps its
// memory from one cell to the next, so it is for one goroutine.
type LayerClipper struct {
	layer   *Layer
	mask    Mask
	clipper Clipper
}

// NewLayerClipper returns a LayerClipper for the cells of the layer's grid.
func NewLayerClipper(l *Layer) *LayerClipper {
	return &LayerClipper{layer: l, mask: Mask{grid: l.grid, lattice: l.lattice, rule: l.rule}}
}

// Clip returns the part of a cell that lies in a feature, as Clipper.Clip has it.
func (c *LayerClipper) Clip(cell Cell, feature int32) (Part, error) {
	return c.ClipContext(context.Background(), cell, feature)
}

// ClipContext is Clip that ends early, with its cause, when ctx does.
func (c *LayerClipper) ClipContext(ctx context.Context, cell Cell, feature int32) (Part, error) {
	c.mask.contour = c.layer.contour(&c.layer.features[feature])
	c.clipper.mask = &c.mask
	return c.clipper.ClipContext(ctx, cell)
}
