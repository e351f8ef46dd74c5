package plan

// Server has the properties of a server that the estimates depend on.
type Server struct {
	// SortsGiST reports whether the server sorts rows to build a GiST index on geometries. PostGIS 3.3 or newer
	// does so on PostgreSQL 15 or newer. Other servers insert row by row.
	SortsGiST bool
	// MarksCopied reports whether VACUUM has no work left after COPY FREEZE, as on PostgreSQL 14 or newer.
	MarksCopied bool
	// Nodes is the number of nodes of a Citus cluster that hold shards. It is 0 if the server is not a
	// coordinator.
	Nodes int
}

// WithServer returns the plan with estimates for a server. Without this, they are for PostgreSQL 15 with PostGIS
// 3.3 or newer.
func (p *Plan) WithServer(s Server) *Plan {
	with := *p
	with.server, with.serverKnown = s, true

	return &with
}

// Server returns the server that the estimates are for. known is false if s is only the default.
func (p *Plan) Server() (s Server, known bool) {
	if !p.serverKnown {
		return Server{SortsGiST: true, MarksCopied: true}, false
	}

	return p.server, true
}
