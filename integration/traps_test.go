package integration

import (
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/integration/pgtest"
)

// trapsSQL prepares the traps: each call of spring, or of a copy of it, leaves a row, and a number in a
// sequence, which remains even if the transaction is rolled back.
const trapsSQL = `
	create schema evil;
	create table evil.hits (trap text, query text);
	create sequence evil.rung;
	create function evil.spring() returns text language plpgsql as $body$
	begin
		perform pg_catalog.nextval('evil.rung');
		insert into evil.hits select context, pg_catalog.current_query() from (select 'a trap') s (context);
		return null;
	end $body$;
	grant usage on schema evil to public;
	grant all on evil.hits, evil.rung to public;`

// trapFunctionsSQL copies spring into schema $1, under the name of each function of schema $2. The copies
// have the function's arguments, and also the types of parameters and columns: a function whose arguments
// match a call exactly precedes one that needs a cast. CREATE FUNCTION would take minutes.
const trapFunctionsSQL = `
	with spring as (select p from pg_proc p where p.oid = 'evil.spring()'::regprocedure),
	types (t) as (
		select t::regtype::oid from unnest('{name,text,regclass,oid,int4,int8,float8,numeric,jsonb,bytea}'::text[]) t
		union all select t.oid from pg_type t join pg_extension e on e.extnamespace = t.typnamespace where e.extname = 'postgis' and t.typname = 'geometry'),
	theirs as (
		select p.proname, p.pronargs, p.pronargdefaults as defaults, p.proargtypes::text as args, p.provariadic <> 0 as spread,
		       case when r.typtype = 'p' then 'text'::regtype else p.prorettype end as returns
		from pg_proc p join pg_type r on r.oid = p.prorettype
		where p.prokind in ('f', 'a', 'w') and p.pronargs > 0
		  and p.pronamespace = $2::regnamespace
		  -- What PostgreSQL calls itself, by its place in the catalogue.
		  and not exists (select from unnest(p.proargtypes) a where a in ('internal'::regtype, 'cstring'::regtype))),
	lists (proname, args, returns) as (
		select proname, args, returns from theirs
		union select proname, t::text, returns from theirs, types where pronargs = 1
		union select proname, a.t || ' ' || b.t, returns from theirs, types a, types b where pronargs = 2 or spread
		union select proname, concat_ws(' ', t, t, t), returns from theirs, types where pronargs = 3 or spread
		union select proname, concat_ws(' ', 'text'::regtype::oid, t, t, t), returns from theirs, types where spread
		-- Those with defaults fit a call with fewer arguments, too.
		union select proname, array_to_string(array_fill(t, array[n]), ' '), returns from theirs, types, generate_series((pronargs - defaults)::integer, pronargs::integer) n where n between 1 and 5),
	traps as (select distinct on (proname, args) * from lists order by proname, args, returns)
	insert into pg_proc select r.* from spring, (
		select *, (select max(oid)::bigint from pg_proc) + row_number() over () as oid from traps
		where not exists (select from pg_proc q where q.pronamespace = $1::regnamespace and q.proname = traps.proname and q.proargtypes = traps.args::oidvector)) t,
	jsonb_populate_record(p, jsonb_build_object('oid', t.oid, 'proname', proname, 'pronamespace', $1::regnamespace::oid::bigint,
		'pronargs', cardinality(string_to_array(args, ' ')), 'proargtypes', args, 'prorettype', returns::oid::bigint)) r`

