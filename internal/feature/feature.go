// Package feature owns features as files and queries give them: polygons, and the values of
// their attributes.
package feature

import (
	"bufio"
	"time"
)

// Value is the value of an attribute: nil for none, bool, int64, float64, string, Date or
// time.Time. Lists and objects of JSON are strings of JSON.
type Value any

// Date is a day without a time zone.
type Date struct {
	Year  int // 1 to 9999
	Month time.Month
	Day   int
}

// Sink takes the polygons of features, ring by ring, and keeps no more of them than it is
// allowed to.
type Sink interface {
	// Position adds a position to the ring in work, in units of the CRS.
	Position(x, y float64)
	// CloseRing ends a ring. The first ring of a polygon is its shell, the others are holes.
	CloseRing()
	// ClosePolygon ends a polygon of the feature in work.
	ClosePolygon()
	// WKB adds the polygons of a geometry in WKB or EWKB. srid is 0 where it names none.
	WKB(b []byte) (srid int32, err error)
	// ReadWKB is WKB for a geometry of a stream, of which it reads no more. The buffer has 16 KiB at least.
	// What the reader says, other than io.EOF, is part of the error's chain.
	ReadWKB(r *bufio.Reader) (srid int32, err error)
	// EndFeature ends a feature: its attributes have these values, in the order that was asked
	// for. A feature without polygons is none.
	EndFeature(values []Value) error
	// Dropped notes that there were coordinates beside x and y.
	Dropped()
}

// Feature says which polygons of an area belong to a feature, and what its attributes are.
type Feature struct {
	// First is the number of its first polygon, from 0, End that behind its last one.
	First, End int
	// Values are those of the attributes that were asked for, in their order.
	Values []Value
}

// Request says what a reader of a format gives to a Sink.
type Request struct {
	// Names are the attributes whose values EndFeature gets, in this order.
	Names []string
	// Layer is the layer to read, "" for the only one.
	Layer string
	// SRID is the CRS that somebody has said the file to be in, 0 for nobody.
	SRID int32
}

// Schema says what a reader has found in a file.
type Schema struct {
	// SRID is the CRS that the file names, 0 for none.
	SRID int32
	// Names are attributes that the file has: each of Request.Names that there is, and some
	// others, which messages list.
	Names []string
}
