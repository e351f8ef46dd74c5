package flatgeobuf

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/loadgrid/loadgrid/internal/feature"
)

// The fields of a geometry, in the order of feature.fbs.
const (
	geometryEnds  = 0
	geometryXY    = 1
	geometryType  = 6
	geometryParts = 7
)

// The types of geometries.
const (
	polygonType      = 3
	multiPolygonType = 6
)

// geometryName returns the name of a geometry type.
func geometryName(kind uint8) string {
	names := [...]string{"geometry of unknown type", "Point", "LineString", "Polygon", "MultiPoint", "MultiLineString",
		"MultiPolygon", "GeometryCollection", "CircularString", "CompoundCurve", "CurvePolygon", "MultiCurve",
		"MultiSurface", "Curve", "Surface", "PolyhedralSurface", "TIN", "Triangle"}
	if int(kind) < len(names) {
		return names[kind]
	}
	return "geometry of type " + strconv.Itoa(int(kind))
}

// geometry reads the geometry of a feature, which may have none.
func (r *reader) geometry(f table) error {
	g, ok, err := f.table(featureGeometry)
	if err != nil || !ok {
		return err
	}

	kind := r.header.kind
	if kind == 0 {
		own, err := g.number(geometryType, 1, 0)
		if err != nil {
			return err
		}
		kind = uint8(own)
	}

	// Parts may refer to the same bytes repeatedly.
	r.room = int64(len(f.b)) / 16

	switch kind {
	case polygonType:
		return r.polygon(g)
	case multiPolygonType:
		return g.tables(geometryParts, r.polygon)
	}

	return feature.BadArea("holds a %s, in feature %d: an area of interest is made of polygons", geometryName(kind), r.n)
}

// polygon reads the rings of a polygon. The vector ends has the end of each ring, and may be
// missing if there is only one ring.
func (r *reader) polygon(g table) error {
	xy, err := g.vector(geometryXY, 8)
	if err != nil {
		return err
	}

	ends, err := g.vector(geometryEnds, 4)
	if err != nil {
		return err
	}

	positions := int64(len(xy) / 16)
	if len(xy)%16 != 0 {
		return faultf("it has a position of one number")
	}

	if r.room -= positions; r.room < 0 {
		return faultf("its parts overlap in the file")
	}

	if err := r.drop(g); err != nil || positions == 0 {
		return err
	}

	if len(ends) == 0 {
		r.ring(xy)
		r.to.ClosePolygon()
		return nil
	}

	from := int64(0)
	for ; len(ends) > 0; ends = ends[4:] {
		end := int64(binary.LittleEndian.Uint32(ends))
		if end <= from || end > positions {
			return faultf("a ring goes from position %d to %d, but there are %d", from, end, positions)
		}

		r.ring(xy[16*from : 16*end])
		from = end
	}

	if from != positions {
		return faultf("its rings end at position %d, but there are %d", from, positions)
	}

	r.to.ClosePolygon()
	return nil
}

func (r *reader) ring(xy []byte) {
	for ; len(xy) > 0; xy = xy[16:] {
		r.to.Position(float64At(xy), float64At(xy[8:]))
	}
	r.to.CloseRing()
}

// drop notes whether there are coordinates other than x and y: z, m, t and tm.
func (r *reader) drop(g table) error {
	for field := geometryXY + 1; field < geometryType; field++ {
		b, err := g.vector(field, 8)
		if err != nil {
			return err
		}

		if len(b) > 0 {
			r.to.Dropped()
		}
	}

	return nil
}

func float64At(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }
