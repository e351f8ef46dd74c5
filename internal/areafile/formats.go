package areafile

import (
	"errors"
	"io"
	"path/filepath"
	"strconv"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/featurefile"
	"github.com/loadgrid/loadgrid/internal/gather"
	"github.com/loadgrid/loadgrid/internal/geojson"
	"github.com/loadgrid/loadgrid/internal/ogr"
	"github.com/loadgrid/loadgrid/internal/unpack"
	"github.com/loadgrid/loadgrid/internal/wkbarea"
	"github.com/loadgrid/loadgrid/internal/wktarea"
)

// format is a supported format.
type format struct {
	name       string
	attributes bool // features can have attributes
	layers     bool // a file can have several layers
	degrees    bool // a file that does not name its CRS is in EPSG:4326
	converted  bool // the reader's output is in another CRS than the file

	read func(in *input, q feature.Request, to *gather.Collector) (feature.Schema, error)
}

// recognize returns the format of a file by its first bytes, up to 64 KiB. Of a text, they come
// after the byte order mark and white space. Every format is listed here. A reader that needs
// random access gets it from in.random.
func recognize(head []byte) (f format, ok bool) {
	if f, ok = recognizeBinary(head); ok {
		return f, true
	}

	switch {
	case isUTF16(head):
		return format{}, false
	case wkbarea.IsWKB(head):
		return format{name: "WKB", read: func(in *input, _ feature.Request, to *gather.Collector) (feature.Schema, error) {
			return wkbarea.Read(in.stream, to)
		}}, true
	case wkbarea.IsHex(head):
		return format{name: "hexadecimal WKB", read: func(in *input, _ feature.Request, to *gather.Collector) (feature.Schema, error) {
			return wkbarea.ReadHex(in.stream, to)
		}}, true
	case wktarea.IsWKT(head):
		return format{name: "WKT", read: func(in *input, _ feature.Request, to *gather.Collector) (feature.Schema, error) {
			return wktarea.Read(in.stream, to)
		}}, true
	case geojson.IsGeoJSON(head) && jsonFormat(string(head)) == "":
		return format{name: "GeoJSON", attributes: true, degrees: true, read: func(in *input, q feature.Request, to *gather.Collector) (feature.Schema, error) {
			return geojson.Read(in.stream, in.before, q, to)
		}}, true
	}

	return format{}, false
}

// read recognizes the format and reads the file.
func (in *input) read(o Options, s *selector) (format, feature.Schema, error) {
	head, err := in.head()
	switch {
	case errors.Is(err, io.EOF):
		return format{}, feature.Schema{}, feature.BadArea("is empty: it has no content")
	case err != nil:
		return format{}, feature.Schema{}, err
	}

	if unpack.IsGzip(head) && in.nested == 0 {
		inner, err := in.unpacked()
		if err != nil {
			return format{}, feature.Schema{}, err
		}

		f, schema, err := inner.read(o, s)
		return f, schema, errors.Join(err, inner.close())
	}

	f, ok := recognize(head)
	switch {
	case ok:
	case o.OGR:
		f = fromOGR()
	default:
		return f, feature.Schema{}, unread(head, foreign(head))
	}

	q := feature.Request{Names: s.names, Layer: o.Layer, SRID: o.SRID}
	switch {
	case o.Layer != "" && !f.layers:
		return f, feature.Schema{}, &geomgen.ParamError{Param: "aoi-layer", Value: o.Layer, Reason: "is not in the area of interest: " + f.name + " has no layers"}
	case len(q.Names) > 0 && !f.attributes:
		return f, feature.Schema{}, s.missing(q.Names[0], f.name+" has no attributes")
	}

	in.where = s.condition
	schema, err := f.read(in, q, s.to)

	var missing *featurefile.MissingError
	if errors.As(err, &missing) {
		err = s.missing(missing.Name, otherNames(missing.Name, missing.Known))
	}

	return f, schema, err
}

// fromOGR returns the output of ogr2ogr as a format.
func fromOGR() format {
	return format{name: "ogr2ogr", attributes: true, layers: true, degrees: true, converted: true,
		read: func(in *input, q feature.Request, to *gather.Collector) (schema feature.Schema, err error) {
			path := in.path
			if path == "" {
				file, err := in.spool()
				if err != nil {
					return schema, err
				}
				path = file.Name()
			}

			if path, err = filepath.Abs(path); err != nil {
				return schema, err
			}

			out, err := ogr.Convert(in.ctx, path, q.Layer, q.SRID)
			if err != nil {
				return schema, err
			}

			q.SRID = 0
			schema, err = geojson.Read(out, 0, q, to)
			if closed := out.Close(); closed != nil {
				err = closed // this is the reason why the rest could not be read
			}

			return schema, err
		}}
}

// unread reports a file in an unsupported format.
func unread(head []byte, what string) error {
	const cure = "convert it, for example with ogr2ogr -f GeoJSONSeq /vsistdout/ FILE | loadgrid ... --aoi -, or let loadgrid call ogr2ogr with aoi-ogr"
	switch what {
	case "":
		begin := head[:min(len(head), 20)]
		return feature.BadArea("begins with %s, so it is not GeoJSON, WKT, EWKT, WKB, EWKB, Shapefile, GeoPackage or FlatGeobuf: %s", strconv.Quote(string(begin)), cure)
	case utf16:
		return feature.BadArea("is UTF-16 text, but must be UTF-8: convert it, for example with iconv -f UTF-16 -t UTF-8 FILE | loadgrid ... --aoi -")
	case gzip:
		return feature.BadArea("is compressed with gzip more than once: unpack it, for example with gunzip -c FILE | loadgrid ... --aoi -")
	}

	return feature.BadArea("seems to be %s, which loadgrid does not read: %s", what, cure)
}
