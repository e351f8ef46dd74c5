// Package geomgen generates the cells of a grid: their order, coordinates and bytes.
//
// The package is pure: no I/O, no database, no goroutines. A Grid is infinite; a Range is a rectangle of its
// cells. The cells of a Range are ordered by their cell_id on the Hilbert curve. Range.Walk visits them in that
// order, block by block, without touching any cell outside.
//
// A Mask selects cells by an area. A Layer finds out which of many features a cell is in. A Selection is the
// resulting set of cells, or of pairs of cells and features.
//
// Coordinates are in the units of the grid's CRS (metres, degrees, feet). They are exact in this sense: a corner
// is computed only from its column or row, so two cells that share a corner have the same bits.
package geomgen
