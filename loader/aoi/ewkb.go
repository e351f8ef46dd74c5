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
	b = b[5:]
	if kind&ewkbSRID != 0 {
		if len(b) < 4 {
			return nil, nil
		}

		b = b[4:]
	}

	point := 2 * 8

	for _, flag := range []uint32{ewkbZ, ewkbM} {
		if kind&flag != 0 {
			point += 8
		}
	}

	count := func(least int) (int, error) {
		if len(b) < 4 {
			return 0, errShortEWKB
		}

		n := order.Uint32(b)
		if b = b[4:]; int64(n)*int64(least) > int64(len(b)) {
			return 0, errShortEWKB
		}

		return int(n), nil
	}

	switch kind &^ (ewkbZ | ewkbM | ewkbSRID) {
	case 1: // Point
		if len(b) < point {
			return nil, errShortEWKB
		}

		return b[point:], nil
	case 2: // LineString
		n, err := count(point)
		return b[n*point:], err
	case 3: // Polygon
		rings, err := count(4)
		for ; rings > 0 && err == nil; rings-- {
			var n int
			n, err = count(point)
			b = b[n*point:]
		}

		return b, err
	case 4, 5, 6, 7: // several geometries, 5 bytes each at least
		parts, err := count(5)
		for ; parts > 0 && err == nil && b != nil; parts-- {
			b, err = skipEWKB(b, depth+1)
		}

		return b, err
	}

	return nil, nil
}
