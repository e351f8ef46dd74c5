package plan

// Server is what of a server the estimates depend on.
type Server struct {
	// SortsGiST says that it sorts the rows to build a GiST index on geometries, as PostGIS
	// does from 3.3 on, on PostgreSQL 15 or newer. Elsewhere each row is inserted.
	SortsGiST bool
	// MarksCopied says that COPY FREEZE leaves nothing to VACUUM, as it does from
	// PostgreSQL 14 on.
	MarksCopied bool
	// Nodes is how many nodes of a Citus cluster hold shards, 0 where the server is not the
	// coordinator of one.
	Nodes int
}

// WithServer returns the plan with estimates for a server. Without one, they are those of
// PostgreSQL 15 with PostGIS 3.3, or newer.
func (p *Plan) WithServer(s Server) *Plan {
	with := *p
	with.server, with.serverKnown = s, true

	return &with
}

// Server returns what is known of the server that the estimates are for, and whether one was
// asked. If not, it is as a new one is.
func (p *Plan) Server() (s Server, known bool) {
	if !p.serverKnown {
		return Server{SortsGiST: true, MarksCopied: true}, false
	}

	return p.server, true
}
