// Package loader puts a grid into PostGIS: Job, plan, rows, COPY and ledger, finish,
// publish. Run is the whole program: it opens, begins, copies, finishes, publishes and
// summarizes, and each of these calls leads to the packages that do the work.
//
// The rows are written as bytes of binary COPY straight into the driver's
// buffers, in the order of cell_id, by several streams at a time. Each chunk of
// rows is one transaction together with its row in the ledger, so that a run
// which was killed goes on where it stopped. Readers see the finished table, or
// what was there before, never a part.
package loader
