// Package featurefile owns what the readers of feature files have in common: their options, and
// what they report about a file.
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

// Options say what to read from a file. The zero value reads the only layer, without attributes.
type Options struct {
	// Layer is the name of the layer. Defaults to "", which is the only layer of the file.
	Layer string
	// Attributes are the attributes whose values the sink gets, in this order.
	Attributes []string
	// Where is a condition. Attributes must include its attributes. The sink applies it; a reader
	// may skip features for which it is not true before that. Defaults to nil, for none.
	Where *condition.Condition
	// Sibling opens a file next to this one. A suffix that begins with a dot replaces the
	// extension, in either case: ".dbf" is the table of a shapefile. Any other suffix is appended:
	// "-wal". The error is fs.ErrNotExist if there is no such file. The caller closes the files
	// that it opened. Defaults to nil, for a file without a name.
	Sibling func(suffix string) (f io.ReaderAt, size int64, err error)
	// MaxPositions limits the positions of a feature that must be in memory as a whole. Defaults to
	// 0, which is DefaultMaxPositions.
	MaxPositions int64
	// MaxBytes limits the unpacked size of a compressed file. Defaults to 0, which is
	// DefaultMaxBytes.
	MaxBytes int64
}

// The default limits of Options.
const (
	DefaultMaxPositions = 50_000_000
	DefaultMaxBytes     = 4 << 30
)

// Result describes a file. With an error, it has what was known by then.
type Result struct {
	Layer      string   // the layer that was read
	Layers     []string // the names of all layers with geometries
	Attributes []string // the names of all attributes of the layer, in the order of the file
	CRS        CRS
	Features   int64 // number of features that the sink got
	PassedOver int64 // number of features that the reader skipped because of Options.Where, if the sink got none
}

// CRS is a file's coordinate reference system. In the zero value, nothing is known.
type CRS struct {
	Organization string // such as EPSG; "" without a code
	Code         string // as the organization writes it, such as 3035
	WKT          string // its definition in WKT 1, WKT 2 or ESRI's dialect; "" for none
}

// ChooseLayer returns the requested layer, or the only one. The error is a *geomgen.ParamError of
// aoi-layer that names the existing layers.
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

// Unwrap returns the error as a *geomgen.ParamError.
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

// listed is the maximum number of names in a message.
const listed = 20

// List writes names for a message, and shortens a long list.
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

// Ended returns the cause of an ended context, and nil before the end.
func Ended(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// UntilEnded returns a reader that fails with the cause of ctx when ctx ends.
func UntilEnded(ctx context.Context, r io.Reader) io.Reader { return untilEnded{ctx, r} }

type untilEnded struct {
	ctx context.Context
	r   io.Reader
}

// Read reads until the context ends.
func (r untilEnded) Read(b []byte) (int, error) {
	if err := Ended(r.ctx); err != nil {
		return 0, err
	}
	return r.r.Read(b)
}
