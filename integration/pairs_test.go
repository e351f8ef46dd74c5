package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

// fourFields makes a table of four features around (5, 5): three squares with shared borders and one that
// covers them all. Cells of size 1 between 0 and 10 meet them in 100 + 100 pairs.
func (s sandbox) fourFields(table string) {
	s.t.Helper()
	box := func(xmin, ymin, xmax, ymax float64) []geomgen.Polygon {
		return []geomgen.Polygon{{{{X: xmin, Y: ymin}, {X: xmax, Y: ymin}, {X: xmax, Y: ymax}, {X: xmin, Y: ymax}, {X: xmin, Y: ymin}}}}
	}
	s.featureTable(table, 3035, [][]geomgen.Polygon{box(0, 0, 5, 5), box(5, 0, 10, 5), box(0, 5, 10, 10), box(0, 0, 10, 10)})
}

func (s sandbox) pairs(table, from string, more ...string) []string {
	return s.load(table, append([]string{"--cell-size", "1", "--srid", "3035", "--each", "no", "--attribute", "name",
		"--aoi-sql", "select geom, no, name from " + s.name(from) + " order by no"}, more...)...)
}

// count counts rows.
func (s sandbox) count(from string) int64 {
	s.t.Helper()
	return queryOne[int64](s.t, s.pool, "select count(*) from "+from)
}

// Tables of pairs are appended to, replaced, rolled back and emptied like other tables.
func TestWorkWithPairs(t *testing.T) {
	s := newSandbox(t)
	s.fourFields("f")
	s.exec("create table " + s.name("more") + " as select no + 10 as no, 'more' as name, st_translate(geom, 2, 0) as geom from " + s.name("f"))

	for table, options := range map[string][]string{
		"plain":      {"--geometry", "none"},
		"in_chunks":  {"--chunk-rows", "17"},
		"partitions": {"--partitions", "3", "--geometry", "none"},
		"clipped":    {"--clip", "--set", "year:smallint=2026"},
	} {
		mustCLI(t, s.dsn, s.pairs(table, "f", options...)...)
		if n := s.count(s.name(table)); n != 200 {
			t.Errorf("%s has %d rows, want 200", table, n)
		}
		key := queryOne[string](t, s.pool, "select pg_get_constraintdef(oid) from pg_constraint where contype = 'p' and conrelid = $1::regclass", s.name(table))
		if key != "PRIMARY KEY (cell_id, no)" {
			t.Errorf("%s has the key %s", table, key)
		}

		gist := s.count("pg_indexes where schemaname = '" + s.schema + "' and tablename = '" + table + "' and indexdef like '%gist%'")
		columns := queryOne[string](t, s.pool, "select string_agg(attname, ' ' order by attnum) from pg_attribute where attnum > 0 and attrelid = $1::regclass", s.name(table))
		want := "cell_id col row " + map[bool]string{true: "geom "}[gist == 1] + map[bool]string{true: "year "}[table == "clipped"] + "no name cell_share feature_share"
		if (gist == 1) != (table == "in_chunks" || table == "clipped") || columns != want {
			t.Errorf("%s has %d spatial indexes and the columns %s", table, gist, columns)
		}

		if table == "partitions" {
			continue // an append attaches partitions, not rows
		}

		cli(t, s.dsn, s.pairs(table, "f", append(options, "--if-exists", "append")...)...).expect(t, 2, "holds 200 of the 200 pairs")
		mustCLI(t, s.dsn, s.pairs(table, "more", append(options, "--if-exists", "append")...)...)
		if n := s.count(s.name(table)); n != 400 {
			t.Errorf("%s has %d rows after 200 more, want 400", table, n)
		}
		if table != "in_chunks" { // the test rolls this table back later
			s.exec("delete from " + s.name(table) + " where no = 14 and col < 5")
		}
		mustCLI(t, s.dsn, s.pairs(table, "more", append(options, "--if-exists", "append", "--on-conflict", "skip")...)...)
		if n := s.count(s.name(table)); n != 400 {
			t.Errorf("%s has %d rows after the missing ones were added, want 400", table, n)
		}
	}

	cli(t, s.dsn, s.pairs("q", "f", "--partitions", "190")...).expect(t, 2, "--partitions 190", "features")
	plain := s.load("plain", "--cell-size", "1", "--srid", "3035", "--cols", "3", "--rows", "3", "--if-exists", "append", "--geometry", "none")
	cli(t, s.dsn, plain...).expect(t, 2, "plain", "columns")

	// A replace keeps the previous version, and a rollback restores it.
	replace := s.pairs("in_chunks", "more", "--if-exists", "replace", "--keep", "1", "--chunk-rows", "50")
	mustCLI(t, s.dsn, replace...)
	if n := s.count(s.name("in_chunks") + " where no < 10"); n != 0 {
		t.Errorf("%d rows are from the previous version", n)
	}
	run := queryOne[int64](t, s.pool, "select max(id) from "+s.name("runs")+" where table_name = 'in_chunks' and kept_no is not null")
	mustCLI(t, s.dsn, "runs", "rollback", fmt.Sprint(run), "--ledger-schema", s.schema)
	if n := s.count(s.name("in_chunks") + " where no < 10"); n != 200 {
		t.Errorf("after the rollback there are %d rows, want 200", n)
	}

	mustCLI(t, s.dsn, s.pairs("plain", "f", "--if-exists", "replace", "--publish", "truncate", "--geometry", "none")...)
	if n := s.count(s.name("plain")); n != 200 {
		t.Errorf("after truncate there are %d rows, want 200", n)
	}

	// Partitions are replaced, and further ones are added.
	mustCLI(t, s.dsn, s.pairs("partitions", "f", "--if-exists", "replace", "--partitions", "2", "--geometry", "none")...)
	s.exec("update " + s.name("more") + " set geom = st_translate(geom, 50, 50)")
	mustCLI(t, s.dsn, s.pairs("partitions", "more", "--if-exists", "append", "--geometry", "none")...)
	if n := s.count(s.name("partitions")); n != 400 {
		t.Errorf("the partitions have %d rows, want 400", n)
	}

	s.checkHelpersOfPairs()
	s.checkPreviewsOfFeatures()
}

