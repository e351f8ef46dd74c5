package areafile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/loadgrid/loadgrid/geomgen"
)

var errShortEWKB = errors.New("it says that there is more in it than its bytes have room for")

const (
	ewkbZ, ewkbM, ewkbSRID = 1 << 31, 1 << 30, 1 << 29
)

// The types of geometries.
const (
	ewkbPolygon      = 3
	ewkbMultiPolygon = 6
	ewkbCollection   = 7
)

// AddEWKB adds the polygons that the server, or aoi.Area.Marshal, has written. Collections may be
// nested 32 deep. Source of the format: doc/ZMSgeoms.txt in PostGIS's source.
func (c *PolygonReader) AddEWKB(b []byte) (srid int32, err error) {
	r := ewkbReader{rest: b, to: c}
	srid, err = r.geometry(0, 0)

	var param *geomgen.ParamError
	switch {
	case errors.As(err, &param):
		return 0, err
	case err != nil:
		return 0, BadArea("cannot be read%s, from %d bytes of EWKB: %w", c.Where, len(b), err)
	case srid < 0:
		return 0, BadArea("cannot be read%s: its SRID is %d", c.Where, srid)
	}

	return srid, nil
}

// ewkbReader goes through the bytes of a geometry.
type ewkbReader struct {
	rest  []byte
	order binary.ByteOrder
	to    *PolygonReader
}

// geometry reads a geometry: a polygon where it must be one, in a MultiPolygon.
func (r *ewkbReader) geometry(depth int, must uint32) (srid int32, err error) {
	if len(r.rest) < 5 {
		return 0, errShortEWKB
	}

	switch r.rest[0] {
	case 0:
		r.order = binary.BigEndian
	case 1:
		r.order = binary.LittleEndian
	default:
		return 0, fmt.Errorf("its byte order is %d", r.rest[0])
	}

	r.rest = r.rest[1:]
	kind := r.uint32()
	if kind&ewkbSRID != 0 {
		if len(r.rest) < 4 {
			return 0, errShortEWKB
		}
		srid = int32(r.uint32())
	}

	size := pointBytes(kind)
	kind &^= ewkbZ | ewkbM | ewkbSRID
	if must != 0 && kind != must {
		return 0, fmt.Errorf("a part of its MultiPolygon has the type %d", kind)
	}

	first := r.to.polygons.n
	switch kind {
	case ewkbPolygon:
		if err := r.polygon(size); err != nil || must != 0 {
			return srid, err
		}
		return srid, r.to.check(first)
	case ewkbMultiPolygon:
		if err := r.parts(depth, ewkbPolygon); err != nil {
			return srid, err
		}
		return srid, r.to.check(first)
	case ewkbCollection:
		return srid, r.parts(depth, 0)
	case 1, 2, 4, 5:
		return srid, r.to.refuse([...]string{1: "Point", 2: "LineString", 4: "MultiPoint", 5: "MultiLineString"}[kind])
	}

	return srid, fmt.Errorf("unsupported type %d: it is made of no polygons", kind)
}

// parts reads the geometries of a collection, 5 bytes each at least.
func (r *ewkbReader) parts(depth int, must uint32) error {
	if depth == maxNesting {
		return errors.New("collections are nested too deep in it")
	}

	n, err := r.count(5)
	for ; n > 0 && err == nil; n-- {
		_, err = r.geometry(depth+1, must)
	}

	return err
}

// polygon reads the rings of a polygon, whose points have so many bytes.
func (r *ewkbReader) polygon(size int) error {
	r.to.drop()
	rings, err := r.count(4)
	for ; rings > 0 && err == nil; rings-- {
		err = r.ring(size)
	}

	if err == nil && rings == 0 {
		r.to.closePolygon()
	}
	return err
}

func (r *ewkbReader) ring(size int) error {
	points, err := r.count(size)
	if err != nil {
		return err
	}

	r.to.dropped = r.to.dropped || size > 16
	if !r.to.count(points) {
		r.rest = r.rest[points*size:]
		return nil
	}

	ring := r.to.points.make(points)
	for range points {
		x, y := r.order.Uint64(r.rest), r.order.Uint64(r.rest[8:])
		ring = append(ring, geomgen.Point{X: math.Float64frombits(x), Y: math.Float64frombits(y)})
		r.rest = r.rest[size:]
	}

	r.to.rings.add(ring)
	return nil
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

// uint32 reads a number that is there.
func (r *ewkbReader) uint32() uint32 {
	n := r.order.Uint32(r.rest)
	r.rest = r.rest[4:]
	return n
}

// count reads how many parts follow, of so many bytes at least, which must be there.
func (r *ewkbReader) count(least int) (int, error) {
	if len(r.rest) < 4 {
		return 0, errShortEWKB
	}

	n := r.uint32()
	if int64(n)*int64(least) > int64(len(r.rest)) {
		return 0, errShortEWKB
	}

	return int(n), nil
}
