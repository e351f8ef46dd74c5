// Package doctor owns what the facts of a server, a role and a link mean for a load. It returns
// findings, asks nobody, and prints nothing.
package doctor

import (
	"time"

	"github.com/loadgrid/loadgrid/internal/serverfacts"
)

// Level says how much a finding matters.
type Level string

// The levels.
const (
	OK      Level = "ok"      // a load works, and nothing is to be gained
	Advice  Level = "advice"  // a load works, but is slower or less safe than it could be
	Problem Level = "problem" // a load is refused, fails, or does not end
)

// Finding is what one check has found.
type Finding struct {
	// Group is the topic that the check belongs to, such as settings.
	Group string `json:"group"`
	// Check is the name of the check, such as wal_level. It does not change between releases.
	Check string `json:"check"`
	Level Level  `json:"level"`
	// Found is what was found, in a few words.
	Found string `json:"found"`
	// Reason is what that means for a load.
	Reason string `json:"reason,omitempty"`
	// Cost is what it costs, as somebody has measured it. MeasuredIn names the document with the
	// measurement. Both are empty where there is none.
	Cost       string `json:"cost,omitempty"`
	MeasuredIn string `json:"measured_in,omitempty"`
	// SQL are the statements that change it. It is empty where SQL cannot.
	SQL []string `json:"sql,omitempty"`
	// Takes says when the statements take effect.
	Takes Effect `json:"takes_effect,omitempty"`
	// Managed says how to change it on a managed server, which refuses ALTER SYSTEM. It is empty on
	// others.
	Managed string `json:"managed,omitempty"`
}

// Effect is when a change takes effect.
type Effect string

// The effects.
const (
	AtOnce      Effect = "at once"
	NewSessions Effect = "in new sessions"
	Reload      Effect = "after a reload"
	Restart     Effect = "after a restart of the server"
)

// Report is what was found. Its JSON keeps its form: fields are added, and Format
// grows if one goes or changes its meaning.
type Report struct {
	Format int    `json:"format"`
	Server Place  `json:"server"`
	Link   Speed  `json:"link"`
	Counts Counts `json:"counts"`
	// Findings stand in the order of the groups.
	Findings []Finding `json:"findings"`
}

// reportFormat is the form of the report's JSON.
const reportFormat = 1

// Place says which server was examined, and as whom.
type Place struct {
	Host       string `json:"host"` // a name, an address or the directory of a socket
	Port       uint16 `json:"port"`
	Database   string `json:"database"`
	Role       string `json:"role"`
	PostgreSQL string `json:"postgresql"`
	PostGIS    string `json:"postgis"` // empty without PostGIS
}

// Speed is what was measured of the link. What was not measured is 0.
type Speed struct {
	LatencyMS         float64 `json:"latency_ms"`
	UploadBytesSecond float64 `json:"upload_bytes_per_second"`
}

// Counts is how many findings have each level.
type Counts struct {
	OK       int `json:"ok"`
	Advice   int `json:"advice"`
	Problems int `json:"problems"`
}

// NewReport judges facts.
func NewReport(f serverfacts.Facts) Report {
	r := Report{
		Format: reportFormat,
		Server: Place{Host: f.Host, Port: f.Port, Database: f.Server.Database, Role: f.Role.Name, PostgreSQL: f.Server.Version, PostGIS: f.PostGIS.Version},
		Link:   Speed{LatencyMS: float64(f.Link.Latency) / float64(time.Millisecond), UploadBytesSecond: f.Link.Rate()},
		// An empty list is [] in JSON.
		Findings: append([]Finding{}, Judge(f)...),
	}

	for _, finding := range r.Findings {
		switch finding.Level {
		case OK:
			r.Counts.OK++
		case Advice:
			r.Counts.Advice++
		case Problem:
			r.Counts.Problems++
		}
	}

	return r
}
