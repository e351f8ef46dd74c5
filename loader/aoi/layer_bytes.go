package aoi

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"math"

	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/gather"
)

// layerFormat is the first byte of what Marshal returns.
const layerFormat = 1

var errLayerBytes = errors.New("the features in the ledger cannot be read: their bytes are damaged")

// Marshal returns the features as bytes, in order: a format byte; the numbers of features and of attributes; for
// each feature its polygons as the EWKB of a MultiPolygon, then each value as text. Numbers and lengths are
// uvarints. The length of a value is the length of its text plus one; 0 means NULL.
func (l *Layer) Marshal(srid int32) []byte {
	r, size := l.Bytes(srid)
	b := make([]byte, size)
	if _, err := io.ReadFull(r, b); err != nil {
		panic(err) // the first pass counted the size
	}
	return b
}

// Bytes returns a reader of what Marshal returns, and its size in bytes. It holds no more than one feature in
// memory.
func (l *Layer) Bytes(srid int32) (r io.Reader, size int64) {
	counted := &layerBytes{layer: l, srid: srid}
	for counted.advance() {
		size += int64(len(counted.rest))
	}
	return &layerBytes{layer: l, srid: srid}, size
}

// layerBytes reads the bytes of a layer.
type layerBytes struct {
	layer *Layer
	srid  int32
	next  int    // next part to make: 0 is the header before the features
	made  []byte // last part
	rest  []byte // unread rest of it
}

// advance makes the next part. It returns false after the last one.
func (r *layerBytes) advance() bool {
	l, b := r.layer, r.made[:0]
	switch {
	case r.next > len(l.Features):
		return false
	case r.next == 0:
		b = append(b, layerFormat)
		b = binary.AppendUvarint(b, uint64(len(l.Features)))
		b = binary.AppendUvarint(b, uint64(len(l.Types)))
	default:
		b = appendFeature(b, r.srid, &l.Features[r.next-1])
	}

	r.next++
	r.made, r.rest = b, b

	return true
}

// Read implements io.Reader.
func (r *layerBytes) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(r.rest) == 0 && !r.advance() {
			break
		}
		k := copy(p[n:], r.rest)
		n, r.rest = n+k, r.rest[k:]
	}

	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// appendFeature appends the bytes of a feature.
func appendFeature(b []byte, srid int32, f *LayerFeature) []byte {
	b = binary.AppendUvarint(b, uint64(polygonsSize(srid, f.Polygons)))
	b = appendPolygons(b, srid, f.Polygons)

	for _, v := range f.Values {
		if v == nil {
			b = append(b, 0)
			continue
		}
		text := feature.TextOf(v)
		b = append(binary.AppendUvarint(b, uint64(len(text))+1), text...)
	}

	return b
}

// unmarshalLayer reads what Marshal returned. The values become texts, and their types are unknown.
func unmarshalLayer(b []byte) (*Layer, error) {
	if len(b) == 0 || b[0] != layerFormat {
		return nil, errLayerBytes
	}

	r := layerReader{rest: b[1:]}
	features, attributes := r.number(), r.number()
	if r.bad || features > uint64(len(b)) || attributes > uint64(len(b)) || features*attributes > uint64(len(b)) {
		return nil, errLayerBytes
	}

	l := &Layer{Features: make([]LayerFeature, features), Types: make([]string, attributes)}
	for i := range l.Features {
		f := &l.Features[i]

		var c gather.Collector
		c.Max = math.MaxInt64 // the area may have had a higher limit
		if _, err := c.WKB(r.bytes(r.number())); err != nil {
			return nil, errors.Join(errLayerBytes, err)
		}

		var err error
		if f.Polygons, err = c.Polygons(); err != nil {
			return nil, err
		}

		f.Values = make([]Value, attributes)
		for k := range f.Values {
			if n := r.number(); n > 0 {
				f.Values[k] = string(r.bytes(n - 1))
			}
		}
	}

	if r.bad || len(r.rest) > 0 {
		return nil, errLayerBytes
	}

	return l, nil
}

// layerReader reads the bytes of a layer.
type layerReader struct {
	rest []byte
	bad  bool // bytes are missing
}

func (r *layerReader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}

	r.rest = r.rest[size:]
	return n
}

func (r *layerReader) bytes(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return nil
	}

	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

// Digest returns what identifies the layer in a fingerprint: polygons, values and their order.
func (l *Layer) Digest() string {
	sum := sha256.New()
	for r := (&layerBytes{layer: l}); r.advance(); {
		sum.Write(r.rest)
	}
	return hex.EncodeToString(sum.Sum(nil))
}
