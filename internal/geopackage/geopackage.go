// Package geopackage owns the reading of polygons and attributes from GeoPackages. Source of the
// format: OGC 12-128r18, https://www.geopackage.org/spec131/.
package geopackage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"time"

	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/featurefile"
)

// Is tells whether a file that begins with these bytes is an SQLite database, as GeoPackages are. Not
// all of them have the application ID that the format requires.
func Is(head []byte) bool { return strings.HasPrefix(string(head), "SQLite format 3\x00") }

// Read reads the features of a layer: a table or a view with geometries. It opens the file read-only.
// Views may select and call functions, and no other SQL of the file runs. If the write-ahead log next
// to the file has changes, Read refuses the file. Errors about the file are *geomgen.ParamError. SQLite
// evaluates Options.Where if it means the same in SQL.
func Read(ctx context.Context, f io.ReaderAt, size int64, o featurefile.Options, to feature.Sink) (featurefile.Result, error) {
	return readWithin(ctx, f, size, o, to, viewTime)
}

// readWithin is Read with a time limit for views.
func readWithin(ctx context.Context, f io.ReaderAt, size int64, o featurefile.Options, to feature.Sink, viewTime time.Duration) (result featurefile.Result, err error) {
	if err := refuseLog(o); err != nil {
		return result, err
	}

	d, err := open(ctx, f, size)
	if err != nil {
		return result, err
	}

	result, err = d.guarded(func() (featurefile.Result, error) {
		defer d.interruptAfter(ctx)()
		return d.read(ctx, o, to, viewTime)
	})

	if errors.Is(err, errFailed) { // its locks may never be released
		return result, err
	}

	if closed := d.close(); err == nil {
		err = closed
	}
	return result, err
}

var errFailed = errors.New("SQLite failed")

// guarded turns a panic of SQLite into an error. SQLite is C code translated to Go, and an invalid
// memory access there must not end the program.
func (d *database) guarded(read func() (featurefile.Result, error)) (result featurefile.Result, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))

	defer func() {
		if d.outside {
			return // not SQLite's panic
		}
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %w", feature.BadArea("is a damaged GeoPackage: %v", p), errFailed)
		}
	}()

	return read()
}

// callOut calls the sink, whose panics are not SQLite's.
func (d *database) callOut(sink func() error) error {
	d.outside = true
	err := sink()
	d.outside = false

	return err
}

// refuseLog refuses a file with changes that are only in its write-ahead log.
func refuseLog(o featurefile.Options) error {
	if o.Sibling == nil {
		return nil
	}

	// A log without changes has at most its header.
	if _, size, err := o.Sibling("-wal"); err == nil && size > 32 {
		return feature.BadArea("is a GeoPackage with changes in its write-ahead log, the -wal file next to it: close the program that writes it, or run sqlite3 FILE 'pragma wal_checkpoint(truncate)'")
	}
	return nil
}

func (d *database) read(ctx context.Context, o featurefile.Options, to feature.Sink, viewTime time.Duration) (result featurefile.Result, err error) {
	layers, err := d.layers(ctx)
	if err != nil {
		return result, d.explain(ctx, err)
	}

	for _, l := range layers {
		result.Layers = append(result.Layers, l.table)
	}

	if result.Layer, err = featurefile.ChooseLayer(o.Layer, result.Layers); err != nil {
		return result, err
	}

	r := rows{d: d, options: o, to: to, viewTime: viewTime}
	for _, l := range layers {
		if l.table == result.Layer {
			r.layer = l
		}
	}

	if result.CRS, err = d.crs(ctx, r.layer.srs); err != nil {
		return result, d.explain(ctx, err)
	}

	if r.columns, err = d.columns(ctx, &r.layer); err != nil {
		return result, d.explain(ctx, err)
	}

	for _, c := range r.columns {
		result.Attributes = append(result.Attributes, c.name)
	}

	if err := featurefile.CheckAttributes(o.Attributes, result.Attributes); err != nil {
		return result, err
	}

	err = r.all(ctx)
	result.Features, result.PassedOver = r.kept, r.passedOver

	return result, d.explain(ctx, err)
}

// layer is a table or view with geometries.
type layer struct {
	table, geometry string
	srs             int64 // the CRS, by its number in the file
	computed        bool  // some column is computed on reading, at any cost
}

// Maximum numbers of layers, and of columns of a table.
const (
	maxLayers = 10_000
	maxSame   = 10
)

const contentsQuery = `
select table_name from main.gpkg_contents where lower(data_type) = 'features' order by rowid limit ?`

