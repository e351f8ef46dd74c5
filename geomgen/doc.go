// Package geomgen makes the cells of a grid: which there are, in which order,
// with which coordinates, and as which bytes.
//
// The package is pure: no I/O, no database, no goroutines. A Grid is infinite;
// a Range cuts a rectangle of cells out of it. The cells of a Range have an
// order, that of their cell_id on the Hilbert curve, and Range.Walk goes
// through them in that order, block by block, without touching anything that
// lies outside.
//
// A Mask selects cells by an area, a Layer tells which of many features a cell is in, and a
// Selection is the cells, or the pairs of cells and features, that are left.
//
// Coordinates are in the units of the grid's CRS (metres, degrees, feet), and
// they are exact in this sense: a corner is computed from its column or row
// alone, so that two cells which share a corner hold the same bits.
package geomgen
