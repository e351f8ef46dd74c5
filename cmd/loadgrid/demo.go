package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/localpg"
	"github.com/loadgrid/loadgrid/internal/options"
	"github.com/loadgrid/loadgrid/internal/picture"
	"github.com/loadgrid/loadgrid/loader"
)

func newDemoCommand() *cobra.Command {
	o := demoOptions{picture: imageOptions{file: "loadgrid-demo.png"}}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Load a grid into a throwaway PostGIS, query it and draw it",
		Long: `demo shows what loadgrid does. It loads a grid of 1000 x 800 boxes,
runs five spatial queries whose answers are known in advance, and draws the order of the
cells. At the end, and after Ctrl-C, it removes everything except the picture.

demo uses the database of --dsn or LOADGRID_DSN. Without one, it starts a throwaway server
from an installed PostgreSQL with PostGIS, or otherwise a container. It reports its choice
and the reason. It installs nothing; if it finds no PostGIS, it tells you what to install.`,
		Example: `  loadgrid demo
  loadgrid demo --keep
  LOADGRID_DSN=postgresql://me@localhost/gis loadgrid demo --picture grid.png`,
		Args: noArgs,
	}

	dsn := options.DSNOption(&o.dsn)
	dsn.Help = "`connection` string or URL of the database to use; defaults to $LOADGRID_DSN, then to a throwaway server"
	table := append(options.Table{
		dsn,
		{Name: "keep", Value: options.Bool(&o.keep), Help: "leave the database running, and print how to reach and stop it"},
		{Name: "picture", Value: demoPicture(&o.picture.file), Default: o.picture.file, Help: "picture `file` to write, .png or .svg; empty for none"},
		themeOption(&o.picture.theme),
	}, o.progress.Table()...)
	addFlags(cmd, table)

	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := table.Apply(givenValues(cmd)); err != nil {
			return err
		}
		return runDemo(cmd.Context(), o, streamsOf(cmd))
	}

	return cmd
}

// demoPicture is a value with the name of a file for a picture, or with no name for no picture.
func demoPicture(to *string) options.Value {
	v := options.Parsed(func(name string) error {
		if *to = name; name == "" {
			return nil
		}
		return checkPicture(name)
	})
	v.Type = "file"

	return v
}

// demoOptions select the database of the demo, and what it leaves behind.
type demoOptions struct {
	dsn      string
	picture  imageOptions
	progress progressOptions
	keep     bool
}

// The grid of the demo: the unit boxes x-1..x, y-1..y, x from 1 to 1000 and y
// from 1 to 800.
const (
	demoCols = 1000
	demoRows = 800
)

func runDemo(ctx context.Context, o demoOptions, std streams) (err error) {
	// Check the options before starting a server.
	r, err := o.progress.reporter(std)
	if err != nil {
		return err
	}

	db, err := localpg.Provision(ctx, localpg.Request{DSN: resolveDSN(o.dsn), Out: std.out})
	if err != nil {
		return err
	}

	kept := false

	defer func() {
		if !kept {
			err = errors.Join(err, db.Close())
		}
	}()

	pool, err := loader.Open(ctx, db.DSN, 0)
	if err != nil {
		return err
	}
	defer loader.Close(pool)

	schema, err := createDemoSchema(ctx, pool)
	if err != nil {
		return err
	}
	defer func() {
		if !kept {
			err = errors.Join(err, dropDemoSchema(ctx, pool, schema))
		}
	}()

	if err := loadDemo(ctx, r, pool, schema, std.out); err != nil {
		return err
	}
	if err := queryAndDraw(ctx, std.out, pool, loader.Table{Schema: schema, Name: "grid"}, o.picture); err != nil {
		return err
	}

	if o.keep {
		kept = true
		printKept(std.out, db, schema)
	}
	return nil
}

// findPostGISQuery returns the schema of PostGIS, with which the demo qualifies the names that it uses.
const findPostGISQuery = `
select nspname
from pg_extension e
join pg_namespace n on n.oid = e.extnamespace
where extname = 'postgis'`

