package doctor

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/internal/citus"
	"github.com/loadgrid/loadgrid/internal/serverfacts"
	"github.com/loadgrid/loadgrid/internal/testleak"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// healthy are the facts of a server without any problem.
func healthy() serverfacts.Facts {
	setting := func(value, unit, context string) serverfacts.Setting {
		return serverfacts.Setting{Shown: value, Value: value, Reset: value, Unit: unit, Context: context, Source: "configuration file"}
	}

	return serverfacts.Facts{
		Server:   serverfacts.Server{VersionNum: 150018, Version: "15.18", Database: "gis", Traits: plan.Server{SortsGiST: true, MarksCopied: true}},
		PostGIS:  serverfacts.PostGIS{Version: "3.3.2", Schema: "public", Usable: true, Installed: "3.3.2"},
		Standbys: serverfacts.Standbys{Synchronous: 0},
		Systems:  serverfacts.Systems{Present: true, Readable: true, Rows: 8500},
		Role:     serverfacts.Role{Name: "grid_loader", Session: "grid_loader", ReadsStats: true, Temp: true},
		Schema:   serverfacts.Schema{Name: "grids", Exists: true, Usage: true, Create: true, TablespaceUsable: true},
		Ledger: serverfacts.Ledger{Schema: "loadgrid", Exists: true, Usage: true, Create: true, Present: true, Readable: true, Writable: true,
			Owned: true, Version: 9, Latest: 9},
		Connections: serverfacts.Connections{Max: 100, Reserved: 3, Used: 5, Own: 1, RoleLimit: -1, DatabaseLimit: -1, Need: 4, Streams: 2},
		Settings: serverfacts.Settings{
			"wal_level": setting("minimal", "", "postmaster"), "archive_mode": setting("off", "", "postmaster"),
			"max_wal_senders": setting("0", "", "postmaster"), "max_connections": setting("100", "", "postmaster"),
			"max_wal_size": setting("16384", "MB", "sighup"), "checkpoint_timeout": setting("300", "s", "sighup"),
			"maintenance_work_mem": setting("65536", "kB", "user"), "effective_cache_size": setting("524288", "8kB", "user"),
			"max_parallel_maintenance_workers": setting("2", "", "user"), "shared_buffers": setting("16384", "8kB", "postmaster"),
			"huge_pages": setting("try", "", "postmaster"), "synchronous_commit": setting("on", "", "user"), "fsync": setting("on", "", "sighup"),
			"full_page_writes": setting("on", "", "sighup"), "temp_file_limit": setting("-1", "kB", "superuser"),
			"statement_timeout": setting("0", "ms", "user"), "log_statement": setting("none", "", "superuser"),
		},
		Disk: serverfacts.Disk{DatabaseBytes: 10 << 20, Tablespace: "pg_default", TablespaceBytes: 30 << 20, WALBytes: -1},
		Link: serverfacts.Link{Local: true, Latency: 200 * time.Microsecond, Trips: 15, UploadBytes: 4 << 20, UploadTook: 10 * time.Millisecond},
	}
}

// with returns a function that changes a setting.
func with(name string, change func(*serverfacts.Setting)) func(*serverfacts.Facts) {
	return func(f *serverfacts.Facts) {
		s := f.Settings[name]
		change(&s)
		f.Settings[name] = s
	}
}

func value(text string) func(*serverfacts.Setting) {
	return func(s *serverfacts.Setting) { s.Value, s.Shown = text, text }
}

// trouble is a change of healthy facts, and the resulting finding.
type trouble struct {
	name   string
	change func(*serverfacts.Facts)
	check  string
	level  Level
	words  string   // in what was found, or in the reason
	sql    []string // exactly
	takes  Effect
}