// checkHelpersOfPairs calls the ledger's functions on a table of pairs without a geometry.
func (s sandbox) checkHelpersOfPairs() {
	s.t.Helper()
	for _, table := range []string{"partitions", "plain"} {
		name := "'" + s.name(table) + "'"
		if got := queryOne[string](s.t, s.pool, "select "+s.name("grid_of")+"("+name+")->>'dx'"); got != "1" {
			s.t.Errorf("grid_of %s says %s", table, got)
		}
		if got, want := queryOne[int64](s.t, s.pool, "select "+s.name("cell_at")+"("+name+", 'srid=3035;point(3.5 4.5)'::geometry)"), geomgen.CellID(geomgen.Cell{Col: 3, Row: 4}); got != want {
			s.t.Errorf("cell_at %s is %d, want %d", table, got, want)
		}
		if n := s.count(s.name(table) + " where cell_id in (select " + s.name("cell_neighbours") + "(" + name + "::regclass, (select cell_id from " + s.name(table) + " where col = 3 and row = 3 limit 1)))"); n != 16 {
			s.t.Errorf("the 8 neighbours of %s have %d rows, want 16", table, n)
		}
	}
}

// checkPreviewsOfFeatures draws tables by their attributes.
func (s sandbox) checkPreviewsOfFeatures() {
	s.t.Helper()
	image := filepath.Join(s.t.TempDir(), "g.svg")
	preview := func(table string, args ...string) result {
		return cli(s.t, s.dsn, append([]string{"preview", "--table", s.schema + "." + table, "--out", image}, args...)...)
	}

	preview("clipped", "--column", "name").expect(s.t, 0, "")
	b, err := os.ReadFile(image)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, words := range []string{">name<", ">feature 1<", ">feature 4<", ">more<"} {
		if !strings.Contains(string(b), words) {
			s.t.Errorf("the picture lacks %q", words)
		}
	}

	preview("clipped", "--column", "no").expect(s.t, 0, "")
	preview("partitions").expect(s.t, 2, "no column of type geometry")
}

