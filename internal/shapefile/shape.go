package shapefile

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
)

// positionBytes is the size of a position. x and y of all positions come first, whatever follows.
const positionBytes = 16

// shape reads the shape of a record with this number of bytes.
func (r *reader) shape(ctx context.Context, size int64) error {
	if size < 4 {
		return r.badShape("has %d bytes", size)
	}

	b := r.buffer[:4]
	if err := r.shp.read(b); err != nil {
		return err
	}

	kind := binary.LittleEndian.Uint32(b)
	if err := checkShape(kind, r.where()); err != nil || kind == nullShape {
		return err
	}

	const fixed = 4 + 4*8 + 4 + 4 // type, box, number of parts, number of positions
	if size < fixed {
		return r.badShape("has %d bytes", size)
	}

	b = r.buffer[:fixed-4]
	if err := r.shp.read(b); err != nil {
		return err
	}

	rings, positions := int64(binary.LittleEndian.Uint32(b[32:])), int64(binary.LittleEndian.Uint32(b[36:]))

	switch {
	case rings*4 > size-fixed || positions*positionBytes > size-fixed-rings*4:
		return r.badShape("says that it has %d rings of %d positions, but has %d bytes", rings, positions, size)
	case positions == 0:
		return nil
	case positions > r.max:
		return feature.BadArea("has %d positions%s, and aoi-max-positions allows %d: simplify it (ST_SimplifyPreserveTopology, ogr2ogr -simplify), or allow more",
			positions, r.where(), r.max)
	}

	if kind != polygonShape {
		r.to.Dropped()
	}

	ends, err := r.ringEnds(rings, positions)

	switch {
	case err != nil:
		return err
	case len(ends) == 1:
		if err := r.positions(positions, r.to.Position); err != nil {
			return err
		}
		r.to.CloseRing()
		r.to.ClosePolygon()
		return nil
	}

	return r.polygons(ctx, ends)
}

func (r *reader) badShape(format string, args ...any) error {
	return feature.BadArea("is a shapefile with a bad shape%s: it %s", r.where(), fmt.Sprintf(format, args...))
}

// ringEnds reads where each ring begins, and returns where each ends, as a number of positions. It
// leaves out rings without positions.
func (r *reader) ringEnds(rings, positions int64) (ends []int64, err error) {
	last := int64(0)
	for i := range rings {
		b := r.buffer[:4]
		if err := r.shp.read(b); err != nil {
			return nil, err
		}

		from := int64(binary.LittleEndian.Uint32(b))
		if from < last || from > positions || i == 0 && from != 0 {
			return nil, r.badShape("has a ring that begins at position %d of %d, after one at %d", from, positions, last)
		}

		if from > last {
			ends = append(ends, from)
		}
		last = from
	}

	if rings == 0 {
		return nil, r.badShape("has %d positions, and no rings", positions)
	}

	if last < positions {
		ends = append(ends, positions)
	}
	return ends, nil
}

// positions reads n positions.
func (r *reader) positions(n int64, to func(x, y float64)) error {
	for n > 0 {
		some := min(n, int64(len(r.buffer)/positionBytes))
		b := r.buffer[:some*positionBytes]
		if err := r.shp.read(b); err != nil {
			return err
		}

		for ; len(b) > 0; b = b[positionBytes:] {
			to(math.Float64frombits(binary.LittleEndian.Uint64(b)), math.Float64frombits(binary.LittleEndian.Uint64(b[8:])))
		}
		n -= some
	}

	return nil
}

// polygons reads rings that end at these positions, and combines them into polygons.
func (r *reader) polygons(ctx context.Context, ends []int64) error {
	var points []geomgen.Point
	if n := ends[len(ends)-1]; !r.shp.limited { // the file is large enough for them
		points = make([]geomgen.Point, 0, n)
	}

	if err := r.positions(ends[len(ends)-1], func(x, y float64) {
		points = append(points, geomgen.Point{X: x, Y: y})
	}); err != nil {
		return err
	}

	rings := make([][]geomgen.Point, 0, len(ends))
	from := int64(0)
	for _, end := range ends {
		rings = append(rings, points[from:end:end])
		from = end
	}

	polygons, err := assemble(ctx, rings)
	if err != nil {
		return r.explainRing(err)
	}

	for _, p := range polygons {
		for _, i := range p {
			for _, q := range rings[i] {
				r.to.Position(q.X, q.Y)
			}
			r.to.CloseRing()
		}
		r.to.ClosePolygon()
	}

	return nil
}
