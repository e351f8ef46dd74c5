package loader

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
	"github.com/loadgrid/loadgrid/loader/plan"
	"golang.org/x/sync/errgroup"
)

// finishConns is the number of connections that finish uses at a time: one for
// the spatial index that takes long, one for the others.
const finishConns = 2

// freeze writes into the pages of chunks that their rows are visible to all, and
// for good, and takes away the rows of chunks that were interrupted. It comes
// before the indexes, which it would have to read, too.
func (l *load) freeze(ctx context.Context) error {
	if l.frozen || l.fills() || l.plan.Method == plan.MethodPartitions {
		return nil
	}
	defer l.watch(ctx, `
		select coalesce(max(heap_blks_scanned::float8 / nullif(heap_blks_total, 0)), 0)
		from pg_stat_progress_vacuum where relid = $1 and datname = current_database()`)()
	return l.retry(ctx, retryFor, "freeze", func() error {
		err := l.exec(ctx, "vacuum (freeze, index_cleanup off, truncate off) "+l.staging.SQL())
		return pg.Wrap(err, "freezing %s", l.staging.Table)
	})
}

// buildIndexes builds the unique index of the key and the other indexes side by
// side, and then makes the former the primary key: asked for as a primary key,
// it would wait until the spatial index is built. Rows that are appended to
// another table are counted and unique by their key, and need no spatial index.
// Partitions have theirs.
func (l *load) buildIndexes(ctx context.Context) error {
	key := catalog.KeyIndex(l.staging.Table, l.plan.Job)
	if l.plan.Method == plan.MethodPartitions {
		return l.retry(ctx, retryFor, "index", func() error {
			return l.checkRowCount(ctx, key.Name, l.summary.ChunksResumed == 0)
		})
	}
	var others []catalog.IndexDef
	if !l.fills() {
		others = append(catalog.SpatialIndexes(l.staging.Table, l.plan.Job, l.index), catalog.CodeIndexes(l.staging.Table, l.plan.Job)...)
	}
	// GiST takes longest, and PostgreSQL builds it with one process: it has a
	// connection to itself.
	jobs := [finishConns][]catalog.IndexDef{nil, {key}}
	for _, d := range others {
		if d.Method == "gist" {
			jobs[0] = append(jobs[0], d)
		} else {
			jobs[1] = append(jobs[1], d)
		}
	}
	keyBuilt, err := l.buildSideBySide(ctx, jobs, len(others)+1)
	if err != nil {
		return err
	}
	return l.retry(ctx, retryFor, "index", func() error {
		if err := l.checkRowCount(ctx, key.Name, keyBuilt); err != nil {
			return err
		}
		return l.addPrimaryKey(ctx, key.Name)
	})
}

// buildSideBySide builds each list of indexes on a connection of its own, and
// tells whether the unique one was built by this start.
func (l *load) buildSideBySide(ctx context.Context, jobs [finishConns][]catalog.IndexDef, indexes int) (keyBuilt bool, err error) {
	// A B-tree reports the scan of the table in blocks and then its own writing
	// in tuples; a GiST index the scan alone. An index that is built is in the
	// catalogue already.
	defer l.watch(ctx, `
		select ((select count(*) from pg_index where indrelid = $1)
		     + coalesce(sum(least(1, (blocks_done + tuples_done)::float8 / nullif(blocks_total + tuples_total, 0))), 0)) / $2
		from pg_stat_progress_create_index where relid = $1 and datname = current_database()`, indexes)()
	alone := len(jobs[0]) == 0
	g, ctx := errgroup.WithContext(ctx)
	for _, list := range jobs {
		g.Go(func() error {
			for _, d := range list {
				built, err := l.buildIndex(ctx, d, alone)
				if err != nil {
					return err
				}
				if d.Name == catalog.KeyName(l.staging.Table) {
					keyBuilt = built // by one of the lists alone
				}
			}
			return nil
		})
	}
	err = g.Wait()
	return keyBuilt, err
}

// appends tells whether the rows go into a table that is there.
func (l *load) appends() bool {
	return l.target.OID != 0 && l.plan.Job.IfExists == job.Append
}

