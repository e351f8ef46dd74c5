package job

import (
	"encoding/binary"
	"encoding/json"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/loadgrid/loadgrid/geomgen"
)

// Constant is a column that holds the same value in each row.
type Constant struct {
	Name  string `json:"name"`
	Type  string `json:"type"`  // an SQL type; see ConstantTypes. Defaults to text.
	Value string `json:"value"` // as PostgreSQL writes a value of that type, in ISO style
}

// constantTypes maps the names people write to PostgreSQL's own.
func constantTypes() map[string]string {
	return map[string]string{
		"text": "text", "boolean": "bool", "bool": "bool",
		"smallint": "int2", "int2": "int2", "integer": "int4", "int": "int4", "int4": "int4",
		"bigint": "int8", "int8": "int8", "real": "float4", "float4": "float4",
		"double precision": "float8", "float8": "float8", "numeric": "numeric",
		"date": "date", "timestamp": "timestamp", "timestamptz": "timestamptz",
		"uuid": "uuid", "json": "json", "jsonb": "jsonb",
	}
}

// ConstantTypes returns the types that a Constant may have, in alphabetical order.
func ConstantTypes() []string {
	var names []string
	for n := range constantTypes() {
		names = append(names, n)
	}

	sort.Strings(names)

	return names
}

// ParseConstant reads NAME=VALUE or NAME:TYPE=VALUE, as in year:integer=2026.
func ParseConstant(s string) (Constant, error) {
	name, value, ok := strings.Cut(s, "=")
	if !ok {
		return Constant{}, &geomgen.ParamError{Param: "set", Value: s, Reason: "must be NAME=VALUE or NAME:TYPE=VALUE"}
	}

	c := Constant{Name: name, Type: "text", Value: value}
	if i := strings.LastIndexByte(name, ':'); i >= 0 {
		c.Name, c.Type = name[:i], strings.ToLower(strings.TrimSpace(name[i+1:]))
		if c.Type == "" {
			return Constant{}, &geomgen.ParamError{Param: "set", Value: s, Reason: "has no type behind the colon; the types are " + strings.Join(ConstantTypes(), ", ")}
		}
	}

	_, err := c.Encode(nil)

	return c, err
}

// sqlType returns the type's name in PostgreSQL.
func (c Constant) sqlType() string {
	if c.Type == "" {
		return "text"
	}
	return constantTypes()[c.Type]
}

// Encode appends the value as a field of binary COPY: its length in four bytes,
// then its bytes.
func (c Constant) Encode(dst []byte) ([]byte, error) { return c.encode(pgtype.NewMap(), dst) }

// encode is Encode with a map of types, which takes long to make.
func (c Constant) encode(m *pgtype.Map, dst []byte) ([]byte, error) {
	bad := func(reason string) ([]byte, error) {
		return nil, &geomgen.ParamError{Param: "set", Value: c.String(), Reason: reason}
	}
	t, ok := m.TypeForName(c.sqlType())
	if !ok {
		return bad("there is no type " + c.Type + " here; the types are " + strings.Join(ConstantTypes(), ", "))
	}

	if strings.ContainsRune(c.Value, 0) || !utf8.ValidString(c.Value) {
		return bad("the value holds a zero byte, or is not UTF-8")
	}

	if t.OID == pgtype.JSONOID || t.OID == pgtype.JSONBOID {
		return c.encodeJSON(dst, t.OID == pgtype.JSONBOID)
	}

	value, err := t.Codec.DecodeValue(m, t.OID, pgtype.TextFormatCode, []byte(c.Value))
	if err != nil {
		return bad("the value is no " + c.Type)
	}

	value = finite(t.OID, value)
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst, err = m.Encode(t.OID, pgtype.BinaryFormatCode, value, dst)
	if err != nil {
		return bad("the value cannot be sent as " + c.Type)
	}

	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))

	return dst, nil
}

// finite returns a value that its codec decodes, as one that it encodes: it does not take infinity.
func finite(oid uint32, value any) any {
	infinity, ok := value.(pgtype.InfinityModifier)
	if !ok {
		return value
	}

	switch oid {
	case pgtype.DateOID:
		return pgtype.Date{InfinityModifier: infinity, Valid: true}
	case pgtype.TimestampOID:
		return pgtype.Timestamp{InfinityModifier: infinity, Valid: true}
	case pgtype.TimestamptzOID:
		return pgtype.Timestamptz{InfinityModifier: infinity, Valid: true}
	}

	return value
}

// encodeJSON appends JSON as it was given: read and written again, a large
// number in it would lose its last digits.
func (c Constant) encodeJSON(dst []byte, binaryJSON bool) ([]byte, error) {
	if !json.Valid([]byte(c.Value)) {
		return nil, &geomgen.ParamError{Param: "set", Value: c.String(), Reason: "the value is no JSON"}
	}

	var version []byte
	if binaryJSON {
		version = []byte{1} // of the format in which jsonb travels
	}

	dst = binary.BigEndian.AppendUint32(dst, uint32(len(version)+len(c.Value)))

	return append(append(dst, version...), c.Value...), nil
}

// String returns the constant as ParseConstant reads it.
func (c Constant) String() string {
	if c.Type == "" || c.Type == "text" {
		return c.Name + "=" + c.Value
	}
	return c.Name + ":" + c.Type + "=" + c.Value
}
