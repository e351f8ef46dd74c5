package loader

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"
)

// finishConns is the number of connections that finish uses at a time: one for
// each index.
const finishConns = 2

// keyIndex and spatialIndex return the names of the indexes: while the table is
// staged after the staging table's name, and from publish on after its own.
func keyIndex(t Table) string { return objectName(t.Name, "", "pkey") }

func spatialIndex(t Table, job Job) string { return objectName(t.Name, job.GeomColumn, "idx") }

// buildIndexes builds the unique index of the key and the spatial index side by
// side, and then makes the former the primary key: asked for as a primary key,
// it would wait until the spatial index is built. Rows that are appended to
// another table are counted and unique by their key, and need no spatial index.
func (l *load) buildIndexes(ctx context.Context) error {
	job := l.plan.Job
	key, spatial := keyIndex(l.staging.Table), spatialIndex(l.staging.Table, job)
	g, gctx := errgroup.WithContext(ctx)
	var keyBuilt bool
	g.Go(func() (err error) {
		keyBuilt, err = l.buildIndex(gctx, key, "unique index", "btree ("+pgx.Identifier{job.IDColumn}.Sanitize()+")")
		return err
	})
	if !l.appends() {
		g.Go(func() error {
			_, err := l.buildIndex(gctx, spatial, "index", "gist ("+pgx.Identifier{job.GeomColumn}.Sanitize()+")")
			return err
		})
	}
	watch, stop := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		l.watchIndexes(watch)
	}()
	err := g.Wait()
	stop()
	<-watched
	if err != nil {
		return err
	}
	return retry(ctx, l.log, retryFor, "index", func() error {
		if err := l.checkRowCount(ctx, key, keyBuilt); err != nil {
			return err
		}
		return l.addPrimaryKey(ctx, key)
	})
}

// appends tells whether the rows go into a table that is there.
func (l *load) appends() bool {
	return l.target.oid != 0 && l.plan.Job.IfExists == Append
}

// buildIndex builds an index, unless an earlier start of the run has, and tells
// whether it did.
func (l *load) buildIndex(ctx context.Context, name, kind, using string) (built bool, err error) {
	sql := "create " + kind + " " + pgx.Identifier{name}.Sanitize() + " on " + l.staging.sql() + " using " + using
	err = retry(ctx, l.log, retryFor, "index", func() error {
		there, err := l.hasRelation(ctx, name)
		if err != nil || there {
			return err
		}
		err = l.exec(ctx, sql)
		if builtByAnother(err) {
			return nil
		}
		built = err == nil
		return serverError(err, "building index %s on %s", name, l.staging.Table)
	})
	return built, err
}

// exec runs a statement that may take long, on a connection of its own.
func (l *load) exec(ctx context.Context, sql string) error {
	conn, err := l.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	_, err = conn.Exec(ctx, sql)
	return lost(conn.Conn(), err)
}

// builtByAnother tells whether an index could not be built since it is there by
// now: an earlier try has built it, or an earlier start, whose backend went on
// with it after its client was killed.
func builtByAnother(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && (pgErr.Code == "42P07" ||
		pgErr.Code == "23505" && pgErr.ConstraintName == "pg_class_relname_nsp_index")
}

func (l *load) hasRelation(ctx context.Context, name string) (bool, error) {
	var there bool
	err := l.pool.QueryRow(ctx, `
		select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = $1 and c.relname = $2)`, l.staging.Schema, name).Scan(&there)
	return there, serverError(err, "looking for index %s", name)
}

// checkRowCount compares the rows of the staging table with the plan. An index
// that was just built knows how many it was built over, as a float4: exact up to
// 2^24, and to seven digits beyond. Later that number may be an estimate, and
// the rows are counted.
func (l *load) checkRowCount(ctx context.Context, index string, justBuilt bool) error {
	if justBuilt {
		var same bool
		err := l.pool.QueryRow(ctx, `
			select c.reltuples = $3::bigint::float4 from pg_class c join pg_namespace n on n.oid = c.relnamespace
			where n.nspname = $1 and c.relname = $2`, l.staging.Schema, index, l.plan.Rows).Scan(&same)
		if err != nil || same {
			return serverError(err, "asking index %s for its rows", index)
		}
	}
	var rows int64
	if err := l.pool.QueryRow(ctx, "select count(*) from "+l.staging.sql()).Scan(&rows); err != nil {
		return serverError(err, "counting the rows of %s", l.staging.Table)
	}
	if rows != l.plan.Rows {
		return fmt.Errorf("staging table %s holds %d rows, but the ledger has %d: somebody changed it, or it was lost in a crash: drop the run with %s and start over",
			l.staging.Table, rows, l.plan.Rows, runsCommand("drop", l.run, l.ledger.schema))
	}
	return nil
}

func (l *load) addPrimaryKey(ctx context.Context, index string) error {
	var there bool
	err := l.pool.QueryRow(ctx, "select exists (select from pg_constraint where conrelid = $1 and contype = 'p')", l.staging.oid).Scan(&there)
	if err != nil || there {
		return serverError(err, "looking for the primary key of %s", l.staging.Table)
	}
	name := pgx.Identifier{index}.Sanitize()
	err = l.exec(ctx, "alter table "+l.staging.sql()+" add constraint "+name+" primary key using index "+name)
	return serverError(err, "making index %s the primary key of %s", index, l.staging.Table)
}

// watchIndexes asks the server every second how far the indexes are.
func (l *load) watchIndexes(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		// A B-tree reports the scan of the table in blocks and then its own
		// writing in tuples; a GiST index the scan alone. An index that is
		// built is in the catalogue already.
		var share float64
		err := l.pool.QueryRow(ctx, `
			select (select count(*) from pg_index where indrelid = $1)
			     + coalesce(sum(least(1, (blocks_done + tuples_done)::float8 / nullif(blocks_total + tuples_total, 0))), 0)
			from pg_stat_progress_create_index where relid = $1`, l.staging.oid).Scan(&share)
		if err == nil {
			l.progress.set(int64(share / 2 * float64(l.plan.Rows))) // of two indexes
		}
	}
}

// analyze gathers the table's statistics, so that they are there before readers.
func (l *load) analyze(ctx context.Context) error {
	return retry(ctx, l.log, retryFor, "analyze", func() error {
		err := l.exec(ctx, "analyze "+l.staging.sql())
		return serverError(err, "analyzing %s", l.staging.Table)
	})
}
