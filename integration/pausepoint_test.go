package integration

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/loader"
)

// pausepoint makes a load wait in the server, in a trigger, for a lock that the test holds. This lets
// something happen in the middle of a load, on slow and fast machines, without a long load.
type pausepoint struct {
	s        sandbox
	conn     *pgx.Conn // holds the lock
	held     []tableLock
	gone     bool // the server has crashed and released what the test held
	released bool // loads continue
}

// tableLock is a transaction that holds the lock of a table.
type tableLock struct {
	conn *pgx.Conn
	got  chan error // once it has the lock
}

// newPausepoint makes the function wait() and, for triggers, pausepoint() in the sandbox's schema.
// Nothing calls them yet.
func (s sandbox) newPausepoint() *pausepoint {
	s.t.Helper()
	b := &pausepoint{s: s, conn: s.connect()}
	if _, err := b.conn.Exec(context.Background(), "select pg_advisory_lock(hashtext('pausepoint'), hashtext($1))", s.schema); err != nil {
		s.t.Fatal(err)
	}

	s.exec(fmt.Sprintf(`create function %[1]s() returns void language plpgsql as $$ begin
			perform pg_advisory_lock_shared(hashtext('pausepoint'), hashtext('%[3]s'));
			perform pg_advisory_unlock_shared(hashtext('pausepoint'), hashtext('%[3]s'));
		end $$;
		create function %[2]s() returns trigger language plpgsql as $$ begin perform %[1]s(); return new; end $$`,
		s.name("wait"), s.name("pausepoint"), s.schema))

	return b
}

// pauseAtChunk lets a load commit its first k chunks and no more.
func (s sandbox) pauseAtChunk(k int) *pausepoint {
	s.t.Helper()
	// The trigger is on a table of the ledger, so make the ledger first.
	if err := loader.NewLedger(s.pool, s.schema).MigrateUp(context.Background()); err != nil {
		s.t.Fatal(err)
	}
	b := s.newPausepoint()
	s.exec(fmt.Sprintf("create trigger pausepoint before insert on %s for each row when (new.chunk_no >= %d) execute function %s()",
		s.name("chunks"), k, s.name("pausepoint")))
	return b
}

// waitUntilReached waits until a load waits at the pausepoint.
func (b *pausepoint) waitUntilReached() {
	b.s.t.Helper()
	b.s.waitFor("a load at the pausepoint", `select exists (select from pg_locks where locktype = 'advisory' and not granted and objsubid = 2
		and database = (select oid from pg_database where datname = current_database())
		and (classid, objid) = ((hashtext('pausepoint')::bigint & 4294967295)::oid, (hashtext($1)::bigint & 4294967295)::oid))`, b.s.schema)
}

// atStatement makes a load wait at the end of each statement that creates, alters or drops something and
// matches the pattern: the statement is done but not committed.
func (b *pausepoint) atStatement(pattern string) {
	b.s.t.Helper()
	b.onDDL("if current_query() like '" + pattern + "' then perform " + b.s.name("wait") + "(); end if;")
}

// atRow makes a load wait in the COPY that brings the row with this cell_id or a higher one, in staging
// tables whose names match the pattern.
func (b *pausepoint) atRow(tables string, id int64) {
	b.s.t.Helper()
	b.onDDL(fmt.Sprintf(`for made in select object_identity from pg_event_trigger_ddl_commands() where command_tag = 'CREATE TABLE' and object_identity like '%s' loop
			execute 'create trigger pausepoint before insert on ' || made || ' for each row when (new.cell_id >= %d) execute function %s()';
		end loop;`, tables, id, b.s.name("pausepoint")))
}

// onDDL has the server do something at the end of each statement of that kind. Use it only in sandboxes
// with their own database.
func (b *pausepoint) onDDL(do string) { b.s.t.Helper(); b.on("ddl_command_end", do) }

// beforeStatement makes a load wait at the beginning of each statement with such a command tag, for
// example CREATE INDEX, before the statement has any effect.
func (b *pausepoint) beforeStatement(tag string) {
	b.s.t.Helper()
	b.on("ddl_command_start", "if tg_tag = '"+tag+"' then perform "+b.s.name("wait")+"(); end if;")
}

