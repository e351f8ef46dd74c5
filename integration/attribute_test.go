package integration

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/testrand"
)

// featureTable makes a table of ordered features, each with a unique name and number.
func (s sandbox) featureTable(table string, srid int32, features [][]geomgen.Polygon) {
	s.t.Helper()
	s.exec("create table " + s.name(table) + " (no bigint primary key, name text, geom geometry)")
	for i, polygons := range features {
		s.exec("insert into "+s.name(table)+" values ($1, 'feature ' || $1::bigint, st_geomfromewkb($2))", i+1, areaEWKB(polygons, srid))
	}
}

// layerArgs returns the arguments of a load over the features of a table.
func (s sandbox) layerArgs(g geomgen.Grid, table string, more ...string) []string {
	query := "select geom, no, name from " + s.name(table) + " order by no"
	return append(append(shapeArgs(g), "--aoi-sql", query), more...)
}

// A cell has the attributes of the feature with the largest share as PostGIS computes it, the first
// feature that contains its centre, or the first that the rule selects.
func TestAttributesAgainstPostGIS(t *testing.T) {
	s := newSandbox(t)
	rng := testrand.New(t, 4711)
	n := 0
	for k, g := range maskGrids() {
		if g.Shape == geomgen.XYZ { // its world is round
			continue
		}
		features := s.features(rng, g, n)
		table := fmt.Sprint("f", n)
		s.featureTable(table, g.SRID, features)
		n++

		for rule, wrong := range map[string]string{
			"largest": `g.no is distinct from w.no and coalesce(st_area(st_intersection(g.geom, f.geom)), 0) < w.area - 1e-9 * st_area(g.geom)
				or (g.no is null) <> (w.area is null) and w.area > 1e-9 * st_area(g.geom)`,
			"centroid": "g.no is distinct from w.centre and not st_dwithin(st_boundary(coalesce(f.geom, h.geom)), st_centroid(g.geom), 1e-9 * sqrt(st_area(g.geom)))",
			"first":    "g.no is distinct from w.first and coalesce(w.area, 0) > 1e-9 * st_area(g.geom) and st_area(st_intersection(g.geom, coalesce(h.geom, f.geom))) > 1e-9 * st_area(g.geom)",
		} {
			grid := fmt.Sprint("g", n, "_", rule)
			mustCLI(t, s.dsn, s.load(grid, s.layerArgs(g, table, "--aoi-make-valid", "--aoi-rule", "overlaps", "--attribute", "no", "--attribute", "name:text", "--attribute-rule", rule)...)...)
			first := map[string]string{"largest": "no", "centroid": "centre", "first": "first"}[rule]
			sql := `select count(*) from ` + s.name(grid) + ` g
				left join ` + s.name(table) + ` f on f.no = g.no
				left join lateral (
					select (array_agg(no order by a desc, no))[1] no, max(a) area, min(no) filter (where st_intersects(f.geom, st_centroid(g.geom))) centre,
						min(no) filter (where a > 0) first
					from (select no, f.geom, st_area(st_intersection(f.geom, g.geom)) a from ` + s.name(table) + ` f where st_intersects(f.geom, g.geom)) f
				) w on true
				left join ` + s.name(table) + ` h on h.no = w.` + first + `
				where ` + wrong + ` or g.name is distinct from 'feature ' || g.no`
			if bad := queryOne[int64](t, s.pool, sql); bad != 0 {
				t.Errorf("%v, rule %s, features %v: %d cells have the attributes of another feature", k, rule, features, bad)
			}
		}
	}
}

// Pairs and their shares match PostGIS. If the features form a partition, the shares of a cell add up to
// 1.
func TestPairsAgainstPostGIS(t *testing.T) {
	s := newSandbox(t)
	rng := testrand.New(t, 4712)
	n, pairs := 0, int64(0)
	for k, g := range maskGrids() {
		for _, i := range []int{0, 1 + n/2%2} {
			if g.Shape == geomgen.XYZ { // its world is round
				continue
			}
			features := s.features(rng, g, i)
			table, grid := fmt.Sprint("f", n), fmt.Sprint("g", n)
			n++
			s.featureTable(table, g.SRID, features)
			mustCLI(t, s.dsn, s.load(grid, s.layerArgs(g, table, "--aoi-make-valid", "--each", "no", "--attribute", "name", "--clip")...)...)
			mustCLI(t, s.dsn, s.load(grid+"w", s.layerArgs(g, table, "--aoi-make-valid", "--each", "no", "--geometry", "none")...)...)
			pairs += s.checkPairs(fmt.Sprint(k, " ", i), table, grid)
			if i == 0 {
				s.checkSums(grid, table)
			}
		}
	}

	if pairs < 2000 {
		t.Errorf("only %d pairs", pairs)
	}
}