// A killed run continues with its original features, even if the query now returns others.
func TestKilledLoadOfFeatures(t *testing.T) {
	for name, options := range map[string][]string{
		"pairs":      {"--each", "no", "--attribute", "name"},
		"attributes": {"--attribute", "no", "--attribute", "name:text"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			s.fourFields("f")
			load := func(table string, more ...string) []string {
				return s.load(table, append(append([]string{"--cell-size", "1", "--srid", "3035", "--aoi-rule", "overlaps", "--aoi-sql", "select geom, no, name from " + s.name("f") + " order by no"}, options...), more...)...)
			}
			mustCLI(t, s.dsn, load("whole")...)
			s.killAfter(3, load("grid", "--chunk-rows", "11")...)
			run := queryOne[int64](t, s.pool, "select max(id) from "+s.name("runs"))
			if n := s.count(s.name("run_features") + fmt.Sprint(" where run_id = ", run)); n != 1 {
				t.Errorf("the ledger has %d rows with the run's features", n)
			}

			show := mustCLI(t, s.dsn, "runs", "show", fmt.Sprint(run), "--ledger-schema", s.schema)
			for _, words := range map[string][]string{"pairs": {"each", "no:bigint"}, "attributes": {"attribute", "no:bigint", "largest"}}[name] {
				if !strings.Contains(show, words) {
					t.Errorf("runs show lacks %q:\n%s", words, show)
				}
			}

			s.exec("update " + s.name("f") + " set name = 'changed', no = no + 100, geom = st_translate(geom, 100, 0)")
			mustCLI(t, s.dsn, "runs", "resume", fmt.Sprint(run), "--ledger-schema", s.schema)
			if n := queryOne[int64](t, s.pool, "select count(*) from ("+s.rowsBytes("whole")+" except "+s.rowsBytes("grid")+") d"); n != 0 || s.count(s.name("whole")) != s.count(s.name("grid")) {
				t.Errorf("%d rows of the resumed run differ, of %d and %d", n, s.count(s.name("whole")), s.count(s.name("grid")))
			}
			s.checkNothingLeft()
		})
	}
}

// A load of pairs into partitions is killed while some of its chunks are committed and another one is
// open. It continues with the other chunks: with the same command, or by its number if the query now
// returns other features. It ends with the same partitions and rows as a load that nobody kills.
func TestKilledLoadOfPairsInPartitions(t *testing.T) {
	const partitions, killed = 12, 5
	for name, options := range map[string][]string{
		"whole cells": {"--geometry", "none", "--streams", "2"},
		"clipped":     {"--clip", "--streams", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			s.fourFields("f")
			load := func(table string) []string {
				return s.load(table, append([]string{"--cell-size", "0.75", "--srid", "3035", "--each", "no", "--attribute", "name",
					"--aoi-sql", "select geom, no, name from " + s.name("f") + " order by no",
					"--partitions", fmt.Sprint(partitions), "--progress", "json"}, options...)...)
			}
			whole := cli(t, s.dsn, load("whole")...).summary(t)

			for _, again := range []string{"same", "number"} {
				s.killAfter(killed, load(again)...)
				run := queryOne[int64](t, s.pool, "select max(id) from "+s.name("runs"))
				committed := s.count(s.name("chunks") + fmt.Sprint(" where run_id = ", run))
				if committed < killed || committed >= partitions {
					t.Fatalf("%s: %d of %d chunks are committed, this test needs %d and not all", again, committed, partitions, killed)
				}
				if queryOne[bool](t, s.pool, "select to_regclass($1) is not null", s.name(again)) {
					t.Fatalf("%s: readers see the table of an unfinished run", again)
				}

				command := load(again)
				if again == "number" {
					s.exec("update " + s.name("f") + " set name = 'changed', geom = st_translate(geom, 100, 0)")
					command = []string{"runs", "resume", fmt.Sprint(run), "--ledger-schema", s.schema, "--progress", "json"}
				}
				sum := cli(t, s.dsn, command...).summary(t)
				if sum.ChunksResumed != committed || sum.ChunksCopied != partitions-committed || sum.RowsResumed <= 0 || sum.RowsResumed >= whole.Rows || sum.Rows != whole.Rows {
					t.Errorf("%s: %d of %d rows and %d of %d chunks were there, %d were copied", again, sum.RowsResumed, sum.Rows, sum.ChunksResumed, committed, sum.ChunksCopied)
				}
				s.samePartitions("whole", again, partitions)
			}
			s.checkNothingLeft()
		})
	}
}

