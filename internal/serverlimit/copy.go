package serverlimit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/copier"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/sqltext"
	"github.com/loadgrid/loadgrid/loader/plan"
	"github.com/loadgrid/loadgrid/loader/progress"
	"github.com/loadgrid/loadgrid/loader/rows"
)

// measurement is a running Measure. All of it runs on one connection, so that both sides use the
// same backend with the same caches.
type measurement struct {
	conn    *pgx.Conn
	options Options
	table   catalog.Relation // has the name of a staging table, and is never committed
	plan    *plan.Plan
	rows    int64 // of each COPY

	dir, file string // the prepared bytes, in a directory with nothing else
	limitBy   LimitSource
	limitWhy  string
	copyLimit func(context.Context) (time.Duration, error)
	counting  bool // the progress counts rows

	limitTook, loadgridTook []time.Duration
	discarded, generated    float64
}

// newRows returns the first n rows of the plan.
func (b *measurement) newRows(ctx context.Context, n int64) *rows.Rows {
	return b.plan.NewFirstRows(ctx, n)
}

// turn creates the table, as a frozen load does, copies n rows into it, or none if they are
// discarded, and rolls back. It returns how long the COPY took. Creating the table takes a moment
// that is the same for all turns.
func (b *measurement) turn(ctx context.Context, want int64, doing string, do func(pgx.Tx) (pgconn.CommandTag, error)) (time.Duration, error) {
	tx, err := b.conn.Begin(ctx)
	if err != nil {
		return 0, pg.Wrap(err, "beginning a transaction for %s", doing)
	}
	defer func() { _ = tx.Rollback(ctx) }() // if it has failed
	if _, err := tx.Exec(ctx, b.table.CreateSQL(b.plan.Job)); err != nil {
		return 0, pg.Wrap(err, "creating table %s for %s", b.table, doing)
	}

	began := time.Now()
	tag, err := do(tx)
	took := time.Since(began)
	if err != nil {
		return 0, pg.Wrap(errors.Join(err, ctx.Err()), "%s into table %s", doing, b.table)
	}

	if tag.RowsAffected() != want {
		return 0, fmt.Errorf("%s into table %s: %d rows expected, %d reported by COPY", doing, b.table, want, tag.RowsAffected())
	}

	return took, pg.Wrap(tx.Rollback(ctx), "rolling back %s", doing)
}

// copyGenerated copies n rows as loadgrid does: see copyChunk.
func (b *measurement) copyGenerated(ctx context.Context, n int64) (time.Duration, error) {
	progress := new(progress.Progress)
	if b.counting {
		progress = b.options.Progress
	}

	rows := copier.NewCountedRows(b.newRows(ctx, n), progress, 1, new(atomic.Int64))

	return b.turn(ctx, n, "copying generated rows", func(tx pgx.Tx) (pgconn.CommandTag, error) {
		return tx.Conn().PgConn().CopyFrom(ctx, rows, copier.SQL(b.table.Table, b.plan.Job, "stdin", true))
	})
}

// writeFile writes the prepared bytes to a place where the server may be able to read them. The
// name is random, so a server that finds a file with this name has found this file.
func (b *measurement) writeFile(ctx context.Context) error {
	failed := func(err error) error {
		if err != nil && ctx.Err() == nil {
			err = fmt.Errorf("writing a temporary file of %d rows, about %d MB: %w: free some space, or set TMPDIR to another directory",
				b.rows, b.rows*int64(b.plan.RowBytes())/1_000_000+1, err)
		}

		return err
	}

	dir, err := os.MkdirTemp(b.options.TempDir, "loadgrid-bench-*")
	if err != nil {
		return failed(err)
	}

	b.dir = dir
	if dir, err = filepath.Abs(dir); err != nil { // the server has another working directory
		return failed(err)
	}

	if err := os.Chmod(dir, 0o755); err != nil { // the server runs as another user
		return failed(err)
	}

	b.file = filepath.Join(dir, "rows.copy")
	f, err := os.OpenFile(b.file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return failed(err)
	}

	const buffer = 1 << 18
	_, err = io.CopyBuffer(struct{ io.Writer }{f}, b.newRows(ctx, b.rows), make([]byte, buffer))

	return failed(errors.Join(err, f.Chmod(0o644), f.Close()))
}

// close removes the file, also after an error or a signal. A backend that is reading it must stop
// first, which takes the driver a moment.
func (b *measurement) close() error {
	if b.conn.IsClosed() {
		select {
		case <-b.conn.PgConn().CleanupDone():
		case <-time.After(pg.CleanupTimeout):
		}
	}

	return b.removeFile()
}