// checkPairs compares clipped pairs, and pairs without a geometry, with the pairs of PostGIS.
func (s sandbox) checkPairs(what, table, grid string) (pairs int64) {
	s.t.Helper()
	var wrong, invalid, differ, missing int64
	err := s.pool.QueryRow(context.Background(), `
		-- Where a part has an edge on one of the feature, st_difference returns all of the part at times: predicates are exact.
		with whole as (select st_buffer(geom, -1e-6 * sqrt(st_area(geom) / cell_share)) inner_part, * from `+s.name(grid)+`)
		select count(*),
			count(*) filter (where abs(st_area(g.geom) - st_area(f.geom) * feature_share) > 1e-9 * st_area(f.geom) or g.name <> f.name or cell_share <= 0 or cell_share > 1 or feature_share <= 0 or feature_share > 1),
			count(*) filter (where not st_isvalid(g.geom) or not st_isempty(inner_part) and not st_covers(f.geom, inner_part)),
			(select count(*) from `+s.name(grid)+` a full join `+s.name(grid+"w")+` b using (cell_id, no)
			 where a.cell_share is distinct from b.cell_share or a.feature_share is distinct from b.feature_share or a.col is distinct from b.col)
		from whole g join `+s.name(table)+` f using (no)`).Scan(&pairs, &wrong, &invalid, &differ)
	if err != nil {
		s.t.Fatal(err)
	}

	// The pairs cover each feature completely.
	missing = queryOne[int64](s.t, s.pool, `select count(*) from `+s.name(table)+` f left join
		(select no, sum(feature_share) sum from `+s.name(grid)+` group by no) g using (no) where st_area(f.geom) > 0 and abs(coalesce(sum, 0) - 1) > 1e-9`)
	if wrong+invalid+differ+missing != 0 {
		s.t.Errorf("%s: of %d pairs %d are wrong, %d not valid, %d others without a geometry; %d features are not covered", what, pairs, wrong, invalid, differ, missing)
	}
	return pairs
}

// checkSums checks that the shares of a cell in a partition add up to 1.
func (s sandbox) checkSums(grid, table string) {
	s.t.Helper()
	var cells, bad int64
	err := s.pool.QueryRow(context.Background(), `
		with u as (select st_buffer(st_union(geom), 0) geom from `+s.name(table)+`)
		select count(*), count(*) filter (where abs(sum - 1) > 1e-12) from
			(select cell_id, sum(cell_share) sum, st_convexhull(st_collect(geom)) hull, sum(st_area(geom)) area from `+s.name(grid)+` group by cell_id) c, u
		where abs(st_area(hull) - area) < 1e-12 * area and st_contains(u.geom, st_buffer(hull, sqrt(area) / 100))`).Scan(&cells, &bad)
	if err != nil {
		s.t.Fatal(err)
	}
	if cells < 4 || bad > 0 {
		s.t.Errorf("of %d cells within all features the shares of %d do not add up to 1", cells, bad)
	}
}

// geoJSONFile writes a table's features, in the CRS of an SRID, to a file. All columns except the
// geometry become properties.
func (s sandbox) geoJSONFile(query string) string {
	s.t.Helper()
	text := queryOne[string](s.t, s.pool, `select json_build_object('type', 'FeatureCollection',
			'crs', json_build_object('type', 'name', 'properties', json_build_object('name', 'EPSG:' || min(st_srid(geom)))),
			'features', json_agg(json_build_object('type', 'Feature', 'geometry', st_asgeojson(geom, 17, 0)::json, 'properties', to_jsonb(q) - 'geom') order by q.no))::text
		from (`+query+`) q`)
	name := filepath.Join(s.t.TempDir(), "features.geojson")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return name
}

