package integration

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/loader"
)

// hostile returns strings that would have an effect if they got into SQL unquoted. The effect is visible:
// sentinel would disappear, or something named boo would appear.
func hostile() []string {
	return []string{
		"grid", "Grid x.y", `"`, `'`, `\`, `;`, "--", "/*", "$$", "%s%I%L%%", "%[1]s", "$1", "{}", "\x00", "\xff", "", " ", "\n\t", "ü€𝄞", "\u202e",
		`x"; drop table public.sentinel; --`,
		`x'; drop table public.sentinel; --`,
		`x\'; drop table public.sentinel; --`,
		`"."; create table boo (); --`,
		`x$body$; create table boo (); --`,
		`$sql$; create table boo (); --`,
		`$migration$; create table boo (); --`,
		`x$$; create table boo (); --`,
		`postgis.ledger.public.`,
		`a"b'c\d$e$f%g;h--i/*j*/`,
		`'||(select 1)||'`,
		`) from public.sentinel; delete from public.sentinel; --`,
		"public", "pg_temp", "pg_catalog", "runs", "col", "xmin", "select", "NULL", "current_user",
		strings.Repeat("x", 63), strings.Repeat("x", 64), strings.Repeat("ü", 31) + "x", strings.Repeat(`"`, 63), strings.Repeat(`'`, 62), strings.Repeat(`\`, 63),
		"select st_makeenvelope(0, 0, 3, 3)",
		"select st_makeenvelope(0, 0, 3, 3); drop table public.sentinel",
		"delete from public.sentinel returning st_makeenvelope(0, 0, 3, 3)",
		"select st_makeenvelope(0, 0, 3, 3) from set_config('transaction_read_only', 'off', false), lo_create(0)",
		"commit; drop table public.sentinel",
	}
}

// injectionDatabase is a database in which a role that may create schemas loads with hostile names.
type injectionDatabase struct {
	admin *pgxpool.Pool
	role  string
	dsn   string // for the role
	pool  *pgxpool.Pool
}

func newInjectionDatabase(f *testing.F) *injectionDatabase {
	ctx := context.Background()
	dsn := pgtest.Database(f)
	open := func(dsn string) *pgxpool.Pool {
		pool, err := loader.Open(ctx, dsn, 2)
		if err != nil {
			f.Fatal(err)
		}
		f.Cleanup(pool.Close)
		return pool
	}

	a := &injectionDatabase{admin: open(dsn), role: "fuzz_" + strings.ToLower(newPassword()[len(canary):])[:16]}
	password := newPassword()
	a.exec(f, "create role "+a.role+" login password '"+password+"'")
	f.Cleanup(func() {
		a.exec(f, "drop owned by "+a.role)
		a.exec(f, "drop role "+a.role)
	})

	database := a.admin.Config().ConnConfig.Database
	a.exec(f, "grant create on database "+database+" to "+a.role)
	a.exec(f, "grant all on schema public to "+a.role)
	a.exec(f, "create table public.sentinel as select 42 as n")
	a.exec(f, "alter table public.sentinel owner to "+a.role) // so that the role could drop it
	u, err := url.Parse(dsn)
	if err != nil {
		f.Fatal(err)
	}

	u.User = url.UserPassword(a.role, password)
	a.dsn = u.String()
	a.pool = open(a.dsn)
	return a
}

func (a *injectionDatabase) exec(t testing.TB, sql string) {
	t.Helper()
	if _, err := a.admin.Exec(context.Background(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// dbObject is an object of the catalogue.
type dbObject struct{ kind, schema, name string }

// objects returns the database's objects, except those that PostgreSQL and PostGIS bring.
func (a *injectionDatabase) objects(t testing.TB) map[dbObject]bool {
	t.Helper()
	rows, err := a.admin.Query(context.Background(), `
		select 'relation', nspname, relname from pg_class c join pg_namespace n on n.oid = relnamespace
		where c.oid >= 16384 and relkind in ('r', 'p', 'v', 'm', 'f', 'S')
		  and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = c.oid and deptype = 'e')
		union all
		select 'function', nspname, proname from pg_proc p join pg_namespace n on n.oid = pronamespace
		where p.oid >= 16384 and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = p.oid and deptype = 'e')
		union all
		select 'schema', nspname, '' from pg_namespace where nspname not like 'pg\_temp\_%' and nspname not like 'pg\_toast\_temp\_%'
		union all
		select 'role', rolname, '' from pg_roles where rolname = 'boo' or pg_has_role($1, oid, 'member') and rolname <> $1
		union all
		select 'large object', oid::text, '' from pg_largeobject_metadata
		union all
		select 'the number in sentinel', n::text, '' from public.sentinel`, a.role)
	if err != nil {
		t.Fatal(err)
	}

	all := map[dbObject]bool{}
	var x dbObject
	if _, err := pgx.ForEachRow(rows, []any{&x.kind, &x.schema, &x.name}, func() error {
		all[x] = true
		return nil
	}); err != nil {
		t.Fatal("sentinel is missing, or the catalogue cannot be read: ", err)
	}

	return all
}

// valid reports whether PostgreSQL accepts a name.
func valid(name string) bool {
	return name != "" && len(name) <= 63 && utf8.ValidString(name) && !strings.ContainsRune(name, 0)
}

// The bits of an input:
const (
	inChunks  = 1 << iota
	inParts   // partitions; this bit takes precedence over inChunks
	byAreaSQL // text is the query of the area
	ownLedger // the ledger has the name in the input, not "ledger"
	ownDSN    // text is part of the DSN
	oddType   // text is the type of a constant
	keepOld   // a replace keeps the previous version
	truncates // the replaced table is truncated and keeps its identity
)

// FuzzInjection puts a string into each place where loadgrid accepts one. After loads, replaces and
// appends, there is a table with exactly that name, those columns and those values, and nothing else.
func FuzzInjection(f *testing.F) {
	a := newInjectionDatabase(f)
	list := hostile()
	at := func(i int) string { return list[i%len(list)] }
	for i := 0; i < len(list); i += 2 {
		f.Add(byte(i|i<<5&(keepOld|truncates)), at(i), at(i+7), at(i+19), at(i+31), at(i))
	}

	for i := 19; i < 32; i++ { // each name that would work, in each place at once
		if i%2 == 0 {
			f.Add(byte(inParts|ownLedger|ownDSN|keepOld), at(i), at(i), at(i), at(i), at(i))
		} else {
			f.Add(byte(inChunks|ownLedger|ownDSN|truncates), at(i)+"s", at(i)+"t", at(i)+"l", at(i)+"c", at(i))
		}
	}

	for i := len(list) - 5; i < len(list); i++ {
		f.Add(byte(byAreaSQL), "public", "grid", "", "set", at(i))
	}

	f.Fuzz(func(t *testing.T, bits byte, schema, table, ledger, column, text string) {
		if bits&ownLedger == 0 {
			ledger = "ledger"
		}
		if strings.HasPrefix(schema, "pg_") || strings.HasPrefix(ledger, "pg_") {
			t.Skip("another test covers schema names that PostgreSQL reserves")
		}

		before := a.objects(t)
		job := loader.Job{Table: loader.Table{Schema: schema, Name: table}, LedgerSchema: ledger, Grid: geomgen.Grid{DX: 1, DY: 1}, Cols: 4, Rows: 4,
			Set: []loader.Constant{{Name: column, Type: "text", Value: text}}}
		if len(column) < 60 {
			job.IDColumn, job.GeomColumn = column+"id", column+"g"
		}

		a.load(t, bits, &job, text)
		a.cleanUp(t, before, schema, ledger)
		if after := a.objects(t); !equalObjects(before, after) {
			t.Errorf("%+v: before %v, after the load and its removal %v", job, before, after)
		}
	})
}

func equalObjects(a, b map[dbObject]bool) bool {
	for x := range a {
		if !b[x] {
			return false
		}
	}
	return len(a) == len(b)
}

// load runs the job in several ways and checks the database after each.
func (a *injectionDatabase) load(t *testing.T, bits byte, job *loader.Job, text string) {
	ctx := context.Background()
	pool := a.pool
	if bits&ownDSN != 0 {
		u, err := url.Parse(a.dsn)
		if err != nil {
			t.Fatal(err)
		}

		q := u.Query()
		q.Set("application_name", text)
		q.Set("options", "-c standard_conforming_strings=off -c check_function_bodies=off")
		u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20") // in a DSN, a plus means a plus

		if pool, err = loader.Open(ctx, u.String(), 2); err != nil {
			if t.Logf("no connection: %v", err); valid(text) {
				t.Errorf("a DSN with application_name %q: %v", text, err)
			}
			return
		}
		defer pool.Close()
	}

	wrong := !valid(job.Table.Name) || !valid(job.Table.Schema) || !valid(job.LedgerSchema) || !valid(job.Set[0].Name)
	for _, name := range []string{job.Table.Schema, job.LedgerSchema} {
		if valid(name) && !wrong {
			if _, err := a.pool.Exec(ctx, "create schema if not exists "+pgx.Identifier{name}.Sanitize()); err != nil {
				t.Fatal(err)
			}
		}
	}

	switch {
	case bits&inParts != 0:
		job.Partitions = 2
	case bits&inChunks != 0:
		job.ChunkRows = 5
	}

	if bits&byAreaSQL != 0 {
		job.Area, job.Cols, job.Rows = &loader.Area{SQL: text}, 0, 0
	}
	if bits&oddType != 0 {
		job.Set[0].Type = text
	}

	methods := []loader.IfExists{loader.Fail, loader.Replace, loader.Append}
	if job.Partitions > 0 {
		methods = append(methods, loader.Append) // also adds rows to its partitions
	}

	for i, ifExists := range methods {
		j := *job
		if j.IfExists = ifExists; ifExists == loader.Append {
			j.Cols, j.Rows, j.Extent, j.Area = 0, 0, &geomgen.Box{XMin: float64(16 * i), XMax: float64(16*i + 4), YMax: 4}, nil
			if i == 3 {
				j.Partitions = 0
			}
		}

		if ifExists == loader.Replace {
			if bits&truncates != 0 && j.Partitions == 0 {
				j.Publish = loader.PublishTruncate
			} else if bits&keepOld != 0 {
				j.Keep = 1
			}
		}

		_, err := loader.Run(ctx, pool, j, loader.Options{Version: text})
		var param *geomgen.ParamError
		switch {
		case err == nil && wrong:
			t.Errorf("%+v: not refused", j)
		case err == nil:
			a.check(t, bits, j)
			a.addDependents(t, j.Table, text)
		case errors.As(err, &param): // refused before anything was made
			return
		case bits&byAreaSQL == 0 && !strings.Contains(text, "\x00") && utf8.ValidString(text):
			t.Errorf("%+v: %v", j, err)
			return
		default:
			return
		}
	}
}

// addDependents gives a table the properties that a replace must preserve.
func (a *injectionDatabase) addDependents(t *testing.T, table loader.Table, text string) {
	if strings.ContainsRune(text, 0) || !utf8.ValidString(text) {
		return
	}

	var comment string
	name := pgx.Identifier{table.Schema, table.Name}.Sanitize()
	if err := a.admin.QueryRow(context.Background(), "select format('comment on table %s is %L', $1::text, $2::text)", name, text).Scan(&comment); err != nil {
		t.Fatal(err)
	}
	a.exec(t, comment)
	a.exec(t, "grant select on "+name+" to public")
}

// check checks that the expected table exists, with its columns and values.
func (a *injectionDatabase) check(t *testing.T, bits byte, job loader.Job) {
	t.Helper()
	ctx := context.Background()
	name := pgx.Identifier{job.Table.Schema, job.Table.Name}.Sanitize()
	var columns []string
	if err := a.admin.QueryRow(ctx, `select array_agg(attname::text order by attnum) from pg_attribute a join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = relnamespace
		where nspname = $1 and relname = $2 and relkind in ('r', 'p') and attnum > 0`, job.Table.Schema, job.Table.Name).Scan(&columns); err != nil {
		t.Fatal(err)
	}

	want := []string{job.IDColumn, "col", "row", job.GeomColumn, job.Set[0].Name}
	if job.IDColumn == "" {
		want[0], want[3] = "cell_id", "geom"
	}
	if !slices.Equal(columns, want) {
		t.Errorf("%s has the columns %q, want %q", name, columns, want)
	}

	if bits&oddType == 0 {
		var others int64
		if err := a.admin.QueryRow(ctx, "select count(*) from "+name+" where "+pgx.Identifier{job.Set[0].Name}.Sanitize()+" is distinct from $1", job.Set[0].Value).Scan(&others); err != nil || others != 0 {
			t.Errorf("%s: %d rows have another value than %q: %v", name, others, job.Set[0].Value, err)
		}
	}

	for x := range a.objects(t) {
		if x.name == "boo" || x.kind == "role" {
			t.Errorf("unexpected object: %v", x)
		}
	}
}

// cleanUp removes what the job may have made: everything in the two schemas, and nothing else.
func (a *injectionDatabase) cleanUp(t *testing.T, before map[dbObject]bool, schemas ...string) {
	for x := range a.objects(t) {
		if before[x] || !slices.Contains(schemas, x.schema) {
			continue
		}

		name := pgx.Identifier{x.schema, x.name}.Sanitize()
		switch {
		case x.kind == "schema":
			a.exec(t, "drop schema if exists "+pgx.Identifier{x.schema}.Sanitize()+" cascade")
		case x.kind == "relation" && before[dbObject{"schema", x.schema, ""}]:
			var kind string
			if err := a.admin.QueryRow(context.Background(), "select coalesce((select relkind::text from pg_class where oid = to_regclass($1)), '')", name).Scan(&kind); err != nil {
				t.Fatal(err)
			}
			if kind == "r" || kind == "p" { // a sequence is dropped with its table
				a.exec(t, fmt.Sprintf("drop table if exists %s cascade", name))
			}
		case x.kind == "function" && before[dbObject{"schema", x.schema, ""}]:
			a.exec(t, "do $$ declare f text; begin for f in select p.oid::regprocedure from pg_proc p where obj_description(p.oid, 'pg_proc') like 'loadgrid: %' and pronamespace = 'public'::regnamespace loop execute 'drop function ' || f; end loop; end $$")
		}
	}
}
