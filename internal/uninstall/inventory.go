// Package uninstall owns the removal of everything that loadgrid has created in a database, except the
// tables that it loaded.
package uninstall

import (
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/db/migrations"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// Inventory lists what loadgrid has created with one ledger.
type Inventory struct {
	Schema string // of the ledger

	// These are removed.
	Relations []Relation // tables and views of the ledger
	Runs      int64      // number of runs in the ledger
	Functions []string   // of the ledger, with their arguments
	Staging   []Table    // staging tables of runs that are unfinished or that no ledger knows
	SchemaToo bool       // the schema, because nothing else is in it

	// Kept are the kept versions of tables. They are removed on request.
	Kept []Table

	// These are not removed.
	Loaded      []job.Table // existing tables that runs have loaded
	Callers     []string    // functions of users whose text calls a function of the ledger
	SchemaStays string      // why the schema stays, empty if it is removed or does not exist
	Others      []string    // schemas of other ledgers

	tables []job.Table // that a run may be working on
}

// Relation is a table or a view of the ledger.
type Relation struct {
	Name  string
	Kind  string // as pg_class.relkind has it
	owned bool
	owner string
	oid   uint32
}

// Table is a table that a run has made.
type Table struct {
	Table job.Table
	Run   int64     // number of its run or version, 0 if the ledger does not know it
	Of    job.Table // the table that it is a version of
	Bytes int64     // size of a kept version, as far as this server knows; otherwise 0
	oid   uint32
}

// Empty reports whether there is nothing to remove. Only a ledger knows kept versions.
func (i Inventory) Empty() bool {
	return len(i.Relations) == 0 && len(i.Functions) == 0 && len(i.Staging) == 0
}

// Look returns the inventory of a ledger. It writes nothing and locks nothing. The error is a
// *ledger.ForeignError if the ledger is not safe to read, and a *migrations.NewerError if a newer loadgrid made it.
func Look(ctx context.Context, q pg.Querier, l ledger.Ledger) (i Inventory, err error) {
	i.Schema = l.Schema
	if err := l.CheckOwner(ctx, q); err != nil {
		return i, err
	}

	if i.Relations, err = relations(ctx, q, l); err != nil {
		return i, err
	}

	if err := checkVersion(ctx, q, i); err != nil {
		return i, err
	}

	for _, part := range []struct {
		sql string
		to  *[]string
	}{{functionsSQL, &i.Functions}, {callersSQL, &i.Callers}, {othersSQL, &i.Others}} {
		if *part.to, err = names(ctx, q, part.sql, l.Schema); err != nil {
			return i, err
		}
	}

	runs, err := i.lookAtRuns(ctx, q, l)
	if err != nil {
		return i, err
	}

	if i.Staging, err = staging(ctx, q, l, runs); err != nil {
		return i, err
	}

	i.tables = runs.tables
	for _, t := range i.Staging {
		if !slices.Contains(i.tables, t.Of) {
			i.tables = append(i.tables, t.Of)
		}
	}

	i.SchemaToo, i.SchemaStays, err = schemaGoes(ctx, q, i)

	return i, err
}

// relationsSQL finds the tables of a ledger by their names and their comments, which other
// tables in the same schema do not have. The table of golang-migrate has no comment.
const relationsSQL = `
	with found as (
		select c.oid, c.relname, c.relkind::text as kind, pg_get_userbyid(c.relowner) as owner, pg_has_role(c.relowner, 'USAGE') as owned,
		       coalesce(obj_description(c.oid, 'pg_class') like 'loadgrid: %', false) as ours
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = $1 and c.relname = any($2) and c.relkind in ('r', 'v'))
	select oid, relname, kind, owner, owned from found f
	where ours or relname = 'schema_migrations' and kind = 'r' and exists (select from found where ours)
	  and (select string_agg(a.attname || ' ' || format_type(a.atttypid, null), ', ' order by a.attnum) from pg_attribute a
	       where a.attrelid = f.oid and a.attnum > 0 and not a.attisdropped) = 'version bigint, dirty boolean'
	order by relname`

func relations(ctx context.Context, q pg.Querier, l ledger.Ledger) ([]Relation, error) {
	rows, err := q.Query(ctx, relationsSQL, l.Schema, ledger.TableNames())
	if err != nil {
		return nil, pg.Wrap(err, "looking for the ledger in schema %s", l.Schema)
	}

	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r Relation, err error) {
		err = row.Scan(&r.oid, &r.Name, &r.Kind, &r.owner, &r.owned)
		return r, err
	})

	return list, pg.Wrap(err, "looking for the ledger in schema %s", l.Schema)
}

// has reports whether the ledger has a table of this name.
func (i Inventory) has(name string) bool {
	return slices.ContainsFunc(i.Relations, func(r Relation) bool { return r.Name == name })
}

// checkVersion refuses a ledger that a newer loadgrid has made, because its content is unknown here.
func checkVersion(ctx context.Context, q pg.Querier, i Inventory) error {
	if !i.has("schema_migrations") {
		return nil
	}

	latest, err := migrations.Latest()
	if err != nil {
		return err
	}

	var version int64
	err = q.QueryRow(ctx, "select version from "+pgx.Identifier{i.Schema, "schema_migrations"}.Sanitize()).Scan(&version)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}

	if err == nil && version > int64(latest) {
		return &migrations.NewerError{Schema: i.Schema, Have: uint(version), Latest: latest}
	}

	return pg.Wrap(err, "reading the version of the ledger in schema %s", i.Schema)
}

