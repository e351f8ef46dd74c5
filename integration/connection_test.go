package integration

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

// Backends that end during a load are replaced, and no row is duplicated.
func TestEndedBackends(t *testing.T) {
	s := newSandbox(t)
	b := s.pauseAtChunk(20)
	p := start(t, s.dsn, s.load("grid", append(boxes(400, 500), "--chunk-rows", "5000")...)...)
	for _, chunks := range []int{2, 8, 14, 20} {
		if s.waitForChunks(chunks); chunks == 20 {
			b.waitUntilReached()
		}
		s.exec(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = $2 and pid in (
			select pid from pg_locks l join pg_class c on c.oid = l.relation where c.relnamespace = $1::regnamespace)`, s.schema, s.application())
	}

	b.release()
	if r := p.wait(); r.code != 0 || s.retries() == 0 {
		t.Errorf("exit code %d, tried again %d times: %s", r.code, s.retries(), r.stderr)
	}

	s.checkBoxes("grid", 400, 500)
}

// smallJob is a job for tests of the library.
func (s sandbox) smallJob(chunkRows int64) loader.Job {
	return loader.Job{Table: loader.Table{Schema: s.schema, Name: "grid"}, LedgerSchema: s.schema,
		Grid: geomgen.Grid{DX: 1, DY: 1}, Cols: smallCols, Rows: smallRows, ChunkRows: chunkRows}
}

// dropResponse is a connection that breaks after the server has answered the n-th COMMIT, so that the
// answer is lost.
type dropResponse struct {
	net.Conn
	commits *atomic.Int64
	at      int64
	armed   bool
}

func (c *dropResponse) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "commit\x00") && c.commits.Add(1) == c.at {
		c.armed = true
	}
	return c.Conn.Write(p)
}

func (c *dropResponse) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.armed && n > 0 {
		c.armed = false
		_ = c.Conn.Close()
		return 0, net.ErrClosed
	}
	return n, err
}

// Whichever COMMIT of the run loses its answer, the ledger shows that it happened, and nothing is copied
// or published twice.
func TestLostAnswerToCommit(t *testing.T) {
	const chunks = 4
	// The first commit creates the run and its staging table; the last one publishes.
	for at := int64(1); at <= chunks+2; at++ {
		t.Run(fmt.Sprint("commit ", at), func(t *testing.T) {
			s := newSandbox(t)
			mustCLI(t, s.dsn, "migrate", "up", "--ledger-schema", s.schema)
			var commits atomic.Int64
			pool := openPool(t, s.dsn, func(c *pgxpool.Config) {
				dial := c.ConnConfig.DialFunc
				c.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
					conn, err := dial(ctx, network, addr)
					return &dropResponse{Conn: conn, commits: &commits, at: at}, err
				}
			})

			sum, err := loader.Run(context.Background(), pool, s.smallJob(smallCols*smallRows/chunks), loader.Options{})
			if err != nil {
				t.Fatal(err)
			}

			if n := commits.Load(); n < chunks+2 {
				t.Fatalf("only %d commits: no answer was lost", n)
			}

			if sum.ChunksCopied != chunks {
				t.Errorf("%d chunks copied, want %d", sum.ChunksCopied, chunks)
			}
			s.checkBoxes("grid", smallCols, smallRows)
			if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("runs")); n != 1 {
				t.Errorf("%d runs in the ledger, want 1", n)
			}
		})
	}
}

// A chunk's ledger row prevents a second attempt, even one that resumes late: its transaction waits, then
// ends without a row.
func TestTheLedgerFencesASecondAttempt(t *testing.T) {
	s := newSandbox(t)
	ctx, cancel := context.WithCancelCause(context.Background())
	pool := openPool(t, s.dsn, nil)
	b := s.pauseAtChunk(50)
	go func() {
		s.waitForChunks(1)
		cancel(errors.New("enough"))
	}()

	_, err := loader.Run(ctx, pool, s.smallJob(200), loader.Options{})
	var resumable *loader.ResumableError
	if !errors.As(err, &resumable) {
		t.Fatalf("got %v, want a ResumableError", err)
	}

	b.release()
	// The late attempt: a transaction that has inserted a chunk's row and is still open when the run is
	// resumed.
	tx, err := s.pool.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}

	no := queryOne[int64](t, s.pool, "select min(n) from generate_series(0, 99) n where n not in (select chunk_no from "+s.name("chunks")+")")
	insert := "insert into " + s.name("chunks") + " (run_id, chunk_no, first_id, last_id, rows) values ($1, $2, 0, 0, 0)"
	if _, err := tx.Exec(context.Background(), insert, resumable.Run, no); err != nil {
		t.Fatal(err)
	}

	done := make(chan error, 1)
	go func() {
		_, err := loader.Run(context.Background(), pool, s.smallJob(200), loader.Options{})
		done <- err
	}()

	s.waitFor("the resumed run to wait for the late attempt", `select exists (
		select from pg_locks w join pg_locks h using (pid) where not w.granted and w.locktype = 'transactionid' and h.relation = $1::regclass)`, s.name("chunks"))
	if err := tx.Rollback(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}

	s.checkBoxes("grid", smallCols, smallRows)
	var pgErr *pgconn.PgError
	if _, err := s.pool.Exec(context.Background(), insert, resumable.Run, no); !errors.As(err, &pgErr) || pgErr.Code != pgerrcode.UniqueViolation {
		t.Errorf("a second attempt at chunk %d gets %v", no, err)
	}
}
