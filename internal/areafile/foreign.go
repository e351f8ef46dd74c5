package areafile

import (
	"bytes"
	"regexp"
	"strings"
)

// Formats with their own advice.
const (
	utf16 = "UTF-16"
	gzip  = "gzip"
)

// foreign returns the name of the unsupported format that a file seems to have, or "" if nothing
// suggests one.
func foreign(head []byte) string {
	if what := binaryFormat(head); what != "" {
		return what
	}

	text := string(head)
	switch {
	case isUTF16(head):
		return utf16
	case strings.HasPrefix(text, "<"):
		return xmlFormat(text)
	case strings.HasPrefix(text, "{"):
		return jsonFormat(text)
	case strings.HasPrefix(text, "["):
		return "a JSON array"
	case regexp.MustCompile(`(?i)^version +[0-9]+\s`).MatchString(text):
		return "MapInfo MIF"
	case regexp.MustCompile(`(?i)^!table\s`).MatchString(text):
		return "MapInfo TAB"
	case regexp.MustCompile(`^(999\s+\S.*\s+)?0\s+SECTION\s`).MatchString(text):
		return "DXF"
	case isCSV(text):
		return "CSV"
	}

	return ""
}

// binaryFormat recognizes formats by their first bytes.
func binaryFormat(head []byte) string {
	for _, f := range [...]struct{ magic, name string }{
		{"\x1f\x8b", gzip},
		{"PK\x03\x04", "a ZIP archive"},
		{"SQLite format 3\x00", "a GeoPackage, or another SQLite database"},
		{"fgb\x03fgb", "FlatGeobuf"},
		{"\x00\x00\x27\x0a", "a Shapefile"},
		{"PAR1", "Parquet"},
		{"ARROW1", "Arrow"},
		{"%PDF-", "PDF"},
		{"\x89HDF", "HDF5 or NetCDF"},
		{"CDF", "NetCDF"},
		{"II*\x00", "TIFF"},
		{"MM\x00*", "TIFF"},
		{"\x89PNG", "PNG"},
		{"\xff\xd8\xff", "JPEG"},
		{"BZh", "a bzip2 archive"},
		{"\xfd7zXZ", "an xz archive"},
		{"\x28\xb5\x2f\xfd", "a zstd archive"},
		{"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"},
		{"Rar!", "a RAR archive"},
		{"Obj\x01", "Avro"},
		{"PGCOPY\n", "rows in the binary format of PostgreSQL's COPY"},
		{"PGDMP", "a dump from pg_dump"},
		{"AC10", "DWG"},
	} {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return f.name
		}
	}

	if bytes.Contains(head[:min(len(head), 40)], []byte("OSMHeader")) {
		return "OSM PBF"
	}

	return ""
}

// isUTF16 recognizes UTF-16 text by its byte order mark, or by the zero byte of its first
// character.
func isUTF16(head []byte) bool {
	switch {
	case len(head) < 4:
		return false
	case head[0] == 0xff && head[1] == 0xfe, head[0] == 0xfe && head[1] == 0xff:
		return true
	}

	big := head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0
	little := head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0

	return big || little
}

// xmlFormat returns the XML format that a text seems to have, by its elements.
func xmlFormat(text string) string {
	for _, f := range [...]struct{ pattern, name string }{
		{`<(\w+:)?kml[\s>]`, "KML"},
		{`<osm[\s>]`, "OSM XML"},
		{`<gpx[\s>]`, "GPX"},
		{`(?i)<(!doctype )?html[\s>]`, "HTML"},
		{`<svg[\s>]`, "SVG"},
		{`(?i)opengis\.net/gml|<gml:`, "GML"},
		{`<OGRVRTDataSource`, "a VRT of GDAL"},
	} {
		if regexp.MustCompile(f.pattern).MatchString(text) {
			return f.name
		}
	}

	return "XML"
}

// jsonFormat returns the JSON format that a text seems to have, or "" if it may be GeoJSON.
func jsonFormat(text string) string {
	for _, f := range [...]struct{ pattern, name string }{
		{`^\{\s*("[^"]*"\s*:\s*("[^"]*"|[0-9.]+)\s*,\s*)*"type"\s*:\s*"Topology"`, "TopoJSON"},
		{`"geometryType"\s*:\s*"esriGeometry`, "JSON of Esri"},
		{`^\{\s*("[^"]*"\s*:\s*("[^"]*"|[0-9.]+)\s*,\s*)*"type"\s*:\s*"CityJSON`, "CityJSON"},
	} {
		if regexp.MustCompile(f.pattern).MatchString(text) {
			return f.name
		}
	}

	return ""
}

// isCSV tells whether a text seems to be a table: its first two lines have the same number of separators.
func isCSV(text string) bool {
	lines := strings.SplitN(text, "\n", 3)
	for _, separator := range []string{",", ";", "\t", "|"} {
		n := strings.Count(lines[0], separator)
		if n > 0 && (len(lines) < 2 || strings.TrimSpace(lines[1]) == "" || strings.Count(lines[1], separator) >= n) {
			return true
		}
	}

	return false
}
