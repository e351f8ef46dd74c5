// Package geojson owns the reading of GeoJSON: one document (RFC 7946, and its version of 2008), or
// several, as text sequences (RFC 8142) or one behind the other.
package geojson

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/gather"
)

// maxNesting bounds collections in collections, which nobody needs.
const maxNesting = 32

// reader reads documents token by token, so that beside the polygons one ring at most is in memory.
type reader struct {
	*gather.Collector
	json   *jsonReader
	before int64 // bytes of the file before the documents
	given  int32 // what somebody says that it is in, 0 for nobody
	srid   int32 // that a member crs has named, 0 so far
	number int   // of the feature in work, from 1

	names  names
	values []feature.Value // of the feature in work
}

// Read reads documents, each of which is a geometry, a Feature or a FeatureCollection, until r
// ends. Before are the bytes of the file before r, for messages. Values are nil for null and for
// what is missing, bool, int64 for whole numbers without an exponent that fit, else float64, and
// string: for lists and objects, their JSON. NaN and Infinity are read as values, and as nothing
// else. Errors are *geomgen.ParamError, unless r fails.
func Read(r io.Reader, before int64, q feature.Request, to *gather.Collector) (feature.Schema, error) {
	d := reader{Collector: to, json: newJSONReader(r), before: before, given: q.SRID,
		names: newNames(q.Names), values: make([]feature.Value, len(q.Names))}

	for n := 1; ; n++ {
		more, err := d.document(n)
		if err != nil {
			return feature.Schema{}, err
		}

		if !more {
			return feature.Schema{SRID: d.srid, Names: d.names.list()}, nil
		}
	}
}

// document reads the n-th document, if there is one more.
func (d *reader) document(n int) (more bool, err error) {
	switch kind, err := d.json.next(); {
	case err == nil && kind == jsontext.KindBeginObject:
	case errors.Is(err, io.EOF) && n > 1:
		return false, nil
	case n > 1 && (err == nil || syntaxError(err) != nil && !errors.Is(err, io.ErrUnexpectedEOF)):
		return false, d.fault("more text follows its end")
	case err != nil:
		return false, d.explain(err)
	default:
		return false, d.misplaced("an object")
	}

	if n > 1 {
		d.Where = fmt.Sprintf(", in feature %d", d.number+1)
	}

	before := d.number
	if err := d.object(0, "features", "geometry", "geometries", "coordinates"); err != nil {
		return false, err
	}

	d.Where = ""
	if d.number > before {
		return true, nil
	}

	clear(d.values) // a geometry has none, whatever its members are called
	return true, d.endFeature()
}

// endFeature ends a feature with the values that were read of it.
func (d *reader) endFeature() error {
	d.number++
	return d.EndFeature(d.values)
}

// fault reports what is not GeoJSON, and where.
func (d *reader) fault(format string, args ...any) error {
	return feature.BadArea("cannot be read as GeoJSON%s: %s, near byte %d", d.Where, fmt.Sprintf(format, args...), d.before+d.json.offset())
}

func (d *reader) next() (jsontext.Kind, error) {
	kind, err := d.json.next()
	return kind, d.explain(err)
}

func (d *reader) explain(err error) error {
	if err == nil { // of each token: what follows allocates
		return nil
	}

	var kind *json.UnmarshalTypeError

	switch syntax := syntaxError(err); {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return d.fault("it ends too early")
	case syntax != nil:
		return d.fault("%v", syntax)
	case errors.As(err, &kind):
		return d.fault("%v", err)
	}

	return err
}

// delim reads a token that must be a bracket or brace.
func (d *reader) delim(want jsontext.Kind) error {
	kind, err := d.next()
	if err == nil && kind != want {
		err = d.misplaced(string(want))
	}
	return err
}

// misplaced reports a token that stands where another must.
func (d *reader) misplaced(must string) error {
	return d.fault("found %.100s, expected %s", d.json.word(), must)
}

// skip reads a value that is of no interest.
func (d *reader) skip() error {
	_, err := d.json.skip()
	return d.explain(err)
}

// decode reads a value of some bytes.
func (d *reader) decode(to any) error {
	v, err := d.json.value()
	if err == nil {
		err = json.Unmarshal(v, to)
	}

	return d.explain(err)
}

// IsGeoJSON tells whether the text of a file, without white space before it, may begin with GeoJSON,
// or with a record separator of text sequences.
func IsGeoJSON(head []byte) bool {
	return len(head) > 0 && (head[0] == '{' || head[0] == recordSeparator)
}

// recordSeparator is what stands before each document of a text sequence (RFC 8142, 2).
const recordSeparator = 0x1e
