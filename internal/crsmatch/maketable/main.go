// Maketable makes the table of package crsmatch from the spatial_ref_sys of a server and the other
// names in PROJ's database. CONTRIBUTING.md has the commands.
package main

import (
	"bytes"
	"context"
	"database/sql"
	"flag"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // reads proj.db

	"github.com/loadgrid/loadgrid/internal/crsmatch"
)

const rowsQuery = `
select srid, coalesce(auth_name, ''), coalesce(auth_srid, 0)::text, coalesce(srtext, '')
  from spatial_ref_sys
 order by srid`

const namesQuery = `
select auth_name, code, name from projected_crs
 union all
select auth_name, code, name from geodetic_crs
 union all
select auth_name, code, alt_name from alias_name where table_name in ('projected_crs', 'geodetic_crs')`

// PostGIS lets PROJ look up a code first, and reads srtext only if that fails. The srtext of a
// deprecated CRS may be an outdated definition.
const deprecatedQuery = `
select auth_name, code, name from projected_crs where deprecated
 union all
select auth_name, code, name from geodetic_crs where deprecated`

const datumsQuery = `
select c.auth_name, c.code, d.name
  from geodetic_crs c
  join geodetic_datum d on d.auth_name = c.datum_auth_name and d.code = c.datum_code
 union all
select c.auth_name, c.code, a.alt_name
  from geodetic_crs c
  join alias_name a on a.table_name = 'geodetic_datum' and a.auth_name = c.datum_auth_name and a.code = c.datum_code`

func main() {
	dsn := flag.String("dsn", "", "server with PostGIS; defaults to PGHOST and the other PG variables")
	proj := flag.String("proj", "/usr/share/proj/proj.db", "database of PROJ")
	out := flag.String("o", "table.bin", "file to write")
	flag.Parse()

	if err := run(context.Background(), *dsn, *proj, *out); err != nil {
		fmt.Fprintln(os.Stderr, "maketable:", err)
		os.Exit(1)
	}
}

// code is an authority's code for a CRS.
type code struct{ authority, code string }

func run(ctx context.Context, dsn, proj, out string) error {
	db, err := sql.Open("sqlite", "file:"+proj+"?mode=ro")
	if err != nil {
		return fmt.Errorf("open PROJ's database: %w", err)
	}
	defer func() { _ = db.Close() }()

	names, err := read(ctx, db, namesQuery)
	if err != nil {
		return fmt.Errorf("read the names of CRSs: %w", err)
	}

	datums, err := read(ctx, db, datumsQuery)
	if err != nil {
		return fmt.Errorf("read the names of datums: %w", err)
	}

	deprecated, err := read(ctx, db, deprecatedQuery)
	if err != nil {
		return fmt.Errorf("read which CRSs are deprecated: %w", err)
	}

	sources, err := rows(ctx, dsn, names, datums, deprecated)
	if err != nil {
		return fmt.Errorf("read spatial_ref_sys: %w", err)
	}

	var file bytes.Buffer
	n, err := crsmatch.WriteTable(&file, sources)
	if err != nil {
		return fmt.Errorf("pack the table: %w", err)
	}

	if err := os.WriteFile(out, file.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}

	fmt.Fprintf(os.Stderr, "%d of %d CRSs: %d bytes\n", n, len(sources), file.Len())
	return nil
}

// read reads the names for each code.
func read(ctx context.Context, db *sql.DB, query string) (map[code][]string, error) {
	found, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()

	names := map[code][]string{}
	for found.Next() {
		var c code
		var name string
		if err := found.Scan(&c.authority, &c.code, &name); err != nil {
			return nil, err
		}
		names[c] = append(names[c], name)
	}
	return names, found.Err()
}

func rows(ctx context.Context, dsn string, names, datums, deprecated map[code][]string) ([]crsmatch.Source, error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(ctx) }()

	found, err := conn.Query(ctx, rowsQuery)
	if err != nil {
		return nil, err
	}

	var all []crsmatch.Source
	var c code
	var s crsmatch.Source

	_, err = pgx.ForEachRow(found, []any{&s.SRID, &c.authority, &c.code, &s.Text}, func() error {
		if s.Names, s.Datums = names[c], datums[c]; len(deprecated[c]) == 0 {
			all = append(all, s)
		}
		return nil
	})
	return all, err
}
