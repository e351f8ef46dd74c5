package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/loader"
)

// The server may quote all names in its descriptions of types and indexes. Every comparison must still
// recognize the table as the same.
func TestAllIdentifiersQuoted(t *testing.T) {
	s := newDatabaseSandbox(t)
	load := func(table string, args ...string) []string {
		return s.load(table, append([]string{"--cell-size", "1", "--srid", "3857", "--set", "n:int=1"}, args...)...)
	}

	same := func(args []string) {
		t.Helper()
		if skipped, why := s.unchanged(args); !skipped {
			t.Errorf("%v: loaded again: %s", args, why)
		}
	}

	for name, extra := range map[string][]string{"plain": nil, "parted": {"--partitions", "2"}} {
		args := load(name, append([]string{"--cols", "8", "--rows", "4", "--if-exists", "replace", "--keep", "1"}, extra...)...)
		mustCLI(t, s.dsn, args...)
		s.exec("create index on " + s.name(name) + " (row, col)")
		if skipped, why := s.unchanged(args); !skipped {
			t.Errorf("%s: %s", name, why)
		}

		// Half of the run uses one setting, half the other.
		database := pgx.Identifier{queryOne[string](t, s.pool, "select current_database()")}.Sanitize()
		s.exec("alter database " + database + " set quote_all_identifiers = on")
		same(args)

		first := queryOne[int64](t, s.pool, "select max(id) from "+s.name("runs"))
		mustCLI(t, s.dsn, args...)
		if name == "parted" {
			if n := queryOne[int64](t, s.pool, "select count(*) from pg_index i join pg_inherits h on h.inhrelid = i.indrelid where h.inhparent = $1::regclass and i.indnkeyatts = 2", s.name(name)); n != 2 {
				t.Errorf("%d of 2 partitions have the new index", n)
			}
		}

		mustCLI(t, s.dsn, load(name, append([]string{"--extent", "100,0,104,4", "--if-exists", "append"}, extra...)...)...)
		mustCLI(t, s.dsn, load(name, "--extent", "200,0,204,4", "--if-exists", "append")...)
		s.checkCells(name, 64)

		mustCLI(t, s.dsn, "runs", "rollback", fmt.Sprint(first), "--ledger-schema", s.schema)
		s.checkCells(name, 32)
		same(args)
		s.exec("alter database " + database + " reset quote_all_identifiers")
		same(args)
	}
}

// An old ledger contains the server's descriptions of columns and indexes, quoted or not.
func TestUnchangedByTheTextOfAnOldLedger(t *testing.T) {
	s := newSandbox(t)
	args := s.load("grid", append(boxes(5, 4), "--srid", "3857", "--if-exists", "replace")...)
	mustCLI(t, s.dsn, args...)
	for _, quote := range []string{`\"`, ""} {
		old := strings.ReplaceAll(`{"columns": ["cell_id int8", "col int4", "row int4", "geom geometry'(Polygon,3857)"],
			"indexes": ["btree unique ('cell_id')", "gist ('geom')"]}`, "'", quote)
		s.exec("update "+s.name("runs")+" set imprint = imprint - 'format' - 'tables' || $1::jsonb", old)
		if skipped, why := s.unchanged(args); !skipped {
			t.Errorf("loaded again: %s", why)
		}
	}

	s.exec("drop index " + s.name("grid_geom_idx"))
	if skipped, why := s.unchanged(args); skipped || !strings.Contains(why, "dropped an index") {
		t.Errorf("skipped %v, %s", skipped, why)
	}
}

// Column types have the names that the server uses.
func TestTypesOfColumns(t *testing.T) {
	s := newSandbox(t)
	ctx := context.Background()
	types := []string{"int8", "text", "varchar", "varchar(7)", "bpchar(3)", "numeric", "numeric(10,2)", "numeric(1000,0)", "float4", "geometry"}
	for _, kind := range []string{"Geometry", "Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection",
		"CircularString", "CompoundCurve", "CurvePolygon", "MultiCurve", "MultiSurface", "PolyhedralSurface", "Triangle", "Tin"} {
		for _, modifier := range []string{"", "Z", "M", "ZM"} {
			for _, srid := range []string{"", ",1", ",4326", ",998999"} {
				types = append(types, "geometry("+kind+modifier+srid+")")
			}
		}
	}

	columns := make([]string, len(types))
	for i, name := range types {
		columns[i] = fmt.Sprintf("c%d %s", i, name)
	}
	s.exec("create table " + s.name("types") + " (" + strings.Join(columns, ", ") + ")")

	table := catalog.Relation{Table: loader.Table{Schema: s.schema, Name: "types"}}
	if err := table.Find(ctx, s.pool); err != nil {
		t.Fatal(err)
	}
	have, err := table.ColumnTypes(ctx, s.pool)
	if err != nil {
		t.Fatal(err)
	}

	// The server's own names: it omits a modifier without effect.
	want := queryOne[[]string](t, s.pool, `select array_agg(a.attname || ' ' || y.typname ||
		coalesce(substring(format_type(a.atttypid, nullif(a.atttypmod, -1)) from '\(.*\)$'), '') order by attnum)
		from pg_attribute a join pg_type y on y.oid = a.atttypid where attrelid = $1::regclass and attnum > 0`, s.name("types"))
	if !slices.Equal(have, want) {
		t.Errorf("have %q\nwant %q", have, want)
	}

	// A type with the same name in another schema is a different type.
	s.exec("create domain " + s.name("int8") + " as integer; create table " + s.name("other") + " (a " + s.name("int8") + ")")
	table.Name = "other"
	if err := table.Find(ctx, s.pool); err != nil {
		t.Fatal(err)
	}
	if have, err := table.ColumnTypes(ctx, s.pool); err != nil || !slices.Equal(have, []string{"a " + s.schema + ".int8"}) {
		t.Errorf("have %q: %v", have, err)
	}
}
