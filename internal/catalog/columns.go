package catalog

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
)

const columnTypesSQL = `
	select a.attname, n.nspname, y.typname, a.atttypmod,
	       y.typname = 'geometry' and exists (select from pg_depend d join pg_extension e on e.oid = d.refobjid
	           where d.classid = 'pg_type'::regclass and d.objid = y.oid and d.refclassid = 'pg_extension'::regclass and d.deptype = 'e' and e.extname = 'postgis')
	from pg_attribute a join pg_type y on y.oid = a.atttypid join pg_namespace n on n.oid = y.typnamespace
	where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped order by a.attnum`

// columnType is the type of a column in the catalogue.
type columnType struct {
	schema, name string
	modifier     int32 // atttypmod; -1 for none
	geometry     bool  // it is PostGIS's geometry
}

// ColumnTypes returns "name type" for each column of the table. It builds the types from the catalogue's own
// values, so no setting of the session changes them, neither search_path nor quote_all_identifiers.
func (t *Relation) ColumnTypes(ctx context.Context, conn pg.Querier) ([]string, error) {
	rows, err := conn.Query(ctx, columnTypesSQL, t.OID)
	if err != nil {
		return nil, pg.Wrap(err, "looking up the columns of table %s", t.Table)
	}

	have, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		var column string
		var y columnType
		err := row.Scan(&column, &y.schema, &y.name, &y.modifier, &y.geometry)

		return column + " " + y.String(), err
	})

	return have, pg.Wrap(err, "looking up the columns of table %s", t.Table)
}

// String returns the name of a built-in type as in pg_type, of a geometry as in PostGIS, and of any other type
// with its schema.
func (y columnType) String() string {
	switch {
	case y.geometry:
		return "geometry" + geometryModifier(y.modifier)
	case y.schema != "pg_catalog":
		return y.schema + "." + y.name + y.plainModifier()
	}

	return y.name + y.plainModifier()
}

// plainModifier returns the modifier of a type other than geometry.
func (y columnType) plainModifier() string {
	const header = 4 // bytes that PostgreSQL adds to the length of a text or a number

	switch {
	case y.modifier < 0:
		return ""
	case y.schema == "pg_catalog" && (y.name == "varchar" || y.name == "bpchar"):
		return fmt.Sprintf("(%d)", y.modifier-header)
	case y.schema == "pg_catalog" && y.name == "numeric":
		scale := (y.modifier - header) & 0x7ff
		return fmt.Sprintf("(%d,%d)", (y.modifier-header)>>16&0xffff, scale^1024-1024) // 11 bits with a sign
	}

	return fmt.Sprintf("(%d)", y.modifier)
}

// geometryModifier returns the modifier of a geometry, as postgis_typmod_out does: kind, dimensions and SRID. The
// bits are defined in PostGIS's liblwgeom.h, and stored in each database with such a column.
func geometryModifier(modifier int32) string {
	if modifier <= 0 {
		return ""
	}

	kinds := []string{"Geometry", "Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection",
		"CircularString", "CompoundCurve", "CurvePolygon", "MultiCurve", "MultiSurface", "PolyhedralSurface", "Triangle", "Tin"}

	kind := int(modifier & 0xfc >> 2)
	name := fmt.Sprintf("kind %d", kind)
	if kind < len(kinds) {
		name = kinds[kind]
	}

	if modifier&2 != 0 {
		name += "Z"
	}

	if modifier&1 != 0 {
		name += "M"
	}

	if srid := (modifier&0x0fffff00 - modifier&0x10000000) >> 8; srid != 0 {
		name += fmt.Sprintf(",%d", srid)
	}

	return "(" + name + ")"
}
