package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/geomgen"
)

// question is a spatial query on the grid of the demo, with the result from its closed form.
type question struct {
	text   string
	sql    string // {table} is the table, {postgis} the schema of PostGIS
	answer string
}

// questions returns the five queries of the demo. Cell (col, row) is the box from (col, row) to (col+1, row+1).
func questions() []question {
	cell := func(col, row int32) int64 { return geomgen.CellID(geomgen.Cell{Col: col, Row: row}) }
	// Eight bands of 100 rows, each row with an area of 1000.
	bands := strings.Join(strings.Fields(strings.Repeat("100000 ", demoRows/100)), " ")

	// A right triangle with legs of n cells along lines of the grid holds, of
	// its k-th row, the n-1-k cells left of the diagonal: n(n-1)/2 in all.
	const n = 400
	return []question{
		{
			"cells that meet the window from 100.5 to 200.5 both ways",
			"select count(*)::text from {table} where geom operator({postgis}.&&) {postgis}.st_makeenvelope(100.5::float8, 100.5::float8, 200.5::float8, 200.5::float8, 0)",
			fmt.Sprint(101 * 101),
		}, {
			"neighbours of cell 500,400",
			fmt.Sprintf("select count(*)::text from {table} a join {table} b on {postgis}.st_touches(a.geom, b.geom) where a.cell_id = %d", cell(500, 400)),
			"8",
		}, {
			// The cell itself, then the cell below at 0.3, the cell to the left at 0.4, and the cell diagonally below at 0.5.
			"four cells nearest to the point 500.4,400.3",
			`select string_agg(col || ',' || row, ' ' order by d, cell_id) from (
			   select cell_id, col, row, geom operator({postgis}.<->) {postgis}.st_point(500.4::float8, 400.3::float8) d from {table}
			   order by geom operator({postgis}.<->) {postgis}.st_point(500.4::float8, 400.3::float8) limit 4) n`,
			"500,400 500,399 499,400 499,399",
		}, {
			"area of each band of 100 rows",
			`select string_agg(area::text, ' ' order by band) from (
			   select "row" / 100 band, sum({postgis}.st_area(geom)) area from {table} group by 1) b`,
			bands,
		}, {
			"cells within the triangle 200,200 600,200 200,600",
			`select count(*)::text from {table} g
			 join (select {postgis}.st_geomfromtext('POLYGON((200 200,600 200,200 600,200 200))'::text) geom) t on {postgis}.st_within(g.geom, t.geom)`,
			fmt.Sprint(n * (n - 1) / 2),
		},
	}
}

// askQuestions runs the queries, prints results and times, and fails if a result differs from the closed form.
func askQuestions(ctx context.Context, out io.Writer, conn *pgx.Conn, names *strings.Replacer) error {
	fmt.Fprintln(out, "\nfive queries, each result checked against its closed form")
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	wrong := 0

	for _, q := range questions() {
		var answer string
		start := time.Now()
		if err := conn.QueryRow(ctx, names.Replace(q.sql)).Scan(&answer); err != nil {
			return fmt.Errorf("querying %s: %w", q.text, err)
		}

		took := time.Since(start)
		verdict := "right"
		if answer != q.answer {
			wrong++
			verdict = "WRONG, should be " + q.answer
		}

		fmt.Fprintf(t, "  %s\t%s\t%s\t%.1f ms\n", q.text, answer, verdict, float64(took.Microseconds())/1000)
	}

	if err := t.Flush(); err != nil {
		return err
	}
	if wrong > 0 {
		return fmt.Errorf("%d of the results are wrong", wrong)
	}

	return nil
}
