// Package featurefile owns what the readers of files of features have in common: what they
// are asked for, and what they tell of a file.
package featurefile

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/condition"
	"github.com/loadgrid/loadgrid/internal/feature"
)

// Options say what is read of a file. The zero value reads the only layer, without attributes.
type Options struct {
	// Layer is the name of the layer. Defaults to "", which is the only layer of the file.
	Layer string
	// Attributes are those whose values the sink gets, in this order.
	Attributes []string
	// Where is a condition, whose attributes Attributes has. The sink decides by it; a reader may
	// pass over features for which it is not true before that. Defaults to nil, for none.
	Where *condition.Condition
	// Sibling opens a file beside this one. A suffix that begins with a dot replaces the
	// extension, whatever its case: ".dbf" is the table of a shapefile. Another one is appended:
	// "-wal". The error is fs.ErrNotExist where there is none. The caller closes what it has
	// opened. Defaults to nil, for a file without a name.
	Sibling func(suffix string) (f io.ReaderAt, size int64, err error)
	// MaxPositions bounds the positions of a feature that must be in memory as a whole.
	// Defaults to 0, which is DefaultMaxPositions.
	MaxPositions int64
	// MaxBytes bounds what is unpacked of a compressed file. Defaults to 0, which is
	// DefaultMaxBytes.
	MaxBytes int64
}

// The bounds of Options where nobody says.
const (
	DefaultMaxPositions = 50_000_000
	DefaultMaxBytes     = 4 << 30
)

// Result is what a file says of itself. With an error, it has what was known by then.
type Result struct {
	Layer      string   // the layer that was read
	Layers     []string // the names of all layers with geometries
	Attributes []string // the names of all attributes of the layer, in the order of the file
	CRS        CRS
	Features   int64 // how many the sink got
	PassedOver int64 // how many it did not get because of Options.Where, where it got none
}

// CRS is what a file says of its coordinate reference system. The zero value is nothing.
type CRS struct {
	Organization string // such as EPSG; "" where there is no code
	Code         string // as the organization has it, such as 3035
	WKT          string // its definition in WKT 1, WKT 2 or ESRI's dialect; "" for none
}

// ChooseLayer returns the layer that was asked for, or the only one. The error is a
// *geomgen.ParamError of aoi-layer that names those that there are.
func ChooseLayer(asked string, layers []string) (string, error) {
	switch {
	case len(layers) == 0:
		return "", feature.BadArea("has no layer with geometries")
	case asked != "" && slices.Contains(layers, asked):
		return asked, nil
	case asked != "":
		return "", &geomgen.ParamError{Param: "aoi-layer", Value: asked, Reason: "the area of interest has no such layer: it has " + List(layers)}
	case len(layers) > 1:
		return "", &geomgen.ParamError{Param: "aoi-layer", Value: "(not given)", Reason: "the area of interest has several layers: choose one with aoi-layer: " + List(layers)}
	}

	return layers[0], nil
}

// MissingError reports an attribute that a layer does not have.
type MissingError struct {
	Name  string
	Known []string // the attributes of the layer
}

func (e *MissingError) Error() string { return e.Unwrap().Error() }

// Unwrap returns it as a *geomgen.ParamError.
func (e *MissingError) Unwrap() error {
	if len(e.Known) == 0 {
		return feature.BadArea("has no attribute %q: its features have no attributes", e.Name)
	}
	return feature.BadArea("has no attribute %q: it has %s", e.Name, List(e.Known))
}

// CheckAttributes refuses the first attribute that a layer does not have, with a *MissingError.
func CheckAttributes(asked, known []string) error {
	for _, name := range asked {
		if !slices.Contains(known, name) {
			return &MissingError{name, known}
		}
	}

	return nil
}

// listed is how many names a message has.
const listed = 20

// List writes names for a message, not all of very many.
func List(names []string) string {
	quoted := make([]string, 0, min(len(names), listed))
	for _, name := range names[:min(len(names), listed)] {
		quoted = append(quoted, fmt.Sprintf("%.80q", name))
	}

	if more := len(names) - listed; more > 0 {
		quoted = append(quoted, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(quoted, ", ")
}

// Ended returns why a context has ended, nil while it has not.
func Ended(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// UntilEnded returns a reader that ends with ctx, and with its cause.
func UntilEnded(ctx context.Context, r io.Reader) io.Reader { return untilEnded{ctx, r} }

type untilEnded struct {
	ctx context.Context
	r   io.Reader
}

// Read reads, unless the context has ended.
func (r untilEnded) Read(b []byte) (int, error) {
	if err := Ended(r.ctx); err != nil {
		return 0, err
	}
	return r.r.Read(b)
}