// queryAndDraw runs the queries and draws the picture, on one connection.
func queryAndDraw(ctx context.Context, out io.Writer, pool *pgxpool.Pool, table loader.Table, image imageOptions) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connecting for the queries: %w", err)
	}
	defer conn.Release()

	var postgis string
	if err := conn.QueryRow(ctx, findPostGISQuery).Scan(&postgis); err != nil {
		return fmt.Errorf("looking for PostGIS: %w", err)
	}

	names := strings.NewReplacer("{table}", pgx.Identifier{table.Schema, table.Name}.Sanitize(), "{postgis}", pgx.Identifier{postgis}.Sanitize())
	if err := askQuestions(ctx, out, conn.Conn(), names); err != nil {
		return err
	}
	if image.file == "" {
		return nil
	}
	if err := drawDemo(ctx, conn.Conn(), names, image); err != nil {
		return err
	}

	_, err = fmt.Fprintf(out, "\npicture of the extent and the order of the cells: %s\n", image.file)
	return err
}

// createDemoSchema creates a schema for the table and the ledger of the demo, so that nothing else in the
// database changes.
func createDemoSchema(ctx context.Context, pool *pgxpool.Pool) (string, error) {
	var suffix [4]byte
	_, _ = rand.Read(suffix[:]) // never fails, by its documentation
	schema := "loadgrid_demo_" + hex.EncodeToString(suffix[:])
	if _, err := pool.Exec(ctx, "create schema "+pgx.Identifier{schema}.Sanitize()); err != nil {
		return "", fmt.Errorf("creating schema %s for the demo: %w", schema, err)
	}

	return schema, nil
}

// dropDemoSchema also runs after Ctrl-C, so it does not use the context that Ctrl-C ended.
func dropDemoSchema(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()

	if _, err := pool.Exec(ctx, "drop schema "+pgx.Identifier{schema}.Sanitize()+" cascade"); err != nil {
		return fmt.Errorf("dropping schema %s of the demo: %w", schema, err)
	}
	return nil
}

func loadDemo(ctx context.Context, r *reporter, pool *pgxpool.Pool, schema string, out io.Writer) error {
	fmt.Fprintf(out, "\nloading %d x %d boxes\n", demoCols, demoRows)
	p := new(loader.Progress)
	stop := r.follow(p)
	summary, err := loader.Run(ctx, pool, loader.Job{
		Table: loader.Table{Schema: schema, Name: "grid"}, LedgerSchema: schema,
		Grid: geomgen.Grid{DX: 1, DY: 1}, Cols: demoCols, Rows: demoRows,
	}, loader.Options{Progress: p, Log: r.log(), Version: version()})

	stop()
	if err != nil {
		return err
	}
	return printSummary(out, summary)
}

// blocksQuery returns the boxes of blocks of $1 cells each, in the order of cell_id. The cast makes
// sure that the call resolves to the function of PostGIS.
const blocksQuery = `
select min({postgis}.st_xmin(geom::{postgis}.box3d)), min({postgis}.st_ymin(geom::{postgis}.box3d)), max({postgis}.st_xmax(geom::{postgis}.box3d)), max({postgis}.st_ymax(geom::{postgis}.box3d))
from {table}
group by cell_id / $1
order by cell_id / $1`

// drawDemo draws the content of the table as blocks of 32 x 32 cells in the order of cell_id.
func drawDemo(ctx context.Context, conn *pgx.Conn, names *strings.Replacer, image imageOptions) error {
	const side = 32
	rows, err := conn.Query(ctx, names.Replace(blocksQuery), side*side)
	if err != nil {
		return fmt.Errorf("reading the order of the rows: %w", err)
	}

	blocks, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (geomgen.Box, error) {
		var b geomgen.Box
		err := row.Scan(&b.XMin, &b.YMin, &b.XMax, &b.YMax)
		return b, err
	})
	if err != nil {
		return fmt.Errorf("reading the order of the rows: %w", err)
	}

	return picture.Order{
		Theme:  image.theme,
		Title:  fmt.Sprintf("The order of %s x %s cells", formatCount(demoCols), formatCount(demoRows)),
		Lines:  []string{fmt.Sprintf("the line visits the centres of blocks of %d x %d cells", side, side)},
		Extent: geomgen.Box{XMax: demoCols, YMax: demoRows},
		Blocks: blocks,
	}.Save(image.file)
}

func printKept(out io.Writer, db *localpg.Database, schema string) {
	if db.StopCommand == "" {
		// Do not print the user's DSN: it may contain a password.
		fmt.Fprintf(out, "\nthe table is %s.grid in your database; drop it with:\n  drop schema %s cascade\n", schema, schema)
		return
	}

	fmt.Fprintf(out, "\nthe table is %s.grid in the database, which is still running:\n  psql '%s'\n", schema, db.DSN)
	fmt.Fprintf(out, "stop it and remove its files with:\n  %s\n", db.StopCommand)
}
