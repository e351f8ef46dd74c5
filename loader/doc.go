// Package loader loads a grid into PostGIS. Start with Run, which is the whole program: it opens, begins, copies,
// finishes, publishes and summarizes. Each of these calls leads to the packages that do the work.
//
// Several streams write the rows in the order of cell_id, as binary COPY, straight into the driver's buffers.
// Each chunk of rows is committed together with its row in the ledger, so a killed run resumes where it stopped.
// Readers see either the finished table or the previous one, never a part.
package loader
