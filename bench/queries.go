package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"
)

// The tables that are queried, named by how they are loaded.
const (
	tableLoadgrid   = "loadgrid_gist"
	tableBRIN       = "loadgrid_brin"
	tableSquare     = "squaregrid_gist"
	tableSquareBRIN = "squaregrid_brin"
)

// windowWidths are the sides of the windows, in cells.
var windowWidths = [...]int64{3, 10, 30, 100, 300}

// placesQueried is the number of places at which each query runs.
const placesQueried = 20

// query is a timed query, with the size of its window.
type query struct {
	id, title string
	sql       string // with $1 and $2, the place, in CRS units
	width     int64  // of a window, in CRS units, $3
}

func queries() []query {
	var all []query
	for _, w := range windowWidths {
		all = append(all, query{fmt.Sprintf("window_%d", w), fmt.Sprintf("count in a window of %d x %d cells", w, w),
			"select count(*) from %s where geom && st_makeenvelope($1::float8, $2::float8, $1::float8 + $3::float8, $2::float8 + $3::float8, 3035)", w * cellSize})
	}

	return append(all,
		query{"nearest", "10 nearest cells to a point",
			"select count(*) from (select cell_id from %s order by geom <-> st_setsrid(st_makepoint($1::float8, $2::float8 + 0 * $3::float8), 3035) limit 10) n", 0},
		query{"polygon", "join with a polygon of 100 vertices, 120 cells across",
			"select count(*) from %s g join (select st_buffer(st_setsrid(st_makepoint($1::float8, $2::float8 + 0 * $3::float8), 3035), 60000, 25) as area) p on st_intersects(g.geom, p.area)", 0})
}

// queriedTables returns contenders that make the tables that are queried.
func (db *database) queriedTables(g grid) []contender {
	return []contender{
		db.sqlContender(tableSquare, g, squareSQL(g), "gist"),
		db.loadgridContender(tableLoadgrid, g, "gist"),
		db.sqlContender(tableSquareBRIN, g, squareSQL(g), "brin"),
		db.loadgridContender(tableBRIN, g, "brin", "--index", "brin"),
	}
}

// loadQueried makes the tables, ready to query. VACUUM freezes the tables of SQL
// alone, too: otherwise the first query would write to them.
func (db *database) loadQueried(ctx context.Context, g grid) error {
	for _, t := range db.queriedTables(g) {
		if _, err := t.measure(ctx); err != nil {
			return fmt.Errorf("loading %s: %w", t.name, err)
		}
		if err := db.exec(ctx, "drop table if exists "+t.name, "alter table "+tableName+" rename to "+t.name, "vacuum (freeze, analyze) "+t.name); err != nil {
			return err
		}
	}
	return nil
}

func (db *database) dropQueried(ctx context.Context, g grid) error {
	for _, t := range db.queriedTables(g) {
		if err := db.exec(ctx, "drop table if exists "+t.name); err != nil {
			return err
		}
	}
	return nil
}

// queryArms run each query on each table, in turn, at the same places. A
// sample has the mean time of one query. Its stage "buffers" is the mean number
// of the server's pages that a query reads.
func queryArms(db *database, g grid) []arm {
	var arms []arm
	for _, q := range queries() {
		a := arm{id: queryID(q.id, db.name), title: fmt.Sprintf("4. Query: %s, %s server", q.title, db.name),
			cells: g.cells(), server: db.name, reference: tableSquare}
		for _, t := range db.queriedTables(g) {
			table := t.name
			if q.id == "nearest" && (table == tableBRIN || table == tableSquareBRIN) {
				continue // BRIN cannot find the nearest
			}
			a.contenders = append(a.contenders, contender{name: table, run: func(ctx context.Context) (sample, error) {
				return db.timeQuery(ctx, g, q, table)
			}})
		}
		arms = append(arms, a)
	}

	return arms
}

func queryID(question, server string) string { return "query_" + question + "_" + server }

func (db *database) timeQuery(ctx context.Context, g grid, q query, table string) (sample, error) {
	sql := fmt.Sprintf(q.sql, table)
	rng := rand.New(rand.NewPCG(3035, uint64(q.width)))
	var took time.Duration
	var pages int64

	for range placesQueried {
		// Windows and polygons are inside the grid, and none is on a line of it.
		x := (1.5 + rng.Float64()*float64(g.cols-400)) * cellSize
		y := (1.5 + rng.Float64()*float64(g.rows-400)) * cellSize
		if q.id == "polygon" {
			x, y = x+100*cellSize, y+100*cellSize
		}

		began := time.Now()
		var n int64
		if err := db.conn.QueryRow(ctx, sql, x, y, float64(q.width)).Scan(&n); err != nil {
			return sample{}, err
		}

		took += time.Since(began)
		if n == 0 {
			return sample{}, fmt.Errorf("%s: found nothing at %g, %g", sql, x, y)
		}

		read, err := db.pagesRead(ctx, sql, x, y, float64(q.width))
		if err != nil {
			return sample{}, err
		}
		pages += read
	}

	return sample{Seconds: took.Seconds() / placesQueried, Stages: map[string]float64{"buffers": float64(pages) / placesQueried}}, nil
}

// pagesRead returns how many pages a query reads, from PostgreSQL's cache or not.
func (db *database) pagesRead(ctx context.Context, sql string, args ...any) (int64, error) {
	var explained []byte
	if err := db.conn.QueryRow(ctx, "explain (analyze, buffers, timing off, format json) "+sql, args...).Scan(&explained); err != nil {
		return 0, err
	}

	var plans []struct {
		Plan struct {
			Hit  int64 `json:"Shared Hit Blocks"`
			Read int64 `json:"Shared Read Blocks"`
		}
	}
	if err := json.Unmarshal(explained, &plans); err != nil || len(plans) != 1 {
		return 0, fmt.Errorf("reading EXPLAIN's output: %w", err)
	}

	return plans[0].Plan.Hit + plans[0].Plan.Read, nil
}