// trapOperatorsSQL makes operators in the same way.
const trapOperatorsSQL = `
	with types (t) as (
		select t::regtype::oid from unnest('{name,text,regclass,oid,int4,int8,float8,numeric,bool,jsonb}'::text[]) t
		union all select t.oid from pg_type t join pg_extension e on e.extnamespace = t.typnamespace where e.extname = 'postgis' and t.typname = 'geometry'),
	theirs as (
		select o.oprname, o.oprleft, o.oprright, o.oprresult from pg_operator o
		where o.oprkind = 'b' and o.oprcode <> 0 and o.oprnamespace = $2::regnamespace),
	pairs (name, l, r, result) as (
		select oprname, oprleft, oprright, oprresult from theirs
		union select distinct on (oprname, a.t, b.t) oprname, a.t, b.t, oprresult from theirs, types a, types b),
	traps as (
		select distinct on (name, l, r) name, l, r, case when y.typtype = 'p' then 'text'::regtype::oid else y.oid end as result
		from pairs join pg_type y on y.oid = result order by name, l, r, y.oid),
	functions as (
		insert into pg_proc select r.* from pg_proc p, (
			select *, row_number() over () as no, (select max(oid)::bigint from pg_proc) + row_number() over () as oid
			from (select distinct l, r, result from traps) s) t,
		jsonb_populate_record(p, jsonb_build_object('oid', t.oid, 'proname', 'operator_' || no, 'pronamespace', $1::regnamespace::oid::bigint,
			'pronargs', 2, 'proargtypes', l || ' ' || r, 'prorettype', result::bigint)) r
		where p.oid = 'evil.spring()'::regprocedure
		returning oid, proargtypes[0] as l, proargtypes[1] as r, prorettype as result)
	insert into pg_operator select r.* from pg_operator o, (
		select name, f.*, (select max(oid)::bigint from pg_operator) + row_number() over () as no from traps join functions f using (l, r, result)
		where not exists (select from pg_operator q where q.oprnamespace = $1::regnamespace and q.oprname = name and (q.oprleft, q.oprright) = (l, r))) t,
	jsonb_populate_record(o, jsonb_build_object('oid', t.no, 'oprname', name, 'oprnamespace', $1::regnamespace::oid::bigint,
		'oprleft', t.l::bigint, 'oprright', t.r::bigint, 'oprresult', t.result::bigint, 'oprcode', t.oid::bigint, 'oprcom', 0, 'oprnegate', 0,
		'oprrest', 0, 'oprjoin', 0, 'oprcanmerge', false, 'oprcanhash', false)) r
	where o.oid = '=(int4,int4)'::regoperator`

// trapRelationsSQL makes a view with the name of each relation of the catalogue, and
// trapTypesSQL a domain with the name of each of its types.
const trapRelationsSQL = `
	select string_agg(format('create view evil.%I as select evil.spring() as oid; grant select on evil.%I to public', relname, relname), '; ')
	from pg_class where relnamespace = 'pg_catalog'::regnamespace and relkind in ('r', 'v')`

const trapTypesSQL = `
	select string_agg(format('create domain evil.%I as pg_catalog.%I check (evil.spring() is null)', typname, typname), '; ')
	from pg_type where typnamespace = 'pg_catalog'::regnamespace and typtype = 'b' and typelem = 0 and typrelid = 0 and not typname ~ '^_'`

// setTraps fills a sandbox's database with traps, and makes a superuser and a reader whose search_path
// leads into them. It returns their DSNs.
func (s sandbox) setTraps() (super, reader string) {
	s.t.Helper()
	s.exec(trapsSQL)
	for _, sql := range []string{trapRelationsSQL, trapTypesSQL} {
		s.exec(queryOne[string](s.t, s.pool, sql))
	}
	for schema, of := range map[string]string{"evil": "pg_catalog", "public": "public"} { // PostGIS's traps are next to its functions
		s.exec(trapFunctionsSQL, schema, of)
		s.exec(trapOperatorsSQL, schema, of)
	}

	database := queryOne[string](s.t, s.pool, "select current_database()")
	as := func(role, attributes string) string {
		password := newPassword()
		s.exec("create role " + role + " login " + attributes + " password '" + password + "'")
		s.exec("alter role " + role + " set search_path = evil, public, pg_catalog")
		s.t.Cleanup(func() { s.exec("drop owned by " + role + " cascade; drop role " + role) })
		return changeDSN(s.t, s.dsn, func(u *url.URL, _ url.Values) { u.User = url.UserPassword(role, password) })
	}

	return as("super_of_"+database, "superuser"), as("reader_of_"+database, "")
}

