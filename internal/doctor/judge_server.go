package doctor

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/loadgrid/loadgrid/internal/precheck"
)

// The newest versions that the tests have run on. The oldest ones are those that a load accepts.
const (
	newestPostgres = 18
	newestPostGIS  = "3.6"
	triedCitus     = 13 // the major version
)

func judgeServer(f facts) []Finding {
	findings := []Finding{f.judgePostgres(), f.judgeWritable(), f.judgePooler(), f.judgeCitus()}
	if f.Server.InRecovery {
		findings[1] = Finding{Check: "primary", Level: Problem, Found: "a standby",
			Reason: "A standby does not accept writes. Connect to the primary, or list all servers in the DSN and add target_session_attrs=read-write."}
	}

	return findings
}

func (f facts) judgePostgres() Finding {
	s := f.Server
	finding := Finding{Check: "postgresql", Level: OK, Found: s.Version}

	switch major := s.VersionNum / 10000; {
	case s.VersionNum < precheck.MinPostgres:
		finding.Level = Problem
		finding.Reason = fmt.Sprintf("loadgrid needs PostgreSQL %d or newer.", precheck.MinPostgres/10000)
	case major > newestPostgres:
		finding.Level = Advice
		finding.Reason = fmt.Sprintf("Not tested: loadgrid was tested on PostgreSQL %d to %d. Load a small table first.", precheck.MinPostgres/10000, newestPostgres)
	case !s.Traits.MarksCopied:
		finding.Level = Advice
		finding.Reason = "Before PostgreSQL 14, COPY FREEZE does not mark pages as all-visible, so VACUUM must do that. PostgreSQL 14 or newer saves this step."
		finding.Cost, finding.MeasuredIn = "The freeze stage took 0.4 of 26.7 s for 3.2 million cells.", benchmarks
	case major == 14 || major == 16:
		finding.Reason = fmt.Sprintf("The tests run on 13, 15, 17 and 18. On %d, loadgrid uses only features that those have, too.", major)
	default:
		finding.Reason = "The tests run on this version."
	}

	return finding
}

// judgeWritable judges a server that is not a standby.
func (f facts) judgeWritable() Finding {
	if !f.Server.ReadOnly {
		return Finding{Check: "primary", Level: OK, Found: "a primary that accepts writes", Reason: "A load writes."}
	}

	return f.change(Finding{Check: "primary", Level: Problem, Found: "sessions are read-only",
		Reason: "default_transaction_read_only is on. loadgrid turns it off if only the role has it, and otherwise respects it: a database may be " +
			"read-only because its disk is full."}, "default_transaction_read_only", "off")
}

func (f facts) judgePooler() Finding {
	p := f.Pooler

	switch {
	case !p.Present:
		return Finding{Check: "pooler", Level: OK, Found: "none", Reason: "The connection leads directly to a server process."}
	case p.Trouble == "":
		return Finding{Check: "pooler", Level: OK, Found: "one in session mode",
			Reason: "A load works through it as without one. Behind a pooler, loadgrid cannot detect that the server hangs."}
	}

	return Finding{Check: "pooler", Level: Problem, Found: "one that a load cannot use",
		Reason: fmt.Sprintf("A load holds a session lock on its table, which did not work here: %s. To fix this: %s.", p.Trouble, p.Cure)}
}

func (f facts) judgeCitus() Finding {
	c := f.Citus
	if !c.Installed() {
		return Finding{Check: "citus", Level: OK, Found: "not installed", Reason: "Tables are on this server only."}
	}

	finding := Finding{Check: "citus", Level: OK, Found: fmt.Sprintf("%s, %d nodes hold shards", c.Version, c.Workers)}
	major, _, _ := strings.Cut(c.Version, ".")

	switch {
	case c.Group != 0:
		finding.Level, finding.Found = Problem, c.Version+", this node is a worker"
		finding.Reason = "Other nodes do not know tables that are created on a worker. Connect to the coordinator; the statement shows its address."
		finding.SQL = []string{"select nodename, nodeport from pg_dist_node where groupid = 0"}
	case major != strconv.Itoa(triedCitus):
		finding.Level = Advice
		finding.Reason = fmt.Sprintf("Not tested: loadgrid was tested with Citus %d. Load a small table first.", triedCitus)
	default:
		finding.Reason = "--distribute hash distributes a table over the nodes."
	}

	return finding
}

func judgeStandbys(f facts) []Finding {
	findings := []Finding{f.judgeReplication()}

	switch s := f.Standbys; {
	case f.Server.InRecovery: // its slots are not those of the primary
	case s.Inactive == "":
		findings = append(findings, Finding{Check: "replication_slots", Level: OK, Found: "no slot without a reader", Reason: "The server can remove the WAL of a load after a checkpoint."})
	default:
		findings = append(findings, Finding{Check: "replication_slots", Level: Advice,
			Found:  fmt.Sprintf("slot %s has no reader, and keeps %s of WAL", s.Inactive, formatBytes(s.Kept)),
			Reason: "The server keeps all WAL of a load until the slot is read, which can fill the disk. Start the reader or drop the slot.",
			Cost:   "A load of 3.2 million cells writes 620 MB of WAL.", MeasuredIn: estimates,
			SQL: []string{"select pg_drop_replication_slot(" + literal(s.Inactive) + ")"}, Takes: AtOnce})
	}

	return findings
}

func (f facts) judgeReplication() Finding {
	s := f.Standbys
	commit := f.Settings["synchronous_commit"].Value
	waits := s.Names != "" && commit != "off" && commit != "local"
	finding := Finding{Check: "standbys", Level: OK, Found: fmt.Sprintf("%d connected", s.Connected), Reason: "No commit waits for another server."}

	switch {
	case waits && (s.Connected == 0 || s.Synchronous == 0):
		finding.Level, finding.Found = Problem, "synchronous_standby_names is set, but no such standby is connected"
		finding.Reason = "Every commit waits for a standby, so a load never ends. Start the standby or empty the setting."
		finding.SQL, finding.Takes = []string{"alter system set synchronous_standby_names = ''", "select pg_reload_conf()"}, Reload
	case waits:
		finding.Level, finding.Found = Advice, finding.Found+", commits wait for "+s.Names
		finding.Reason = "Publishing waits until a standby has received the WAL of the whole load. Chunks do not wait."
	case s.Connected > 0:
		finding.Reason += " The standbys receive all WAL of a load."
	}

	return finding
}
