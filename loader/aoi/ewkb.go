package aoi

import (
	"encoding/binary"
	"errors"
)

var errShortEWKB = errors.New("it says that there is more in it than its bytes have room for")

// checkEWKB refuses EWKB that says it has more parts, rings or points than there
// are bytes for: go-geom makes room for them before it looks. Collections may be
// nested maxNesting deep. What else is wrong with it is for go-geom to say.
//
// Source of the format: doc/ZMSgeoms.txt in PostGIS's source.
func checkEWKB(b []byte) error {
	_, err := skipEWKB(b, 0)
	return err
}

const (
	ewkbZ, ewkbM, ewkbSRID = 1 << 31, 1 << 30, 1 << 29
)

// skipEWKB returns what follows a geometry, nil where its end is not known.
func skipEWKB(b []byte, depth int) ([]byte, error) {
	if len(b) < 5 || b[0] > 1 {
		return nil, nil
	}

	if depth > maxNesting {
		return nil, errors.New("collections are nested too deep in it")
	}

	var order binary.ByteOrder = binary.BigEndian
	if b[0] == 1 {
		order = binary.LittleEndian
	}

	kind := order.Uint32(b[1:])
	r := ewkbReader{rest: b[5:], order: order, point: pointBytes(kind)}

	if kind&ewkbSRID != 0 {
		if len(r.rest) < 4 {
			return nil, nil
		}

		r.rest = r.rest[4:]
	}

	switch kind &^ (ewkbZ | ewkbM | ewkbSRID) {
	case 1: // Point
		return r.skip(1)
	case 2: // LineString
		return r.skipPoints()
	case 3: // Polygon
		rings, err := r.count(4)
		for ; rings > 0 && err == nil; rings-- {
			_, err = r.skipPoints()
		}

		return r.rest, err
	case 4, 5, 6, 7: // several geometries, 5 bytes each at least
		parts, err := r.count(5)
		for ; parts > 0 && err == nil && r.rest != nil; parts-- {
			r.rest, err = skipEWKB(r.rest, depth+1)
		}

		return r.rest, err
	}

	return nil, nil
}

// pointBytes returns the size of a point's coordinates, in bytes.
func pointBytes(kind uint32) int {
	size := 2 * 8

	for _, flag := range []uint32{ewkbZ, ewkbM} {
		if kind&flag != 0 {
			size += 8
		}
	}

	return size
}

// ewkbReader goes through the bytes of a geometry.
type ewkbReader struct {
	rest  []byte
	order binary.ByteOrder
	point int // the size of a point's coordinates, in bytes
}

// count reads how many parts follow, of so many bytes at least.
func (r *ewkbReader) count(least int) (int, error) {
	if len(r.rest) < 4 {
		return 0, errShortEWKB
	}

	n := r.order.Uint32(r.rest)
	if r.rest = r.rest[4:]; int64(n)*int64(least) > int64(len(r.rest)) {
		return 0, errShortEWKB
	}

	return int(n), nil
}

// skip passes over points.
func (r *ewkbReader) skip(points int) ([]byte, error) {
	if len(r.rest) < points*r.point {
		return nil, errShortEWKB
	}

	r.rest = r.rest[points*r.point:]

	return r.rest, nil
}

// skipPoints passes over points whose number comes first.
func (r *ewkbReader) skipPoints() ([]byte, error) {
	n, err := r.count(r.point)
	if err != nil {
		return r.rest, err
	}

	return r.skip(n)
}
