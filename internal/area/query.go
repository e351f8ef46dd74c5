package area

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/gather"
	"github.com/loadgrid/loadgrid/internal/ownpath"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/setting"
	"github.com/loadgrid/loadgrid/internal/sqltext"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/job"
)

// query runs the area's query in a read-only transaction on its own connection, which it closes
// afterwards: settings and locks that functions in the query leave in the session must not reach
// the load. It rolls the transaction back, which also undoes settings if a pooler hands the session
// to somebody else.
func (r *resolver) query(ctx context.Context, pool *pgxpool.Pool) error {
	conn, release, err := pg.OpenConn(ctx, pool)
	if err != nil {
		return pg.Wrap(err, "connecting for the query of the area of interest")
	}
	defer release() // the transaction wrote nothing that could be lost

	if r.tx, err = conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}); err != nil {
		return pg.Wrap(err, "beginning a read-only transaction")
	}
	defer func() {
		if !conn.IsClosed() {
			_ = r.tx.Rollback(ctx)
		}
	}()

	if err := r.findPostGIS(ctx); err != nil {
		return err
	}

	timeout := r.area.QueryTimeout()
	if err := setting.SetLocal(ctx, r.tx, setting.Parameter{Name: "statement_timeout", Value: fmt.Sprint(timeout.Milliseconds())}); err != nil {
		return err
	}

	bounded, cancel := context.WithTimeoutCause(ctx, timeout+pg.StatementGrace, pg.ErrStatementTimeout)
	defer cancel()
	began := time.Now()
	err = r.runQuery(bounded)

	switch {
	case err != nil && context.Cause(bounded) == pg.ErrStatementTimeout:
		err = pg.ErrStatementTimeout
	case !pg.HasCode(err, pgerrcode.QueryCanceled) || time.Since(began) < timeout:
		return err
	}

	return &pg.ServerError{Doing: fmt.Sprintf("running the query of the area of interest, which aoi-sql-timeout limits to %s", timeout),
		Err: err, Advice: "make it faster, or raise aoi-sql-timeout"}
}

// runQuery runs the area's query. It prepares the query first, which ensures that it is one
// statement and tells its columns.
func (r *resolver) runQuery(ctx context.Context) error {
	var statement *pgconn.StatementDescription
	err := ownpath.With(ctx, r.tx, func() (err error) {
		statement, err = r.tx.Prepare(ctx, "", r.area.SQL)
		return err
	})
	if err != nil {
		return r.refused(err)
	}

	columns, err := r.checkStatement(ctx, statement)
	if err != nil {
		return err
	}

	c, srid, err := r.fetch(ctx, columns)
	var polygons []geomgen.Polygon
	if err == nil {
		polygons, err = c.Polygons()
	}

	var param *geomgen.ParamError

	switch {
	case errors.As(err, &param):
		return r.badQuery("%s", param.Reason)
	case err != nil:
		return r.refused(err)
	case len(polygons) == 0:
		return r.badQuery("is empty: it returns no polygons")
	}

	given := r.area.SRID
	if r.area.Ready() { // a Ready area has the grid's SRID, and the geometries may have another
		given = 0
	}

	if r.area.SRID, err = aoi.Declared(given, srid); err != nil {
		return err
	}

	r.area.Polygons, r.area.Union, r.area.Warnings = polygons, c.Parts > 1, c.Warnings()
	if len(columns.attributes) > 0 {
		r.area.Layer = aoi.NewLayer(polygons, c.Features(), columns.types())
	}

	return nil
}

// fetch runs the query and gathers its polygons. In the binary format a geometry arrives as EWKB,
// and the extended protocol takes only one statement, whatever the DSN sets for either.
func (r *resolver) fetch(ctx context.Context, columns queryColumns) (c gather.Collector, srid int32, err error) {
	// The transaction ends after this: the query may have set a time limit too short for more
	// statements.
	if err = ownpath.UseLocal(ctx, r.tx); err != nil {
		return c, 0, err
	}

	rows, err := r.tx.Query(ctx, r.area.SQL, pgx.QueryExecModeDescribeExec, pgx.QueryResultFormats{pgx.BinaryFormatCode})
	if err != nil {
		return c, 0, err
	}

	return takeRows(rows, columns, r.area.MaxPositions)
}

// takeRows gathers the polygons and attributes of rows, and closes the rows.
func takeRows(rows pgx.Rows, columns queryColumns, most int64) (c gather.Collector, srid int32, err error) {
	defer rows.Close()
	c.Max = most
	c.Select(gather.Selection{Features: len(columns.attributes) > 0, Names: columns.names()})
	types, values := pgtype.NewMap(), make([]feature.Value, len(columns.attributes))
	first := true

	for n := 1; rows.Next(); n++ {
		raw := rows.RawValues()
		b := raw[columns.geometry]
		if b == nil {
			continue
		}

		c.Where = fmt.Sprintf(", in row %d", n)
		s, err := c.WKB(b)
		if err != nil {
			return c, 0, err
		}

		if !first && s != srid {
			return c, 0, aoi.BadArea("returns geometries of SRID %d and, in row %d, of SRID %d: transform them to one SRID", srid, n, s)
		}
		first, srid = false, s

		for i, a := range columns.attributes {
			if values[i], err = a.value(types, raw[a.place]); err != nil {
				return c, 0, err
			}
		}

		if err := c.EndFeature(values); err != nil {
			return c, 0, err
		}
	}

	return c, srid, rows.Err()
}

func (r *resolver) badQuery(format string, args ...any) error {
	return &job.SQLError{Param: "aoi-sql", SQL: sqltext.OneLine(r.area.SQL), Reason: fmt.Errorf(format, args...).Error()}
}

// refused returns an error that says why the server refuses the query.
func (r *resolver) refused(err error) error {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pg.IsTransient(err) || ofServer(pgErr.Code) {
		return pg.Wrap(err, "running the query of the area of interest")
	}

	why := ""
	if pgErr.Code == pgerrcode.ReadOnlySQLTransaction {
		why = ": it runs in a read-only transaction"
	}

	return r.badQuery("the server refuses it: %s%s", pg.Message(err), why)
}

// ofServer tells by the SQLSTATE whether an error comes from the server's current resources or
// limits: the same query may succeed later.
func ofServer(code string) bool {
	switch code[:min(2, len(code))] {
	case "53", "55", "57", "58", "XX": // resources, state, operator intervention, system errors, internal errors
		return true
	}
	return code == pgerrcode.InsufficientPrivilege
}