// lotTable makes a table of lots that share borders, around the origin of EPSG:3035.
func (s sandbox) lotTable(rng *rand.Rand, table string) {
	s.t.Helper()
	var features [][]geomgen.Polygon
	for _, lot := range lots(rng, 4_000_000, 3_000_000, 4_016_000, 3_016_000, 4) {
		features = append(features, []geomgen.Polygon{lot})
	}
	s.featureTable(table, 3035, features)
}

// Features from a file give the same cells and pairs as features from a query, whether the file is in the
// grid's CRS and needs no server, or the server transforms it.
func TestAttributesOfFiles(t *testing.T) {
	s := newSandbox(t)
	s.lotTable(testrand.New(t, 99), "f")
	g := geomgen.Grid{DX: 900.5, DY: 700.25, SRID: 3035}
	query := "select * from " + s.name("f") + " where no <> 3"
	same := s.geoJSONFile(query)
	other := s.geoJSONFile("select no, name, st_transform(st_segmentize(geom, 500), 4326) geom from (" + query + ") q")

	for name, options := range map[string][]string{
		"cells": {"--attribute", "name", "--attribute", "no"},
		"pairs": {"--each", "name", "--attribute", "no", "--chunk-rows", "40"},
	} {
		mustCLI(t, s.dsn, s.load(name+"_query", append(shapeArgs(g), append(options, "--aoi-sql", query+" order by no")...)...)...)
		for kind, file := range map[string]string{"same": same, "other": other} {
			mustCLI(t, s.dsn, s.load(name+"_"+kind, append(shapeArgs(g), append(options, "--aoi", file)...)...)...)
		}

		shares := "true"
		if name == "pairs" {
			shares = "a.cell_share = b.cell_share and a.feature_share = b.feature_share"
		}
		if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name(name+"_query")+" a full join "+s.name(name+"_same")+" b using (cell_id, name) where a.no is distinct from b.no or a.geom::bytea is distinct from b.geom::bytea or not ("+shares+")"); n != 0 {
			t.Errorf("%s: %d rows of the file differ from the rows of the query", name, n)
		}
		if n := queryOne[int64](t, s.pool, "select count(*) from (select cell_id from "+s.name(name+"_query")+" except select cell_id from "+s.name(name+"_other")+") d"); n > 0 {
			t.Errorf("%s: %d cells are missing where the server transforms", name, n)
		}
	}

	// A cell outside all features, or in a gap, has no attributes: coverage is that of the union.
	if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("cells_other")+" where name is null"); n > 0 {
		t.Errorf("%d cells have no name", n)
	}
	n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("pairs_same")+" a join "+s.name("pairs_other")+" b using (cell_id, name) where abs(a.cell_share - b.cell_share) < 1e-3")
	if all := queryOne[int64](t, s.pool, "select count(*) from "+s.name("pairs_same")); n < all*99/100 {
		t.Errorf("%d of %d pairs have the same share after the transformation", n, all)
	}

	r := cli(t, s.dsn, "plan", "--dsn", "postgres://nobody@127.0.0.1:1/none", "--cell-size", "900", "--srid", "3035", "--aoi", same, "--attribute", "name")
	r.expect(t, 0, "")
	if !strings.Contains(r.stdout, "name") {
		t.Errorf("the plan does not name the attribute:\n%s", r.stdout)
	}
}

