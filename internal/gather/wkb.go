package gather

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
)

// errShortWKB reports bytes that end too early.
var errShortWKB = errors.New("it declares more than its bytes have room for")

// The flags of EWKB in a geometry's type.
const (
	ewkbZ, ewkbM, ewkbSRID = 1 << 31, 1 << 30, 1 << 29
)

// The types of geometries.
const (
	wkbPolygon      = 3
	wkbMultiPolygon = 6
	wkbCollection   = 7
)

// WKB adds the polygons of the geometry at the start of the bytes, as the server or aoi.Area.Marshal writes it. srid is 0
// if it names none. Collections may be nested 32 deep. Sources of the formats: OGC 06-103r4, 8.2, and doc/ZMSgeoms.txt in
// PostGIS's source.
func (c *Collector) WKB(b []byte) (srid int32, err error) {
	w := wkbReader{in: &wkbBytes{b}, to: c}
	srid, err = w.whole()

	return srid, c.explainWKB(err, len(b))
}

// ReadWKB is WKB for a geometry in a stream. It stops reading at the geometry's end. Errors of the reader, except io.EOF,
// are in the error's chain.
func (c *Collector) ReadWKB(r *bufio.Reader) (srid int32, err error) {
	in := &wkbStream{r: r}
	w := wkbReader{in: in, to: c}
	srid, err = w.whole()

	if in.err != nil && !errors.Is(in.err, io.EOF) {
		return 0, in.err
	}
	return srid, c.explainWKB(err, int(in.n))
}

func (c *Collector) explainWKB(err error, n int) error {
	var param *geomgen.ParamError
	if err == nil || errors.As(err, &param) {
		return err
	}

	return feature.BadArea("cannot be read%s, from %d bytes of EWKB: %w", c.Where, n, err)
}

// wkbSource provides the bytes of a geometry.
type wkbSource interface {
	// take returns the next n bytes, which are valid until the next call.
	take(n int) ([]byte, error)
	// room tells whether n more bytes are possible.
	room(n int64) bool
}

// wkbBytes is a geometry in memory.
type wkbBytes struct{ rest []byte }

func (s *wkbBytes) room(n int64) bool { return n <= int64(len(s.rest)) }

func (s *wkbBytes) take(n int) ([]byte, error) {
	if n > len(s.rest) {
		return nil, errShortWKB
	}

	b := s.rest[:n]
	s.rest = s.rest[n:]

	return b, nil
}

// wkbStream is a geometry in a stream.
type wkbStream struct {
	r   *bufio.Reader
	n   int64 // bytes taken so far
	err error
}

func (s *wkbStream) room(int64) bool { return s.err == nil }

func (s *wkbStream) take(n int) ([]byte, error) {
	var b []byte
	if b, s.err = s.r.Peek(n); s.err != nil {
		return nil, errShortWKB
	}

	s.n += int64(n)
	_, s.err = s.r.Discard(n) // peeked bytes stay valid until the next read

	return b, nil
}

// wkbReader decodes a geometry.
type wkbReader struct {
	in    wkbSource
	order binary.ByteOrder
	to    *Collector
}

// whole reads a geometry that is not part of another one.
func (r *wkbReader) whole() (srid int32, err error) {
	srid, err = r.geometry(0, 0)
	if err == nil && srid < 0 {
		return 0, feature.BadArea("cannot be read%s: its SRID is %d", r.to.Where, srid)
	}

	return srid, err
}

// geometry reads a geometry. In a MultiPolygon it must be a polygon.
func (r *wkbReader) geometry(depth int, must uint32) (srid int32, err error) {
	kind, size, srid, err := r.head()
	if err != nil {
		return 0, err
	}

	if must != 0 && kind != must {
		return 0, fmt.Errorf("a part of its MultiPolygon has the type %d", kind)
	}

	switch kind {
	case wkbPolygon:
		if err := r.polygon(size); err != nil || must != 0 {
			return srid, err
		}
		return srid, r.to.EndGeometry()
	case wkbMultiPolygon:
		if err := r.parts(depth, wkbPolygon); err != nil {
			return srid, err
		}
		return srid, r.to.EndGeometry()
	case wkbCollection:
		return srid, r.parts(depth, 0)
	case 1, 2, 4, 5:
		return srid, r.to.Refuse([...]string{1: "Point", 2: "LineString", 4: "MultiPoint", 5: "MultiLineString"}[kind])
	}

	return srid, fmt.Errorf("unsupported type %d: it has no polygons", kind)
}

