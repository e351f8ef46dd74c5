package serverfacts

import (
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/testleak"
	"github.com/loadgrid/loadgrid/loader/crs"
)

func TestMain(m *testing.M) { testleak.Main(m) }

func TestSettingBytes(t *testing.T) {
	for _, test := range []struct {
		setting Setting
		want    int64
	}{
		{Setting{Value: "65536", Unit: "kB"}, 64 << 20},
		{Setting{Value: "16384", Unit: "8kB"}, 128 << 20},
		{Setting{Value: "1024", Unit: "MB"}, 1 << 30},
		{Setting{Value: "300", Unit: "s"}, 300},
		{Setting{Value: "on"}, 0},
		{Setting{}, 0},
	} {
		if got := test.setting.Bytes(); got != test.want {
			t.Errorf("%+v: got %d, want %d", test.setting, got, test.want)
		}
	}
}

// The measurement never writes megabytes of parameters to the server's log.
func TestLogsParameters(t *testing.T) {
	quiet := Settings{
		"log_statement": {Value: "ddl"}, "log_min_duration_statement": {Value: "-1"}, "log_min_duration_sample": {Value: "-1"}, "log_parameter_max_length": {Value: "-1"},
	}

	for _, test := range []struct {
		name, value string
		logs        bool
	}{
		{"log_statement", "none", false},
		{"log_statement", "all", true},
		{"log_min_duration_statement", "0", true},
		{"log_min_duration_statement", "250", true},
		{"log_min_duration_statement", "5000", false},
		{"log_min_duration_sample", "10", true},
		{"pgaudit.log_parameter", "on", true},
		{"pgaudit.log_parameter", "off", false},
		{"auto_explain.log_min_duration", "0", true},
		{"auto_explain.log_min_duration", "-1", false},
	} {
		settings := Settings{}
		for name, setting := range quiet {
			settings[name] = setting
		}
		settings[test.name] = Setting{Value: test.value, Shown: test.value}

		if why := settings.logsParameters(); (why != "") != test.logs {
			t.Errorf("%s = %s: got %q", test.name, test.value, why)
		}

		settings["log_parameter_max_length"] = Setting{Value: "0"}
		if why := settings.logsParameters(); why != "" {
			t.Errorf("%s = %s, without parameters: got %q", test.name, test.value, why)
		}
	}
}

// addressed is a connection to an address.
type addressed struct {
	net.Conn
	remote net.Addr
}

func (c addressed) RemoteAddr() net.Addr { return c.remote }

func TestDescribeConn(t *testing.T) {
	for _, test := range []struct {
		remote net.Addr
		local  bool
	}{
		{&net.UnixAddr{Name: "/var/run/postgresql/.s.PGSQL.5432", Net: "unix"}, true},
		{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, true},
		{&net.TCPAddr{IP: net.IPv6loopback}, true},
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}, false},
	} {
		if local, encrypted := describeConn(addressed{remote: test.remote}); local != test.local || encrypted {
			t.Errorf("%s: local %v, encrypted %v", test.remote, local, encrypted)
		}
	}
}

func TestRate(t *testing.T) {
	if got := (Link{UploadBytes: 4_000_000, UploadTook: 2 * time.Second}).Rate(); got != 2e6 {
		t.Errorf("got %v bytes a second", got)
	}
	if got := (Link{}).Rate(); got != 0 {
		t.Errorf("without a measurement: %v", got)
	}
}

func TestProviders(t *testing.T) {
	for _, role := range providerRoles() {
		if p := providerOf(role); p.Name == "" || p.Where == "" {
			t.Errorf("role %s: %+v", role, p)
		}
	}
	if p := providerOf(""); p != (Provider{}) {
		t.Errorf("without such a role: %+v", p)
	}
}

func TestAsExpected(t *testing.T) {
	for _, srid := range lookedUp() {
		c, ok := crs.Known(srid)
		if !ok || !asExpected(c) {
			t.Errorf("SRID %d as it is: %+v", srid, c)
		}

		c.Unit = "foot"
		if asExpected(c) {
			t.Errorf("SRID %d in feet is as expected", srid)
		}
	}
}

func TestPrepare(t *testing.T) {
	config, err := pg.ParseConfig("host=/nowhere user=me", 7)
	if err != nil {
		t.Fatal(err)
	}

	prepared := Prepare(config)
	if prepared.MaxConns != conns || prepared.ConnConfig.DefaultQueryExecMode != pgx.QueryExecModeExec {
		t.Errorf("got %d connections, mode %s", prepared.MaxConns, prepared.ConnConfig.DefaultQueryExecMode)
	}
	if config.MaxConns != 7 || config.ConnConfig.DefaultQueryExecMode == pgx.QueryExecModeExec {
		t.Error("the caller's configuration has changed")
	}
}
