package geomgen

import (
	"encoding/binary"
	"math"
)

// EWKB is PostGIS's extension of the well-known binary format: a flag in the
// type word says that an SRID follows. Source: doc/ZMSgeoms.txt in PostGIS's
// source, and OGC 06-103r4, section 8, for the rest. Little endian here, as
// shapely and PostGIS write it on most machines.
const (
	ewkbLittleEndian = 1
	ewkbPolygon      = 3
	ewkbHasSRID      = 0x20000000
)

// BoxRingLen is the size in bytes of the five points of a box's ring.
const BoxRingLen = 5 * 16

// AppendBoxHeader appends what stands in the EWKB of a box before its points:
// byte order, type, SRID when it is not 0, one ring, five points. That is 13
// bytes, or 17 with an SRID.
func AppendBoxHeader(dst []byte, srid int32) []byte {
	dst = append(dst, ewkbLittleEndian)
	if srid == 0 {
		dst = binary.LittleEndian.AppendUint32(dst, ewkbPolygon)
	} else {
		dst = binary.LittleEndian.AppendUint32(dst, ewkbPolygon|ewkbHasSRID)
		dst = binary.LittleEndian.AppendUint32(dst, uint32(srid))
	}
	dst = binary.LittleEndian.AppendUint32(dst, 1)
	return binary.LittleEndian.AppendUint32(dst, 5)
}

// AppendBox appends the EWKB of b as a polygon: byte for byte what
// shapely.geometry.box(xmin, ymin, xmax, ymax) gives, 93 bytes, or 97 with an
// SRID (0 means none).
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
