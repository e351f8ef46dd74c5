package pgtest

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Version is what tests need to know about their server, because servers from 13 to 18 differ.
type Version struct {
	Postgres int // first number: 13
	PostGIS  int // first two numbers as one: 301 for 3.1
	// Versions of the libraries that PostGIS uses, in the same form.
	GEOS, PROJ int
}

// versionSQL has the schema of PostGIS for %[1]s.
const versionSQL = `
	select current_setting('server_version_num')::integer / 10000,
	       split_part(extversion, '.', 1)::integer * 100 + split_part(extversion, '.', 2)::integer,
	       split_part(geos, '.', 1)::integer * 100 + split_part(geos, '.', 2)::integer,
	       proj[1]::integer * 100 + proj[2]::integer
	from pg_extension, %[1]s.postgis_geos_version() geos, regexp_match(%[1]s.postgis_proj_version(), '(\d+)\.(\d+)') proj
	where extname = 'postgis'`

// VersionOf asks a server for its version, in a database that has PostGIS.
func VersionOf(t testing.TB, q interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}) (v Version) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	var schema string
	err := q.QueryRow(ctx, "select extnamespace::regnamespace::text from pg_extension where extname = 'postgis'").Scan(&schema)
	if err == nil {
		err = q.QueryRow(ctx, fmt.Sprintf(versionSQL, schema)).Scan(&v.Postgres, &v.PostGIS, &v.GEOS, &v.PROJ)
	}
	if err != nil {
		t.Fatalf("pgtest: ask the server for its version: %v", err)
	}
	return v
}
