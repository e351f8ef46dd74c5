// Package wkbarea owns the reading of files of WKB and EWKB, binary or as hexadecimal digits.
package wkbarea

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/gather"
)

// Read reads geometries in WKB (OGC 06-103r4, 8.2) or EWKB, one after the other, until r ends. r must
// have a buffer of 64 KiB. Geometries have no attributes. Errors are *geomgen.ParamError, unless r
// fails.
func Read(r *bufio.Reader, to *gather.Collector) (feature.Schema, error) {
	var c crs

	for n := 1; ; n++ {
		if _, err := r.Peek(1); errors.Is(err, io.EOF) {
			return feature.Schema{SRID: c.srid}, nil
		}

		if n > 1 {
			to.Where = fmt.Sprintf(", in geometry %d", n)
		}

		if err := c.geometry(r, to); err != nil {
			return feature.Schema{}, err
		}
	}
}

// crs is the CRS that all geometries must have.
type crs struct {
	known bool
	srid  int32
}

// geometry reads a geometry, which is one feature.
func (c *crs) geometry(r *bufio.Reader, to *gather.Collector) error {
	srid, err := to.ReadWKB(r)
	if err != nil {
		return err
	}

	if c.known && srid != c.srid {
		return feature.BadArea("has SRID %d and%s SRID %d: it must have one CRS", c.srid, to.Where, srid)
	}
	c.known, c.srid = true, srid

	return to.EndFeature(nil)
}

// IsWKB tells whether a file begins with a geometry in WKB or EWKB.
func IsWKB(head []byte) bool {
	if len(head) < 5 {
		return false
	}

	var kind uint32
	switch head[0] {
	case 0:
		kind = binary.BigEndian.Uint32(head[1:])
	case 1:
		kind = binary.LittleEndian.Uint32(head[1:])
	default:
		return false
	}

	kind &= 1<<29 - 1 // without the flags of EWKB
	return kind < 4000 && kind%1000 >= 1 && kind%1000 <= 17
}
