package geopackage

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/featurefile"
)

// rows reads the rows of a layer.
type rows struct {
	d       *database
	layer   layer
	columns []column
	options featurefile.Options
	to      feature.Sink
	n       int64             // the number of the row at work, from 1
	read    map[string]result // the attributes that are read
	values  []any             // of the row: the geometry, and these attributes
	kept    int64
}

// result is where the value of a column is in a row.
type result struct {
	column
	at int
}

// query returns the SQL, and notes what it reads.
func (r *rows) query(where string) string {
	var b strings.Builder

	// A plus sign does nothing but hide the type that a column was declared with, which the
	// driver would make times of.
	b.WriteString("select +" + quote(r.layer.geometry))
	r.read = map[string]result{}

	for _, c := range r.columns {
		if r.needs(c.name) {
			b.WriteString(", +" + quote(c.name))
			r.read[c.name] = result{c, 1 + len(r.read)}
		}
	}

	b.WriteString(" from main." + quote(r.layer.table))
	if where != "" {
		b.WriteString(" where (" + where + "\n)") // it may end in a comment
	}

	r.values = make([]any, 1+len(r.read))
	return b.String()
}

// needs tells whether an attribute is read.
func (r *rows) needs(name string) bool {
	return slices.Contains(r.options.Attributes, name) ||
		r.options.Keep != nil && (r.options.Columns == nil || r.options.Columns(name))
}

func (r *rows) all(ctx context.Context, where string) error {
	found, err := r.d.conn.QueryContext(ctx, r.query(where))

	var own *sqlite.Error
	if where != "" && errors.As(err, &own) && (own.Code() == sqlite3.SQLITE_ERROR || own.Code() == sqlite3.SQLITE_AUTH) {
		return &geomgen.ParamError{Param: "aoi-where", Value: where, Reason: "SQLite does not understand it: " + own.Error()}
	}

	if err != nil {
		return err
	}
	defer func() { _ = found.Close() }()

	to := make([]any, len(r.values))
	for i := range to {
		to[i] = &r.values[i]
	}

	for found.Next() {
		r.n++
		if err := found.Scan(to...); err != nil {
			return err
		}

		if err := r.row(); err != nil {
			return err
		}
		r.d.outside = false
	}

	return found.Err()
}

func (r *rows) row() error {
	r.d.outside = true
	keep, err := r.options.Kept(r.value)
	if err != nil || !keep {
		return err
	}

	if err := r.geometry(); err != nil {
		return err
	}

	values := make([]feature.Value, 0, len(r.options.Attributes))
	for _, name := range r.options.Attributes {
		v, _, err := r.value(name)
		if err != nil {
			return err
		}
		values = append(values, v)
	}

	r.kept++
	return r.to.EndFeature(values)
}

// value returns the value of an attribute.
func (r *rows) value(name string) (v feature.Value, ok bool, err error) {
	c, ok := r.read[name]
	if !ok {
		return nil, false, nil
	}

	v, err = c.value(r.values[c.at])
	if err != nil {
		return nil, true, feature.BadArea("cannot be read%s of the GeoPackage: attribute %q: %w", where(r.n), name, err)
	}
	return v, true, nil
}

// value makes a value of what SQLite holds, where any column can hold any type: what does not
// match the type that the column was declared with stays what it is.
func (c column) value(v any) (feature.Value, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case int64:
		switch c.kind {
		case "BOOLEAN":
			return v != 0, nil
		case "REAL", "DOUBLE", "FLOAT":
			return float64(v), nil
		}
		return v, nil
	case float64:
		return v, nil
	case string:
		if (c.kind == "DATE" || c.kind == "DATETIME") && v != "" {
			return featurefile.Time(v)
		}
		return featurefile.Text([]byte(v))
	}

	return nil, fmt.Errorf("it is binary, which is not read")
}

// The bits of the flags in the header of a geometry.
const (
	flagLittle   = 1
	flagEmpty    = 1 << 4
	flagExtended = 1 << 5
)

// geometry reads the geometry of the row: its own header, which has an envelope or none, and
// then WKB.
func (r *rows) geometry() error {
	if r.values[0] == nil {
		return nil
	}

	b, ok := r.values[0].([]byte)
	if !ok {
		return r.badGeometry("it is %T", r.values[0])
	}

	if len(b) < 8 || b[0] != 'G' || b[1] != 'P' || b[2] != 0 {
		return r.badGeometry("it does not begin with the magic bytes GP and version 0")
	}

	flags := b[3]
	if flags&flagExtended != 0 {
		return feature.BadArea("holds a geometry of an extended type%s: an area of interest is made of polygons", where(r.n))
	}

	var order binary.ByteOrder = binary.BigEndian
	if flags&flagLittle != 0 {
		order = binary.LittleEndian
	}

	srs := int64(int32(order.Uint32(b[4:])))
	if srs != r.layer.srs && srs > 0 {
		return r.badGeometry("it has srs_id %d, and its layer %d", srs, r.layer.srs)
	}

	kind := int(flags >> 1 & 7)
	if kind > 4 {
		return r.badGeometry("it has an envelope of the unknown type %d", kind)
	}

	head := 8 + [...]int{0, 32, 48, 48, 64}[kind]

	switch {
	case len(b) < head:
		return r.badGeometry("it has %d bytes", len(b))
	case flags&flagEmpty != 0:
		return nil
	}

	_, err := r.to.WKB(b[head:])
	return err
}

func (r *rows) badGeometry(format string, args ...any) error {
	return feature.BadArea("has a geometry that cannot be read%s of the GeoPackage: %s", where(r.n), fmt.Sprintf(format, args...))
}
