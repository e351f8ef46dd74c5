package integration

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/loader"
)

// A brake makes a load wait in the server, in a trigger and for a lock that the
// test holds. What must happen in the middle of a load then does, on a slow
// machine as on a fast one, with no need of a load that takes long.
type brake struct {
	s    sandbox
	conn *pgx.Conn // holds the lock
}

// newBrake makes the functions wait() and, for triggers, brake() in the sandbox's
// schema, and then does what the statements say.
func (s sandbox) newBrake(statements ...string) *brake {
	s.t.Helper()
	b := &brake{s, s.connect()}
	if _, err := b.conn.Exec(context.Background(), "select pg_advisory_lock(hashtext('brake'), hashtext($1))", s.schema); err != nil {
		s.t.Fatal(err)
	}
	s.exec(fmt.Sprintf(`create function %[1]s() returns void language plpgsql as $$ begin
			perform pg_advisory_lock_shared(hashtext('brake'), hashtext('%[3]s'));
			perform pg_advisory_unlock_shared(hashtext('brake'), hashtext('%[3]s'));
		end $$;
		create function %[2]s() returns trigger language plpgsql as $$ begin perform %[1]s(); return new; end $$`,
		s.name("wait"), s.name("brake"), s.schema))
	for _, sql := range statements {
		s.exec(sql)
	}
	return b
}

// brakeAtChunk lets a load commit its first k chunks and no more.
func (s sandbox) brakeAtChunk(k int) *brake {
	s.t.Helper()
	// The trigger is on a table of the ledger, which the first load makes otherwise.
	if err := loader.MigrateUp(context.Background(), s.pool, s.schema); err != nil {
		s.t.Fatal(err)
	}
	return s.newBrake(fmt.Sprintf("create trigger brake before insert on %s for each row when (new.chunk_no >= %d) execute function %s()",
		s.name("chunks"), k, s.name("brake")))
}

// reached waits until a load waits at the brake.
func (b *brake) reached() {
	b.s.t.Helper()
	b.s.waitFor("a load at the brake", `select exists (select from pg_locks where locktype = 'advisory' and not granted and objsubid = 2
		and database = (select oid from pg_database where datname = current_database())
		and (classid, objid) = ((hashtext('brake')::bigint & 4294967295)::oid, (hashtext($1)::bigint & 4294967295)::oid))`, b.s.schema)
}

// release lets whoever waits go on, and everybody after.
func (b *brake) release() {
	b.s.t.Helper()
	if _, err := b.conn.Exec(context.Background(), "select pg_advisory_unlock_all()"); err != nil {
		b.s.t.Fatal(err)
	}
}

// small is a grid of 40 chunks that is loaded in a moment: what interrupts a load
// of it in the middle needs a brake.
func small() []string { return append(boxes(200, 100), "--chunk-rows", "500") }

const (
	smallCols, smallRows = 200, 100
	smallChunks          = 40
)

// killAfter starts a load, kills it when its first k chunks are committed, and
// waits until the server has noticed.
func (s sandbox) killAfter(k int, args ...string) {
	s.t.Helper()
	b := s.brakeAtChunk(k)
	p := start(s.t, s.dsn, args...)
	b.reached()
	s.waitFor("committed chunks", "select count(*) = $1 from "+s.name("chunks")+" join "+s.name("runs")+" r on r.id = run_id where r.state = 'loading'", k)
	_ = p.cmd.Process.Kill()
	p.wait()
	b.end()
}

// end releases the brake and takes it away, once nobody is at it any more.
func (b *brake) end() {
	b.s.t.Helper()
	b.release()
	b.s.waitForEnd()
	b.s.exec("drop function " + b.s.name("brake") + "() cascade; drop function " + b.s.name("wait") + "() cascade")
}
