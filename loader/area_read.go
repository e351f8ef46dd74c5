package loader

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	geom "github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/geojson"
	"github.com/twpayne/go-geom/encoding/wkt"

	"github.com/loadgrid/loadgrid/geomgen"
)

// maxAreaBytes bounds what ReadArea reads. Its memory is a small multiple of what
// it reads: see the tests.
const maxAreaBytes = 512 << 20

// ReadArea reads an area of interest: GeoJSON (a geometry, a Feature or a
// FeatureCollection, in EPSG:4326 unless a member crs says otherwise, as in the
// format's version of 2008), WKT, or EWKT with an SRID. Coordinates beside x and y
// are dropped, with a warning. The error is a *geomgen.ParamError of parameter aoi
// for anything but polygons, rings that are not closed, coordinates that are not
// finite, and more than 512 MiB.
func ReadArea(r io.Reader) (*Area, error) {
	return readArea(r, maxAreaBytes)
}

func readArea(r io.Reader, most int64) (*Area, error) {
	limited := &io.LimitedReader{R: r, N: most + 1}
	in := bufio.NewReaderSize(limited, 1<<16)
	first, err := firstByte(in)
	var a *Area
	switch {
	case errors.Is(err, io.EOF):
		return nil, badArea("is empty: there is nothing in it")
	case err != nil:
		return nil, fmt.Errorf("reading the area of interest: %w", err)
	case first == '{':
		a, err = readGeoJSON(in)
	default:
		a, err = readWKT(in)
	}
	if limited.N <= 0 {
		return nil, badArea("has more than %d bytes: simplify it (ST_SimplifyPreserveTopology, ogr2ogr -simplify), or put it into a table and use aoi-sql", most)
	}
	if err != nil {
		return nil, err
	}
	if len(a.Polygons) == 0 {
		return nil, badArea("is empty: it has no polygons")
	}
	return a, nil
}

// firstByte returns the first byte behind a byte order mark and white space, and
// leaves it to be read.
func firstByte(r *bufio.Reader) (byte, error) {
	if mark, err := r.Peek(3); err == nil && string(mark) == "\xef\xbb\xbf" {
		if _, err := r.Discard(len(mark)); err != nil {
			return 0, err
		}
	}
	for {
		b, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		if !unicode.IsSpace(rune(b)) {
			return b, r.UnreadByte()
		}
	}
}

// readWKT reads WKT, with SRID=n; before it or without.
func readWKT(r io.Reader) (*Area, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("reading the area of interest: %w", err)
	}
	text := strings.TrimSpace(string(b))
	var srid int64
	if len(text) > 5 && strings.EqualFold(text[:5], "SRID=") {
		number, rest, ok := strings.Cut(text[5:], ";")
		if srid, err = strconv.ParseInt(strings.TrimSpace(number), 10, 32); err != nil || !ok || srid < 0 {
			return nil, badArea("is no EWKT: it must look like SRID=3035;POLYGON((...))")
		}
		text = rest
	}
	g, err := wkt.Unmarshal(text)
	if err != nil {
		what, _, _ := strings.Cut(err.Error(), "\n")
		return nil, badArea("is neither GeoJSON, which begins with {, nor WKT: %s", what)
	}
	var c collector
	if err := c.add(g); err != nil {
		return nil, err
	}
	return c.area(int32(srid), false), nil
}

// area returns what was collected. Union says that it comes from several features.
func (c *collector) area(srid int32, union bool) *Area {
	a := &Area{SRID: srid, Polygons: c.polygons, Union: union}
	if c.dropped {
		a.Warnings = append(a.Warnings, "the area of interest has coordinates beside x and y: they are dropped")
	}
	return a
}

// geoJSON reads a document member by member, so that of a collection no more than
// one feature is in memory beside the polygons.
type geoJSON struct {
	decoder  *json.Decoder
	geometry geojson.Geometry // of the document, where it is one
	crs      *geojson.CRS
	kind     string
	features int
	collector
}

func readGeoJSON(r io.Reader) (*Area, error) {
	d := geoJSON{decoder: json.NewDecoder(r)}
	err := d.object(d.member)
	if err == nil {
		if _, err = d.decoder.Token(); errors.Is(err, io.EOF) {
			err = nil
		} else if err == nil {
			err = badArea("has something behind the end of its GeoJSON, at byte %d", d.decoder.InputOffset())
		}
	}
	if err == nil {
		err = d.finish()
	}
	if err != nil {
		return nil, d.explain(err)
	}
	srid, err := sridOf(d.crs)
	if err != nil {
		return nil, err
	}
	return d.area(srid, d.features > 1), nil
}

