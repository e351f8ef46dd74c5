package flatgeobuf

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/featurefile"
)

// The types of columns, in the order of header.fbs.
const (
	typeByte = iota
	typeUByte
	typeBool
	typeShort
	typeUShort
	typeInt
	typeUInt
	typeLong
	typeULong
	typeFloat
	typeDouble
	typeString
	typeJSON
	typeDateTime
	typeBinary
)

// width returns the size of a type's values in bytes: 0 for values that begin with their length, -1
// for an unknown type.
func width(kind uint8) int {
	switch kind {
	case typeByte, typeUByte, typeBool:
		return 1
	case typeShort, typeUShort:
		return 2
	case typeInt, typeUInt, typeFloat:
		return 4
	case typeLong, typeULong, typeDouble:
		return 8
	case typeString, typeJSON, typeDateTime, typeBinary:
		return 0
	}
	return -1
}

// values finds the values of a feature by the names of their columns.
type values struct {
	header  *schema // of the file
	*schema         // of the current feature
	now     uint64  // the number of the current feature
	bytes   []byte  // its values
}

// schema is the set of columns that values belong to.
type schema struct {
	columns []column
	names   map[string]int
	places  []place // the place of each column's value
}

// place is the place of a value, and the number of its feature.
type place struct {
	feature  uint64
	from, to int
}

func newValues(columns []column) values {
	s := newSchema(columns)
	return values{header: s, schema: s}
}

// newSchema indexes columns by name. If two have the same name, the first one counts.
func newSchema(columns []column) *schema {
	s := &schema{columns, make(map[string]int, len(columns)), make([]place, len(columns))}
	for i, c := range columns {
		if _, twice := s.names[c.name]; !twice {
			s.names[c.name] = i
		}
	}

	return s
}

// find finds the values of a feature. own are the feature's own columns.
func (v *values) find(b []byte, own []column) error {
	v.schema = v.header
	if len(own) > 0 {
		v.schema = newSchema(own)
	}

	v.now++
	v.bytes = b

	for at := 0; at < len(b); {
		if len(b)-at < 2 {
			return errBounds
		}

		i := int(binary.LittleEndian.Uint16(b[at:]))
		if at += 2; i >= len(v.columns) {
			return faultf("it has a value of column %d, but there are %d", i, len(v.columns))
		}

		n := width(v.columns[i].kind)
		switch {
		case n < 0:
			return faultf("attribute %q has the unknown type %d", v.columns[i].name, v.columns[i].kind)
		case n == 0 && len(b)-at < 4:
			return errBounds
		case n == 0:
			length := binary.LittleEndian.Uint32(b[at:])
			if at += 4; int64(length) > int64(len(b)-at) {
				return errBounds
			}
			n = int(length)
		case n > len(b)-at:
			return errBounds
		}

		v.places[i] = place{v.now, at, at + n}
		at += n
	}

	return nil
}

// get returns the value of an attribute, nil for none.
func (v *values) get(name string) (value feature.Value, ok bool, err error) {
	i, ok := v.names[name]
	if !ok {
		return nil, false, nil
	}

	p := v.places[i]
	if p.feature != v.now {
		return nil, true, nil
	}

	value, err = decode(v.columns[i].kind, v.bytes[p.from:p.to])
	if err != nil {
		return nil, true, &fault{fmt.Sprintf("attribute %q: %v", name, err)}
	}
	return value, true, nil
}

// decode decodes a value of a type. b has the whole value.
func decode(kind uint8, b []byte) (feature.Value, error) {
	switch kind {
	case typeByte:
		return int64(int8(b[0])), nil
	case typeBool:
		return b[0] != 0, nil
	case typeShort:
		return int64(int16(little(b))), nil
	case typeInt:
		return int64(int32(little(b))), nil
	case typeUByte, typeUShort, typeUInt, typeLong:
		return int64(little(b)), nil
	case typeULong:
		u := little(b)
		if u > math.MaxInt64 {
			return nil, fmt.Errorf("%s is larger than %d", strconv.FormatUint(u, 10), math.MaxInt64)
		}
		return int64(u), nil
	case typeFloat:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), nil
	case typeDouble:
		return float64At(b), nil
	case typeBinary:
		return nil, fmt.Errorf("it is binary, which loadgrid does not read")
	case typeDateTime:
		s, err := featurefile.Text(b)
		if err != nil || s == "" {
			return nil, err
		}
		return featurefile.Time(s)
	}

	return featurefile.Text(b)
}
