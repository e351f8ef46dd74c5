package main

import (
	"strings"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/internal/doctor"
	"github.com/loadgrid/loadgrid/internal/mdblocks"
	"github.com/loadgrid/loadgrid/internal/serverfacts"
)

// sickFacts are the facts of a server with advice and problems.
func sickFacts() serverfacts.Facts {
	return serverfacts.Facts{
		Host: "db.example.org", Port: 5432,
		Server:      serverfacts.Server{VersionNum: 130023, Version: "13.23", Database: "gis", Provider: serverfacts.Provider{Name: "Example Cloud", Where: "use its console"}},
		PostGIS:     serverfacts.PostGIS{Version: "3.1.1", Schema: "gis", Usable: true, Installed: "3.1.1"},
		Systems:     serverfacts.Systems{Present: true, Readable: true, Rows: 8500},
		Role:        serverfacts.Role{Name: "grid\nloader", Session: "grid\nloader"},
		Schema:      serverfacts.Schema{Name: "grids", Exists: true, TablespaceUsable: true},
		Ledger:      serverfacts.Ledger{Schema: "loadgrid", Exists: true, Usage: true, Create: true, Owned: true, Writable: true, Latest: 9},
		Connections: serverfacts.Connections{Max: 100, Reserved: 3, Used: 5, Own: 1, RoleLimit: -1, DatabaseLimit: -1, Need: 4, Streams: 2},
		Settings: serverfacts.Settings{
			"wal_level":                        {Shown: "replica", Value: "replica", Context: "postmaster"},
			"max_wal_size":                     {Shown: "1GB", Value: "1024", Unit: "MB", Context: "sighup"},
			"checkpoint_timeout":               {Shown: "5min", Value: "300", Unit: "s", Context: "sighup"},
			"maintenance_work_mem":             {Shown: "64MB", Value: "65536", Unit: "kB", Context: "user"},
			"effective_cache_size":             {Shown: "4GB", Value: "524288", Unit: "8kB", Context: "user"},
			"max_parallel_maintenance_workers": {Shown: "2", Value: "2", Context: "user"},
			"shared_buffers":                   {Shown: "128MB", Value: "16384", Unit: "8kB", Context: "postmaster"},
			"huge_pages":                       {Shown: "try", Value: "try", Context: "postmaster"},
			"synchronous_commit":               {Shown: "off", Value: "off", Context: "user", Source: "user"},
			"fsync":                            {Shown: "on", Value: "on", Context: "sighup"},
			"temp_file_limit":                  {Shown: "-1", Value: "-1", Unit: "kB", Context: "superuser"},
			"statement_timeout":                {Shown: "0", Value: "0", Unit: "ms", Reset: "30000", Context: "user"},
		},
		Disk: serverfacts.Disk{DatabaseBytes: 10 << 20, Tablespace: "pg_default", TablespaceBytes: 30 << 20, WALBytes: -1},
		Link: serverfacts.Link{Latency: 25 * time.Millisecond, Trips: 15, UploadBytes: 4 << 20, UploadTook: time.Second},
	}
}

func TestPrintReport(t *testing.T) {
	report := doctor.NewReport(sickFacts())

	var text, object strings.Builder
	if err := printReport(&text, report); err != nil {
		t.Fatal(err)
	}
	if err := printJSONReport(&object, report); err != nil {
		t.Fatal(err)
	}

	for line := range strings.Lines(text.String()) {
		if width := len([]rune(strings.TrimRight(line, "\n"))); width > usageWidth && !strings.HasSuffix(line, ";\n") {
			t.Errorf("%d columns: %s", width, line)
		}
	}
	if strings.Contains(text.String(), "\x1b") {
		t.Error("there are colours, also where NO_COLOR forbids them")
	}

	golden(t, "doctor.txt", text.String())
	golden(t, "doctor.json", object.String())
}

func TestWrap(t *testing.T) {
	for _, test := range []struct {
		text string
		want string
	}{
		{"", ""},
		{"one two three", "one two|three"},
		{"one twentyseven", "one|twentyseven"},
		{"  twentyseven  one ", "twentyseven|one"},
		{"äöü äöü", "äöü äöü"},
	} {
		if got := strings.Join(wrap(test.text, 7), "|"); got != test.want {
			t.Errorf("%q: got %q, want %q", test.text, got, test.want)
		}
	}
}

// The commands in docs/doctor.md are valid.
func TestDoctorPage(t *testing.T) {
	clearEnv(t)
	blocks, err := mdblocks.Read("../../docs/doctor.md")
	if err != nil {
		t.Fatal(err)
	}

	seen := 0
	for _, b := range blocks {
		text := b.Text
		if b.Language == "console" { // the first line is the command, the others are its output
			text, _, _ = strings.Cut(strings.TrimPrefix(text, "$ "), "\n")
		}

		for _, args := range shellCommands(text) {
			seen++
			if did, err := parseCommand(args); err != nil || did != "loadgrid doctor" {
				t.Errorf("%s: %q runs %q: %v", b.Name(), args, did, err)
			}
		}
	}
	if seen < 5 {
		t.Errorf("%d commands were seen", seen)
	}
}
