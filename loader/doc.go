// Package loader puts a grid into PostGIS: Job, plan, rows, COPY and ledger, finish,
// publish. Run is the whole program; each of its lines is a stage, and each stage a
// package.
//
// The rows are written as bytes of binary COPY straight into the driver's
// buffers, in the order of cell_id, by several streams at a time. Each chunk of
// rows is one transaction together with its row in the ledger, so that a run
// which was killed goes on where it stopped. Readers see the finished table, or
// what was there before, never a part.
package loader
