package doctor

import (
	"fmt"
	"strings"
)

func judgeRole(f facts) []Finding {
	r := f.Role
	role := Finding{Check: "role", Level: OK, Found: r.Name, Reason: "It is not a superuser, and a load does not need one."}

	if r.Session != r.Name {
		role.Found += ", connected as " + r.Session
	}
	if r.Superuser {
		role.Level, role.Found = Advice, role.Found+", a superuser"
		role.Reason = "A load does not need a superuser, and triggers on the tables that you append to run with the privileges of the role. " +
			"docs/security.md has the SQL for a role with few privileges."
	}

	temp := Finding{Check: "temporary_tables", Level: OK, Found: "the role may create them", Reason: "A load creates none."}
	if !r.Temp {
		temp.Found = "the role may not create them"
	}

	statistics := Finding{Check: "statistics", Level: OK, Found: "the role sees sessions of other roles", Reason: "--skip-unchanged can rely on the server's counters."}

	switch {
	case f.Server.VersionNum < 150000:
		statistics.Reason = "Before PostgreSQL 15, --skip-unchanged always reads the table."
	case !r.ReadsStats:
		statistics.Found = "the role does not see what other roles do"
		statistics.Reason = "With --skip-unchanged, loadgrid must read the table if another role has a session. pg_read_all_stats avoids that."
		statistics.SQL, statistics.Takes = []string{statement("grant pg_read_all_stats to %s", r.Name)}, AtOnce
	}

	return []Finding{role, temp, statistics}
}

func judgeSchema(f facts) []Finding {
	s := f.Schema
	schema := Finding{Check: "schema", Level: OK, Found: s.Name, Reason: "The role may create tables in it."}

	switch {
	case s.Name == "":
		schema.Level, schema.Found = Problem, "none"
		schema.Reason = "The search_path contains no existing schema that the role may use. Name one with --schema here, and with --table SCHEMA.NAME for a load."
	case !s.Exists:
		schema.Level, schema.Found = Problem, s.Name+" does not exist"
		schema.Reason = "A load does not create the schema of its table."
		schema.SQL = []string{statement("create schema %s", s.Name), statement("grant usage, create on schema %s to %s", s.Name, f.Role.Name)}
		schema.Takes = AtOnce
	case !s.Usage || !s.Create:
		schema.Level, schema.Found = Problem, "the role may not create tables in schema "+s.Name
		schema.Reason = "A load creates its staging table in the schema of the table that it fills."
		schema.SQL, schema.Takes = []string{statement("grant usage, create on schema %s to %s", s.Name, f.Role.Name)}, AtOnce
	case s.Everyone:
		schema.Level, schema.Found = Advice, s.Name+", in which every role may create"
		schema.Reason = "Another role can put functions and tables there. loadgrid uses none of them, but your own queries may."
		schema.SQL, schema.Takes = []string{statement("revoke create on schema %s from public", s.Name)}, AtOnce
	}

	if s.TablespaceUsable {
		return []Finding{schema}
	}

	return []Finding{schema, {Check: "default_tablespace", Level: Problem, Found: "the role may not use tablespace " + s.Tablespace,
		Reason: "default_tablespace names it, so new tables go there.",
		SQL:    []string{statement("grant create on tablespace %s to %s", s.Tablespace, f.Role.Name)}, Takes: AtOnce}}
}

