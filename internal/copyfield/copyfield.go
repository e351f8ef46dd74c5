// Package copyfield owns values as fields of binary COPY: the types that they may have, and their encoding.
package copyfield

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgtype"
)

// Types returns the names of the supported types, as people write them, in alphabetical order.
func Types() []string {
	return []string{"bigint", "bool", "boolean", "date", "double precision", "float4", "float8", "int", "int2", "int4", "int8", "integer",
		"json", "jsonb", "numeric", "real", "smallint", "text", "timestamp", "timestamptz", "uuid"}
}

// NoType returns a message that a type is not supported, with a list of the supported types.
func NoType(name string) string {
	return "type " + name + " is not supported; the types are " + strings.Join(Types(), ", ")
}

// SQLType returns the catalogue name in PostgreSQL of a type as people write it; "" is text. ok is false if the
// type is not supported. It is called for each value, and allocates nothing.
func SQLType(name string) (sqlType string, ok bool) {
	switch name {
	case "":
		return "text", true
	case "boolean":
		return "bool", true
	case "smallint":
		return "int2", true
	case "integer", "int":
		return "int4", true
	case "bigint":
		return "int8", true
	case "real":
		return "float4", true
	case "double precision":
		return "float8", true
	case "text", "bool", "int2", "int4", "int8", "float4", "float8", "numeric", "date", "timestamp", "timestamptz", "uuid", "json", "jsonb":
		return name, true
	}

	return "", false
}

// Encoder encodes values. It is for one goroutine.
type Encoder struct{ types *pgtype.Map }

// NewEncoder returns an Encoder. It is slow.
func NewEncoder() *Encoder { return &Encoder{pgtype.NewMap()} }

// Append appends a value as a field: its length in four bytes, then its bytes. typeName is the type as people
// write it, and text is a value of the type as PostgreSQL writes it in ISO style. The error tells what is wrong
// with the type or the value.
func (e *Encoder) Append(dst []byte, typeName, text string) ([]byte, error) {
	sqlType, known := SQLType(typeName)
	t, ok := e.types.TypeForName(sqlType)
	if !ok || !known {
		return nil, errors.New(NoType(typeName))
	}

	if strings.ContainsRune(text, 0) || !utf8.ValidString(text) {
		return nil, errors.New("the value contains a zero byte, or is not UTF-8")
	}

	if t.OID == pgtype.JSONOID || t.OID == pgtype.JSONBOID {
		return appendJSON(dst, text, t.OID == pgtype.JSONBOID)
	}

	value, err := t.Codec.DecodeValue(e.types, t.OID, pgtype.TextFormatCode, []byte(text))
	if err != nil {
		return nil, errors.New("the value is not a valid " + typeName)
	}

	value = finite(t.OID, value)
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst, err = e.types.Encode(t.OID, pgtype.BinaryFormatCode, value, dst)
	if err != nil {
		return nil, errors.New("the value cannot be sent as " + typeName)
	}

	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))

	return dst, nil
}

// finite converts a value that its codec decodes to one that it can encode: the codec does not encode infinity.
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

// appendJSON appends JSON as given: decoding and encoding it would lose the last digits of a large number.
func appendJSON(dst []byte, text string, binaryJSON bool) ([]byte, error) {
	if !json.Valid([]byte(text)) {
		return nil, errors.New("the value is not valid JSON")
	}

	var version []byte
	if binaryJSON {
		version = []byte{1} // of the wire format of jsonb
	}

	dst = binary.BigEndian.AppendUint32(dst, uint32(len(version)+len(text)))

	return append(append(dst, version...), text...), nil
}