// object calls member for each member of the object that comes next.
func (d *geoJSON) object(member func(name string) error) error {
	if err := d.expect('{'); err != nil {
		return err
	}
	for d.decoder.More() {
		name, err := d.decoder.Token()
		if err != nil {
			return err
		}
		if err := member(name.(string)); err != nil { // the decoder has seen to that
			return err
		}
	}
	return d.expect('}')
}

func (d *geoJSON) expect(delim json.Delim) error {
	token, err := d.decoder.Token()
	if err == nil && token != delim {
		err = badArea("is no GeoJSON: %s is missing at byte %d", delim, d.decoder.InputOffset())
	}
	return err
}

// member reads a member of the document.
func (d *geoJSON) member(name string) error {
	switch name {
	case "type":
		return d.decoder.Decode(&d.kind)
	case "crs":
		return d.decoder.Decode(&d.crs)
	case "coordinates":
		return d.decoder.Decode(&d.geometry.Coordinates)
	case "geometries":
		return d.decoder.Decode(&d.geometry.Geometries)
	case "geometry":
		d.features++
		var g *geojson.Geometry
		if err := d.decoder.Decode(&g); err != nil {
			return err
		}
		return d.addGeometry(g)
	case "features":
		if err := d.expect('['); err != nil {
			return err
		}
		for d.decoder.More() {
			if err := d.feature(); err != nil {
				return err
			}
		}
		return d.expect(']')
	}
	var skipped json.RawMessage
	return d.decoder.Decode(&skipped)
}

func (d *geoJSON) feature() error {
	d.features++
	n := d.features
	err := d.object(func(name string) error {
		if name != "geometry" {
			var skipped json.RawMessage
			return d.decoder.Decode(&skipped)
		}
		var g *geojson.Geometry
		if err := d.decoder.Decode(&g); err != nil {
			return err
		}
		return d.addGeometry(g)
	})
	var param *geomgen.ParamError
	if errors.As(err, &param) {
		return badArea("in feature %d %s", n, param.Reason)
	}
	return err
}

func (d *geoJSON) addGeometry(g *geojson.Geometry) error {
	if g == nil {
		return nil // a feature without a place
	}
	if g.CRS != nil {
		d.crs = g.CRS
	}
	decoded, err := g.Decode()
	if err != nil {
		return err
	}
	return d.add(decoded)
}

// finish reads the geometry of a document that is one.
func (d *geoJSON) finish() error {
	switch d.kind {
	case "Feature", "FeatureCollection":
		return nil
	case "":
		return badArea("is no GeoJSON: it has no member type")
	}
	d.geometry.Type = d.kind
	return d.addGeometry(&d.geometry)
}

// explain says where and how JSON is wrong.
func (d *geoJSON) explain(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	var dimension geom.ErrStrideMismatch
	var low geojson.ErrDimensionalityTooLow
	var unsupported geojson.ErrUnsupportedType
	switch {
	case errors.As(err, &syntax), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.As(err, &kind):
		return badArea("is no GeoJSON: %w, near byte %d", err, d.decoder.InputOffset())
	case errors.As(err, &dimension), errors.As(err, &low), errors.As(err, &unsupported):
		return badArea("is no GeoJSON that can be used: %w", err)
	}
	return err
}

// sridOf reads the member crs of the format's version of 2008.
func sridOf(crs *geojson.CRS) (int32, error) {
	if crs == nil {
		return lonLat, nil
	}
	name, _ := crs.Properties["name"].(string)
	if regexp.MustCompile(`(?i)^(urn:ogc:def:crs:)?OGC:[0-9.]*:?CRS84$`).MatchString(name) {
		return lonLat, nil
	}
	if m := regexp.MustCompile(`(?i)^(?:urn:ogc:def:crs:)?EPSG:(?:[0-9.]*:)?([0-9]+)$`).FindStringSubmatch(name); m != nil {
		if n, err := strconv.ParseInt(m[1], 10, 32); err == nil && n > 0 {
			return int32(n), nil
		}
	}
	return 0, badArea("names a CRS that is not understood, %q: it must look like EPSG:3035 or urn:ogc:def:crs:EPSG::3035", name)
}
