package areafile

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// maxNesting bounds collections in collections, which nobody needs.
const maxNesting = 32

// geoJSON reads a document (RFC 7946) token by token, so that beside the polygons
// one ring at most is in memory.
type geoJSON struct {
	PolygonReader
	json   *jsonReader
	before int64 // bytes of the file before the document
	given  int32 // what somebody says that it is in, 0 for nobody
	srid   int32 // that a member crs has named, 0 so far
}

func readGeoJSON(r *bufio.Reader, before int64, o Options) (*File, error) {
	d := geoJSON{json: newJSONReader(r), before: before, given: o.SRID}
	d.Max = o.MaxPositions
	if _, err := d.next(); err != nil { // the brace that is there
		return nil, err
	}

	if err := d.object(0, "features", "geometry", "geometries", "coordinates"); err != nil {
		return nil, err
	}

	switch _, err := d.json.next(); {
	case err == nil, syntaxError(err) != nil:
		return nil, d.fault("something follows its end")
	case !errors.Is(err, io.EOF):
		return nil, d.explain(err)
	}

	srid, err := Declared(d.given, d.srid)

	switch {
	case err != nil:
		return nil, err
	case d.over():
		return nil, d.limitError()
	case srid != 0:
		return d.file(srid), nil
	}

	f := d.file(WGS84)
	if at, found := notDegrees(f.Polygons); found {
		return nil, BadArea("has coordinates that cannot be degrees, at %s, and GeoJSON without a member crs is in EPSG:4326: say which CRS it is in with aoi-srid", FormatPoint(at))
	}

	return f, nil
}

// fault reports what is no GeoJSON, and where.
func (d *geoJSON) fault(format string, args ...any) error {
	return BadArea("is no GeoJSON%s: %s, near byte %d", d.Where, fmt.Sprintf(format, args...), d.before+d.json.offset())
}

func (d *geoJSON) next() (jsontext.Kind, error) {
	kind, err := d.json.next()
	return kind, d.explain(err)
}

func (d *geoJSON) explain(err error) error {
	var kind *json.UnmarshalTypeError

	switch syntax := syntaxError(err); {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return d.fault("it ends too early")
	case syntax != nil:
		return d.fault("%v", syntax)
	case errors.As(err, &kind):
		return d.fault("%v", err)
	}

	return fmt.Errorf("reading the area of interest: %w", err)
}

// delim reads a token that must be a bracket or brace.
func (d *geoJSON) delim(want jsontext.Kind) error {
	kind, err := d.next()
	if err == nil && kind != want {
		err = d.misplaced(kind, string(want))
	}
	return err
}

// misplaced reports a token that stands where another must.
func (d *geoJSON) misplaced(kind jsontext.Kind, must string) error {
	what := d.json.text()
	if kind == kindNull {
		what = "<nil>"
	}

	return d.fault("%.100s stands where %s must", what, must)
}

// skip reads a value that is of no interest.
func (d *geoJSON) skip() error {
	_, err := d.json.skip()
	return d.explain(err)
}

// decode reads a value of some bytes.
func (d *geoJSON) decode(to any) error {
	v, err := d.json.value()
	if err == nil {
		err = json.Unmarshal(v, to)
	}

	return d.explain(err)
}

// object is what is known of an object.
type object struct {
	kind   string // its type
	member string // the one that says what it is made of
	levels int    // of arrays in its coordinates
	first  int    // the number of its first polygon, from 0
	hollow bool   // its geometry is null
	place  bool   // it has a place, as JSON-FG knows them
}

// object reads an object whose brace is read already. It may be made of these
// members.
func (d *geoJSON) object(depth int, allowed ...string) error {
	if depth > maxNesting {
		return d.fault("collections are nested more than %d deep", maxNesting)
	}

	o := object{first: d.polygons.n}

	for {
		kind, err := d.next()
		if err != nil {
			return err
		}

		switch name := d.json.text(); {
		case kind == jsontext.KindEndObject:
			return d.finish(o, allowed)
		case name == "type":
			err = d.decode(&o.kind)
		case name == "crs":
			err = d.crs()
		case name == "place" && slices.Contains(allowed, "geometry"):
			err = d.place(&o)
		case slices.Contains(allowed, name):
			if o.member != "" {
				return d.fault("an object has %s and %s", o.member, name)
			}

			o.member = name
			err = d.read(&o, depth)
		default:
			err = d.skip()
		}

		if err != nil {
			return err
		}
	}
}

// read reads the member that an object is made of.
func (d *geoJSON) read(o *object, depth int) (err error) {
	switch o.member {
	case "coordinates":
		if err := d.delim('['); err != nil {
			return err
		}

		o.levels, err = d.array(1)
		d.drop()

		return err
	case "geometry":
		kind, err := d.next()
		switch {
		case err != nil:
			return err
		case kind == kindNull: // a feature without a place
			o.hollow = true
			return nil
		case kind != jsontext.KindBeginObject:
			return d.misplaced(kind, "a geometry")
		}

		return d.object(depth+1, "coordinates", "geometries")
	case "geometries":
		return d.list(func(int) error { return d.object(depth+1, "coordinates", "geometries") })
	}

	err = d.list(func(n int) error {
		d.Where = fmt.Sprintf(", in feature %d", n)
		return d.object(depth+1, "geometry")
	})
	if err == nil {
		d.Where = ""
	}

	return err
}

// list reads an array of objects.
func (d *geoJSON) list(read func(n int) error) error {
	if err := d.delim('['); err != nil {
		return err
	}

	for n := 1; ; n++ {
		kind, err := d.next()
		switch {
		case err != nil:
			return err
		case kind == jsontext.KindEndArray:
			return nil
		case kind != jsontext.KindBeginObject:
			return d.misplaced(kind, "an object")
		}

		if err := read(n); err != nil {
			return err
		}
	}
}

// finish checks an object of which all is known.
func (d *geoJSON) finish(o object, allowed []string) error {
	want, levels := "coordinates", 0
	switch o.kind {
	case "":
		return d.fault("an object has no type")
	case "FeatureCollection":
		want = "features"
	case "Feature":
		want = "geometry"
	case "GeometryCollection":
		want = "geometries"
	case "Polygon":
		levels = 3
	case "MultiPolygon":
		levels = 4
	case "Point", "MultiPoint", "LineString", "MultiLineString":
		return d.refuse(o.kind)
	default:
		return d.fault("an object's type is %q", o.kind)
	}

	switch {
	case !slices.Contains(allowed, want):
		return d.fault("a %s stands where none may", o.kind)
	case o.kind == "Feature" && o.place && (o.hollow || o.member == ""):
		return BadArea("is JSON-FG%s: a feature has a place and no geometry, and the axes of a place come in the order of its CRS, which may be north first: give it a geometry, or convert it to GeoJSON (ogr2ogr -f GeoJSON)", d.Where)
	case o.member != want && (o.kind != "Feature" || o.member != ""):
		return d.fault("a %s has no %s", o.kind, want)
	case levels == 0:
		return nil
	case o.levels != levels && o.levels != 0:
		return d.fault("the coordinates of a %s are nested %d deep, not %d", o.kind, o.levels, levels)
	}

	return d.check(o.first)
}

// place notes whether a feature has a place. JSON-FG puts the same there as in geometry, in
// another CRS.
func (d *geoJSON) place(o *object) error {
	kind, err := d.json.skip()
	o.place = kind != kindNull

	return d.explain(err)
}