// samePartitions compares two tables: their numbers of partitions, the partitions' bounds, and each row
// with the bounds of its partition.
func (s sandbox) samePartitions(table, other string, partitions int64) {
	s.t.Helper()
	bounds := func(table string) string {
		return "select pg_get_expr(c.relpartbound, c.oid) from pg_class c join pg_inherits i on i.inhrelid = c.oid where i.inhparent = '" + s.name(table) + "'::regclass"
	}
	rows := func(table string) string {
		return "select t::text, pg_get_expr(c.relpartbound, c.oid) from " + s.name(table) + " t join pg_class c on c.oid = t.tableoid"
	}

	if n := s.count("(" + bounds(other) + ") b"); n != partitions {
		s.t.Errorf("%s has %d partitions, want %d", other, n, partitions)
	}
	for what, of := range map[string]func(string) string{"bounds": bounds, "rows": rows} {
		more, fewer := s.count("("+of(other)+" except all "+of(table)+") d"), s.count("("+of(table)+" except all "+of(other)+") d")
		if more != 0 || fewer != 0 || s.count("("+of(table)+") t") == 0 {
			s.t.Errorf("%s has %d %s that %s lacks, and misses %d", other, more, what, table, fewer)
		}
	}
}

// rowsBytes selects a table's rows as text.
func (s sandbox) rowsBytes(table string) string {
	return "select t::text from " + s.name(table) + " t"
}

// A load is unchanged as long as the features, their values and their order are unchanged.
func TestUnchangedFeatures(t *testing.T) {
	s := newSandbox(t)
	s.fourFields("f")
	query := func(order string) string { return "select geom, no, name from " + s.name("f") + " order by " + order }
	load := func(order, table string, more ...string) []string {
		return s.load(table, append([]string{"--cell-size", "1", "--srid", "3035", "--if-exists", "replace", "--aoi-sql", query(order)}, more...)...)
	}
	attributes, pairs := []string{"--attribute", "name"}, []string{"--each", "no", "--geometry", "none"}

	for _, options := range [][]string{attributes, pairs} {
		table := strings.Trim(options[0], "-")
		mustCLI(t, s.dsn, load("no", table, options...)...)
		for _, step := range []struct {
			what, sql, order string
			more             []string
			unchanged        bool
		}{
			{"nothing", "", "no", nil, true},
			{"a value", "update " + s.name("f") + " set name = 'another', no = 30 where no = 3", "no", nil, false},
			{"nothing more", "", "no", nil, true},
			{"the order", "", "no desc", nil, false},
			{"a border", "update " + s.name("f") + " set geom = st_makeenvelope(0, 0, 5.25, 5, 3035) where no = 1", "no desc", nil, false},
			{"nothing again", "", "no desc", nil, true},
			{"the rule", "", "no desc", []string{"--aoi-rule", "within"}, false},
		} {
			if step.sql != "" {
				s.exec(step.sql)
			}
			args := load(step.order, table, append(options, step.more...)...)
			if skipped, why := s.unchanged(args); skipped != step.unchanged {
				t.Errorf("%s, after a change of %s: skipped %v (%s)", table, step.what, skipped, why)
			}
		}
		s.exec("update " + s.name("f") + " set no = 3, name = 'feature 3' where no = 30")
		s.exec("update " + s.name("f") + " set geom = st_makeenvelope(0, 0, 5, 5, 3035) where no = 1")
	}
}