func (b *measurement) removeFile() error {
	if b.dir == "" {
		return nil
	}

	if err := os.RemoveAll(b.dir); err != nil {
		return fmt.Errorf("removing the temporary file: %w", err)
	}

	return nil
}

// chooseLimit makes the server read the file itself if it can, which a try shows. Otherwise the
// client sends the file.
func (b *measurement) chooseLimit(ctx context.Context) error {
	why, err := b.tryServerFile(ctx)
	if err != nil {
		return err
	}

	if why == "" {
		b.limitBy, b.limitWhy = LimitServerFile, "the role may read files of the server, and the server sees the files of this machine"
		b.copyLimit = b.copyServerFile

		return nil
	}

	b.limitBy, b.limitWhy = LimitClientFile, why
	b.copyLimit = func(ctx context.Context) (time.Duration, error) { return b.copyClientFile(ctx, "", b.rows) }

	return nil
}

// tryServerFile returns the reason why the server cannot read the file, "" if it can.
func (b *measurement) tryServerFile(ctx context.Context) (why string, err error) {
	var may bool
	err = b.conn.QueryRow(ctx, "select pg_has_role('pg_read_server_files', 'USAGE')").Scan(&may)
	if err != nil {
		return "", pg.Wrap(err, "asking whether the role may read files of the server")
	}

	if !may {
		return "the role may not read files of the server: it must be a superuser or a member of pg_read_server_files", nil
	}

	_, err = b.copyServerFile(ctx)
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && isFileTrouble(pgErr.Code) {
		return fmt.Sprintf("the server does not see this client's file, %s (SQLSTATE %s)", sqltext.OneLine(pgErr.Message), pgErr.Code), nil
	}

	return "", err
}

// isFileTrouble tells whether an error of COPY is about the file: the file does not exist, may not
// be read, or is out of the server's reach, or a managed server supports no COPY of files at all.
func isFileTrouble(code string) bool {
	switch code {
	case pgerrcode.UndefinedFile, pgerrcode.InsufficientPrivilege, pgerrcode.IOError, pgerrcode.WrongObjectType, pgerrcode.FeatureNotSupported, pgerrcode.InvalidParameterValue, pgerrcode.InvalidName:
		return true
	}
	return false
}

// copyServerFile makes the server copy the file. The server quotes its name, because COPY takes no
// parameters.
func (b *measurement) copyServerFile(ctx context.Context) (time.Duration, error) {
	var name string
	if err := b.conn.QueryRow(ctx, "select quote_literal($1)", b.file).Scan(&name); err != nil {
		return 0, pg.Wrap(err, "quoting the name of file %s", b.file)
	}

	return b.turn(ctx, b.rows, "copying a file of the server", func(tx pgx.Tx) (pgconn.CommandTag, error) {
		return tx.Exec(ctx, copier.SQL(b.table.Table, b.plan.Job, name, true))
	})
}

// copyClientFile sends the file with loadgrid's own driver. Its packets are larger than those of
// psql's \copy, so this sets a higher bar.
func (b *measurement) copyClientFile(ctx context.Context, where string, want int64) (time.Duration, error) {
	f, err := os.Open(b.file)
	if err != nil {
		return 0, fmt.Errorf("opening the temporary file: %w", err)
	}
	defer f.Close()

	return b.turn(ctx, want, "sending prepared rows", func(tx pgx.Tx) (pgconn.CommandTag, error) {
		return tx.Conn().PgConn().CopyFrom(ctx, f, copier.SQL(b.table.Table, b.plan.Job, "stdin", true)+where)
	})
}

// discard sends the rows to a server that reads them and keeps none. If that is not
// faster, the connection to the server is the limit.
func (b *measurement) discard(ctx context.Context) error {
	took, err := b.copyClientFile(ctx, " where false", 0)
	b.discarded = rateOf(b.rows, []time.Duration{took}).Median
	return err
}

// generate makes rows into a buffer like the driver's, for a third of a second.
func (b *measurement) generate(ctx context.Context) error {
	const long = 300 * time.Millisecond
	buffer := make([]byte, rows.DriverBuffer)
	var took []time.Duration

	for began := time.Now(); len(took) < minRounds || time.Since(began) < long; {
		round, rows := time.Now(), b.newRows(ctx, b.rows)
		for {
			if _, err := rows.Read(buffer); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return fmt.Errorf("generating rows: %w", err)
			}
		}

		took = append(took, time.Since(round))
	}

	b.generated = rateOf(b.rows, took).Median

	return nil
}
