// Package feature owns features from files and queries: polygons, and the values of their attributes.
package feature

import (
	"bufio"
	"time"
)

// Value is the value of an attribute: nil for none, bool, int64, float64, string, Date or time.Time. JSON
// arrays and objects are strings of JSON.
type Value any

// Date is a day without a time zone.
type Date struct {
	Year  int // 1 to 9999
	Month time.Month
	Day   int
}

// Sink receives the polygons of features, ring by ring, and keeps no more of them than its limit allows.
type Sink interface {
	// Position adds a position to the current ring, in units of the CRS.
	Position(x, y float64)
	// CloseRing ends a ring. The first ring of a polygon is its shell, the others are holes.
	CloseRing()
	// ClosePolygon ends a polygon of the current feature.
	ClosePolygon()
	// WKB adds the polygons of a geometry in WKB or EWKB. srid is 0 if the geometry names none.
	WKB(b []byte) (srid int32, err error)
	// ReadWKB is WKB for a geometry in a stream, and reads only this geometry. The reader's buffer must
	// have at least 16 KiB. Errors of the reader, except io.EOF, are in the error's chain.
	ReadWKB(r *bufio.Reader) (srid int32, err error)
	// EndFeature ends a feature with the values of its attributes, in the requested order. A feature
	// without polygons is ignored.
	EndFeature(values []Value) error
	// Dropped notes that there were coordinates other than x and y.
	Dropped()
}

// Feature says which polygons of an area belong to a feature, and holds its attributes.
type Feature struct {
	// First is the index of its first polygon, from 0. End is the index after its last one.
	First, End int
	// Values are the values of the requested attributes, in their order.
	Values []Value
}

// Request says what a format's reader passes to a Sink.
type Request struct {
	// Names are the attributes whose values EndFeature gets, in this order.
	Names []string
	// Layer is the layer to read, "" for the only one.
	Layer string
	// SRID is the CRS of the file according to the user, 0 if unknown.
	SRID int32
}

// Schema describes what a reader found in a file.
type Schema struct {
	// SRID is the CRS that the file names, 0 for none.
	SRID int32
	// Names are attributes of the file: those of Request.Names that exist, and some others for messages.
	Names []string
}