const geometriesQuery = `select table_name, column_name, srs_id from main.gpkg_geometry_columns`

// layers returns the layers in the order in which the file lists them.
func (d *database) layers(ctx context.Context) (all []layer, err error) {
	for _, table := range [...]string{"gpkg_contents", "gpkg_geometry_columns", "gpkg_spatial_ref_sys"} {
		if !d.tables[table] {
			return nil, feature.BadArea("is an SQLite database, but not a GeoPackage: it has no table %s", table)
		}
	}

	geometries, err := d.geometries(ctx)
	if err != nil {
		return nil, err
	}

	found, err := d.conn.QueryContext(ctx, contentsQuery, maxLayers)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()

	for found.Next() {
		var table sql.NullString
		if err := found.Scan(&table); err != nil {
			return nil, badCatalogue(err)
		}

		for _, l := range geometries[strings.ToLower(table.String)] { // exactly one, in a valid file
			if l.table = table.String; len(all) < maxLayers {
				all = append(all, l)
			}
		}
	}

	return all, found.Err()
}

// geometries returns the geometry columns, by the names of their tables in lower case. A join in SQL
// would compare each of them with each row of the contents.
func (d *database) geometries(ctx context.Context) (map[string][]layer, error) {
	found, err := d.conn.QueryContext(ctx, geometriesQuery)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()

	all := map[string][]layer{}
	for found.Next() {
		var table, geometry sql.NullString
		var srs sql.NullInt64
		if err := found.Scan(&table, &geometry, &srs); err != nil {
			return nil, badCatalogue(err)
		}

		name := strings.ToLower(table.String)
		if len(all[name]) < maxSame {
			all[name] = append(all[name], layer{geometry: geometry.String, srs: srs.Int64})
		}
	}

	return all, found.Err()
}

// badCatalogue explains a value whose type the format does not allow.
func badCatalogue(err error) error {
	return feature.BadArea("is a GeoPackage with invalid content in its own tables: %w", err)
}

const crsQuery = `
select cast(organization as text), cast(organization_coordsys_id as text), cast(definition as text)
  from main.gpkg_spatial_ref_sys
 where srs_id = ?`

// crs returns a CRS by its number. -1 and 0 mean unknown CRSs.
func (d *database) crs(ctx context.Context, srs int64) (featurefile.CRS, error) {
	if srs == -1 || srs == 0 {
		return featurefile.CRS{}, nil
	}

	var organization, code, definition sql.NullString
	err := d.conn.QueryRowContext(ctx, crsQuery, srs).Scan(&organization, &code, &definition)

	switch {
	case errors.Is(err, sql.ErrNoRows):
		return featurefile.CRS{}, feature.BadArea("is a GeoPackage that names a CRS that it does not define, with srs_id %d", srs)
	case err != nil:
		return featurefile.CRS{}, err
	}

	c := featurefile.CRS{Organization: organization.String, Code: code.String, WKT: definition.String}
	if strings.EqualFold(c.WKT, "undefined") {
		c.WKT = ""
	}
	if strings.EqualFold(c.Organization, "none") {
		c.Organization, c.Code = "", ""
	}
	return c, nil
}

// column is an attribute of a layer.
type column struct {
	name string
	kind string // as declared, in capitals, without a length: TEXT for TEXT(20)
}

const columnsQuery = `select name, type, hidden = 2 from pragma_table_xinfo(?) where hidden <> 1 order by cid`

// columns returns the attributes of a layer, and records whether it has computed columns.
func (d *database) columns(ctx context.Context, l *layer) (all []column, err error) {
	found, err := d.conn.QueryContext(ctx, columnsQuery, l.table)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()

	geometry := false
	for found.Next() {
		var name, kind string
		var computed bool
		if err := found.Scan(&name, &kind, &computed); err != nil {
			return nil, err
		}
		l.computed = l.computed || computed

		if strings.EqualFold(name, l.geometry) {
			geometry = true
			continue
		}

		if _, err := featurefile.Text([]byte(name)); err != nil {
			return nil, feature.BadArea("is a GeoPackage with an attribute whose name is not text: %w", err)
		}

		kind, _, _ = strings.Cut(kind, "(")
		all = append(all, column{name, strings.ToUpper(strings.TrimSpace(kind))})
	}

	if err := found.Err(); err != nil {
		return nil, err
	}

	if !geometry {
		return nil, feature.BadArea("is a GeoPackage whose layer %q has no column %q", l.table, l.geometry)
	}
	return all, nil
}

// quote quotes a name for SQL.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
