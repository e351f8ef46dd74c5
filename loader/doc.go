// Package loader loads a grid into PostGIS. Open connects to a server, and Run loads the table that a Job describes.
// NewPlan shows what Run would do, without a server. NewLedger lists earlier runs, and can drop them or roll back to
// them. Many types are aliases: their fields and methods are in the packages job, plan, aoi, ledger and progress below
// this one.
//
// To read the code, start with Run: it opens, begins, copies, finishes, publishes and summarizes. Each of these calls
// leads to the packages that do the work.
//
// Several streams write the rows in the order of cell_id, as binary COPY, straight into the driver's buffers.
// Each chunk of rows is committed together with its row in the ledger, so a killed run resumes where it stopped.
// Readers see either the finished table or the previous one, never a part.
package loader
