package geopackage

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/featurefile"
)

// Maximum bytes of a value that are in memory twice, for SQLite and for Go.
const (
	maxWhole    = 8 << 20  // of a table's geometry: a longer one is read in chunks
	maxComputed = 64 << 20 // of a geometry that cannot be read in chunks
	maxValue    = 16 << 20 // of an attribute
	maxChunks   = 4        // for each, SQLite reads the geometry from the file
)

// positionBytes is the maximum size of a position in WKB: 32 bytes, and its share of what rings and
// polygons need in addition to their positions.
const positionBytes = 40

// The bits of the flags in the header of a geometry.
const (
	flagLittle   = 1
	flagEmpty    = 1 << 4
	flagExtended = 1 << 5
)

// maxHeader is the maximum size of a header in bytes.
const maxHeader = 8 + 64

// value holds a value that the driver returns, without a copy.
type value struct{ v any }

// Scan stores a value, which is valid until the next one.
func (v *value) Scan(src any) error {
	v.v = src
	return nil
}

// geometry reads the geometry of the row: GeoPackage's own header, which may have an envelope, and then
// WKB.
func (r *rows) geometry(ctx context.Context) error {
	n, _ := r.values[0].v.(int64)

	switch v := r.values[1].v.(type) {
	case []byte:
		head, empty, err := r.header(v)
		if err != nil || empty {
			return err
		}

		return r.d.callOut(func() error {
			_, err := r.to.WKB(v[head:])
			return err
		})
	case nil:
		if n == 0 {
			return nil
		}
		return r.longGeometry(ctx, n)
	default:
		return r.badGeometry("it is %T", v)
	}
}

// longGeometry reads a geometry of n bytes in chunks.
func (r *rows) longGeometry(ctx context.Context, n int64) error {
	positions := r.options.MaxPositions
	if positions == 0 {
		positions = featurefile.DefaultMaxPositions
	}

	passes := r.options.Where != nil && !r.inSQL() // the sink may skip it
	if !passes && positions < math.MaxInt64/positionBytes && n > positionBytes*positions {
		return r.badGeometry("it has %d bytes, which is more than the %d positions that aoi-max-positions allows: simplify it, or allow more", n, positions)
	}

	if r.rowID == "" {
		return r.badGeometry("it has %d bytes, but at most %d are allowed in a view or computed column: write the layer to a table (ogr2ogr -f GPKG)", n, maxComputed)
	}

	c, err := r.chunks(ctx, n)
	if err != nil {
		return err
	}
	defer func() { _ = c.rows.Close() }()

	b := bufio.NewReaderSize(c, 64<<10)
	start, err := b.Peek(maxHeader)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}

	head, empty, err := r.header(start)
	if err != nil || empty {
		return err
	}

	if _, err := b.Discard(head); err != nil {
		return err
	}

	return r.d.callOut(func() error {
		_, err := r.to.ReadWKB(b)
		return err
	})
}

// chunks reads the bytes of a geometry.
type chunks struct {
	r    *rows
	rows *sql.Rows
	rest []byte
}

// chunks starts reading the geometry of the row.
func (r *rows) chunks(ctx context.Context, n int64) (*chunks, error) {
	var starts strings.Builder
	chunk := (n + maxChunks - 1) / maxChunks
	for at := int64(0); at < n; at += chunk {
		fmt.Fprintf(&starts, ",(%d)", at+1)
	}

	query := fmt.Sprintf("select substr(t.%s, c.column1, %d) from main.%s as t cross join (values %s) as c where t.%s = ?",
		quote(r.layer.geometry), chunk, quote(r.layer.table), starts.String()[1:], r.rowID)

	found, err := r.d.conn.QueryContext(ctx, query, r.values[len(r.values)-1].v)
	if err != nil {
		return nil, err
	}
	return &chunks{r, found, nil}, nil
}

// Read runs SQLite although the sink calls it.
func (c *chunks) Read(b []byte) (int, error) {
	outside := c.r.d.outside
	c.r.d.outside = false
	n, err := c.read(b)
	c.r.d.outside = outside

	return n, err
}

func (c *chunks) read(b []byte) (int, error) {
	for len(c.rest) == 0 {
		c.rest = nil // can be freed while SQLite reads
		if !c.rows.Next() {
			if err := c.rows.Err(); err != nil {
				return 0, err
			}
			return 0, io.EOF
		}

		var v value
		if err := c.rows.Scan(&v); err != nil {
			return 0, err
		}

		var ok bool
		if c.rest, ok = v.v.([]byte); !ok {
			return 0, c.r.badGeometry("it is %T", v.v)
		}
	}

	n := copy(b, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// header returns the size of the header at the beginning of b, and whether the geometry is empty.
func (r *rows) header(b []byte) (head int, empty bool, err error) {
	if len(b) < 8 || !bytes.HasPrefix(b, []byte("GP\x00")) {
		return 0, false, r.badGeometry("it does not begin with the magic bytes GP and version 0")
	}

	flags := b[3]
	if flags&flagExtended != 0 {
		return 0, false, feature.BadArea("holds a geometry of an extended type%s: an area of interest is made of polygons", r.where())
	}

	var order binary.ByteOrder = binary.BigEndian
	if flags&flagLittle != 0 {
		order = binary.LittleEndian
	}

	srs := int64(int32(order.Uint32(b[4:])))
	if srs != r.layer.srs && srs > 0 {
		return 0, false, r.badGeometry("it has srs_id %d, but its layer has %d", srs, r.layer.srs)
	}

	kind := int(flags >> 1 & 7)
	if kind > 4 {
		return 0, false, r.badGeometry("it has an envelope of the unknown type %d", kind)
	}

	head = 8 + [...]int{0, 32, 48, 48, 64}[kind]
	if len(b) < head {
		return 0, false, r.badGeometry("it has %d bytes", len(b))
	}

	return head, flags&flagEmpty != 0, nil
}

// findRowID records the SQL name of the layer's row number. It is "" in views, and in tables without a
// row number.
func (r *rows) findRowID(ctx context.Context) {
	if !r.d.tables[strings.ToLower(r.layer.table)] || r.layer.computed {
		return
	}

	for _, name := range []string{"rowid", "_rowid_", "oid"} {
		hidden := strings.EqualFold(r.layer.geometry, name) || slices.ContainsFunc(r.columns, func(c column) bool { return strings.EqualFold(c.name, name) })
		if hidden {
			continue
		}

		statement, err := r.d.conn.PrepareContext(ctx, "select "+name+" from main."+quote(r.layer.table))
		if err == nil {
			_ = statement.Close()
			r.rowID = name
		}
		return
	}
}
