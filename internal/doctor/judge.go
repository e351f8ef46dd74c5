package doctor

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/serverfacts"
)

// The groups of findings, in their order.
const (
	groupServer   = "server"
	groupPostGIS  = "PostGIS"
	groupRole     = "role"
	groupSettings = "settings"
	groupDisk     = "disk"
	groupLink     = "link"
)

// The documents with measurements.
const (
	benchmarks = "docs/benchmarks.md"
	estimates  = "docs/estimates.md"
	scale      = "docs/scale.md"
	ownPage    = "docs/doctor.md"
)

// facts are the facts to judge.
type facts struct{ serverfacts.Facts }

// judge judges one topic.
type judge struct {
	group string
	topic serverfacts.Topic
	do    func(facts) []Finding
}

// judges returns all judges, in the order of the findings.
func judges() []judge {
	return []judge{
		{groupServer, serverfacts.TopicServer, judgeServer},
		{groupServer, serverfacts.TopicStandbys, judgeStandbys},
		{groupPostGIS, serverfacts.TopicServer, judgePostGIS},
		{groupPostGIS, serverfacts.TopicSystems, judgeSystems},
		{groupRole, serverfacts.TopicRole, judgeRole},
		{groupRole, serverfacts.TopicSettings, judgeLimits},
		{groupRole, serverfacts.TopicSchema, judgeSchema},
		{groupRole, serverfacts.TopicLedger, judgeLedger},
		{groupRole, serverfacts.TopicConnections, judgeConnections},
		{groupSettings, serverfacts.TopicSettings, judgeSettings},
		{groupDisk, serverfacts.TopicDisk, judgeDisk},
		{groupLink, serverfacts.TopicLink, judgeLink},
	}
}

// Judge returns what facts mean for a load.
func Judge(f serverfacts.Facts) []Finding {
	var all []Finding

	for _, j := range judges() {
		if words, failed := f.Unread[j.topic]; failed {
			all = append(all, Finding{Group: j.group, Check: string(j.topic), Level: Advice, Found: "not known",
				Reason: "The server did not allow this: " + words + "."})
			continue
		}

		for _, finding := range j.do(facts{f}) {
			finding.Group = j.group
			all = append(all, finding)
		}
	}

	return all
}

// statement returns a statement whose %s are replaced by quoted names.
func statement(format string, names ...string) string {
	quoted := make([]any, len(names))
	for i, name := range names {
		quoted[i] = pgx.Identifier{name}.Sanitize()
	}
	return fmt.Sprintf(format, quoted...)
}

// literal returns a text as an SQL literal.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// change completes a finding with the statements that change a setting, and when they take
// effect. The statements change it where it is currently set.
func (f facts) change(finding Finding, name, value string) Finding {
	s := f.Settings[name]

	switch s.Source {
	case "user":
		finding.SQL, finding.Takes = append(finding.SQL, statement("alter role %s set "+name+" = "+literal(value), f.Role.Session)), NewSessions
		return finding
	case "database":
		finding.SQL, finding.Takes = append(finding.SQL, statement("alter database %s set "+name+" = "+literal(value), f.Server.Database)), NewSessions
		return finding
	case "client":
		finding.Reason += " It is set in the connection string or in PGOPTIONS."
		return finding
	case "command line":
		finding.Reason += " It is set on the command line of the server, which ALTER SYSTEM does not override."
		return finding
	case "database user":
		finding.SQL = append(finding.SQL, statement("alter role %s in database %s set "+name+" = "+literal(value), f.Role.Session, f.Server.Database))
		finding.Takes = NewSessions
		return finding
	}

	finding.SQL = append(finding.SQL, "alter system set "+name+" = "+literal(value))
	switch {
	case s.Context == "postmaster" || finding.Takes == Restart:
		finding.Takes = Restart
	default:
		finding.SQL, finding.Takes = append(finding.SQL, "select pg_reload_conf()"), Reload
	}

	if p := f.Server.Provider; p.Name != "" {
		finding.Managed = fmt.Sprintf("This server seems to be %s, which does not allow ALTER SYSTEM: %s.", p.Name, p.Where)
	}

	return finding
}

// formatBytes formats a size like the settings of PostgreSQL, in powers of 1024.
func formatBytes(n int64) string {
	size, unit := float64(n), "B"
	for _, next := range []string{"kB", "MB", "GB", "TB"} {
		if size < 1024 {
			break
		}
		size, unit = size/1024, next
	}

	text := fmt.Sprintf("%.1f", size)

	return strings.TrimSuffix(text, ".0") + " " + unit
}

// formatCount formats a number with its digits in groups of three.
func formatCount(n int64) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
