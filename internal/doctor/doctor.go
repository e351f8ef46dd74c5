// Package doctor judges what the facts of a server, a role and a network link mean for a load. It returns
// findings, connects to nothing, and prints nothing.
package doctor

import (
	"time"

	"github.com/loadgrid/loadgrid/internal/serverfacts"
)

// Level is the severity of a finding.
type Level string

// The levels.
const (
	OK      Level = "ok"      // a load works, and there is nothing to improve
	Advice  Level = "advice"  // a load works, but could be faster or safer
	Problem Level = "problem" // a load is refused, fails, or never ends
)

// Finding is the result of one check.
type Finding struct {
	// Group is the topic that the check belongs to, such as settings.
	Group string `json:"group"`
	// Check is the name of the check, such as wal_level. It does not change between releases.
	Check string `json:"check"`
	Level Level  `json:"level"`
	// Found is the result in a few words.
	Found string `json:"found"`
	// Reason is what the result means for a load.
	Reason string `json:"reason,omitempty"`
	// Cost is the measured cost. MeasuredIn names the document with the measurement. Both are empty
	// if there is no measurement.
	Cost       string `json:"cost,omitempty"`
	MeasuredIn string `json:"measured_in,omitempty"`
	// SQL holds the statements that change it. It is empty if no SQL can.
	SQL []string `json:"sql,omitempty"`
	// Takes is when the statements take effect.
	Takes Effect `json:"takes_effect,omitempty"`
	// Managed describes how to change it on a managed server, which refuses ALTER SYSTEM. It is empty on
	// other servers.
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

// Report holds all findings. Its JSON format is stable: fields may be added, and Format increases if a field is
// removed or changes its meaning.
type Report struct {
	Format int    `json:"format"`
	Server Place  `json:"server"`
	Link   Speed  `json:"link"`
	Counts Counts `json:"counts"`
	// Findings are in the order of the groups.
	Findings []Finding `json:"findings"`
}

// reportFormat is the version of the JSON format.
const reportFormat = 1

// Place is the examined server and the role.
type Place struct {
	Host       string `json:"host"` // a name, an address or the directory of a socket
	Port       uint16 `json:"port"`
	Database   string `json:"database"`
	Role       string `json:"role"`
	PostgreSQL string `json:"postgresql"`
	PostGIS    string `json:"postgis"` // empty without PostGIS
}

// Speed holds the measurements of the link. A value that was not measured is 0.
type Speed struct {
	LatencyMS         float64 `json:"latency_ms"`
	UploadBytesSecond float64 `json:"upload_bytes_per_second"`
}

// Counts holds the number of findings of each level.
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