func troubles() []trouble {
	type facts = serverfacts.Facts
	grant := []string{`grant usage, create on schema "grids" to "grid_loader"`}
	ledger := []string{`grant usage, create on schema "loadgrid" to "grid_loader"`}

	return []trouble{
		{"an old server", func(f *facts) { f.Server.VersionNum = 120022 }, "postgresql", Problem, "13 or newer", nil, ""},
		{"a new server", func(f *facts) { f.Server.VersionNum = 190000 }, "postgresql", Advice, "Not tested", nil, ""},
		{"a server between", func(f *facts) { f.Server.VersionNum = 160004 }, "postgresql", OK, "On 16", nil, ""},
		{"no marks", func(f *facts) { f.Server.VersionNum, f.Server.Traits.MarksCopied = 130023, false }, "postgresql", Advice, "VACUUM", nil, ""},
		{"a standby", func(f *facts) { f.Server.InRecovery = true }, "primary", Problem, "standby", nil, ""},
		{"a database that is read-only", func(f *facts) {
			f.Server.ReadOnly = true
			f.Settings["default_transaction_read_only"] = serverfacts.Setting{Source: "database"}
		}, "primary", Problem, "read-only", []string{`alter database "gis" set default_transaction_read_only = 'off'`}, NewSessions},
		{"a connection string that is read-only", func(f *facts) {
			f.Server.ReadOnly = true
			f.Settings["default_transaction_read_only"] = serverfacts.Setting{Source: "client"}
		}, "primary", Problem, "in the connection string", nil, ""},
		{"a pooler of sessions", func(f *facts) { f.Pooler.Present = true }, "pooler", OK, "in session mode", nil, ""},
		{"a pooler of transactions", func(f *facts) {
			f.Pooler = serverfacts.Pooler{Present: true, Trouble: "no session", Cure: "go around it"}
		}, "pooler", Problem, "go around it", nil, ""},
		{"a coordinator", func(f *facts) { f.Citus = citus.Cluster{Version: "13.2-1", Workers: 2} }, "citus", OK, "2 nodes", nil, ""},
		{"a worker", func(f *facts) { f.Citus = citus.Cluster{Version: "13.2-1", Group: 3} }, "citus", Problem, "coordinator",
			[]string{"select nodename, nodeport from pg_dist_node where groupid = 0"}, ""},
		{"an older Citus", func(f *facts) { f.Citus = citus.Cluster{Version: "12.1-1"} }, "citus", Advice, "Not tested", nil, ""},
		{"a standby that follows", func(f *facts) { f.Standbys.Connected = 1 }, "standbys", OK, "1 connected", nil, ""},
		{"a synchronous standby", func(f *facts) { f.Standbys = serverfacts.Standbys{Connected: 1, Synchronous: -1, Names: "*"} }, "standbys", Advice, "wait", nil, ""},
		{"no synchronous standby", func(f *facts) { f.Standbys = serverfacts.Standbys{Connected: 1, Names: "s"} }, "standbys", Problem, "never ends",
			[]string{"alter system set synchronous_standby_names = ''", "select pg_reload_conf()"}, Reload},
		{"commits that wait for nobody", func(f *facts) {
			f.Standbys.Names = "s"
			with("synchronous_commit", value("local"))(f)
		}, "standbys", OK, "0 connected", nil, ""},
		{"a slot", func(f *facts) { f.Standbys.Inactive, f.Standbys.Kept = "o'ld", 3<<30 }, "replication_slots", Advice, "3 GB",
			[]string{"select pg_drop_replication_slot('o''ld')"}, AtOnce},
		{"no PostGIS", func(f *facts) { f.PostGIS = serverfacts.PostGIS{} }, "postgis", Problem, "not in this database", []string{"create extension postgis"}, AtOnce},
		{"an old PostGIS", func(f *facts) { f.PostGIS.Version = "3.0.1" }, "postgis", Problem, "3.1 or newer", []string{"alter extension postgis update"}, AtOnce},
		{"a new PostGIS", func(f *facts) { f.PostGIS.Version = "3.10.0" }, "postgis", Advice, "Not tested", nil, ""},
		{"old functions", func(f *facts) { f.PostGIS.Version = "3.2.0" }, "postgis", Advice, "3.3.2", []string{"alter extension postgis update"}, AtOnce},
		{"a schema of PostGIS without USAGE", func(f *facts) { f.PostGIS.Usable = false }, "postgis_schema", Problem, "public", []string{`grant usage on schema "public" to "grid_loader"`}, AtOnce},
		{"no sort", func(f *facts) { f.Server.Traits.SortsGiST = false }, "gist_build", Advice, "row by row", nil, ""},
		{"no spatial_ref_sys", func(f *facts) { f.Systems.Present = false }, "spatial_ref_sys", Problem, "missing", nil, ""},
		{"a hidden spatial_ref_sys", func(f *facts) { f.Systems.Readable = false }, "spatial_ref_sys", Problem, "may not read",
			[]string{`grant select on "public".spatial_ref_sys to "grid_loader"`}, AtOnce},
		{"changed rows", func(f *facts) { f.Systems.Missing, f.Systems.Other = []int32{3035}, []int32{4326} }, "spatial_ref_sys", Problem, "3035 is missing, 4326 is another CRS", nil, ""},
		{"a superuser", func(f *facts) { f.Role.Superuser = true }, "role", Advice, "docs/security.md", nil, ""},
		{"no temporary tables", func(f *facts) { f.Role.Temp = false }, "temporary_tables", OK, "may not", nil, ""},
		{"no statistics", func(f *facts) { f.Role.ReadsStats = false }, "statistics", OK, "--skip-unchanged", []string{`grant pg_read_all_stats to "grid_loader"`}, AtOnce},
		{"a time limit", with("statement_timeout", func(s *serverfacts.Setting) { s.Value, s.Reset = "0", "30000" }), "time_limits", OK, "statement_timeout 30 s", nil, ""},
		{"no schema", func(f *facts) { f.Schema = serverfacts.Schema{TablespaceUsable: true} }, "schema", Problem, "--schema", nil, ""},
		{"a schema that is not there", func(f *facts) { f.Schema.Exists = false }, "schema", Problem, "does not exist", append([]string{`create schema "grids"`}, grant...), AtOnce},
		{"a schema that is closed", func(f *facts) { f.Schema.Create = false }, "schema", Problem, "may not create tables", grant, AtOnce},
		{"a schema that is open", func(f *facts) { f.Schema.Everyone = true }, "schema", Advice, "every role", []string{`revoke create on schema "grids" from public`}, AtOnce},
		{"a tablespace", func(f *facts) { f.Schema.Tablespace, f.Schema.TablespaceUsable = "fast", false }, "default_tablespace", Problem, "fast",
			[]string{`grant create on tablespace "fast" to "grid_loader"`}, AtOnce},
		{"no schema for the ledger", func(f *facts) { f.Ledger.Exists = false }, "ledger", Problem, "does not exist", append([]string{`create schema "loadgrid"`}, ledger...), AtOnce},
		{"a ledger that is still to make", func(f *facts) { f.Ledger.Exists, f.Role.CreateSchemas = false, true }, "ledger", OK, "none yet", nil, ""},
		{"a schema for the ledger", func(f *facts) { f.Ledger.Version, f.Ledger.Present = 0, false }, "ledger", OK, "none yet", nil, ""},
		{"a schema for the ledger that is closed", func(f *facts) { f.Ledger.Version, f.Ledger.Present, f.Ledger.Create = 0, false, false }, "ledger", Problem, "none yet", ledger, AtOnce},
		{"counters of an old server", func(f *facts) { f.Server.VersionNum, f.Role.ReadsStats = 140010, false }, "statistics", OK, "always reads", nil, ""},
		{"a closed ledger", func(f *facts) { f.Ledger.Usage = false }, "ledger", Problem, "may not use", ledger, AtOnce},
		{"a foreign ledger", func(f *facts) { f.Ledger.Foreign, f.Ledger.Cure = "role x owns the schema", "revoke it" }, "ledger", Problem, "role x", []string{"revoke it"}, AtOnce},
		{"a hidden ledger", func(f *facts) { f.Ledger.Readable = false }, "ledger", Problem, "may not read", nil, ""},
		{"a newer ledger", func(f *facts) { f.Ledger.Version = 10 }, "ledger", Problem, "newer", nil, ""},
		{"an older ledger", func(f *facts) { f.Ledger.Version = 8 }, "ledger", OK, "brings it to version 9", nil, ""},
		{"an older ledger of others", func(f *facts) { f.Ledger.Version, f.Ledger.Owned = 8, false }, "ledger", Problem, "version 8 of 9", ledger, AtOnce},
		{"a killed migration", func(f *facts) { f.Ledger.Dirty = true }, "ledger", Advice, "killed", nil, ""},
		{"a ledger to read", func(f *facts) { f.Ledger.Writable = false }, "ledger", Problem, "may not write", nil, ""},
		{"a full server", func(f *facts) { f.Connections.Used = 95 }, "connections", Problem, "3 left of the server's 100",
			[]string{"alter system set max_connections = '101'"}, Restart},
		{"a limited role", func(f *facts) { f.Connections.RoleLimit, f.Connections.RoleUsed = 3, 1 }, "connections", Problem, "3 left of the role's 3",
			[]string{`alter role "grid_loader" connection limit 4`}, AtOnce},
		{"a limited database", func(f *facts) { f.Connections.DatabaseLimit, f.Connections.DatabaseUsed = 5, 3 }, "connections", Problem, "3 left of the database's 5",
			[]string{`alter database "gis" connection limit 6`}, AtOnce},
		{"WAL of rows", with("wal_level", value("replica")), "wal_level", Advice, "minimal",
			[]string{"alter system set wal_level = 'minimal'", "alter system set max_wal_senders = '0'"}, Restart},
		{"WAL for an archive", func(f *facts) {
			with("wal_level", value("replica"))(f)
			with("archive_mode", value("on"))(f)
		}, "wal_level", OK, "archive", nil, ""},
		{"WAL for a standby", func(f *facts) {
			with("wal_level", value("replica"))(f)
			f.Standbys.Connected = 1
		}, "wal_level", OK, "Standbys", nil, ""},
		{"a change that waits", with("wal_level", func(s *serverfacts.Setting) { s.Pending = true }), "wal_level", OK, "after a restart", nil, ""},
		{"little WAL", with("max_wal_size", value("1024")), "max_wal_size", Advice, "checkpoint",
			[]string{"alter system set max_wal_size = '16GB'", "select pg_reload_conf()"}, Reload},
		{"many checkpoints", with("checkpoint_timeout", value("60")), "checkpoint_timeout", Advice, "checkpoints",
			[]string{"alter system set checkpoint_timeout = '15min'", "select pg_reload_conf()"}, Reload},
		{"little memory", with("effective_cache_size", value("131072")), "maintenance_work_mem", Advice, "64 MB",
			[]string{"alter system set maintenance_work_mem = '1GB'", "select pg_reload_conf()"}, Reload},
		{"little memory of the role", func(f *facts) {
			with("effective_cache_size", value("131072"))(f)
			with("maintenance_work_mem", func(s *serverfacts.Setting) { s.Source = "user" })(f)
		}, "maintenance_work_mem", Advice, "64 MB", []string{`alter role "grid_loader" set maintenance_work_mem = '1GB'`}, NewSessions},
		{"no huge pages", func(f *facts) {
			with("shared_buffers", value("2097152"))(f)
			with("huge_pages", value("off"))(f)
		}, "huge_pages", Advice, "page faults", []string{"alter system set huge_pages = 'try'"}, Restart},
		{"huge pages in vain", func(f *facts) {
			with("shared_buffers", value("2097152"))(f)
			with("huge_pages_status", value("off"))(f)
		}, "huge_pages", Advice, "in use: off", []string{"alter system set huge_pages = 'try'"}, Restart},
		{"commits of a database", with("synchronous_commit", func(s *serverfacts.Setting) { s.Value, s.Source = "off", "database" }), "synchronous_commit", Advice, "the whole publication",
			[]string{`alter database "gis" set synchronous_commit = 'on'`}, NewSessions},
		{"commits of a role in a database", with("synchronous_commit", func(s *serverfacts.Setting) { s.Value, s.Source = "off", "database user" }), "synchronous_commit", Advice, "the whole publication",
			[]string{`alter role "grid_loader" in database "gis" set synchronous_commit = 'on'`}, NewSessions},
		{"no fsync", with("fsync", value("off")), "fsync", Advice, "destroy", []string{"alter system set fsync = 'on'", "select pg_reload_conf()"}, Reload},
		{"no fsync by the command line", with("fsync", func(s *serverfacts.Setting) { s.Value, s.Source = "off", "command line" }), "fsync", Advice, "does not override", nil, ""},
		{"half pages", with("full_page_writes", value("off")), "fsync", Advice, "half", []string{"alter system set full_page_writes = 'on'", "select pg_reload_conf()"}, Reload},
		{"few temporary files", with("temp_file_limit", value("1024")), "temp_file_limit", Advice, "53400",
			[]string{"alter system set temp_file_limit = '-1'", "select pg_reload_conf()"}, Reload},
		{"a disk that is known", func(f *facts) { f.Disk.WALBytes = 80 << 20 }, "disk", OK, "WAL 80 MB", nil, ""},
		{"an open way", func(f *facts) { f.Link.Local = false }, "encryption", Advice, "verify-full", nil, ""},
		{"a closed way", func(f *facts) { f.Link.Local, f.Link.Encrypted = false, true }, "encryption", OK, "TLS", nil, ""},
		{"a long way", func(f *facts) { f.Link.Latency = 50 * time.Millisecond }, "latency", Advice, "50.00 ms", nil, ""},
		{"a thin way", func(f *facts) { f.Link.UploadTook = time.Second }, "bandwidth", Advice, "about 32,000 rows per second", nil, ""},
		{"a way that is not measured", func(f *facts) { f.Link = serverfacts.Link{NotSent: "log_statement is all"} }, "bandwidth", OK, "not measured: log_statement is all", nil, ""},
	}
}

