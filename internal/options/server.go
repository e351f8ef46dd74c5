package options

import "github.com/loadgrid/loadgrid/loader/job"

// Server says which server, and where its ledger is.
type Server struct {
	DSN      string
	Password string // where the connection string has none; job files alone name one
	// LedgerSchema defaults to job.DefaultLedgerSchema.
	LedgerSchema string
	LedgerOwner  string // "" for none: see job.Job
}

// Table returns the options, which write into s.
func (s *Server) Table() Table {
	return Table{DSNOption(&s.DSN),
		{Name: "ledger-schema", Group: groupServer, Default: job.DefaultLedgerSchema, Value: Text(&s.LedgerSchema, "the name is empty"),
			Help: "`schema` of the ledger"},
		{Name: "ledger-owner", Group: groupServer, Value: Text(&s.LedgerOwner, "the name is empty"),
			Help: "`role` that may own the ledger, or whose members may, beside the role that loads, superusers and the roles that it is a member of"},
	}
}

// DSNOption is the option that says which server.
func DSNOption(to *string) Option {
	return Option{Name: "dsn", Group: groupServer, Value: DSN(to),
		Help:    "`connection` string or URL, as psql takes it; defaults to $LOADGRID_DSN, then to the PG* environment, service file and password file",
		KeyHelp: "; ${VARIABLE} in it is filled in, and file:PATH stands for what the file holds"}
}

// Progress says how a run reports how far it is.
type Progress struct {
	View      string // "" for auto
	LogFormat string // "" for text
}

// Table returns the options, which write into p.
func (p *Progress) Table() Table {
	return Table{
		{Name: "progress", Group: groupOutput, Default: "auto", Value: Choice(&p.View, "auto", "bar", "json", "none"),
			Help: "how to report how far the load is: `auto|bar|json|none`; auto is a bar on a terminal, else a line every 10 seconds"},
		{Name: "log-format", Group: groupOutput, Default: "text", Value: Choice(&p.LogFormat, "text", "json"),
			Help: "how to write everything on stderr, `text|json`: json is an object a line, with job, run, stage and chunk"},
	}
}
