// Package flatgeobuf owns the reading of polygons and attributes from FlatGeobuf files.
// Source of the format: https://github.com/flatgeobuf/flatgeobuf, src/fbs/header.fbs and
// feature.fbs, version 3.
package flatgeobuf

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/featurefile"
)

// Is tells whether a file that begins with these bytes is a FlatGeobuf.
func Is(head []byte) bool {
	return len(head) >= 8 && strings.HasPrefix(string(head), "fgb\x03fgb")
}

// Read reads the features of a file one by one. In addition to the bytes of a feature it needs
// little memory: it compares the sizes that a file declares with the file's size before it relies
// on them. Errors about the file are *geomgen.ParamError.
func Read(ctx context.Context, f io.ReaderAt, size int64, o featurefile.Options, to feature.Sink) (featurefile.Result, error) {
	h, err := readHeader(f, size)

	result := featurefile.Result{Layer: h.name, Layers: []string{h.name}, CRS: h.crs}
	for _, c := range h.columns {
		result.Attributes = append(result.Attributes, c.name)
	}

	if err != nil {
		return result, err
	}

	if _, err := featurefile.ChooseLayer(o.Layer, result.Layers); err != nil {
		return result, err
	}

	if err := featurefile.CheckAttributes(o.Attributes, result.Attributes); err != nil {
		return result, err
	}

	r := reader{
		in: bufio.NewReaderSize(io.NewSectionReader(f, h.data, size-h.data), 1<<16), rest: size - h.data,
		header: h, options: o, to: to, values: newValues(h.columns),
	}
	err = r.features(ctx)
	result.Features = r.kept

	return result, err
}

type reader struct {
	in      *bufio.Reader
	rest    int64 // bytes of the file that are still unread
	header  header
	options featurefile.Options
	to      feature.Sink
	values  values
	buffer  []byte // of the current feature
	n       uint64 // its number, from 1
	room    int64  // the number of positions that the feature can still have
	kept    int64
}

func (r *reader) features(ctx context.Context) error {
	for {
		if err := featurefile.Ended(ctx); err != nil {
			return err
		}

		more, err := r.next()

		switch {
		case err != nil:
			return err
		case more:
			if err := r.feature(); err != nil {
				return r.explain(err)
			}
		case r.header.count != 0 && r.n != r.header.count:
			return feature.BadArea("is a FlatGeobuf that ends after %d features: its header says that there are %d", r.n, r.header.count)
		default:
			return nil
		}
	}
}

// explain adds the feature to an error about the file.
func (r *reader) explain(err error) error {
	if errors.As(err, new(*geomgen.ParamError)) {
		return err
	}

	var own *fault
	if errors.As(err, &own) || errors.Is(err, errBounds) {
		return feature.BadArea("cannot be read, in feature %d of the FlatGeobuf: %w", r.n, err)
	}
	return err
}

// fault is an error in a feature.
type fault struct{ what string }

func (f *fault) Error() string { return f.what }

func faultf(format string, args ...any) error { return &fault{fmt.Sprintf(format, args...)} }

// next reads the bytes of the next feature. more is false at the end.
func (r *reader) next() (more bool, err error) {
	if r.rest == 0 {
		return false, nil
	}

	var head [4]byte
	if _, err := io.ReadFull(r.in, head[:min(4, r.rest)]); err != nil {
		return false, fmt.Errorf("reading the area of interest: %w", err)
	}

	n := int64(binary.LittleEndian.Uint32(head[:]))
	if r.rest < 4 || n > r.rest-4 {
		return false, feature.BadArea("is a FlatGeobuf that ends in feature %d", r.n+1)
	}

	r.n++
	r.rest -= 4 + n

	if int64(cap(r.buffer)) < n {
		r.buffer = make([]byte, n)
	}

	r.buffer = r.buffer[:n]
	if _, err := io.ReadFull(r.in, r.buffer); err != nil {
		return false, fmt.Errorf("reading the area of interest: %w", err)
	}

	return true, nil
}

// The fields of a feature, in the order of feature.fbs.
const (
	featureGeometry   = 0
	featureProperties = 1
	featureColumns    = 2
)

func (r *reader) feature() error {
	f, err := root(r.buffer)
	if err != nil {
		return err
	}

	properties, err := f.vector(featureProperties, 1)
	if err != nil {
		return err
	}

	own, err := columns(f, featureColumns)
	if err != nil {
		return err
	}

	if err := r.values.find(properties, own); err != nil {
		return err
	}

	if err := r.geometry(f); err != nil {
		return err
	}

	values := make([]feature.Value, 0, len(r.options.Attributes))
	for _, name := range r.options.Attributes {
		v, _, err := r.values.get(name)
		if err != nil {
			return err
		}
		values = append(values, v)
	}

	r.kept++
	return r.to.EndFeature(values)
}
