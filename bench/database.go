package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/localpg"
	"github.com/loadgrid/loadgrid/loader"
)

// tableName is the name of the table that each contender makes.
const tableName = "grid"

// database is a server on which arms are measured.
type database struct {
	name     string // of its settings
	server   *localpg.Server
	conn     *pgx.Conn
	loadgrid string // the program
	python   string // the interpreter of Debian's packages
	env      []string
	version  string // of PostgreSQL and PostGIS
}

// startDatabase starts a server with the settings of that name.
func startDatabase(ctx context.Context, name string, p programs) (*database, error) {
	inst, err := localpg.Find()
	if err != nil {
		return nil, err
	}

	server, err := localpg.Start(ctx, inst, localpg.Options{TCP: true, Settings: serverSettings(name)})
	if err != nil {
		return nil, err
	}

	db := &database{name: name, server: server, loadgrid: p.loadgrid, python: p.python,
		version: fmt.Sprintf("PostgreSQL %s, PostGIS %s", inst.Version, inst.PostGIS)}
	if db.conn, err = pgx.Connect(ctx, server.DSN()); err != nil {
		return nil, errors.Join(err, server.Stop())
	}

	db.env, err = pgEnvironment(server.DSN())
	if err != nil {
		return nil, errors.Join(err, db.close(ctx))
	}

	return db, nil
}

func (db *database) close(ctx context.Context) error {
	err := db.conn.Close(context.WithoutCancel(ctx))
	if db.server == nil { // bench did not start it
		return err
	}

	return errors.Join(err, db.server.Stop())
}

// pgEnvironment returns the variables that libpq's programs take instead of a
// DSN, so that a process's arguments contain no password.
func pgEnvironment(dsn string) ([]string, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, errors.New("the throwaway server's DSN is not a URL")
	}
	password, _ := u.User.Password()
	host := cmp.Or(u.Hostname(), u.Query().Get("host")) // a socket's directory is a parameter
	return append(os.Environ(), "LOADGRID_DSN="+dsn, "PGHOST="+host, "PGPORT="+u.Port(), "PGUSER="+u.User.Username(),
		"PGPASSWORD="+password, "PGDATABASE="+strings.TrimPrefix(u.Path, "/"), "PG_USE_COPY=YES"), nil
}

func (db *database) exec(ctx context.Context, statements ...string) error {
	for _, sql := range statements {
		if _, err := db.conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

// reset gives each contender the same start: no table, and no data of the one
// before that the server must still write to the disk. The ledger stays, as it
// does if people load every night.
func (db *database) reset(ctx context.Context) error {
	return db.exec(ctx, "drop table if exists "+tableName+" cascade", "checkpoint")
}

// checkRows refuses a table whose number of rows is not the grid's.
func (db *database) checkRows(g grid) func(context.Context) error {
	return func(ctx context.Context) error { return db.countRows(ctx, g.cells()) }
}

func (db *database) countRows(ctx context.Context, want int64) error {
	var rows int64
	if err := db.conn.QueryRow(ctx, "select count(*) from "+tableName).Scan(&rows); err != nil {
		return err
	}
	if rows != want {
		return fmt.Errorf("%d rows, want %d", rows, want)
	}
	return nil
}

// checkReady refuses a table that lacks rows, a primary key, a spatial index of
// that method, or statistics.
func (db *database) checkReady(g grid, method string) func(context.Context) error {
	return func(ctx context.Context) error { return db.checkReadyRows(ctx, g.cells(), method) }
}

// readySQL counts the primary keys of the table $1, its indexes of the method $2, and
// its columns with statistics.
const readySQL = `
	select count(*) filter (where indisprimary), count(*) filter (where m.amname = $2),
	       (select count(*) from pg_stats where tablename = $1)
	from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam
	where i.indrelid = $1::text::regclass and i.indisvalid`

func (db *database) checkReadyRows(ctx context.Context, rows int64, method string) error {
	var keys, indexes, statistics int
	err := db.conn.QueryRow(ctx, readySQL, tableName, method).Scan(&keys, &indexes, &statistics)
	if err != nil {
		return err
	}

	if keys != 1 || indexes != 1 || statistics < 4 {
		return fmt.Errorf("the table has %d primary keys, %d indexes of the method %s, and statistics of %d columns", keys, indexes, method, statistics)
	}
	return db.countRows(ctx, rows)
}

// load runs loadgrid as a user does, and returns its summary and its greatest memory in bytes.
func (db *database) load(ctx context.Context, g grid, flags ...string) (loader.Summary, int64, error) {
	return db.loadWith(ctx, append(g.flags(), flags...)...)
}

func (db *database) loadWith(ctx context.Context, flags ...string) (loader.Summary, int64, error) {
	args := []string{"load", "--table", tableName, "--progress", "json"}
	_, stderr, maxRSS, err := runProcess(ctx, db.env, db.loadgrid, append(args, flags...)...)
	if err != nil {
		return loader.Summary{}, 0, err
	}

	lines := json.NewDecoder(strings.NewReader(stderr))
	for {
		var line struct {
			Type string `json:"type"`
			loader.Summary
		}
		if err := lines.Decode(&line); err != nil {
			if errors.Is(err, io.EOF) {
				err = errors.New("there is no summary")
			}
			return loader.Summary{}, 0, fmt.Errorf("reading loadgrid's output: %w", err)
		}

		if line.Type == "summary" {
			return line.Summary, maxRSS, nil
		}
	}
}

// loadgridContender measures the whole process: plan, load, index, analyze, publish.
func (db *database) loadgridContender(name string, g grid, method string, flags ...string) contender {
	return contender{
		name: name, prepare: db.reset, check: db.checkReady(g, method),
		run: func(ctx context.Context) (sample, error) {
			summary, maxRSS, err := db.load(ctx, g, flags...)
			return sample{MaxRSS: maxRSS, Stages: stages(summary)}, err
		},
	}
}

func stages(s loader.Summary) map[string]float64 {
	seconds := make(map[string]float64, len(s.StageSeconds))
	for stage, t := range s.StageSeconds {
		seconds[string(stage)] = t
	}
	return seconds
}