// Features with the same name are one feature, whether they overlap, share a border or lie apart, from a
// file or a query.
func TestFeaturesWithTheSameName(t *testing.T) {
	s := newSandbox(t)
	s.exec("create table " + s.name("f") + ` as select * from (values
		(1, 'apart', st_makeenvelope(0, 0, 2, 2, 3035)), (2, 'border', st_makeenvelope(2, 0, 4, 2, 3035)), (3, 'apart', st_makeenvelope(6, 0, 8, 2, 3035)),
		(4, 'border', st_makeenvelope(4, 0, 6, 2, 3035)), (5, 'over', st_makeenvelope(0, 4, 3.5, 6, 3035)), (6, 'over', st_makeenvelope(2.25, 4, 6, 6.5, 3035))) f (no, name, geom)`)

	query := "select * from " + s.name("f")
	for table, source := range map[string][]string{
		"q":       {"--aoi-sql", query + " order by no"},
		"file":    {"--aoi", s.geoJSONFile(query)},
		"no_over": {"--aoi", s.geoJSONFile(query), "--aoi-where", "name <> 'over'"},
	} {
		mustCLI(t, s.dsn, s.load(table, append(source, "--cell-size", "1.5", "--srid", "3035", "--each", "name", "--clip")...)...)
		wrong := queryOne[string](t, s.pool, `
			select coalesce(string_agg(concat_ws(' ', name, g.area, st_area(u.geom), g.sum), ', '), '') from
				(select name, sum(st_area(geom)) area, sum(feature_share) sum, count(*) - count(distinct cell_id) twice, bool_and(st_isvalid(geom)) valid from `+s.name(table)+` group by name) g
				full join (select name, st_union(geom) geom from `+s.name("f")+` group by name) u using (name)
			where g.area is distinct from null and (abs(g.area - st_area(u.geom)) > 1e-9 or abs(g.sum - 1) > 1e-12 or twice > 0 or not valid)`)
		if wrong != "" {
			t.Errorf("%s: %s", table, wrong)
		}
		if names := queryOne[int64](t, s.pool, "select count(distinct name) from "+s.name(table)); names != map[bool]int64{true: 2, false: 3}[table == "no_over"] {
			t.Errorf("%s has %d names", table, names)
		}
	}
}

// The estimated size of a heap with attributes follows from the layout of PostgreSQL's pages.
func TestEstimatesOfFeatures(t *testing.T) {
	s := newSandbox(t)
	layer := &loader.Layer{Types: []string{"text", "bigint", "numeric"}}
	for i := range 400 {
		x, y := float64(i%20)*10.25, float64(i/20)*10.25
		layer.Features = append(layer.Features, loader.LayerFeature{
			Polygons: []geomgen.Polygon{{{{X: x, Y: y}, {X: x + 10.25, Y: y}, {X: x + 10.25, Y: y + 10.25}, {X: x, Y: y + 10.25}, {X: x, Y: y}}}},
			Values:   []loader.Value{fmt.Sprint("district ", i), int64(i), fmt.Sprint(i*i, ".25")},
		})
	}

	area := &loader.Area{Polygons: layer.Polygons(), Layer: layer, Union: true}
	name, number, numeric := loader.Attribute{Name: "name"}, loader.Attribute{Name: "number"}, loader.Attribute{Name: "numeric"}
	for table, job := range map[string]loader.Job{
		"attributes": {Attributes: []loader.Attribute{name, number, numeric}},
		"pairs":      {Each: name, Attributes: []loader.Attribute{number, numeric}, Geometry: geomgen.AsNone},
	} {
		job.Grid, job.Area, job.Table, job.LedgerSchema = geomgen.Grid{DX: 0.5, DY: 0.5}, area, loader.Table{Schema: s.schema, Name: table}, s.schema
		p, err := loader.NewPlan(t.Context(), job)
		if err != nil {
			t.Fatal(err)
		}
		summary, err := loader.Run(t.Context(), s.pool, job, loader.Options{})
		if err != nil {
			t.Fatal(err)
		}

		e := p.Estimate()
		for what, sizes := range map[string][2]int64{"heap": {e.HeapBytes, summary.HeapBytes}, "indexes": {e.IndexBytes, summary.IndexBytes}} {
			if ratio := float64(sizes[0]) / float64(sizes[1]); ratio < 0.9 || ratio > 1.1 {
				t.Errorf("%s, %s: estimated %d, actual %d", table, what, sizes[0], sizes[1])
			}
		}
	}
}
