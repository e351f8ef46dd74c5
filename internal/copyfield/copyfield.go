// Package copyfield owns values as fields of binary COPY: which types they may have, and the bytes
// of a value.
package copyfield

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgtype"
)

// Types returns the names of the types that there are, as people write them, in alphabetical order.
func Types() []string {
	return []string{"bigint", "bool", "boolean", "date", "double precision", "float4", "float8", "int", "int2", "int4", "int8", "integer",
		"json", "jsonb", "numeric", "real", "smallint", "text", "timestamp", "timestamptz", "uuid"}
}

// NoType says that there is no type of a name, and which ones there are.
func NoType(name string) string {
	return "type " + name + " is not supported; the types are " + strings.Join(Types(), ", ")
}

// SQLType returns the name in PostgreSQL's catalogue of a type as people write it; "" is text. ok is false where
// there is no such type. It is asked for each value, and allocates nothing.
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

// Encoder writes values. It is for one goroutine.
type Encoder struct{ types *pgtype.Map }

// NewEncoder returns an Encoder, which takes long to make.
func NewEncoder() *Encoder { return &Encoder{pgtype.NewMap()} }

// Append appends a value as a field: its length in four bytes, then its bytes. The type is named as
// people write it, and the text is as PostgreSQL writes a value of the type, in ISO style. The error says
// what is wrong with the type or the value.
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

// appendJSON appends JSON as it was given: read and written again, a large number in it would lose
// its last digits.
func appendJSON(dst []byte, text string, binaryJSON bool) ([]byte, error) {
	if !json.Valid([]byte(text)) {
		return nil, errors.New("the value is not valid JSON")
	}

	var version []byte
	if binaryJSON {
		version = []byte{1} // of the format in which jsonb travels
	}

	dst = binary.BigEndian.AppendUint32(dst, uint32(len(version)+len(text)))

	return append(append(dst, version...), text...), nil
}
