package unchanged

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/distribution"
	"github.com/loadgrid/loadgrid/internal/partitiontree"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// CheckKept refuses a table with a kept version of t that has lost something since the version's last run: rows,
// partitions, columns, or the key. It ignores additions, except columns, and a new file with the same rows, as after VACUUM
// FULL. It reads the table once if the number of its rows is known. It does not check a version from a loadgrid that did
// not record how it left the table.
func CheckKept(ctx context.Context, tx pgx.Tx, l ledger.Ledger, t job.Table, version int64, kept catalog.Relation) error {
	runs, err := l.VersionRuns(ctx, tx, t, version)
	if err != nil || len(runs) == 0 || runs[0].State == nil {
		return err
	}

	now, err := readState(ctx, tx, kept)
	if err != nil {
		return err
	}

	recorded, now, err := inFormatOf(ctx, tx, kept, *runs[0].State, now)
	if err != nil {
		return err
	}

	lost, rewritten, err := compareFiles(ctx, tx, recorded, now)
	if err != nil {
		return err
	}

	if other := catalog.DiffColumns(now.Columns, recorded.Columns); other != "" {
		lost = append(lost, other)
	}

	if madeAgain(kept, recorded, now) {
		lost = append(lost, "a column was dropped and recreated")
	}

	for _, d := range recorded.Indexes {
		if isUnique(d) && !slices.Contains(now.Indexes, d) {
			lost = append(lost, "it lacks the key or unique index "+d)
		}
	}

	rows, err := missingRows(ctx, tx, l, kept, runs, rewritten)
	if err != nil {
		return err
	}

	if lost = append(lost, rows...); len(lost) > 0 {
		return fmt.Errorf("table %s is not as run %d left it (%s): somebody altered it, so it is not put back; undo the change or, if it is intended, rename the table by hand",
			kept, runs[0].ID, partitiontree.ListChanges(lost))
	}

	return nil
}

// madeAgain reports whether a column has a new number. Column numbers have no gaps after the parent of partitions was
// created to keep the version, or the table was restored from a dump.
func madeAgain(kept catalog.Relation, recorded, now ledger.TableState) bool {
	if slices.ContainsFunc(recorded.Tables, func(f ledger.TableFile) bool { return f.OID == kept.OID }) {
		return !slices.Equal(recorded.Numbers, now.Numbers)
	}

	return len(now.Numbers) > 0 && int(now.Numbers[len(now.Numbers)-1]) != len(now.Numbers)
}

// isUnique reports whether a recorded index is unique.
func isUnique(index string) bool {
	kind, _, _ := strings.Cut(index, "(")
	return strings.HasSuffix(kind, " unique ")
}

// compareFiles returns the tables with rows that are gone, and the tables with another file. If none of the tables exists,
// the table was restored from a dump, where all have new numbers.
func compareFiles(ctx context.Context, q pg.Querier, recorded, now ledger.TableState) (lost []string, rewritten []uint32, err error) {
	var gone []ledger.TableFile

	for _, was := range recorded.Tables {
		i := slices.IndexFunc(now.Tables, func(f ledger.TableFile) bool { return f.OID == was.OID })

		switch {
		case i < 0:
			gone = append(gone, was)
		case now.Tables[i].File != was.File:
			rewritten = append(rewritten, was.OID)
		}
	}

	if len(gone) == len(recorded.Tables) {
		return nil, nil, nil
	}

	for _, was := range gone {
		name, err := catalog.NameOf(ctx, q, was.OID)

		switch {
		case err != nil:
			return nil, nil, err
		case name.Name == "":
			lost = append(lost, fmt.Sprintf("the partition that was called %s was dropped", was.Name))
		default:
			lost = append(lost, fmt.Sprintf("partition %s was detached", name))
		}
	}

	return lost, rewritten, nil
}

