// Maketable makes the table of package crs from the spatial_ref_sys of a server. The domains come from EPSG's
// data set, which PostGIS 3.4 or newer gets from PROJ. CONTRIBUTING.md has the commands.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math"
	"os"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/loadgrid/loadgrid/loader/crs"
)

const rowsQuery = `
select s.srid, coalesce(s.srtext, ''), coalesce(s.proj4text, ''),
       ST_X(p.point_sw), ST_Y(p.point_sw), ST_X(p.point_ne), ST_Y(p.point_ne)
  from spatial_ref_sys s
  left join lateral postgis_srs(s.auth_name, s.auth_srid::text) p on true
 order by s.srid`

const transformQuery = `
select coalesce(ST_X(p), 'NaN'), coalesce(ST_Y(p), 'NaN')
  from unnest($2::float8[], $3::float8[]) as t(lon, lat)
 cross join lateral ST_Transform(ST_SetSRID(ST_MakePoint(lon, lat), 4326), $1::int) p`

func main() {
	dsn := flag.String("dsn", "", "server with PostGIS 3.4 or newer; defaults to PGHOST and related variables")
	out := flag.String("o", "table.bin", "file to write")
	boxes := flag.Bool("boxes", true, "find the boxes of domains in CRS units, which takes ten minutes")
	flag.Parse()

	if err := run(context.Background(), *dsn, *out, *boxes); err != nil {
		fmt.Fprintln(os.Stderr, "maketable:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dsn, out string, boxes bool) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("connect to the server: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()

	all, err := read(ctx, conn)
	if err != nil {
		return fmt.Errorf("read spatial_ref_sys and its domains: %w", err)
	}

	if boxes {
		if err := setBoxes(ctx, dsn, all); err != nil {
			return fmt.Errorf("find the boxes of domains: %w", err)
		}
	}

	var file bytes.Buffer
	if err := crs.WriteTable(&file, all); err != nil {
		return fmt.Errorf("pack the table: %w", err)
	}
	if err := os.WriteFile(out, file.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}

	domains, boxed := 0, 0
	for _, c := range all {
		if d := c.Domain; d != nil {
			domains++
			if d.XMin < d.XMax {
				boxed++
			}
		}
	}
	fmt.Fprintf(os.Stderr, "%d CRSs, %d with a domain, %d of them with a box: %d bytes\n", len(all), domains, boxed, file.Len())

	return nil
}

// setBoxes finds the boxes of all domains. It uses two connections, because a server takes a tenth of a second to
// prepare a transformation.
func setBoxes(ctx context.Context, dsn string, all []crs.CRS) error {
	todo := make(chan crs.CRS, len(all))
	for _, c := range all {
		if c.Domain != nil {
			todo <- c
		}
	}
	close(todo)

	workers, ctx := errgroup.WithContext(ctx)
	for range 2 {
		workers.Go(func() error {
			conn, err := pgx.Connect(ctx, dsn)
			if err != nil {
				return err
			}
			defer func() { _ = conn.Close(ctx) }()

			for c := range todo {
				if !setBox(ctx, conn, c) {
					fmt.Fprintf(os.Stderr, "SRID %d (%s): no box\n", c.SRID, c.Name)
				}
			}
			return nil
		})
	}

	return workers.Wait()
}

func read(ctx context.Context, conn *pgx.Conn) (all []crs.CRS, err error) {
	rows, err := conn.Query(ctx, rowsQuery)
	if err != nil {
		return nil, err
	}

	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (crs.CRS, error) {
		var srid int32
		var srtext, proj4text string
		var west, south, east, north *float64
		if err := row.Scan(&srid, &srtext, &proj4text, &west, &south, &east, &north); err != nil {
			return crs.CRS{}, err
		}

		c := crs.Parse(srid, srtext, proj4text)
		// PROJ returns -1000 for unknown bounds.
		if west != nil && south != nil && east != nil && north != nil && *west >= -180 && *east <= 180 && *south >= -90 && *north <= 90 {
			c.Domain = &crs.Domain{West: *west, South: *south, East: *east, North: *north}
		}
		return c, nil
	})
}

// setBox finds the box of a domain in CRS units. ok is false if the server can transform few or none of its
// places.
func setBox(ctx context.Context, conn *pgx.Conn, c crs.CRS) (ok bool) {
	d := c.Domain
	lon, lat := places(*d)
	x, y := transform(ctx, conn, c.SRID, lon, lat)

	seam, comesRound := c.Seam()
	b := crs.Domain{XMin: math.Inf(1), YMin: math.Inf(1), XMax: math.Inf(-1), YMax: math.Inf(-1)}
	good := 0
	for i := range x {
		if math.IsNaN(x[i]+y[i]) || math.IsInf(x[i]+y[i], 0) {
			continue
		}
		good++

		// Places come from west to east. Past the seam, x continues to grow.
		if comesRound && x[i] < x[0]-seam.Period/360 {
			x[i] += seam.Period
		}
		b.XMin, b.XMax = min(b.XMin, x[i]), max(b.XMax, x[i])
		b.YMin, b.YMax = min(b.YMin, y[i]), max(b.YMax, y[i])
	}
	if good == 0 || 2*good < len(x) || !(b.XMin < b.XMax && b.YMin < b.YMax) {
		return false
	}

	d.XMin, d.XMax = outwards(b.XMin, b.XMax)
	d.YMin, d.YMax = outwards(b.YMin, b.YMax)
	if comesRound && d.West == -180 && d.East == 180 {
		d.XMin, d.XMax = seam.X, seam.X+seam.Period
	}

	return true
}

// places returns a grid of places over a domain, from west to east. A box is about as exact as the difference to
// the true extremes between them.
func places(d crs.Domain) (lon, lat []float64) {
	const steps = 24
	width := d.East - d.West
	if width < 0 {
		width += 360
	}

	for i := range steps + 1 {
		for j := range steps + 1 {
			l := d.West + width*float64(i)/steps
			if l > 180 {
				l -= 360
			}
			lon = append(lon, l)
			lat = append(lat, d.South+(d.North-d.South)*float64(j)/steps)
		}
	}

	return lon, lat
}

// transform transforms places to a CRS. Places that fail become NaN. One failure fails a whole query, so then
// each place gets a query of its own, unless the first and the middle one both fail, as for CRSs of other
// planets.
func transform(ctx context.Context, conn *pgx.Conn, srid int32, lon, lat []float64) (x, y []float64) {
	rows, err := conn.Query(ctx, transformQuery, srid, lon, lat)
	if err == nil {
		var vx, vy float64
		_, err = pgx.ForEachRow(rows, []any{&vx, &vy}, func() error {
			x, y = append(x, vx), append(y, vy)
			return nil
		})
	}
	if err == nil && len(x) == len(lon) {
		return x, y
	}
	if len(lon) == 1 {
		return []float64{math.NaN()}, []float64{math.NaN()}
	}

	x, y = nil, nil
	for _, i := range []int{0, len(lon) / 2} {
		vx, _ := transform(ctx, conn, srid, lon[i:i+1], lat[i:i+1])
		x = append(x, vx...)
	}
	if math.IsNaN(x[0]) && math.IsNaN(x[1]) {
		return nil, nil
	}

	x = nil
	for i := range lon {
		vx, vy := transform(ctx, conn, srid, lon[i:i+1], lat[i:i+1])
		x, y = append(x, vx...), append(y, vy...)
	}
	return x, y
}

// outwards rounds the ends of a range to about a thousandth of its width, away from its middle.
func outwards(low, high float64) (l, h float64) {
	step := math.Pow(10, math.Floor(math.Log10(high-low))-3)
	l, h = math.Floor(low/step), math.Ceil(high/step)
	if step < 1 { // multiples of a step such as 0.1 are inexact
		return l / math.Round(1/step), h / math.Round(1/step)
	}

	return l * step, h * step
}
