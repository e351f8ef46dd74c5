package geojson

import (
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/loadgrid/loadgrid/internal/feature"
)

// object is the state of an object that is read.
type object struct {
	kind   string // its type
	member string // the member with its content
	levels int    // levels of arrays in its coordinates
	hollow bool   // its geometry is null
	place  bool   // it has a place as in JSON-FG
}

// object reads an object after its opening brace. Its content may be in one of the allowed members.
func (d *reader) object(depth int, allowed ...string) error {
	if depth > maxNesting {
		return d.fault("collections are nested more than %d deep", maxNesting)
	}

	var o object
	mayBeFeature := slices.Contains(allowed, "geometry")
	if mayBeFeature {
		clear(d.values)
	}

	for {
		raw, end, err := d.json.member()
		if err != nil {
			return d.explain(err)
		}

		if end {
			return d.finish(o, allowed)
		}

		switch name := known(raw); {
		case name == "type":
			err = d.kind(&o)
		case name == "crs":
			err = d.crs()
		case name == "place" && mayBeFeature:
			err = d.place(&o)
		case name == "properties" && mayBeFeature:
			err = d.properties()
		case name != "" && slices.Contains(allowed, name):
			if o.member != "" {
				return d.fault("an object has both %s and %s", o.member, name)
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

// known returns a known member name or type of an object without allocating, and "" for any other.
func known(raw []byte) string {
	for _, name := range [...]string{
		"type", "properties", "geometry", "coordinates", "features", "geometries", "crs", "place",
		"Feature", "Polygon", "MultiPolygon", "FeatureCollection", "GeometryCollection",
		"Point", "MultiPoint", "LineString", "MultiLineString",
	} {
		if string(raw) == name {
			return name
		}
	}

	return ""
}

// kind reads the type of an object.
func (d *reader) kind(o *object) error {
	if kind := d.json.peek(); kind != kindString && kind != 0 {
		if _, err := d.next(); err != nil {
			return err
		}
		return d.fault("the type of an object is %.100s, but must be a string", d.json.word())
	}

	raw, err := d.json.scalar()
	if err != nil {
		return d.explain(err)
	}

	text := d.json.unquote(raw)
	if o.kind = known(text); o.kind == "" {
		o.kind = string(text[:min(len(text), 100)])
	}

	return nil
}

// read reads the member with the content of an object.
func (d *reader) read(o *object, depth int) (err error) {
	switch o.member {
	case "coordinates":
		if err := d.delim('['); err != nil {
			return err
		}

		o.levels, err = d.array(1)
		d.Discard()

		return err
	case "geometry":
		kind, err := d.next()
		switch {
		case err != nil:
			return err
		case kind == kindNull: // a feature without a geometry
			o.hollow = true
			return nil
		case kind != jsontext.KindBeginObject:
			return d.misplaced("a geometry")
		}

		return d.object(depth+1, "coordinates", "geometries")
	case "geometries":
		return d.list(func(int) error { return d.object(depth+1, "coordinates", "geometries") })
	}

	err = d.list(func(n int) error {
		d.Where = fmt.Sprintf(", in feature %d", d.number+1)
		return d.object(depth+1, "geometry")
	})
	if err == nil {
		d.Where = ""
	}

	return err
}

// list reads an array of objects.
func (d *reader) list(read func(n int) error) error {
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
			return d.misplaced("an object")
		}

		if err := read(n); err != nil {
			return err
		}
	}
}

// finish checks a complete object.
func (d *reader) finish(o object, allowed []string) error {
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
		return d.Refuse(o.kind)
	default:
		return d.fault("an object's type is %q", o.kind)
	}

	switch {
	case !slices.Contains(allowed, want):
		return d.fault("a %s is not allowed here", o.kind)
	case o.kind == "Feature" && o.place && (o.hollow || o.member == ""):
		return feature.BadArea("is JSON-FG%s: a feature has a place but no geometry, and a place has the axis order of its CRS, which may be north first: give it a geometry, or convert it to GeoJSON (ogr2ogr -f GeoJSON)", d.Where)
	case o.member != want && (o.kind != "Feature" || o.member != ""):
		return d.fault("a %s has no %s", o.kind, want)
	case o.kind == "Feature":
		return d.endFeature()
	case levels == 0:
		return nil
	case o.levels != levels && o.levels != 0:
		return d.fault("the coordinates of a %s are nested %d deep, not %d", o.kind, o.levels, levels)
	}

	return d.EndGeometry()
}

// place notes whether a feature has a place. In JSON-FG it is the geometry in another CRS.
func (d *reader) place(o *object) error {
	kind, err := d.json.skip()
	o.place = kind != kindNull

	return d.explain(err)
}
