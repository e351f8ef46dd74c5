// Package geojson owns the reading of GeoJSON: one document (RFC 7946, and its version of 2008), or
// several, as text sequences (RFC 8142) or one after the other.
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

// maxNesting limits the nesting of collections. Real files do not need more.
const maxNesting = 32

// reader reads documents token by token, so that it holds at most one ring in memory in addition to
// the polygons.
type reader struct {
	*gather.Collector
	json   *jsonReader
	before int64 // bytes of the file before the documents
	given  int32 // the SRID that the user names, 0 for none
	srid   int32 // the SRID of a member crs, 0 so far
	number int   // of the current feature, from 1

	names  names
	values []feature.Value // of the current feature
}

// Read reads documents until r ends. Each is a geometry, a Feature or a FeatureCollection. before is
// the number of bytes of the file before r, for messages.
//
// Values are nil for null and for missing members, bool, int64 for whole numbers without an exponent
// that fit, otherwise float64, and string. Arrays and objects are strings of JSON. Attribute values
// may be NaN or Infinity, coordinates may not. Errors are *geomgen.ParamError, unless r fails.
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

// document reads the n-th document, if there is another one.
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

	clear(d.values) // a bare geometry has none, whatever its members
	return true, d.endFeature()
}

// endFeature ends a feature with its values.
func (d *reader) endFeature() error {
	d.number++
	return d.EndFeature(d.values)
}

// fault reports invalid GeoJSON and its place.
func (d *reader) fault(format string, args ...any) error {
	return feature.BadArea("cannot be read as GeoJSON%s: %s, near byte %d", d.Where, fmt.Sprintf(format, args...), d.before+d.json.offset())
}

func (d *reader) next() (jsontext.Kind, error) {
	kind, err := d.json.next()
	return kind, d.explain(err)
}

func (d *reader) explain(err error) error {
	if err == nil { // called for each token: the rest allocates
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

// misplaced reports a token that is not the expected one.
func (d *reader) misplaced(must string) error {
	return d.fault("found %.100s, expected %s", d.json.word(), must)
}

// skip skips a value.
func (d *reader) skip() error {
	_, err := d.json.skip()
	return d.explain(err)
}

// decode decodes a short value.
func (d *reader) decode(to any) error {
	v, err := d.json.value()
	if err == nil {
		err = json.Unmarshal(v, to)
	}

	return d.explain(err)
}

// IsGeoJSON tells whether the text of a file, without leading white space, may begin with GeoJSON or
// with a record separator of text sequences.
func IsGeoJSON(head []byte) bool {
	return len(head) > 0 && (head[0] == '{' || head[0] == recordSeparator)
}

// recordSeparator precedes each document of a text sequence (RFC 8142, 2).
const recordSeparator = 0x1e
