package geomgen

import (
	"encoding/binary"
	"math"
)

// EWKB is PostGIS's extension of well-known binary: a flag in the type word means that an SRID follows. Source:
// doc/ZMSgeoms.txt in PostGIS's source, and OGC 06-103r4, section 8, for the rest. It is little endian here, as
// shapely and PostGIS write it on most machines.
const (
	ewkbLittleEndian = 1
	ewkbPoint        = 1
	ewkbPolygon      = 3
	ewkbMultiPolygon = 6
	ewkbHasSRID      = 0x20000000
)

// BoxRingLen is the size in bytes of the five points of a box's ring.
const BoxRingLen = 5 * 16

// appendType appends byte order, type, and the SRID if it is not 0: 5 bytes, or 9 with an SRID.
func appendType(dst []byte, kind uint32, srid int32) []byte {
	dst = append(dst, ewkbLittleEndian)
	if srid == 0 {
		return binary.LittleEndian.AppendUint32(dst, kind)
	}
	dst = binary.LittleEndian.AppendUint32(dst, kind|ewkbHasSRID)
	return binary.LittleEndian.AppendUint32(dst, uint32(srid))
}

// AppendBoxHeader appends the start of the EWKB of a box, before its points: byte order, type, SRID if it is not
// 0, one ring, five points. That is 13 bytes, or 17 with an SRID.
func AppendBoxHeader(dst []byte, srid int32) []byte {
	dst = appendType(dst, ewkbPolygon, srid)
	dst = binary.LittleEndian.AppendUint32(dst, 1)
	return binary.LittleEndian.AppendUint32(dst, 5)
}

// AppendMultiPolygonHeader appends the start of the EWKB of a MultiPolygon, before its polygons: 9 bytes, or 13
// with an SRID.
func AppendMultiPolygonHeader(dst []byte, srid int32, polygons int) []byte {
	dst = appendType(dst, ewkbMultiPolygon, srid)
	return binary.LittleEndian.AppendUint32(dst, uint32(polygons))
}

// AppendPolygon appends the EWKB of a polygon without an SRID, as a member of a MultiPolygon. Its rings must be
// closed, with the shell first.
func AppendPolygon(dst []byte, rings [][]Point) []byte {
	dst = appendType(dst, ewkbPolygon, 0)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(rings)))
	for _, ring := range rings {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(ring)))
		for _, p := range ring {
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(p.X))
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(p.Y))
		}
	}

	return dst
}

// AppendEWKB appends the part as a MultiPolygon, which is empty if the part has no rings.
func (p Part) AppendEWKB(dst []byte, srid int32) []byte {
	dst = AppendMultiPolygonHeader(dst, srid, len(p.Shells))
	for i, from := range p.Shells {
		to := len(p.Rings)
		if i+1 < len(p.Shells) {
			to = p.Shells[i+1]
		}
		dst = AppendPolygon(dst, p.Rings[from:to])
	}
	return dst
}

// AppendBox appends the EWKB of b as a polygon, byte for byte as shapely.geometry.box(xmin, ymin, xmax, ymax): 93
// bytes, or 97 with an SRID (0 means none).
func AppendBox(dst []byte, b Box, srid int32) []byte {
	dst = AppendBoxHeader(dst, srid)
	var ring [BoxRingLen]byte
	putBoxRing(&ring, math.Float64bits(b.XMin), math.Float64bits(b.YMin),
		math.Float64bits(b.XMax), math.Float64bits(b.YMax))
	return append(dst, ring[:]...)
}

// putBoxRing writes the points of a box, counter-clockwise from the lower right
// corner, as shapely.geometry.box orders them.
func putBoxRing(dst *[BoxRingLen]byte, xmin, ymin, xmax, ymax uint64) {
	le := binary.LittleEndian
	le.PutUint64(dst[0:], xmax)
	le.PutUint64(dst[8:], ymin)
	le.PutUint64(dst[16:], xmax)
	le.PutUint64(dst[24:], ymax)
	le.PutUint64(dst[32:], xmin)
	le.PutUint64(dst[40:], ymax)
	le.PutUint64(dst[48:], xmin)
	le.PutUint64(dst[56:], ymin)
	le.PutUint64(dst[64:], xmax)
	le.PutUint64(dst[72:], ymin)
}
