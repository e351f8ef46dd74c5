package flatgeobuf

import (
	"encoding/binary"
	"errors"
)

var errBounds = errors.New("it has an offset that points outside its bytes")

// table is a table of a flatbuffer (https://flatbuffers.dev/internals/). Every offset in it is
// checked before it is followed.
type table struct {
	b      []byte // the whole buffer
	at     int64  // offset of the table
	fields []byte // the offsets of its fields, two bytes each; 0 for missing fields
}

// root returns the root table of a buffer.
func root(b []byte) (table, error) {
	if len(b) < 4 {
		return table{}, errBounds
	}
	return tableAt(b, int64(binary.LittleEndian.Uint32(b)))
}

func tableAt(b []byte, at int64) (table, error) {
	if !within(b, at, 4) {
		return table{}, errBounds
	}

	v := at - int64(int32(binary.LittleEndian.Uint32(b[at:])))
	if !within(b, v, 4) {
		return table{}, errBounds
	}

	size := int64(binary.LittleEndian.Uint16(b[v:]))
	if size < 4 || !within(b, v, size) {
		return table{}, errBounds
	}

	return table{b, at, b[v+4 : v+size]}, nil
}

// within tells whether a buffer has size bytes at an offset.
func within(b []byte, at, size int64) bool {
	return at >= 0 && size >= 0 && at <= int64(len(b)) && size <= int64(len(b))-at
}

// field returns the offset of a field of this size, or -1 if the field has its default.
func (t table) field(i int, size int64) (at int64, err error) {
	if 2*i+2 > len(t.fields) {
		return -1, nil
	}

	offset := binary.LittleEndian.Uint16(t.fields[2*i:])
	if offset == 0 {
		return -1, nil
	}

	at = t.at + int64(offset)
	if !within(t.b, at, size) {
		return 0, errBounds
	}
	return at, nil
}

// number returns a field of 1, 2, 4 or 8 bytes, or a default if the field is missing.
func (t table) number(i int, size int64, otherwise uint64) (uint64, error) {
	at, err := t.field(i, size)
	switch {
	case err != nil:
		return 0, err
	case at < 0:
		return otherwise, nil
	}

	return little(t.b[at : at+size]), nil
}

// little decodes up to 8 little-endian bytes.
func little(b []byte) (v uint64) {
	for i := len(b) - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	return v
}

// follow returns the offset that a field refers to, or -1 if the field is missing.
func (t table) follow(i int) (at int64, err error) {
	at, err = t.field(i, 4)
	if err != nil || at < 0 {
		return at, err
	}

	to := at + int64(binary.LittleEndian.Uint32(t.b[at:]))
	if !within(t.b, to, 4) {
		return 0, errBounds
	}
	return to, nil
}

// vector returns the bytes of a vector whose elements have this size.
func (t table) vector(i int, size int64) ([]byte, error) {
	at, err := t.follow(i)
	if err != nil || at < 0 {
		return nil, err
	}

	n := int64(binary.LittleEndian.Uint32(t.b[at:])) * size
	if !within(t.b, at+4, n) {
		return nil, errBounds
	}
	return t.b[at+4 : at+4+n], nil
}

// table returns the table that a field refers to. ok is false if there is none.
func (t table) table(i int) (in table, ok bool, err error) {
	at, err := t.follow(i)
	if err != nil || at < 0 {
		return table{}, false, err
	}

	in, err = tableAt(t.b, at)
	return in, err == nil, err
}

// tables calls do for each table of a vector.
func (t table) tables(i int, do func(table) error) error {
	at, err := t.follow(i)
	if err != nil || at < 0 {
		return err
	}

	refs, err := t.vector(i, 4)
	for k := int64(0); k < int64(len(refs)) && err == nil; k += 4 {
		var in table
		if in, err = tableAt(t.b, at+4+k+int64(binary.LittleEndian.Uint32(refs[k:]))); err == nil {
			err = do(in)
		}
	}

	return err
}
