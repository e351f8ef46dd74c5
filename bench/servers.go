package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"
)

// serverVersions are the versions of PostgreSQL that are compared.
func serverVersions() []string { return []string{"13", "15", "17", "18"} }

func serverID(version string) string { return "ready_3.2_pg" + version }

const serverSQL = `
	select split_part(current_setting('server_version'), ' ', 1), extversion
	from pg_extension where extname = 'postgis'`

// measureServer compares loadgrid with SQL alone on the server of $LOADGRID_DSN.
func measureServer(ctx context.Context, o options, progress io.Writer) (r result, err error) {
	dsn := os.Getenv("LOADGRID_DSN")
	if dsn == "" {
		return r, errors.New("LOADGRID_DSN is not set: set it to the server to measure")
	}

	p := findPrograms(ctx, o.loadgrid, filepath.Join("bench", "peers"))
	machine, err := describeMachine(ctx, p)
	if err != nil {
		return r, err
	}

	db := &database{name: "pg" + o.server, loadgrid: p.loadgrid, python: p.python}
	if db.env, err = pgEnvironment(dsn); err != nil {
		return r, err
	}
	if db.conn, err = pgx.Connect(ctx, dsn); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, db.close(ctx)) }()

	if err := db.exec(ctx, "create extension if not exists postgis"); err != nil {
		return r, err
	}
	var postgres, postgis string
	if err := db.conn.QueryRow(ctx, serverSQL).Scan(&postgres, &postgis); err != nil {
		return r, err
	}

	g := grid32()
	a := arm{id: serverID(o.server), cells: g.cells(), server: db.name, reference: nameSeries,
		title: fmt.Sprintf("Ready to query, 3.2 million cells, PostgreSQL %s with PostGIS %s in a container", postgres, postgis),
		contenders: []contender{
			db.sqlContender(nameSeries, g, seriesSQL(g), "gist"), db.sqlContender(nameSquare, g, squareSQL(g), "gist"),
			db.loadgridContender(namePlain, g, "gist"), db.loadgridContender(nameParts, g, "gist", "--partitions", g.partitions()),
			db.loadgridContender(namePartsBR, g, "brin", "--index", "brin", "--partitions", g.partitions()),
		}}
	r, err = a.measure(ctx, o.rounds, progress)
	r.Version = machine.Versions["loadgrid"]

	return r, err
}