// checkTraps fails if somebody has called a trap.
func (s sandbox) checkTraps(doing string) {
	s.t.Helper()
	if rung := queryOne[bool](s.t, s.pool, "select is_called from evil.rung"); rung {
		s.t.Errorf("%s called a trap: %s", doing, queryOne[string](s.t, s.pool, "select coalesce(string_agg(distinct query, '; '), 'in a transaction that was rolled back') from evil.hits"))
		s.exec("truncate evil.hits; alter sequence evil.rung restart")
	}
}

// Nothing that loadgrid runs by itself calls objects that somebody else has put into a schema of the
// search_path, whatever their names and arguments.
func TestTraps(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	s := sandboxIn(t, changeDSN(t, dsn, func(_ *url.URL, q url.Values) { q.Set("search_path", "pg_catalog") }), "grids")
	s.dsn = dsn
	s.exec("create schema grids; create extension if not exists postgis schema public")
	super, reader := s.setTraps()

	// The traps work: unqualified names call them.
	pool := openPool(t, super, nil)
	for _, sql := range []string{"starts_with('a'::pg_catalog.name, 'a'::pg_catalog.text)", "1::pg_catalog.int8 + 1::pg_catalog.int8", "quote_ident('a'::pg_catalog.name)",
		"lower('a'::pg_catalog.text)", "'{}'::pg_catalog.jsonb ->> 'a'::pg_catalog.text", "'a'::text"} {
		queryOne[any](t, pool, "select "+sql)
		if !queryOne[bool](t, s.pool, "select is_called from evil.rung") {
			t.Errorf("%s does not call a trap", sql)
		}
		s.exec("truncate evil.hits; alter sequence evil.rung restart")
	}

	area := t.TempDir() + "/area.wkt"
	if err := os.WriteFile(area, []byte("SRID=3857;POLYGON((0.5 0.5,9.3 1.2,5.1 8.8,0.5 0.5))"), 0o600); err != nil {
		t.Fatal(err)
	}

	grid := []string{"--cell-size", "1", "--srid", "3857"}
	square := append(slices.Clone(grid), "--extent", "0,0,16,16")
	loads := []struct {
		table string
		args  []string
	}{
		{"plain", nil},
		{"plain", []string{"--if-exists", "replace", "--keep", "1", "--index", "both"}},
		{"plain", []string{"--if-exists", "replace", "--skip-unchanged", "--keep", "1", "--index", "both"}},
		{"plain", []string{"--if-exists", "append", "--extent", "16,0,20,16"}},
		{"plain", []string{"--if-exists", "append", "--extent", "16,0,24,16", "--on-conflict", "skip"}},
		{"pieces", []string{"--streams", "2", "--chunk-rows", "100", "--unlogged"}},
		{"emptied", nil},
		{"emptied", []string{"--if-exists", "replace", "--publish", "truncate"}},
		{"parts", []string{"--partitions", "2"}},
		{"parts", []string{"--partitions", "2", "--if-exists", "replace", "--keep", "1"}},
		{"parts", []string{"--partitions", "2", "--if-exists", "append", "--extent", "16,0,32,16"}},
		{"area", []string{"--aoi", area, "--coverage", "--clip", "--code", "inspire", "--set", "n:int=5", "--set", "name=x"}},
		{"query", []string{"--aoi-sql", "select public.st_geomfromtext('POLYGON((0 0,0.0001 0,0 0.0001,0 0))'::pg_catalog.text, 4326)", "--aoi-make-valid"}},
		{"turned", []string{"--rotate", "30", "--cols", "9", "--rows", "9"}},
		{"hexagons", []string{"--shape", "hexagon"}},
		{"hooks", []string{"--before", "analyze grids.plain", "--after", "analyze {{table}}"}},
	}
	for _, l := range loads {
		args := append(s.load(l.table, grid...), l.args...)
		if !slices.ContainsFunc(l.args, func(a string) bool { return a == "--extent" || a == "--cols" || strings.HasPrefix(a, "--aoi") }) {
			args = append(args, "--extent", "0,0,16,16")
		}
		mustCLI(t, super, args...)
		s.checkTraps("load of " + strings.Join(append([]string{l.table}, l.args...), " "))
	}

	id := func(table string) string {
		return queryOne[string](t, s.pool, "select max(id)::text from grids.runs where table_name = $1", table)
	}
	ledger := []string{"--ledger-schema", "grids"}
	stopped := append(s.load("stopped", square...), "--after", "select 1 operator(pg_catalog./) 0")
	for range 2 { // begun, then resumed
		cli(t, super, stopped...).expect(t, 4, "22012")
	}
	for _, args := range [][]string{
		{"runs", "list"}, {"runs", "show", id("plain")}, {"runs", "drop", id("stopped")}, {"runs", "rollback", kept(t, s, "plain")}, {"runs", "rollback", kept(t, s, "parts")},
		{"runs", "prune", "--older-than", "1h"}, {"migrate", "version"}, {"migrate", "up"}, append([]string{"plan", "--table", "grids.plain", "--if-exists", "append", "--extent", "24,0,30,16"}, grid...),
	} {
		mustCLI(t, super, append(args, ledger...)...)
		s.checkTraps(strings.Join(args, " "))
	}
	for _, args := range [][]string{
		{"preview", "--table", "grids.area", "--out", t.TempDir() + "/preview.png"}, {"bench", "--schema", "grids", "--rows", "700"}, {"demo", "--picture", ""},
	} {
		mustCLI(t, super, args...)
		s.checkTraps(strings.Join(args, " "))
	}

	s.exec("grant usage on schema grids to public; grant select on all tables in schema grids to public")
	// As if it were distributed by parent, which would need a cluster.
	s.exec(`update grids.runs set job = job operator(pg_catalog.||) '{"parent_levels": 3}'::pg_catalog.jsonb`)
	s.exec(`create table grids.shops as select public.st_setsrid(public.st_makepoint((n operator(pg_catalog./) 2.0)::pg_catalog.float8, (n operator(pg_catalog./) 3.0)::pg_catalog.float8), 3857) as geom, n, n::pg_catalog.float8 as f
		from pg_catalog.generate_series(0, 20) n; grant select on grids.shops to public`)
	asReader := openPool(t, reader, nil)
	table := pgx.Identifier{"grids", "plain"}.Sanitize()
	for _, call := range []string{
		"cell_id(3, 4)", "cell_col(77)", "cell_row(77)", "cell_neighbours(77)", "cell_neighbours('" + table + "'::pg_catalog.regclass, 77)", "cell_parent(77, 2)",
		"cell_parent('" + table + "'::pg_catalog.regclass, 77, 2)", "grid_of('" + table + "'::pg_catalog.regclass)", "run_of('" + table + "'::pg_catalog.regclass)",
		"key_text('" + table + "'::pg_catalog.regclass)", "key_mark('" + table + "'::pg_catalog.regclass)", "key_comment('x'::pg_catalog.text, 5)",
		"cell_at('" + table + "'::pg_catalog.regclass, public.st_geomfromewkt('SRID=3857;POINT(3 4)'))",
		`cell_at('{"x0":0,"y0":0,"dx":1,"dy":1,"rotate":30}'::pg_catalog.jsonb, 3.5::pg_catalog.float8, 4.5::pg_catalog.float8)`,
		`cell_at('{"x0":0,"y0":0,"dx":1,"dy":1,"shape":"hexagon-flat"}'::pg_catalog.jsonb, 3.5::pg_catalog.float8, 4.5::pg_catalog.float8)`,
		`cell_at('{"x0":0,"y0":9,"dx":1,"dy":1,"shape":"xyz","zoom":3}'::pg_catalog.jsonb, 3.5::pg_catalog.float8, 4.5::pg_catalog.float8)`,
		"parents_of('" + table + "'::pg_catalog.regclass, public.st_geomfromewkt('SRID=3857;LINESTRING(3 4,40 50)'))",
		"points_per_cell('" + table + "'::pg_catalog.regclass, 'grids.shops'::pg_catalog.regclass, 'geom', 'n')",
		"points_per_cell('grids.turned'::pg_catalog.regclass, 'grids.shops'::pg_catalog.regclass, 'geom', 'f')",
		"points_per_cell('grids.hexagons'::pg_catalog.regclass, 'grids.shops'::pg_catalog.regclass, 'geom')",
		"points_per_cell('grids.area'::pg_catalog.regclass, 'grids.shops'::pg_catalog.regclass, 'geom', within_part => true)",
		"points_outside('" + table + "'::pg_catalog.regclass, 'grids.shops'::pg_catalog.regclass, 'geom')",
		"cell_geom('" + table + "'::pg_catalog.regclass, 77)",
		`cell_geom('{"x0":0,"y0":0,"dx":1,"dy":1,"shape":"hexagon-flat"}'::pg_catalog.jsonb, 3, 4)`,
		`cell_geom('{"x0":0,"y0":0,"dx":1,"dy":1,"shape":"hexagon-pointy","rotate":3}'::pg_catalog.jsonb, 3, 4)`,
		`cell_geom('{"x0":0,"y0":9,"dx":1,"dy":1,"shape":"xyz","zoom":3}'::pg_catalog.jsonb, 3, 4)`,
		"cells('" + table + "'::pg_catalog.regclass, public.st_geomfromewkt('SRID=3857;LINESTRING(3 4,40 50)'))",
		"cells_between(0::pg_catalog.float8, 1::pg_catalog.float8, 3, 2, 2, 5::pg_catalog.float8, 9::pg_catalog.float8)",
		`parents_of('{"x0":0,"y0":0,"dx":1,"dy":1,"rotate":30}'::pg_catalog.jsonb, 3, 0::pg_catalog.float8, 0::pg_catalog.float8, 30::pg_catalog.float8, 20::pg_catalog.float8)`,
		`parents_of('{"x0":0,"y0":0,"dx":1,"dy":1,"shape":"hexagon-flat"}'::pg_catalog.jsonb, 3, 0::pg_catalog.float8, 0::pg_catalog.float8, 30::pg_catalog.float8, 20::pg_catalog.float8)`,
		`parents_of('{"x0":0,"y0":0,"dx":1,"dy":1,"shape":"hexagon-pointy"}'::pg_catalog.jsonb, 3, 0::pg_catalog.float8, 0::pg_catalog.float8, 30::pg_catalog.float8, 20::pg_catalog.float8)`,
		`parents_of('{"x0":0,"y0":9,"dx":1,"dy":1,"shape":"xyz","zoom":3}'::pg_catalog.jsonb, 3, 0::pg_catalog.float8, 0::pg_catalog.float8, 30::pg_catalog.float8, 20::pg_catalog.float8)`,
	} {
		var got any
		if err := asReader.QueryRow(t.Context(), fmt.Sprintf("select (grids.%s)::pg_catalog.text", call)).Scan(&got); err != nil || got == nil {
			t.Errorf("%s: %v, %v", call, got, err)
		}
		s.checkTraps(call)
	}
	if n := queryOne[int64](t, s.pool, "select count(*) from evil.hits"); n != 0 {
		t.Errorf("%d traps were called", n)
	}
	mustCLI(t, super, append([]string{"migrate", "down"}, ledger...)...)
	s.checkTraps("migrate down")
}

// kept returns a run of a table whose version is kept.
func kept(t *testing.T, s sandbox, table string) string {
	t.Helper()
	return queryOne[string](t, s.pool, "select id::text from grids.runs where table_name = $1 and kept_name is not null order by id desc limit 1", table)
}