func (b *pausepoint) on(event, do string) {
	b.s.t.Helper()
	name := b.s.name("on_ddl")
	b.s.exec("create function " + name + "() returns event_trigger language plpgsql as $$ declare made text; begin " + do + " end $$")
	b.s.exec("create event trigger pausepoint on " + event + " execute function " + name + "()")
}

// lock takes the lock of a table. What the load does until then must not wait for it. If the load may
// hold the table, lock only queues for it, and gets it when the load lets go.
func (b *pausepoint) lock(table, mode string) {
	b.s.t.Helper()
	l := tableLock{b.s.connect(), make(chan error, 1)}
	pid := l.conn.PgConn().PID()
	go func() {
		_, err := l.conn.Exec(context.Background(), "begin; lock table "+table+" in "+mode+" mode")
		l.got <- err
	}()
	b.held = append(b.held, l)
	b.s.waitFor("the lock or its queue", "select exists (select from pg_locks where relation = $1::regclass and pid = $2)", table, pid)
}

// waitUntilBlocked waits until a load waits for the lock of a table in a statement like this.
func (b *pausepoint) waitUntilBlocked(table, statement string) {
	b.s.t.Helper()
	b.s.waitFor("a load to wait for a lock", `select exists (select from pg_locks l join pg_stat_activity a using (pid)
		where not l.granted and l.relation = $1::regclass and a.application_name = $2 and a.query like $3)`, table, b.s.application(), statement)
}

// markServerGone records that the server was killed or stopped: the pausepoint holds no load any more,
// and the test's connections are gone.
func (b *pausepoint) markServerGone() {
	b.gone = true
	b.s.pool.Reset()
}

// resume lets waiting and later loads pass the pausepoint.
func (b *pausepoint) resume() {
	b.s.t.Helper()
	if b.gone {
		return
	}
	if _, err := b.conn.Exec(context.Background(), "select pg_advisory_unlock_all()"); err != nil {
		b.s.t.Fatal(err)
	}
}

// release resumes the loads and releases the locks of tables.
func (b *pausepoint) release() {
	b.s.t.Helper()
	b.resume()
	if b.gone {
		return
	}

	b.released = true
	for _, l := range b.held {
		err := <-l.got
		if err == nil {
			_, err = l.conn.Exec(context.Background(), "rollback")
		}
		if err != nil {
			b.s.t.Fatal(err)
		}
	}

	b.held = nil
}

// remove releases the pausepoint and drops it once no load waits at it.
func (b *pausepoint) remove() {
	b.s.t.Helper()
	b.release()
	b.s.waitForEnd()
	for _, function := range []string{"on_ddl", "pausepoint", "wait"} {
		b.s.exec("drop function if exists " + b.s.name(function) + "() cascade")
	}
}

// smallGrid is a grid of 40 chunks that loads in a moment: to interrupt its load in the middle, use a
// pausepoint.
func smallGrid() []string { return append(boxes(200, 100), "--chunk-rows", "500") }

const (
	smallCols, smallRows = 200, 100
	smallChunks          = 40
)

// waitForChunksOfTheNewest waits until the run that started last has committed k chunks.
func (s sandbox) waitForChunksOfTheNewest(k int) {
	s.t.Helper()
	s.waitFor("committed chunks", "select count(*) = $1 from "+s.name("chunks")+" where run_id = (select run_id from "+s.name("attempts")+" order by started_at desc limit 1)", k)
}

// killAfter starts a load, kills it once its first k chunks are committed, and waits until the server has
// noticed.
func (s sandbox) killAfter(k int, args ...string) {
	s.t.Helper()
	b := s.pauseAtChunk(k)
	p := start(s.t, s.dsn, args...)
	b.waitUntilReached()
	s.waitForChunksOfTheNewest(k)
	_ = p.cmd.Process.Kill()
	p.wait()
	b.remove()
}
