package options

import "github.com/loadgrid/loadgrid/loader/job"

// Server holds the options that select the server and its ledger.
type Server struct {
	DSN      string
	Password string // used if the connection string has none; only job files can set it
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
			Help: "additional `role` to trust as owner of the ledger, itself or through its members; the role that loads, the roles it is a member of, and superusers are always trusted"},
	}
}

// DSNOption is the option that selects the server.
func DSNOption(to *string) Option {
	return Option{Name: "dsn", Group: groupServer, Value: DSN(to),
		Help:    "`connection` string or URL, as for psql; defaults to $LOADGRID_DSN, then to the PG* environment, service file and password file",
		KeyHelp: "; ${VARIABLE} is replaced by the environment variable, and file:PATH by the content of the file"}
}

// Progress holds the options for the output of a run.
type Progress struct {
	View      string // "" for auto
	LogFormat string // "" for text
}

// Table returns the options, which write into p.
func (p *Progress) Table() Table {
	return Table{
		{Name: "progress", Group: groupOutput, Default: "auto", Value: Choice(&p.View, "auto", "bar", "json", "none"),
			Help: "how to show progress, `auto|bar|json|none`; auto shows a bar on a terminal, and otherwise a line every 10 seconds"},
		{Name: "log-format", Group: groupOutput, Default: "text", Value: Choice(&p.LogFormat, "text", "json"),
			Help: "format of everything on stderr, `text|json`; json writes one object per line, with job, run, stage and chunk"},
	}
}
