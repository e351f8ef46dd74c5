package integration

import (
	"crypto/sha256"
	"encoding/binary"
)

// checkAfter checks what must hold for a table after any fault, once a load has succeeded: the rows and
// the ledger are right, and the loads left nothing behind.
func (s sandbox) checkAfter(table string, w scenario) {
	s.t.Helper()
	switch {
	case w.area != "":
		s.checkSame(table, w)
	case w.unfrozen:
		s.checkBoxes(table, w.cols, w.rows)
	default:
		s.checkTable(table, w.cols, w.rows, w.partitions, "gist", w.unlogged)
	}

	s.checkLedger(table)
	s.checkNoSessions(table)
}

// checkSame compares a table with the table that the same job makes undisturbed.
func (s sandbox) checkSame(table string, w scenario) {
	s.t.Helper()
	mustCLI(s.t, s.dsn, s.load("undisturbed", w.load...)...)
	rows := func(t string) string {
		return "select cell_id, col, row, st_asbinary(geom, 'NDR') from " + s.name(t)
	}
	if n := queryOne[int64](s.t, s.pool, "select count(*) from ("+rows("undisturbed")+") u"); n == 0 {
		s.t.Error("the undisturbed load made no rows, so there is nothing to compare")
	}
	if n := queryOne[int64](s.t, s.pool, "select count(*) from (("+rows(table)+" except all "+rows("undisturbed")+
		") union all ("+rows("undisturbed")+" except all "+rows(table)+")) d"); n != 0 {
		s.t.Errorf("%d rows of %s differ from those of an undisturbed load", n, table)
	}

	s.checkNothingLeft()
}

// checkLedger checks that the ledger and a table agree. Each planned chunk is committed once, the id
// ranges follow one another, the rows of the chunks add up to the rows of the run, the rows of the runs
// add up to the rows of the table, and the published run names this very table.
func (s sandbox) checkLedger(table string) {
	s.t.Helper()
	wrong := queryOne[int64](s.t, s.pool, `
		select count(*) from `+s.name("runs")+` r cross join lateral (
			select count(*) as n, coalesce(sum(rows), 0) as rows, min(chunk_no) as first, max(chunk_no) as last,
			       count(*) filter (where last_id < first_id or first_id <= before) as astray
			from (select *, lag(last_id) over (order by chunk_no) as before from `+s.name("chunks")+` where run_id = r.id) c) c
		where r.state = 'published' and (c.n <> r.chunks or c.rows <> r.rows or c.first <> 0 or c.last <> r.chunks - 1 or c.astray > 0 or r.finished_at is null)
		   or r.state <> 'published' and c.n > 0`)
	if wrong != 0 {
		s.t.Errorf("the chunks of %d runs do not match their run", wrong)
	}

	// An append adds to the count of the previous run; a replace starts a new count.
	state := queryOne[string](s.t, s.pool, `
		with runs as (select *, job ->> 'if_exists' = 'append' as appends from `+s.name("runs")+` where table_name = $1 and state = 'published'),
		whole as (select coalesce(max(id) filter (where not appends), 0) as id from runs)
		select case when count(*) = 0 then 'no run'
		            when sum(rows) <> (select count(*) from `+s.name(table)+`) then 'other rows: ' || sum(rows)
		            when (array_agg(table_oid order by runs.id desc))[1] <> $2::regclass then 'another table'
		            else 'right' end
		from runs join whole on runs.id >= whole.id`, table, s.name(table))
	if state != "right" {
		s.t.Errorf("according to the ledger, %s has %s", table, state)
	}
}

// checkNoSessions waits until the sandbox's loads hold no connection or lock, and until ended processes
// have no temporary files. It fails if any remain.
func (s sandbox) checkNoSessions(table string) {
	s.t.Helper()
	s.waitForEnd()
	s.waitFor("the lock of the table to be free", `select not exists (select from pg_locks where locktype = 'advisory' and objsubid = 1
		and database = (select oid from pg_database where datname = current_database())
		and (classid::bigint << 32 | objid::bigint) = $1)`, s.lockKey(table))

	// Their names begin with the number of the process that made them.
	s.waitFor("temporary files to be gone", `select not exists (select from pg_tablespace t cross join lateral pg_ls_tmpdir(t.oid) f
		where t.spcname <> 'pg_global' and substring(f.name from '^pgsql_tmp(\d+)')::integer not in (select pid from pg_stat_activity))`)
	if n := queryOne[int64](s.t, s.pool, "select count(*) from pg_prepared_xacts where database = current_database()"); n != 0 {
		s.t.Errorf("%d prepared transactions are left", n)
	}
}

// lockKey returns the number of a table's lock, computed as in internal/tablelock.
func (s sandbox) lockKey(table string) int64 {
	sum := sha256.Sum256([]byte("loadgrid\x00" + s.schema + "\x00" + table))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}
