package serverfacts

import (
	"context"
	"math"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/loader/crs"
)

// standbysSQL counts standbys. Every role sees their number, but only some roles see their state.
const standbysSQL = `
	select count(*)::int4, case when count(*) = count(sync_state) then count(*) filter (where sync_state in ('sync', 'quorum')) else -1 end::int4,
	       current_setting('synchronous_standby_names')
	from pg_stat_replication`

// slotSQL finds the unread slot that keeps the most WAL. A standby has no position of its own WAL.
const slotSQL = `
	select slot_name::text, coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::int8
	from pg_replication_slots where not active and restart_lsn is not null order by 2 desc limit 1`

func (r *reader) readStandbys(ctx context.Context, tx pgx.Tx) error {
	s := &r.facts.Standbys
	err := tx.QueryRow(ctx, standbysSQL).Scan(&s.Connected, &s.Synchronous, &s.Names)
	if err != nil || r.facts.Server.InRecovery {
		return err
	}

	rows, err := tx.Query(ctx, slotSQL)
	if err != nil {
		return err
	}

	_, err = pgx.ForEachRow(rows, []any{&s.Inactive, &s.Kept}, func() error { return nil })

	return err
}

// systemsSQL looks up spatial_ref_sys without needing USAGE on its schema.
const systemsSQL = `
	select count(*) > 0, coalesce(bool_or(has_table_privilege(c.oid, 'SELECT')), false)
	from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = 'spatial_ref_sys'`

// lookedUp are the SRIDs whose rows are compared: longitude and latitude, and the European statistical grid.
func lookedUp() []int32 { return []int32{4326, 3035} }

func (r *reader) readSystems(ctx context.Context, tx pgx.Tx) error {
	s, p := &r.facts.Systems, r.facts.PostGIS
	err := tx.QueryRow(ctx, systemsSQL, p.Schema).Scan(&s.Present, &s.Readable)
	if err != nil || !s.Readable || !p.Usable {
		return err
	}

	if err := tx.QueryRow(ctx, "select count(*) from "+pgx.Identifier{p.Schema, "spatial_ref_sys"}.Sanitize()).Scan(&s.Rows); err != nil {
		return err
	}

	for _, srid := range lookedUp() {
		found, there, err := catalog.ReadCRS(ctx, tx, p.Schema, srid)

		switch {
		case err != nil:
			return err
		case !there:
			s.Missing = append(s.Missing, srid)
		case !asExpected(found):
			s.Other = append(s.Other, srid)
		}
	}

	return nil
}

// asExpected reports whether a CRS is the one that its SRID has in PostGIS.
func asExpected(c crs.CRS) bool {
	known, ok := crs.Known(c.SRID)
	return ok && c.Kind == known.Kind && c.Unit == known.Unit && c.Method == known.Method &&
		math.Abs(c.CentralMeridian-known.CentralMeridian) < 1e-6
}

const databaseSQL = `
	select pg_database_size(current_database()), t.spcname::text,
	       pg_tablespace_size(t.oid),
	       has_function_privilege('pg_ls_waldir()', 'EXECUTE')
	from pg_database d join pg_tablespace t on t.oid = d.dattablespace where d.datname = current_database()`

func (r *reader) readDisk(ctx context.Context, tx pgx.Tx) error {
	d := &r.facts.Disk
	d.WALBytes = -1

	var lists bool
	err := tx.QueryRow(ctx, databaseSQL).Scan(&d.DatabaseBytes, &d.Tablespace, &d.TablespaceBytes, &lists)
	if err != nil || !lists {
		return err
	}

	return tx.QueryRow(ctx, "select coalesce(sum(size), 0)::int8 from pg_ls_waldir()").Scan(&d.WALBytes)
}
