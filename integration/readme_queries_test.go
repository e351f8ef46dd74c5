package integration

import (
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/internal/mdblocks"
)

// The two queries in the README give the same results as spatial joins.
func TestQueriesOfTheReadme(t *testing.T) {
	t.Parallel()
	s := sandboxIn(t, pgtest.Database(t), "public")
	blocks, err := mdblocks.Read("../README.md")
	if err != nil {
		t.Fatal(err)
	}

	var sql []string
	for _, b := range blocks {
		if b.Language == "sql" && b.Heading == "Functions in SQL" {
			sql = append(sql, b.Text)
		}
	}
	if len(sql) != 1 {
		t.Fatalf("there are %d blocks of SQL under the heading, want 1", len(sql))
	}
	fill, coarse, found := strings.Cut(sql[0], ";\n")
	if !found {
		t.Fatalf("not two statements in %s", sql[0])
	}

	mustCLI(t, s.dsn, "load", "--table", "france_1km", "--cell-size", "1000", "--srid", "3035", "--extent", "3745000,2885000,3785000,2915000")
	s.exec(`create table shops as select i % 7 as sales, st_setsrid(st_makepoint(3740000 + 17.3 * i, 2880000 + (31.7 * i * i)::bigint % 40000 + 0.25), 3035) as geom
		from generate_series(1, 3000) i`)
	s.exec(fill)

	const cells = `
		select count(*) filter (where (shops, sales) is distinct from (n, total)) from shops_1km join (
			select c.cell_id, count(s.geom) as n, coalesce(sum(s.sales), 0) as total from france_1km c left join shops s on st_intersects(c.geom, s.geom) group by 1) o using (cell_id)`
	if n := queryOne[int64](t, s.pool, cells); n != 0 {
		t.Errorf("the sums of %d cells differ from a spatial join", n)
	}

	coarser := `
		select count(*) || ' cells, ' || sum(shops) || ' shops, ' || count(*) filter (where (shops, sales) is distinct from (n, total)) || ' differ' from (` +
		strings.TrimSuffix(strings.TrimSpace(coarse), ";") + `) c cross join lateral (
			select sum(shops) as n, sum(sales) as total from shops_1km join france_1km f using (cell_id) where st_covers(c.geom, f.geom)) o`
	want := queryOne[string](t, s.pool, "select '20 cells, ' || count(*) || ' shops, 0 differ' from shops where st_intersects(geom, (select st_setsrid(st_extent(geom)::geometry, 3035) from france_1km))")
	if got := queryOne[string](t, s.pool, coarser); got != want {
		t.Errorf("coarser: %s, want %s", got, want)
	}
}