// head reads the head of a geometry: its byte order, its type, and its SRID if it has one. size is the size of a position
// in bytes.
func (r *wkbReader) head() (kind uint32, size int, srid int32, err error) {
	b, err := r.in.take(1)
	if err != nil {
		return 0, 0, 0, err
	}

	switch b[0] {
	case 0:
		r.order = binary.BigEndian
	case 1:
		r.order = binary.LittleEndian
	default:
		return 0, 0, 0, fmt.Errorf("its byte order is %d", b[0])
	}

	if kind, err = r.uint32(); err != nil {
		return 0, 0, 0, err
	}

	if kind&ewkbSRID != 0 {
		n, err := r.uint32()
		if err != nil {
			return 0, 0, 0, err
		}
		srid = int32(n)
	}

	kind, numbers := dimensions(kind)
	return kind, 8 * numbers, srid, nil
}

// parts reads the geometries of a collection, which have at least 5 bytes each.
func (r *wkbReader) parts(depth int, must uint32) error {
	if depth == maxNesting {
		return errors.New("its collections are nested too deep")
	}

	n, err := r.count(5)
	for ; n > 0 && err == nil && r.to.fault == nil && r.to.invalid == nil; n-- {
		_, err = r.geometry(depth+1, must)
	}

	return err
}

// polygon reads the rings of a polygon. size is the size of a position in bytes.
func (r *wkbReader) polygon(size int) error {
	r.to.Discard()
	rings, err := r.count(4)
	for ; rings > 0 && err == nil && r.to.invalid == nil; rings-- {
		err = r.ring(size)
	}

	if err == nil {
		r.to.ClosePolygon()
	}
	return err
}

// ring reads a ring in batches of positions.
func (r *wkbReader) ring(size int) error {
	const batch = 512
	points, err := r.count(size)
	if err != nil {
		return err
	}

	if size > 16 {
		r.to.Dropped()
	}

	for points > 0 {
		n := min(points, batch)
		b, err := r.in.take(n * size)
		if err != nil {
			return err
		}

		for ; len(b) > 0; b = b[size:] {
			x, y := r.order.Uint64(b), r.order.Uint64(b[8:])
			r.to.Position(math.Float64frombits(x), math.Float64frombits(y))
		}
		points -= n
	}

	r.to.CloseRing()
	return nil
}

// dimensions splits a type into its two-dimensional type and the number of coordinates per position. EWKB encodes them in
// flags, ISO WKB in thousands.
func dimensions(flagged uint32) (kind uint32, numbers int) {
	numbers = 2
	for _, flag := range []uint32{ewkbZ, ewkbM} {
		if flagged&flag != 0 {
			numbers++
		}
	}

	kind = flagged &^ (ewkbZ | ewkbM | ewkbSRID)
	switch kind / 1000 {
	case 1, 2:
		return kind % 1000, 3
	case 3:
		return kind % 1000, 4
	}

	return kind, numbers
}

func (r *wkbReader) uint32() (uint32, error) {
	b, err := r.in.take(4)
	if err != nil {
		return 0, err
	}
	return r.order.Uint32(b), nil
}

// count reads the number of parts that follow. Each has at least this many bytes, and there must be room for all.
func (r *wkbReader) count(least int) (int, error) {
	n, err := r.uint32()
	if err != nil {
		return 0, err
	}

	if !r.in.room(int64(n) * int64(least)) {
		return 0, errShortWKB
	}

	return int(n), nil
}