func judgeLedger(f facts) []Finding {
	l := f.Ledger
	finding := Finding{Check: "ledger", Level: OK, Found: fmt.Sprintf("version %d in schema %s", l.Version, l.Schema), Reason: "The role may write to it."}
	grant := statement("grant usage, create on schema %s to %s", l.Schema, f.Role.Name)

	problem := func(found, reason string, sql ...string) []Finding {
		finding.Level, finding.Found, finding.Reason, finding.SQL = Problem, found, reason, sql
		if len(sql) > 0 {
			finding.Takes = AtOnce
		}
		return []Finding{finding}
	}

	switch {
	case !l.Exists && !f.Role.CreateSchemas:
		return problem("schema "+l.Schema+" does not exist", "The first load creates the ledger, but the role may not create schemas in this database.",
			statement("create schema %s", l.Schema), grant)
	case !l.Exists:
		finding.Found, finding.Reason = "none yet", "The first load creates it in schema "+l.Schema+"."
	case !l.Usage:
		return problem("the role may not use schema "+l.Schema, "Each load writes to the ledger there.", grant)
	case l.Foreign != "":
		return problem(l.Foreign, "Code of another role could run with the rights of this one, so a load refuses such a ledger. "+
			"If you trust the role, name it with --ledger-owner. Otherwise run the statement or choose another --ledger-schema.", nonEmpty(l.Cure)...)
	case l.Present && !l.Readable:
		return problem("the role may not read it", "Another role owns the tables in schema "+l.Schema+". Make both roles members of one role that owns the tables; see docs/security.md.")
	case l.Version > l.Latest:
		return problem(fmt.Sprintf("version %d, newer than this program", l.Version), fmt.Sprintf("This program supports version %d. Use the newer loadgrid.", l.Latest))
	case l.Version == 0 && !l.Create:
		return problem("none yet", "The first load creates it in schema "+l.Schema+", but the role may not create tables there.", grant)
	case l.Version < l.Latest && (!l.Create || !l.Owned):
		return problem(fmt.Sprintf("version %d of %d", l.Version, l.Latest), "A load brings the ledger up to date, but the role may not do that: it needs CREATE on the schema, "+
			"and must own the tables or be a member of the role that owns them.", grant)
	case l.Version == 0:
		finding.Found, finding.Reason = "none yet", "The first load creates it in schema "+l.Schema+"."
	case l.Dirty:
		finding.Level, finding.Reason = Advice, "A migration was killed. The next load or 'loadgrid migrate up' repeats it."
	case l.Version < l.Latest:
		finding.Reason = fmt.Sprintf("The next load brings it to version %d.", l.Latest)
	case !l.Writable:
		return problem(finding.Found+", which the role may not write to", "Another role owns the tables. Make both roles members of one role that owns the tables; see docs/security.md.")
	}

	return []Finding{finding}
}

// nonEmpty returns a text as a list, which is empty for "".
func nonEmpty(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

// limit is the number of connections that a limit leaves.
type limit struct {
	left int
	of   string
	sql  string
}

func judgeConnections(f facts) []Finding {
	c := f.Connections

	reserved := c.Reserved
	if f.Role.Superuser {
		reserved = 0
	}

	limits := []limit{{c.Max - reserved - c.Used + c.Own, fmt.Sprintf("the server's %d", c.Max), ""}}
	if c.RoleLimit >= 0 {
		limits = append(limits, limit{c.RoleLimit - c.RoleUsed + c.Own, fmt.Sprintf("the role's %d", c.RoleLimit),
			statement(fmt.Sprintf("alter role %%s connection limit %d", c.RoleUsed-c.Own+c.Need), f.Role.Session)})
	}
	if c.DatabaseLimit >= 0 {
		limits = append(limits, limit{c.DatabaseLimit - c.DatabaseUsed + c.Own, fmt.Sprintf("the database's %d", c.DatabaseLimit),
			statement(fmt.Sprintf("alter database %%s connection limit %d", c.DatabaseUsed-c.Own+c.Need), f.Server.Database)})
	}

	least := limits[0]
	for _, l := range limits {
		if l.left < least.left {
			least = l
		}
	}

	streams := fmt.Sprintf("%d streams", c.Streams)
	if c.Streams == 1 {
		streams = "1 stream"
	}
	finding := Finding{Check: "connections", Level: OK, Found: fmt.Sprintf("%d left of %s", max(least.left, 0), least.of),
		Reason: fmt.Sprintf("A load with %s takes %d.", streams, c.Need)}

	if least.left >= c.Need {
		return []Finding{finding}
	}

	finding.Level = Problem
	finding.Reason += " It waits for a free connection for a while, and then fails (SQLSTATE 53300)."
	if least.sql != "" {
		finding.SQL, finding.Takes = []string{least.sql}, AtOnce
		return []Finding{finding}
	}

	return []Finding{f.change(finding, "max_connections", fmt.Sprint(c.Max+c.Need-least.left))}
}

// milliseconds formats milliseconds with their unit, as seconds if they are whole.
func milliseconds(text string) string {
	if seconds, whole := strings.CutSuffix(text, "000"); whole {
		return seconds + " s"
	}
	return text + " ms"
}

// judgeLimits judges the time limits of the role's sessions.
func judgeLimits(f facts) []Finding {
	finding := Finding{Check: "time_limits", Level: OK, Found: "none", Reason: "Statements of the role have no time limit."}

	var set []string
	for _, name := range []string{"statement_timeout", "transaction_timeout", "lock_timeout", "idle_session_timeout", "idle_in_transaction_session_timeout"} {
		if s := f.Settings[name]; s.Reset != "" && s.Reset != "0" {
			set = append(set, name+" "+milliseconds(s.Reset))
		}
	}

	if len(set) > 0 {
		finding.Found = strings.Join(set, ", ")
		finding.Reason = "loadgrid lifts these limits in its own sessions, because an index build may take long."
	}

	return []Finding{finding}
}
