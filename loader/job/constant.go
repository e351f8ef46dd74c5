package job

import (
	"strings"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/copyfield"
)

// Constant is a column that holds the same value in each row.
type Constant struct {
	Name  string `json:"name"`
	Type  string `json:"type"`  // one of ConstantTypes; defaults to text
	Value string `json:"value"` // as PostgreSQL prints a value of that type, in ISO style
}

// ConstantTypes returns the types of a Constant in alphabetical order.
func ConstantTypes() []string { return copyfield.Types() }

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
			return Constant{}, &geomgen.ParamError{Param: "set", Value: s, Reason: "has no type after the colon; the types are " + strings.Join(ConstantTypes(), ", ")}
		}
	}

	_, err := c.Encode(nil)

	return c, err
}

// sqlType returns the type's name in PostgreSQL, or "" if there is no such type.
func (c Constant) sqlType() string {
	name, _ := copyfield.SQLType(c.Type)
	return name
}

// Encode appends the value as a field of binary COPY: its length in four bytes,
// then its bytes.
func (c Constant) Encode(dst []byte) ([]byte, error) {
	dst, err := copyfield.NewEncoder().Append(dst, c.Type, c.Value)
	if err != nil {
		return nil, &geomgen.ParamError{Param: "set", Value: c.String(), Reason: err.Error()}
	}
	return dst, nil
}

// String returns the constant in the form that ParseConstant reads.
func (c Constant) String() string {
	if c.Type == "" || c.Type == "text" {
		return c.Name + "=" + c.Value
	}
	return c.Name + ":" + c.Type + "=" + c.Value
}