// ownRowsSQL counts all rows, and the rows that the runs of $1 or the transactions of $2 have written. The name of the
// table follows.
const ownRowsSQL = `
	select count(*), count(*) filter (where t.xmin = any ((
		select array(select k.xmin from {chunks} k where k.run_id = any ($1)
		             union all select r.published_xid::xid from {runs} r where r.id = any ($1) and r.published_xid is not null
		             union all select w::xid from unnest($2::text[]) w))::xid[]))
	from `

// missingRows says how many rows are missing. If a file was rewritten, rows that others have written since do not count:
// somebody may have emptied the table and refilled it.
func missingRows(ctx context.Context, tx pgx.Tx, l ledger.Ledger, kept catalog.Relation, runs []ledger.ShownRun, rewritten []uint32) ([]string, error) {
	want, known := rowsLeft(runs)

	if known {
		// An owner may have revoked its own privileges, or row security may hide rows.
		err := tx.QueryRow(ctx, "select has_table_privilege($1::oid, 'SELECT') and not row_security_active($1::oid)", kept.OID).Scan(&known)
		if err != nil {
			return nil, pg.Wrap(err, "looking up privileges on table %s", kept)
		}
	}

	if !known {
		return emptied(ctx, tx, rewritten)
	}

	if distributed, err := distribution.IsDistributed(ctx, tx, kept.OID); err != nil {
		return nil, err
	} else if distributed {
		rows, err := distribution.CountRows(ctx, tx, kept)
		if err == nil && rows < want {
			return []string{fmt.Sprintf("%d of %d rows are there", rows, want)}, nil
		}

		return nil, err
	}

	ids, writers := make([]int64, len(runs)), []string{}
	for i, r := range runs {
		ids[i] = r.ID
		if r.State != nil {
			writers = append(writers, r.State.Writers...)
		}
	}

	var rows, own int64
	if err := tx.QueryRow(ctx, l.SQL(ownRowsSQL)+kept.SQL()+" t", ids, writers).Scan(&rows, &own); err != nil {
		return nil, pg.Wrap(err, "counting the rows of table %s", kept)
	}

	switch {
	case rows < want:
		return []string{fmt.Sprintf("%d of %d rows are there", rows, want)}, nil
	case len(rewritten) > 0 && own < want:
		return []string{fmt.Sprintf("it was emptied or rewritten: %d of %d rows are from its runs", own, want)}, nil
	}

	return nil, nil
}

// emptied names the tables without pages, among those with a new file.
func emptied(ctx context.Context, q pg.Querier, rewritten []uint32) ([]string, error) {
	var lost []string
	err := q.QueryRow(ctx, `
		select array(select 'table ' || relname || ' was emptied' from pg_class
		             where oid = any ($1) and relkind = 'r' and pg_relation_size(oid) = 0 order by relname)`, rewritten).Scan(&lost)

	return lost, pg.Wrap(err, "looking for tables that were emptied")
}

// rowsLeft returns how many rows the last of the runs left, if that is known: a hook may have deleted some.
func rowsLeft(runs []ledger.ShownRun) (rows int64, known bool) {
	for _, r := range sinceCounted(runs) {
		rows += rowsOf(r)

		switch {
		case r.State == nil || r.State.Format == 0 && r.State.Rows == nil:
			if r.Job.After != "" {
				return 0, false
			}
		case r.State.HookWrote && r.State.Rows == nil:
			return 0, false
		}
	}

	return rows, true
}

// sinceCounted returns the newest of the runs, down to one that recorded the total number of rows, which includes those of
// the earlier runs.
func sinceCounted(runs []ledger.ShownRun) []ledger.ShownRun {
	i := slices.IndexFunc(runs, func(r ledger.ShownRun) bool { return r.State != nil && r.State.Rows != nil })
	if i < 0 {
		return runs
	}

	return runs[:i+1]
}

// rowsOf returns how many rows a run added, or the total number of rows if the run counted them.
func rowsOf(r ledger.ShownRun) int64 {
	if r.State != nil && r.State.Rows != nil {
		return *r.State.Rows
	}

	return r.Rows
}