// ours is true for the functions p of schema $1 that migrations have made.
const ours = `p.pronamespace = (select oid from pg_namespace where nspname = $1) and obj_description(p.oid, 'pg_proc') ~ '^(of )?loadgrid: '`

const functionsSQL = `select p.oid::regprocedure::text from pg_proc p where coalesce(` + ours + `, false) order by 1`

// callersSQL finds functions whose text calls a function of the ledger with its schema. The server does not
// record such a dependency.
const callersSQL = `
	with named as (select distinct lower(translate($1::text, '"', '')) || '.' || p.proname || '(' as call from pg_proc p where coalesce(` + ours + `, false)),
	texts as (select p.oid, lower(translate(p.prosrc, '"', '')) as text from pg_proc p
	          where p.pronamespace <> 'pg_catalog'::regnamespace and not coalesce(` + ours + `, false))
	select distinct 'function ' || t.oid::regprocedure::text from texts t join named n on strpos(t.text, n.call) > 0
	where substr(' ' || t.text, strpos(t.text, n.call), 1) !~ '[a-z0-9_]' order by 1`

const othersSQL = `
	select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace
	where c.relname = 'runs' and c.relkind = 'r' and obj_description(c.oid, 'pg_class') like 'loadgrid: %' and n.nspname <> $1 order by 1`

func names(ctx context.Context, q pg.Querier, sql string, args ...any) ([]string, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, pg.Wrap(err, "looking for what loadgrid has made")
	}

	list, err := pgx.CollectRows(rows, pgx.RowTo[string])

	return list, pg.Wrap(err, "looking for what loadgrid has made")
}

const runsSQL = `
	select schema_name, table_name, staging_name, state, max(id), count(*) from {runs}
	group by schema_name, table_name, staging_name, state order by 1, 2, 5`

// runs holds what the ledger knows about tables.
type runs struct {
	tables  []job.Table         // that runs have loaded, or were meant to load
	staging map[job.Table]int64 // the staging tables of unfinished runs
}

// lookAtRuns counts runs, and looks for the tables that they have loaded or kept.
func (i *Inventory) lookAtRuns(ctx context.Context, q pg.Querier, l ledger.Ledger) (known runs, err error) {
	known.staging = make(map[job.Table]int64)
	if !i.has("runs") {
		return known, nil
	}

	rows, err := q.Query(ctx, l.SQL(runsSQL))
	if err != nil {
		return known, pg.Wrap(err, "reading the ledger in schema %s", l.Schema)
	}

	var t job.Table
	var name, state string
	var id, n int64
	_, err = pgx.ForEachRow(rows, []any{&t.Schema, &t.Name, &name, &state, &id, &n}, func() error {
		i.Runs += n
		if !slices.Contains(known.tables, t) {
			known.tables = append(known.tables, t)
		}

		if state == string(ledger.StateLoading) && catalog.IsStaging(name) {
			known.staging[job.Table{Schema: t.Schema, Name: name}] = id
		}

		return nil
	})
	if err != nil {
		return known, pg.Wrap(err, "reading the ledger in schema %s", l.Schema)
	}

	for _, t := range known.tables {
		if there, err := catalog.Exists(ctx, q, t.Schema, t.Name); err != nil {
			return known, err
		} else if there {
			i.Loaded = append(i.Loaded, t)
		}

		if err := i.addKept(ctx, q, l, t); err != nil {
			return known, err
		}
	}

	return known, nil
}

// addKept adds the kept versions of a table. If somebody has replaced a version by another table, it does not count.
func (i *Inventory) addKept(ctx context.Context, q pg.Querier, l ledger.Ledger, t job.Table) error {
	versions, err := l.KeptVersions(ctx, q, t)
	if err != nil {
		return err
	}

	for _, v := range versions {
		kept := catalog.Relation{Table: v.Kept}
		if err := kept.Find(ctx, q); err != nil {
			return err
		}

		is := kept.OID != 0 && v.Kept == ledger.VersionName(t, v.ID)
		if is {
			if is, err = l.IsVersion(ctx, q, t, v.ID, kept.OID); err != nil {
				return err
			}
		}

		if !is {
			continue
		}

		bytes, err := sizeOf(ctx, q, kept.OID)
		if err != nil {
			return err
		}

		i.Kept = append(i.Kept, Table{Table: v.Kept, Run: v.ID, Of: t, Bytes: bytes, oid: kept.OID})
	}

	return nil
}

// sizeOf returns the size of a table, with its partitions and indexes, as of the last VACUUM or ANALYZE. It does not
// wait for locks, because a load may hold the table.
func sizeOf(ctx context.Context, q pg.Querier, oid uint32) (bytes int64, err error) {
	err = q.QueryRow(ctx, catalog.WithTree+`
		select coalesce(sum(c.relpages::bigint), 0)::bigint * current_setting('block_size')::bigint
		from (select oid from tables union all select i.indexrelid from pg_index i join tables t on t.oid = i.indrelid) o join pg_class c using (oid)`, oid).Scan(&bytes)

	return bytes, pg.Wrap(err, "looking at the size of a table")
}
