package geomgen

// Code is a way to name cells.
type Code string

// CodeOrder says which coordinate comes first in a code.
type CodeOrder string

// Coder writes codes.
type Coder struct{}

// NewCoder returns a Coder.
func NewCoder(Grid, Code, CodeOrder) (*Coder, error) { return nil, &ParamError{"code", "", "not there yet"} }

// CheckRange checks.
func (c *Coder) CheckRange(Range) error { return nil }

// Append appends.
func (c *Coder) Append(dst []byte, _ Cell) []byte { return dst }

// MaxLen measures.
func (c *Coder) MaxLen(Range) int { return 0 }
