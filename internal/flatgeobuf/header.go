package flatgeobuf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strconv"

	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/featurefile"
)

// maxHeader is the maximum length of a header in bytes. It holds names, a CRS and metadata.
const maxHeader = 16 << 20

// The fields of tables, in the order of header.fbs.
const (
	headerName         = 0
	headerGeometryType = 2
	headerColumns      = 7
	headerCount        = 8
	headerNodeSize     = 9
	headerCRS          = 10

	columnName = 0
	columnType = 1

	crsOrganization = 0
	crsCode         = 1
	crsWKT          = 4
	crsCodeText     = 5
)

// header describes the features of a file.
type header struct {
	name    string
	kind    uint8 // the type of all geometries, 0 if each has its own
	columns []column
	count   uint64 // of features, 0 if unknown
	crs     featurefile.CRS
	data    int64 // offset of the features in the file
}

type column struct {
	name string
	kind uint8
}

// readHeader reads everything before the features.
func readHeader(f io.ReaderAt, size int64) (h header, err error) {
	head := make([]byte, 12)
	if _, err := f.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return header{}, err
	}

	length := int64(binary.LittleEndian.Uint32(head[8:]))

	switch {
	case !Is(head):
		return header{}, feature.BadArea("is not a FlatGeobuf of version 3: it does not begin with its magic bytes")
	case size < 12 || length > size-12:
		return header{}, feature.BadArea("is a FlatGeobuf that ends in its header")
	case length > maxHeader:
		return header{}, feature.BadArea("is a FlatGeobuf with a header of %d bytes: loadgrid reads at most %d", length, maxHeader)
	}

	b := make([]byte, length)
	if n, err := f.ReadAt(b, 12); n < len(b) {
		return header{}, fmt.Errorf("reading the header: %w", err)
	}

	nodeSize, err := h.parse(b)
	if err != nil {
		return h, feature.BadArea("is a FlatGeobuf with a bad header: %w", err)
	}

	index, ok := indexBytes(h.count, nodeSize)
	if h.data = 12 + length + index; !ok || index > size-12-length {
		return h, feature.BadArea("is a FlatGeobuf that ends in its index: its header says that there are %d features", h.count)
	}

	return h, nil
}

func (h *header) parse(b []byte) (nodeSize uint64, err error) {
	t, err := root(b)
	if err != nil {
		return 0, err
	}

	if h.name, err = text(t, headerName); err != nil {
		return 0, err
	}

	kind, err := t.number(headerGeometryType, 1, 0)
	if err != nil {
		return 0, err
	}

	h.kind = uint8(kind)
	if h.columns, err = columns(t, headerColumns); err != nil {
		return 0, err
	}

	if h.count, err = t.number(headerCount, 8, 0); err != nil {
		return 0, err
	}

	if err := h.readCRS(t); err != nil {
		return 0, err
	}

	return t.number(headerNodeSize, 2, 16)
}

// readCRS reads the CRS. Its organization defaults to EPSG.
func (h *header) readCRS(t table) error {
	c, ok, err := t.table(headerCRS)
	if err != nil || !ok {
		return err
	}

	organization, err := text(c, crsOrganization)
	if err != nil {
		return err
	}

	code, err := c.number(crsCode, 4, 0)
	if err != nil {
		return err
	}

	if h.crs.Code, err = text(c, crsCodeText); err != nil {
		return err
	}

	if code != 0 {
		h.crs.Code = strconv.Itoa(int(int32(code)))
	}

	if h.crs.Code != "" {
		h.crs.Organization = organization
		if organization == "" {
			h.crs.Organization = "EPSG"
		}
	}

	h.crs.WKT, err = text(c, crsWKT)
	return err
}

// columns reads a vector of columns. Because many columns can refer to the bytes of one name, it
// limits the sum of their lengths.
func columns(t table, field int) (all []column, err error) {
	room := len(t.b)
	err = t.tables(field, func(c table) error {
		name, err := text(c, columnName)
		if err != nil {
			return err
		}

		if room -= len(name) + 4; room < 0 || len(all) > 0xffff {
			return errors.New("it has more columns than its bytes have room for")
		}

		kind, err := c.number(columnType, 1, 0)
		all = append(all, column{name, uint8(kind)})
		return err
	})

	return all, err
}

// text returns a string field of a table, "" if it is missing.
func text(t table, field int) (string, error) {
	b, err := t.vector(field, 1)
	if err != nil {
		return "", err
	}
	return featurefile.Text(b)
}

// indexBytes returns the size of the packed R-tree of this number of features: a node of 40 bytes
// for each, and the levels above. Source: src/cpp/packedrtree.h of FlatGeobuf.
func indexBytes(features, nodeSize uint64) (n int64, ok bool) {
	if features == 0 || nodeSize == 0 {
		return 0, true
	}

	nodeSize = max(nodeSize, 2)
	nodes, level := features, features
	for level > 1 {
		level = (level-1)/nodeSize + 1

		var carry uint64
		if nodes, carry = bits.Add64(nodes, level, 0); carry != 0 {
			return 0, false
		}
	}

	if features == 1 {
		nodes++ // a single leaf has a level above it
	}

	if nodes > 1<<57 {
		return 0, false
	}
	return int64(nodes * 40), true
}