// Values of each column type, including NULL, arrive unchanged, whatever the role's DateStyle.
func TestTypesOfAttributes(t *testing.T) {
	s := newSandbox(t)
	s.exec(`create table ` + s.name("f") + ` as select * from (values
		(1, true, 1::smallint, 1::integer, 1::bigint, 0.1::real, 0.1::double precision, 1.50::numeric, date '2026-02-03', timestamp '2026-02-03 04:05:06.789',
		 timestamptz '2026-02-03 04:05:06+01', 'a4f8ad0e-3a2c-4ab7-9b74-a3b5f1a8ce4b'::uuid, '{"a": [1, null]}'::json, '{"b": 2.50}'::jsonb, 'größe'::text, 'x'::varchar(7), 'y '::bpchar, 'n'::name, st_makeenvelope(0, 0, 1, 1)),
		(2, false, '-32768'::smallint, -5, 9223372036854775807, 'Infinity'::real, 'NaN'::double precision, 'NaN'::numeric, 'infinity'::date, '-infinity'::timestamp,
		 timestamptz 'infinity', '00000000-0000-0000-0000-000000000000'::uuid, 'null', '[]', '', '', '', '', st_makeenvelope(1, 0, 2, 1)),
		(3, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, st_makeenvelope(2, 0, 3, 1)),
		(4, true, 7, 7, 7, 1e-30::real, '5e-324'::double precision, 12345678901234567890123456789.123456789, '0044-03-15 BC'::date, '4000-01-01', '1900-01-01 00:00:00+00',
		 'ffffffff-ffff-ffff-ffff-ffffffffffff', '"s"', '"\u00e4"', e'tab\tline\n\\', 'NULL', '\N', 'ö', st_makeenvelope(3, 0, 4, 1))
		) f (no, c_boolean, c_smallint, c_integer, c_bigint, c_real, c_double, c_numeric, c_date, c_timestamp, c_timestamptz, c_uuid, c_json, c_jsonb, c_text, c_varchar, c_bpchar, c_name, geom)`)
	names := strings.Split(queryOne[string](t, s.pool, "select string_agg(attname, ',' order by attnum) from pg_attribute where attrelid = '"+s.name("f")+"'::regclass and attnum > 1 and attname <> 'geom'"), ",")

	dsn, role := s.newLoadRole("a password")
	s.exec("grant select on " + s.name("f") + " to " + role)
	s.exec("alter role " + role + " set datestyle = 'German'")
	s.exec("alter role " + role + " set intervalstyle = 'sql_standard'")
	s.exec("alter role " + role + " set timezone = 'Asia/Kolkata'")
	s.exec("alter role " + role + " set extra_float_digits = 0")
	args := []string{"--cell-size", "1", "--aoi-rule", "overlaps", "--aoi-sql", "select f.* from " + s.name("f") + " f order by no", "--chunk-rows", "1"}
	for _, name := range names {
		args = append(args, "--attribute", name)
	}
	mustCLI(t, dsn, s.load("g", args...)...)

	for _, name := range names {
		var same, types bool
		err := s.pool.QueryRow(context.Background(), `select count(*) = 4 and bool_and(g.`+name+`::text is not distinct from f.`+name+`::text), bool_and(pg_typeof(g.`+name+`) = pg_typeof(f.`+name+`))
			from `+s.name("g")+` g join `+s.name("f")+` f on f.no = col + 1`).Scan(&same, &types)
		if err != nil {
			t.Fatal(err)
		}
		if textual := name == "c_varchar" || name == "c_bpchar" || name == "c_name"; (!same && name != "c_bpchar") || types == textual {
			t.Errorf("%s: the values are the same: %v, the type is: %v", name, same, types)
		}
	}

	cli(t, dsn, s.load("h", append(args, "--attribute", "row")...)...).expect(t, 2, "--attribute row", "taken")
	cli(t, dsn, s.load("h", "--cell-size", "1", "--aoi-sql", "select geom, c_bigint from "+s.name("f"), "--attribute", "c_bigint:smallint")...).expect(t, 2, "--attribute c_bigint:smallint", "9223372036854775807", "feature 2")
	cli(t, dsn, s.load("h", "--cell-size", "1", "--aoi-sql", "select geom from "+s.name("f"), "--attribute", "c")...).expect(t, 2, "returns no column c")
	cli(t, dsn, s.load("h", "--cell-size", "1", "--aoi-sql", "select geom, '1 day'::interval c from "+s.name("f"), "--attribute", "c")...).expect(t, 2, "c interval", "c::text")
	cli(t, dsn, s.load("h", "--cell-size", "1", "--aoi-sql", "select geom, c_jsonb from "+s.name("f"), "--each", "c_jsonb")...).expect(t, 2, "--each c_jsonb", "c_jsonb:text")
	cli(t, dsn, s.load("h", "--cell-size", "1", "--aoi-sql", "select geom, c_text from "+s.name("f"), "--each", "c_text")...).expect(t, 2, "--each c_text", "NULL in feature 3")
}