// A healthy server has only ok findings, and each trouble gives one finding of its level.
func TestJudge(t *testing.T) {
	for _, f := range Judge(healthy()) {
		if f.Level != OK || f.Group == "" || f.Found == "" || f.Reason == "" {
			t.Errorf("a healthy server: %+v", f)
		}
	}

	for _, test := range troubles() {
		t.Run(test.name, func(t *testing.T) {
			f := healthy()
			test.change(&f)
			found := false

			for _, finding := range Judge(f) {
				if finding.Check != test.check {
					if finding.Level == Problem {
						t.Errorf("another problem: %+v", finding)
					}
					continue
				}

				found = true
				if finding.Level != test.level || !strings.Contains(finding.Found+" "+finding.Reason, test.words) {
					t.Errorf("got %+v, want %s with %q", finding, test.level, test.words)
				}
				if !slices.Equal(finding.SQL, test.sql) || finding.Takes != test.takes {
					t.Errorf("got %q, which takes effect %q, want %q, %q", finding.SQL, finding.Takes, test.sql, test.takes)
				}
				if (finding.Cost == "") != (finding.MeasuredIn == "") {
					t.Errorf("a cost without its document, or a document without a cost: %+v", finding)
				}
				if finding.Level != OK && finding.Reason == "" {
					t.Error("there is no reason")
				}
			}

			if !found {
				t.Errorf("there is no finding %s", test.check)
			}
		})
	}
}

