package build

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/observe"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/setting"
	"github.com/loadgrid/loadgrid/loader/job"
)

// Index builds the unique index of the key and the other indexes at the same time, and then makes
// the unique index the primary key. If it asked for a primary key at once, that would wait until
// the spatial index is built. If there is no key to build, it checks that all rows are present.
func (b Builder) Index(ctx context.Context) error {
	key := catalog.KeyIndex(b.Staging.Table, b.Plan.Job)

	if !b.Work.Key {
		return b.Observer.Retry(ctx, observe.RetryFor, "index", func() error {
			if b.Work.Counted {
				return nil
			}

			return b.countRows(ctx)
		})
	}

	// GiST takes longest, and PostgreSQL builds it with one process, so it has its own connection.
	lists := [Conns][]catalog.IndexDef{nil, {key}}
	for _, d := range b.Work.Indexes {
		if d.Method == "gist" {
			lists[0] = append(lists[0], d)
		} else {
			lists[1] = append(lists[1], d)
		}
	}

	keyBuilt, err := b.buildSideBySide(ctx, lists, key.Name)
	if err != nil {
		return err
	}

	if err := b.Settle(ctx); err != nil {
		return err
	}

	return b.Observer.Retry(ctx, observe.RetryFor, "index", func() error {
		if err := b.checkRowCount(ctx, key.Name, keyBuilt); err != nil {
			return err
		}

		return b.addPrimaryKey(ctx, key.Name)
	})
}

// buildSideBySide builds each list of indexes on its own connection, and reports whether this
// attempt built the key's index.
func (b Builder) buildSideBySide(ctx context.Context, lists [Conns][]catalog.IndexDef, key string) (keyBuilt bool, err error) {
	defer b.watchIndexes(ctx, len(lists[0]) > 0)()

	alone := len(lists[0]) == 0
	g, ctx := errgroup.WithContext(ctx)

	for _, list := range lists {
		g.Go(func() error {
			for _, d := range list {
				built, err := b.buildIndex(ctx, d, alone)
				if err != nil {
					return err
				}

				if d.Name == key {
					keyBuilt = built // only one of the lists has the key
				}
			}

			return nil
		})
	}

	err = g.Wait()

	return keyBuilt, err
}

// buildIndex builds an index unless an earlier attempt of the run built it, and reports whether it
// did. Its commit waits for the disk, because later steps rely on it. If alone, it may use as many
// processes as the server allows.
func (b Builder) buildIndex(ctx context.Context, d catalog.IndexDef, alone bool) (built bool, err error) {
	settings := []setting.Parameter{b.Settings.SortMemory(b.Plan.Rows, d.SortBytes, 1)}
	if !alone {
		settings = append(settings, setting.OneWorker())
	}

	err = b.Observer.Retry(ctx, observe.RetryFor, "index", func() error {
		there, err := catalog.Exists(ctx, b.Pool, b.Staging.Schema, d.Name)
		if err != nil || there {
			return pg.Wrap(err, "looking for index %s", d.Name)
		}

		err = execWith(ctx, b.Pool, settings, d.CreateSQL(b.Staging.Table))
		if builtByAnother(err) {
			return nil
		}

		built = err == nil

		return pg.Wrap(err, "building index %s on %s", d.Name, b.Staging.Table)
	})

	return built, err
}

// checkRowCount compares the staging table's row count with the plan. It uses the count that the
// build of the unique index wrote into the catalogue if that is reliable. Otherwise it counts the
// rows.
func (b Builder) checkRowCount(ctx context.Context, index string, justBuilt bool) error {
	if justBuilt {
		same, err := catalog.BuiltOver(ctx, b.Pool, b.Staging.Schema, index, b.Plan.Rows)
		if err == nil && same {
			same, err = catalog.BuiltOverLive(ctx, b.Pool, b.Staging, b.Plan.Rows)
		}

		if err != nil || same {
			return err
		}
	}

	return b.countRows(ctx)
}

func (b Builder) countRows(ctx context.Context) error {
	var rows int64
	err := pgx.BeginFunc(ctx, b.Pool, func(tx pgx.Tx) error {
		if err := b.Ledger.LockStaging(ctx, tx, b.Staging, "access share"); err != nil {
			return err
		}

		return tx.QueryRow(ctx, "select count(*) from "+b.Staging.SQL()).Scan(&rows)
	})
	if err != nil {
		return pg.Wrap(err, "counting the rows of %s", b.Staging.Table)
	}

	if rows != b.Plan.Rows {
		return b.lostRows(rows)
	}

	return nil
}

func (b Builder) addPrimaryKey(ctx context.Context, index string) error {
	var there bool
	err := b.Pool.QueryRow(ctx, "select exists (select from pg_constraint where conrelid = $1 and contype = 'p')", b.Staging.OID).Scan(&there)
	if err != nil || there {
		return pg.Wrap(err, "looking for the primary key of %s", b.Staging.Table)
	}

	name := pgx.Identifier{index}.Sanitize()
	err = exec(ctx, b.Pool, "alter table "+b.Staging.SQL()+" add constraint "+name+" primary key using index "+name)

	return pg.Wrap(err, "making index %s the primary key of %s", index, b.Staging.Table)
}

// Partition gives a filled partition with this number of rows its primary key, its other indexes
// and its statistics, in the transaction that filled it, so an existing partition is always
// complete. The owner of the target table gets the partition before the other indexes are built:
// index expressions run as the owner of the table, and not as the role that loads.
func Partition(ctx context.Context, tx pgx.Tx, t job.Table, rows int64, key catalog.IndexDef, others []catalog.IndexDef, settings ...setting.Parameter) error {
	if err := setting.SetLocal(ctx, tx, settings...); err != nil {
		return err
	}

	exec := func(doing, sql string) error {
		_, err := tx.Exec(ctx, sql)
		return pg.Wrap(err, "%s partition %s", doing, t)
	}

	table, name := catalog.QuoteTable(t), pgx.Identifier{key.Name}.Sanitize()
	if err := exec("building the primary key of", "alter table "+table+" add constraint "+name+" primary key "+key.Using); err != nil {
		return err
	}

	same, err := catalog.BuiltOver(ctx, tx, t.Schema, key.Name, rows)
	if err != nil {
		return err
	}

	if !same {
		return fmt.Errorf("the primary key of partition %s was not built over its %d rows", t, rows)
	}

	owner := ""
	for _, d := range others {
		if d.Owner != owner {
			owner = d.Owner
			if err := exec("changing the owner of", "alter table "+table+" owner to "+pgx.Identifier{owner}.Sanitize()); err != nil {
				return err
			}
		}

		if err := exec("building an index by "+d.Method+" "+d.Using+" of", d.CreateSQL(t)); err != nil {
			return err
		}
	}

	return exec("analyzing", "analyze "+table)
}
