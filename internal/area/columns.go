package area

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/pg"
)

// queryColumns are the columns of the area's query that the resolver reads.
type queryColumns struct {
	geometry   int         // index of the geometry column
	attributes []attribute // in the order in which the caller requested them
}

// attribute is a column with the values of an attribute.
type attribute struct {
	place int
	name  string
	kind  string // type of the column that holds the attribute's values
	oid   uint32
}

// names returns the names of the attributes.
func (c queryColumns) names() []string {
	names := make([]string, len(c.attributes))
	for i, a := range c.attributes {
		names[i] = a.name
	}
	return names
}

// types returns the types of the attributes.
func (c queryColumns) types() []string {
	types := make([]string, len(c.attributes))
	for i, a := range c.attributes {
		types[i] = a.kind
	}
	return types
}

// attributeTypes maps the type that an attribute may have to the type of the column that holds it.
func attributeTypes() map[uint32]string {
	return map[uint32]string{
		pgtype.BoolOID: "boolean", pgtype.Int2OID: "smallint", pgtype.Int4OID: "integer", pgtype.Int8OID: "bigint",
		pgtype.Float4OID: "real", pgtype.Float8OID: "double precision", pgtype.NumericOID: "numeric",
		pgtype.DateOID: "date", pgtype.TimestampOID: "timestamp", pgtype.TimestamptzOID: "timestamptz",
		pgtype.UUIDOID: "uuid", pgtype.JSONOID: "json", pgtype.JSONBOID: "jsonb",
		pgtype.TextOID: "text", pgtype.VarcharOID: "text", pgtype.BPCharOID: "text", pgtype.NameOID: "text",
	}
}

// checkStatement finds the query's columns: one of type geometry, and the requested attributes. It refuses
// a query that lacks any of them. Without attributes, it refuses a query that returns anything other than
// the geometry.
func (r *resolver) checkStatement(ctx context.Context, statement *pgconn.StatementDescription) (c queryColumns, err error) {
	if len(statement.ParamOIDs) > 0 {
		return c, r.badQuery("must have no parameters")
	}

	columns := make([]string, len(statement.Fields))
	var geometries []int

	for i, f := range statement.Fields {
		var kind string
		var geometry bool
		err := r.tx.QueryRow(ctx, `select format_type(y.oid, null), y.typname = 'geometry' and n.nspname = $2
			from pg_type y join pg_namespace n on n.oid = y.typnamespace where y.oid = $1`, f.DataTypeOID, r.postgis).Scan(&kind, &geometry)
		if err != nil {
			return c, pg.Wrap(err, "looking up the type of column %s of the query of the area of interest", f.Name)
		}

		columns[i] = f.Name + " " + kind
		if geometry {
			geometries = append(geometries, i)
		}
	}

	attributes := ""
	if len(r.want.Names) > 0 {
		attributes = ", in addition to the attributes " + strings.Join(r.want.Names, ", ")
	}

	switch {
	case len(columns) == 0:
		return c, r.badQuery("must return one column of type geometry%s, but returns no columns", attributes)
	case len(geometries) != 1, len(r.want.Names) == 0 && len(columns) > 1:
		return c, r.badQuery("must return one column of type geometry%s, but returns: %s", attributes, strings.Join(columns, ", "))
	}

	c.geometry = geometries[0]
	c.attributes, err = r.findAttributes(statement.Fields, columns)

	return c, err
}

// findAttributes returns the columns of the requested attributes.
func (r *resolver) findAttributes(fields []pgconn.FieldDescription, columns []string) ([]attribute, error) {
	types := attributeTypes()
	var list []attribute

	for _, name := range r.want.Names {
		named := func(f pgconn.FieldDescription) bool { return f.Name == name }
		i := slices.IndexFunc(fields, named)

		switch {
		case i < 0:
			return nil, r.badQuery("returns no column %s, which is requested as an attribute: it returns %s", name, strings.Join(columns, ", "))
		case slices.ContainsFunc(fields[i+1:], named):
			return nil, r.badQuery("returns several columns named %s, which is requested as an attribute", name)
		}

		a := attribute{place: i, name: name, kind: types[fields[i].DataTypeOID], oid: fields[i].DataTypeOID}
		if a.kind == "" {
			return nil, r.badQuery("returns the attribute %s, whose type is not supported: cast it, for example with %s::text", columns[i], name)
		}

		list = append(list, a)
	}

	return list, nil
}

// value decodes a value of the attribute from the binary format. Whole numbers and booleans keep their
// types. All other values become text that PostgreSQL reads in ISO style, whatever the role's DateStyle.
func (a attribute) value(types *pgtype.Map, raw []byte) (feature.Value, error) {
	switch {
	case raw == nil:
		return nil, nil
	case a.oid == pgtype.JSONOID:
		return string(raw), nil
	case a.oid == pgtype.JSONBOID && len(raw) > 0:
		return string(raw[1:]), nil // after the version of the format
	case a.kind == "text":
		return string(raw), nil
	}

	t, ok := types.TypeForOID(a.oid)
	if !ok {
		return nil, fmt.Errorf("there is no type with OID %d", a.oid)
	}

	v, err := t.Codec.DecodeValue(types, a.oid, pgtype.BinaryFormatCode, raw)
	if err != nil {
		return nil, fmt.Errorf("reading attribute %s: %w", a.name, err)
	}

	if infinity, ok := v.(pgtype.InfinityModifier); ok {
		return infinity.String(), nil
	}

	text, err := types.Encode(a.oid, pgtype.TextFormatCode, v, nil)
	if err != nil {
		return nil, fmt.Errorf("reading attribute %s: %w", a.name, err)
	}

	return string(text), nil
}
