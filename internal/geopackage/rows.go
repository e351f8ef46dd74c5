package geopackage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/condition"
	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/featurefile"
)

// rows reads the rows of a layer.
type rows struct {
	d       *database
	layer   layer
	columns []column
	options featurefile.Options
	to      feature.Sink
	n       int64             // the number of the current row, from 1
	read    map[string]result // the attributes to read
	values  []value           // of the row: the geometry's length, the geometry, these attributes, the row number
	rowID   string            // the SQL name of the row number, "" if there is none
	kept    int64

	passedOver int64
	viewTime   time.Duration
}

// result is the place of a column's value in a row.
type result struct {
	column
	at int
}

// query returns the SQL, and records what it reads. For values that are too long, SQLite reads only
// the length.
func (r *rows) query() string {
	var b strings.Builder

	whole := maxWhole
	if r.rowID == "" {
		whole = maxComputed
	}

	// CASE also hides the declared type of a column, which would make the driver return times.
	geometry := quote(r.layer.geometry)
	fmt.Fprintf(&b, "select octet_length(%[1]s), case when octet_length(%[1]s) <= %[2]d then %[1]s end", geometry, whole)
	r.read = map[string]result{}

	for _, c := range r.columns {
		if slices.Contains(r.options.Attributes, c.name) {
			fmt.Fprintf(&b, ", case when octet_length(%[1]s) > %[2]d then x'00' else %[1]s end", quote(c.name), maxValue)
			r.read[c.name] = result{c, 2 + len(r.read)}
		}
	}

	if r.rowID != "" {
		b.WriteString(", " + r.rowID)
	}

	b.WriteString(r.from())
	return b.String()
}

// from returns the SQL that selects the rows of the layer. It includes the condition if that means the
// same in SQL.
func (r *rows) from() string {
	from := " from main." + quote(r.layer.table)
	if r.inSQL() {
		from += " where " + r.options.Where.SQL(condition.GeoPackage)
	}
	return from
}

// inSQL tells whether SQLite evaluates the condition.
func (r *rows) inSQL() bool {
	return r.options.Where != nil && r.options.Where.SameInSQL(func(name string) condition.Kind {
		for _, c := range r.columns {
			if c.name == name {
				return c.holds()
			}
		}
		return condition.Other
	})
}

// holds returns the kind of values in a column, by its type.
func (c column) holds() condition.Kind {
	switch c.kind {
	case "TINYINT", "SMALLINT", "MEDIUMINT", "INT", "INTEGER", "FLOAT", "DOUBLE", "REAL":
		return condition.Number
	case "TEXT":
		return condition.Text
	}
	return condition.Other
}

// countPassedOver counts the features that the condition excluded, when it excluded all.
func (r *rows) countPassedOver(ctx context.Context) (n int64, err error) {
	if r.kept > 0 || !r.inSQL() {
		return 0, nil
	}

	sql := "select count(*) from main." + quote(r.layer.table) + " where " + quote(r.layer.geometry) + " is not null"
	err = r.d.conn.QueryRowContext(ctx, sql).Scan(&n)
	return n, err
}

// The default time limit of a view, which can join its tables with themselves repeatedly. A file of
// many megabytes gets more time.
const (
	viewTime      = 5 * time.Second
	viewBytesRate = 5 << 20 // a second
)

var errViewTime = errors.New("the view takes too long")

// all reads all rows.
func (r *rows) all(ctx context.Context) error {
	if r.d.tables[strings.ToLower(r.layer.table)] && !r.layer.computed {
		return r.each(ctx)
	}

	most := r.viewTime + time.Duration(r.d.size/viewBytesRate)*time.Second
	bounded, cancel := context.WithTimeoutCause(ctx, most, errViewTime)
	defer cancel()
	defer r.d.interruptAfter(bounded)()

	err := r.each(bounded)
	if err != nil && ctx.Err() == nil && context.Cause(bounded) == errViewTime && !errors.As(err, new(*geomgen.ParamError)) {
		what := "view"
		if r.layer.computed {
			what = "layer with computed columns"
		}
		return feature.BadArea("is a GeoPackage whose %s %q takes longer than %v: write the layer to a table (ogr2ogr -f GPKG)", what, r.layer.table, most)
	}
	return err
}

// each reads the rows. If there are none, it counts the rows that the condition excluded.
func (r *rows) each(ctx context.Context) (err error) {
	if err := r.eachRow(ctx); err != nil {
		return err
	}

	r.passedOver, err = r.countPassedOver(ctx)
	return err
}

func (r *rows) eachRow(ctx context.Context) error {
	r.findRowID(ctx)
	found, err := r.d.conn.QueryContext(ctx, r.query())
	if err != nil {
		return err
	}
	defer func() { _ = found.Close() }()

	names, err := found.Columns()
	if err != nil {
		return err
	}

	r.values = make([]value, len(names))
	to := make([]any, len(names))
	for i := range to {
		to[i] = &r.values[i]
	}

	for found.Next() {
		r.n++
		if err := found.Scan(to...); err != nil {
			return err
		}

		if err := r.row(ctx); err != nil {
			return err
		}
	}

	return found.Err()
}

func (r *rows) row(ctx context.Context) error {
	if err := r.geometry(ctx); err != nil {
		return err
	}

	values := make([]feature.Value, 0, len(r.options.Attributes))
	for _, name := range r.options.Attributes {
		v, _, err := r.value(name)
		if err != nil {
			return err
		}
		values = append(values, v)
	}

	r.kept++
	return r.d.callOut(func() error { return r.to.EndFeature(values) })
}

// value returns the value of an attribute.
func (r *rows) value(name string) (v feature.Value, ok bool, err error) {
	c, ok := r.read[name]
	if !ok {
		return nil, false, nil
	}

	v, err = c.value(r.values[c.at].v)
	if err != nil {
		return nil, true, feature.BadArea("cannot be read%s of the GeoPackage: attribute %q: %w", r.where(), name, err)
	}
	return v, true, nil
}

// value converts a value from SQLite, where a column can hold values of any type. A value that does
// not match the column's declared type stays as it is.
func (c column) value(v any) (feature.Value, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case int64:
		switch c.kind {
		case "BOOLEAN":
			return v != 0, nil
		case "REAL", "DOUBLE", "FLOAT":
			return float64(v), nil
		}
		return v, nil
	case float64:
		return v, nil
	case string:
		if (c.kind == "DATE" || c.kind == "DATETIME") && v != "" {
			return featurefile.Time(v)
		}
		return featurefile.Text([]byte(v))
	}

	return nil, fmt.Errorf("it is binary or longer than %d bytes, so loadgrid does not read it", maxValue)
}

// where names the current row, for messages.
func (r *rows) where() string {
	if r.inSQL() {
		return fmt.Sprintf(", in feature %d of those that aoi-where selects", r.n)
	}
	return fmt.Sprintf(", in feature %d", r.n)
}

func (r *rows) badGeometry(format string, args ...any) error {
	return feature.BadArea("has a geometry that cannot be read%s of the GeoPackage: %s", r.where(), fmt.Sprintf(format, args...))
}
