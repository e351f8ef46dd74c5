package integration

import "testing"

// If a role may not use PostGIS's schema, the error reports that, without the SQL of the ledger.
func TestPostGISInASchemaWithoutUsage(t *testing.T) {
	s := newDatabaseSandbox(t)
	role, password := "without_"+s.schema+"_postgis", newPassword()
	s.exec("create schema gis; create schema own; drop extension postgis cascade; create extension postgis schema gis")
	s.exec("create role " + role + " login password '" + password + "'")
	t.Cleanup(func() { s.exec("drop owned by " + role + "; drop role " + role) })
	s.exec("grant usage, create on schema own to " + role + "; grant create on database " + queryOne[string](t, s.pool, "select quote_ident(current_database())") + " to " + role)

	dsn := s.dsnOf(role, password)
	r := cli(t, dsn, append([]string{"load", "--table", "own.grid"}, boxes(3, 3)...)...)
	r.expect(t, 1, "may not use schema gis, which contains PostGIS", `grant usage on schema "gis" to "`+role+`"`)

	r = cli(t, dsn, "migrate", "up")
	r.expect(t, 1, "permission denied", "SQLSTATE 42501")
	if len(r.stderr) > 500 {
		t.Errorf("it prints SQL: %s", r.stderr)
	}
}
