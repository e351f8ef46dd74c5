package integration

import (
	"net/url"
	"testing"

	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/loader"
)

// smallVolume is a server with a tablespace on a volume that a test can fill. The ledger and the WAL are
// elsewhere: a server without room for its WAL stops.
type smallVolume struct {
	t    *testing.T
	pool sandbox // of the server's own database
}

func newSmallVolume(t *testing.T) (*pgtest.Server, smallVolume) {
	t.Helper()
	server := pgtest.NewServerWithVolume(t, 64, map[string]string{"fsync": "off"})
	v := smallVolume{t, sandboxIn(t, server.DSN(), "public")}
	v.shell("mkdir -m 700 " + pgtest.VolumePath + "/tables")
	v.pool.exec("create tablespace small location '" + pgtest.VolumePath + "/tables'")
	return server, v
}

// shell runs a command as the server's user.
func (v smallVolume) shell(command string) {
	v.t.Helper()
	v.pool.exec("copy (select) to program 'cat > /dev/null; " + command + "'")
}

// leaveFree fills the volume except for this many kilobytes.
func (v smallVolume) leaveFree(kilobytes string) {
	v.t.Helper()
	file := pgtest.VolumePath + "/filler"
	v.shell("dd if=/dev/zero of=" + file + " bs=64k 2>/dev/null; truncate -s -" + kilobytes + "K " + file)
}

func (v smallVolume) freeAll() {
	v.t.Helper()
	v.shell("rm " + pgtest.VolumePath + "/filler")
}

// A full disk is reported as such. Readers still see the previous table, and once there is room, the same
// command makes the whole table.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	server, volume := newSmallVolume(t)

	// For 300 x 200 boxes, the heap takes 9.6 MB, the key 1.3 MB and the spatial index 3 MB.
	whole := boxes(300, 200)
	before := boxes(20, 10)
	for _, test := range []struct {
		name     string
		scenario scenario
		leave    string // kilobytes that are free when the load begins
		at       string // the command before which the test fills the volume; "" for none
		code     int
		where    map[string]string // settings that put tables or temporary files on the volume
	}{
		{name: "COPY of chunks", scenario: scenario{before: before, load: appendArgs(whole, "--if-exists", "replace", "--chunk-rows", "5000"), cols: 300, rows: 200}, leave: "5000", code: 4},
		{name: "COPY with FREEZE", scenario: scenario{before: before, load: appendArgs(whole, "--if-exists", "replace"), cols: 300, rows: 200}, leave: "5000", code: 1},
		{name: "COPY of partitions", scenario: scenario{load: appendArgs(whole, "--partitions", "6"), cols: 300, rows: 200, partitions: 6}, leave: "7000", code: 4},
		{name: "index", scenario: scenario{before: before, load: appendArgs(whole, "--if-exists", "replace", "--chunk-rows", "30000"), cols: 300, rows: 200}, at: "CREATE INDEX", code: 4},
		{name: "adding rows", scenario: scenario{before: boxes(300, 20), load: []string{"--cell-size", "1", "--extent", "0,20,300,200", "--if-exists", "append"}, cols: 300, rows: 200, unfrozen: true},
			leave: "13000", code: 4},
		{name: "temporary files", scenario: scenario{load: appendArgs(whole, "--chunk-rows", "30000"), cols: 300, rows: 200}, leave: "0", code: 4,
			where: map[string]string{"temp_tablespaces": "small", "maintenance_work_mem": "1MB", "effective_cache_size": "16MB"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := sandboxIn(t, server.Database(t), "public")
			if err := loader.NewLedger(s.pool, s.schema).MigrateUp(t.Context()); err != nil {
				t.Fatal(err)
			}

			if test.where == nil {
				test.where = map[string]string{"default_tablespace": "small"}
			}
			dsn := changeDSN(t, s.dsn, func(_ *url.URL, q url.Values) {
				for name, value := range test.where {
					q.Set(name, value)
				}
			})

			if test.scenario.before != nil {
				mustCLI(t, dsn, s.load("grid", test.scenario.before...)...)
			}
			old := s.tableState("grid")
			reader := s.startReader("grid")
			args := s.load("grid", test.scenario.load...)
			var p *process

			if test.at == "" {
				volume.leaveFree(test.leave)
				p = start(t, dsn, args...)
			} else {
				b := s.newPausepoint()
				b.beforeStatement(test.at)
				p = start(t, dsn, args...)
				b.waitUntilReached()
				volume.leaveFree("0")
				b.release()
			}

			p.wait().expect(t, test.code, "53100", "free space on the server's disk")
			if now := s.tableState("grid"); now != old {
				t.Errorf("readers saw %s before, and see %s after the disk was full", old, now)
			}
			if test.code == 1 {
				s.checkNothingLeft()
			}

			s.checkNoSessions("grid")
			volume.freeAll()
			mustCLI(t, dsn, args...)
			reader.stop(old)
			s.checkAfter("grid", test.scenario)
			s.exec("drop table " + s.name("grid"))
		})
	}
}

// If an index build reaches the limit for temporary files, the load ends with its rows committed.
func TestTemporaryFileLimit(t *testing.T) {
	s := newSandbox(t)
	limit := func(kilobytes string) string {
		return changeDSN(t, s.dsn, func(_ *url.URL, q url.Values) {
			q.Set("temp_file_limit", kilobytes)
			q.Set("maintenance_work_mem", "1MB")
			q.Set("effective_cache_size", "16MB")
		})
	}

	args := s.load("grid", appendArgs(boxes(300, 200), "--chunk-rows", "20000")...)
	cli(t, limit("100"), args...).expect(t, 4, "53400", "temp_file_limit", "chunks committed")
	s.checkNoSessions("grid")
	if sum := mustSummary(t, limit("-1"), args...); sum.RowsResumed != 60_000 {
		t.Errorf("the rerun resumed %d rows", sum.RowsResumed)
	}

	s.checkAfter("grid", scenario{cols: 300, rows: 200})
}