// On a managed server, findings explain how to change settings, but say nothing extra about roles and schemas.
func TestManaged(t *testing.T) {
	f := healthy()
	f.Server.Provider = serverfacts.Provider{Name: "Example Cloud", Where: "change it in the console"}
	f.Settings["max_wal_size"] = serverfacts.Setting{Value: "1", Unit: "MB", Context: "sighup"}
	f.Schema.Create = false

	for _, finding := range Judge(f) {
		if want := finding.Check == "max_wal_size"; strings.Contains(finding.Managed, "Example Cloud") != want {
			t.Errorf("%s: %q", finding.Check, finding.Managed)
		}
	}
}

// If the server refuses to answer, one finding replaces those that need the answer.
func TestUnread(t *testing.T) {
	f := healthy()
	f.Unread = map[serverfacts.Topic]string{serverfacts.TopicDisk: "permission denied (SQLSTATE 42501)"}

	for _, finding := range Judge(f) {
		if finding.Check == "disk" && (finding.Level != Advice || !strings.Contains(finding.Reason, "42501")) {
			t.Errorf("got %+v", finding)
		}
	}
}

func TestReport(t *testing.T) {
	f := healthy()
	f.Schema.Create, f.Role.Superuser = false, true
	r := NewReport(f)

	if r.Counts.Problems != 1 || r.Counts.Advice != 1 || r.Counts.OK != len(r.Findings)-2 {
		t.Errorf("got %+v of %d findings", r.Counts, len(r.Findings))
	}

	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}

	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(fields)); !slices.Equal(got, []string{"counts", "findings", "format", "link", "server"}) {
		t.Errorf("the JSON has the fields %q", got)
	}
}

// The page of doctor has exactly one row for each check.
func TestChecksAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/doctor.md")
	if err != nil {
		t.Fatal(err)
	}

	_, table, found := strings.Cut(string(page), "\n## The checks\n")
	if !found {
		t.Fatal("docs/doctor.md has no section of the checks")
	}
	table, _, _ = strings.Cut(table, "\n## ")

	documented := make(map[string]bool)
	for line := range strings.Lines(table) {
		if name, rest, ok := strings.Cut(strings.TrimPrefix(line, "| `"), "` |"); ok && strings.HasPrefix(line, "| `") && rest != "" {
			documented[name] = true
		}
	}

	checks := make(map[string]bool)
	for _, test := range troubles() {
		f := healthy()
		test.change(&f)
		for _, finding := range Judge(f) {
			checks[finding.Check] = true
		}
	}

	if !maps.Equal(documented, checks) {
		t.Errorf("documented are %q, and there are %q", slices.Sorted(maps.Keys(documented)), slices.Sorted(maps.Keys(checks)))
	}
}

func TestMain(m *testing.M) { testleak.Main(m) }