// buildIndex builds an index, unless an earlier start of the run has, and tells
// whether it did. Its commit waits for the disk: what follows relies on it. Alone,
// it may use as many processes as the server lets it.
func (l *load) buildIndex(ctx context.Context, d catalog.IndexDef, alone bool) (built bool, err error) {
	settings := []pg.Setting{l.settings.SortMemory(l.plan.Rows, d.SortBytes, 1)}
	if !alone {
		settings = append(settings, pg.OneWorker())
	}
	err = l.retry(ctx, retryFor, "index", func() error {
		there, err := l.hasRelation(ctx, d.Name)
		if err != nil || there {
			return err
		}
		err = l.execWith(ctx, settings, d.CreateSQL(l.staging.Table))
		if builtByAnother(err) {
			return nil
		}
		built = err == nil
		return pg.Wrap(err, "building index %s on %s", d.Name, l.staging.Table)
	})
	return built, err
}

// execWith runs a statement in a transaction with settings of its own.
func (l *load) execWith(ctx context.Context, settings []pg.Setting, sql string) error {
	conn, err := l.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := pg.SetLocal(ctx, tx, settings...); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, sql)
		return err
	})
	return pg.MarkConnClosed(conn.Conn(), err)
}

// exec runs a statement that may take long, on a connection of its own.
func (l *load) exec(ctx context.Context, sql string) error {
	conn, err := l.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	_, err = conn.Exec(ctx, sql)
	return pg.MarkConnClosed(conn.Conn(), err)
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
	return there, pg.Wrap(err, "looking for index %s", name)
}

// checkRowCount compares the rows of the staging table with the plan, by what the
// build of the unique index has told the catalogue where that can be relied on.
// Else the rows are counted.
func (l *load) checkRowCount(ctx context.Context, index string, justBuilt bool) error {
	if justBuilt {
		if l.plan.Method == plan.MethodPartitions {
			return nil // each was counted when it was built
		}
		same, err := catalog.BuiltOver(ctx, l.pool, l.staging.Schema, index, l.plan.Rows)
		if err == nil && same {
			same, err = catalog.BuiltOverLive(ctx, l.pool, l.staging, l.plan.Rows)
		}
		if err != nil || same {
			return err
		}
	}
	var rows int64
	if err := l.pool.QueryRow(ctx, "select count(*) from "+l.staging.SQL()).Scan(&rows); err != nil {
		return pg.Wrap(err, "counting the rows of %s", l.staging.Table)
	}
	if rows != l.plan.Rows {
		return l.rowsLost(rows)
	}
	return nil
}

// errUnloggedLost reports an unlogged table that a crash of the server has emptied.
var errUnloggedLost = errors.New("a crash of the server has emptied the unlogged staging table: run the same command again")

func (l *load) rowsLost(rows int64) error {
	if l.plan.Job.Unlogged {
		return errUnloggedLost
	}
	return fmt.Errorf("staging table %s holds %d rows, but the ledger has %d: somebody changed it: drop the run with %s and start over",
		l.staging.Table, rows, l.plan.Rows, ledger.RunsCommand("drop", l.run, l.ledger.Schema))
}

func (l *load) addPrimaryKey(ctx context.Context, index string) error {
	var there bool
	err := l.pool.QueryRow(ctx, "select exists (select from pg_constraint where conrelid = $1 and contype = 'p')", l.staging.OID).Scan(&there)
	if err != nil || there {
		return pg.Wrap(err, "looking for the primary key of %s", l.staging.Table)
	}
	name := pgx.Identifier{index}.Sanitize()
	err = l.exec(ctx, "alter table "+l.staging.SQL()+" add constraint "+name+" primary key using index "+name)
	return pg.Wrap(err, "making index %s the primary key of %s", index, l.staging.Table)
}

// watch asks the server every second which share of the stage is done, between 0
// and 1, until the function that it returns is called. $1 of the query is the
// staging table.
func (l *load) watch(ctx context.Context, sql string, args ...any) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			var share float64
			if err := l.pool.QueryRow(ctx, sql, append([]any{l.staging.OID}, args...)...).Scan(&share); err == nil {
				l.progress.Set(int64(share * float64(l.plan.Rows)))
			}
		}
	})
	return func() {
		cancel()
		watching.Wait()
	}
}

// analyze gathers the table's statistics, so that they are there before readers.
func (l *load) analyze(ctx context.Context) error {
	if l.plan.Method == plan.MethodPartitions && l.target.OID != 0 {
		return nil // the partitions have theirs, and the parent is the one that is there
	}
	return l.retry(ctx, retryFor, "analyze", func() error {
		if l.plan.Method == plan.MethodPartitions {
			return l.analyzePartitioned(ctx, l.staging)
		}
		err := l.exec(ctx, "analyze "+l.staging.SQL())
		return pg.Wrap(err, "analyzing %s", l.staging.Table)
	})
}
