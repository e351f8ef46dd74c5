// Package dbase owns the reading of the tables in shapefiles: the .dbf, in the formats of dBase III
// and IV and Visual FoxPro. Source: "Xbase Data file (*.dbf)",
// https://www.clicketyclick.dk/databases/xbase/format/dbf.html.
package dbase

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/loadgrid/loadgrid/internal/feature"
)

// Table is a table that is read row by row. All methods accept a nil Table, which means that there
// is none.
type Table struct {
	fill   func(b []byte) error
	rows   int64
	n      int64 // the number of the current row, from 1
	fields []field
	byName map[string]int
	row    []byte
	text   decoder
	fox    bool // Visual FoxPro, which has its own types
}

// field is a column of a table.
type field struct {
	name     string
	kind     byte
	from, to int // its place in a row
	decimals int
}

// The sizes of the parts of a table, in bytes.
const (
	tableHead  = 32
	fieldBytes = 32
)

// Open reads everything before the rows. fill fills b with the next bytes of the table. cpg is the
// text of the .cpg, which names the encoding of texts. If cpg is "", the table may name it. If
// neither does, a text is read as UTF-8 if it is valid, and as Windows-1252 otherwise. Errors about
// the table are *geomgen.ParamError.
func Open(fill func(b []byte) error, cpg string) (*Table, error) {
	head := make([]byte, tableHead)
	if err := fill(head); err != nil {
		return nil, err
	}

	version, size := head[0], int(binary.LittleEndian.Uint16(head[8:]))
	t := &Table{
		fill: fill, rows: int64(binary.LittleEndian.Uint32(head[4:])), row: make([]byte, binary.LittleEndian.Uint16(head[10:])),
		byName: map[string]int{}, fox: version&0xf0 == 0x30,
	}

	switch {
	case version&7 == 4:
		return nil, t.bad("is in the format of dBase 7, which loadgrid does not read: save it as dBase III or IV")
	case !t.fox && version&7 != 3 && version != 0xf5 && version != 0xfb:
		return nil, t.bad("has the unknown version %#x", version)
	case size < tableHead+1 || len(t.row) < 1:
		return nil, t.bad("has a header of %d bytes and rows of %d", size, len(t.row))
	}

	rest := make([]byte, size-tableHead)
	if err := fill(rest); err != nil {
		return nil, err
	}

	var err error
	if t.text, err = decoderOf(cpg, head[29]); err != nil {
		return nil, err
	}

	return t, t.readFields(rest)
}

// bad reports an error in the table.
func (t *Table) bad(format string, args ...any) error {
	return feature.BadArea("is a shapefile whose .dbf %s", fmt.Sprintf(format, args...))
}

// readFields reads the field descriptors.
func (t *Table) readFields(b []byte) error {
	// Some programs store the high byte of a long text's length where other types have the number
	// of decimals. In that case the lengths add up only with it.
	var plain, long int
	for d := b; len(d) >= fieldBytes && d[0] != '\r'; d = d[fieldBytes:] {
		plain += int(d[16])
		if long += int(d[16]); d[11] == 'C' {
			long += int(d[17]) << 8
		}
	}

	isLong := plain != len(t.row)-1 && long == len(t.row)-1
	at := 1

	for ; len(b) >= fieldBytes && b[0] != '\r'; b = b[fieldBytes:] {
		name, err := t.text(cut(b[:11]))
		if err != nil {
			return t.bad("has a field whose name cannot be read: %v", err)
		}

		f := field{name: name, kind: b[11], from: at, to: at + int(b[16]), decimals: int(b[17])}
		if isLong && f.kind == 'C' {
			f.to += f.decimals << 8
		}

		if at = f.to; at > len(t.row) {
			return t.bad("has fields that are longer than its rows of %d bytes", len(t.row))
		}

		if f.kind == '0' { // an internal field of Visual FoxPro
			continue
		}

		if _, twice := t.byName[name]; !twice {
			t.byName[name] = len(t.fields)
		}
		t.fields = append(t.fields, f)
	}

	return nil
}

// cut returns the bytes before the first zero.
func cut(b []byte) []byte {
	before, _, _ := bytes.Cut(b, []byte{0})
	return before
}

// Names returns the names of the fields, in their order.
func (t *Table) Names() (names []string) {
	if t == nil {
		return nil
	}

	for _, f := range t.fields {
		names = append(names, f.name)
	}
	return names
}

// Next reads the next row. alive is false if it is deleted.
func (t *Table) Next() (alive bool, err error) {
	if t == nil {
		return true, nil
	}

	if t.n == t.rows {
		return false, t.bad("has %d rows, but its .shp has more shapes", t.rows)
	}

	t.n++
	if err := t.fill(t.row); err != nil {
		return false, err
	}
	return t.row[0] != '*', nil
}

// Finish refuses a table that has more rows than the number of calls of Next.
func (t *Table) Finish() error {
	if t == nil || t.n == t.rows {
		return nil
	}
	return t.bad("has %d rows, but its .shp has %d shapes", t.rows, t.n)
}

// Value returns the value of a field of the current row. ok is false if the field does not exist.
// The error is a *ValueError.
func (t *Table) Value(name string) (v feature.Value, ok bool, err error) {
	if t == nil {
		return nil, false, nil
	}

	i, ok := t.byName[name]
	if !ok {
		return nil, false, nil
	}

	f := t.fields[i]
	v, err = t.decode(f, t.row[f.from:f.to])
	if err != nil {
		return nil, true, &ValueError{name, err}
	}
	return v, true, nil
}

// ValueError reports a value that cannot be read.
type ValueError struct {
	attribute string
	err       error
}

// Error names the attribute and the reason.
func (e *ValueError) Error() string { return fmt.Sprintf("attribute %q: %v", e.attribute, e.err) }

// Unwrap returns the reason.
func (e *ValueError) Unwrap() error { return e.err }
