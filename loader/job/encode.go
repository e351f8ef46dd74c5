package job

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
)

// Encoder writes values of attributes as fields of binary COPY. It is for one goroutine.
type Encoder struct{ types *pgtype.Map }

// NewEncoder returns an Encoder.
func NewEncoder() *Encoder { return &Encoder{pgtype.NewMap()} }

// Append appends a value as a field of the attribute's column: its length in four bytes, then its
// bytes; nil is NULL. The error is a *geomgen.ParamError for a value that the type does not have.
func (e *Encoder) Append(dst []byte, a Attribute, value feature.Value) ([]byte, error) {
	if value == nil {
		return binary.BigEndian.AppendUint32(dst, math.MaxUint32), nil
	}

	c := Constant{Name: a.Name, Type: a.Type, Value: feature.TextOf(value)}
	b, err := c.encode(e.types, dst)

	var param *geomgen.ParamError
	if errors.As(err, &param) {
		return nil, &geomgen.ParamError{Param: "attribute", Value: a.String(), Reason: param.Reason + ": " + c.Value}
	}

	return b, err
}
