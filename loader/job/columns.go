package job

import (
	"fmt"
	"strconv"

	"github.com/loadgrid/loadgrid/geomgen"
)

func (j Job) validateColumns() error {
	seen := map[string]string{"col": "the cell's column", "row": "the cell's row"}
	if j.Code != "" {
		seen[CodeColumn] = "the cell's code"
	}

	if j.Coverage {
		seen[CoverageColumn] = "the coverage"
	}

	if j.ParentLevels > 0 {
		seen[ParentColumn] = "the cell's parent"
	}

	if j.Pairs() {
		seen[CellShareColumn], seen[FeatureShareColumn] = "the share of the cell", "the share of the feature"
	}

	check := func(param, name string) error {
		if err := CheckIdentifier(param, name); err != nil {
			return err
		}

		if systemColumns[name] {
			return &geomgen.ParamError{Param: param, Value: name, Reason: "PostgreSQL has a system column with this name"}
		}

		if other, ok := seen[name]; ok {
			return &geomgen.ParamError{Param: param, Value: name, Reason: "this name is taken by " + other}
		}

		seen[name] = "--" + param

		return nil
	}

	if err := check("id-column", j.IDColumn); err != nil {
		return err
	}

	if j.HasGeometry() {
		if err := check("geom-column", j.GeomColumn); err != nil {
			return err
		}
	}

	if n := len(j.Columns()); n > maxColumns {
		return &geomgen.ParamError{Param: "set", Value: strconv.Itoa(len(j.Set)) + " times", Reason: "a PostgreSQL table has at most 1600 columns"}
	}

	if j.Pairs() {
		if err := check("each", j.Each.Name); err != nil {
			return err
		}
	}

	for _, a := range j.Attributes {
		if err := check("attribute", a.Name); err != nil {
			return err
		}
	}

	for _, c := range j.Set {
		if err := check("set", c.Name); err != nil {
			return err
		}

		if _, err := c.Encode(nil); err != nil {
			return err
		}
	}

	return nil
}

// Columns returns the names of the table's columns in order.
func (j Job) Columns() []string {
	names := []string{j.IDColumn, "col", "row"}
	if j.HasGeometry() {
		names = append(names, j.GeomColumn)
	}

	for _, c := range j.OtherColumns() {
		names = append(names, c.Name)
	}

	return names
}

// column is a column of the table, with the name of its type in the catalogue.
type column struct{ Name, SQLType string }

// HasGeometry reports whether the table has a geometry column.
func (j Job) HasGeometry() bool { return j.Geometry != geomgen.AsNone }

// OtherColumns returns the columns after the geometry.
func (j Job) OtherColumns() []column {
	var list []column
	if j.ParentLevels > 0 {
		list = append(list, column{ParentColumn, "int8"})
	}

	for _, c := range j.Set {
		list = append(list, column{c.Name, c.sqlType()})
	}

	for _, a := range j.FeatureAttributes() {
		list = append(list, column{a.Name, a.sqlType()})
	}

	if j.Code != "" {
		list = append(list, column{CodeColumn, "text"})
	}

	if j.Coverage {
		list = append(list, column{CoverageColumn, "float4"})
	}

	if j.Pairs() {
		list = append(list, column{CellShareColumn, "float8"}, column{FeatureShareColumn, "float8"})
	}

	return list
}

// WithTable returns the job with its table replaced by t, the name that the server found.
func (j Job) WithTable(t Table) Job {
	j.Table = t
	return j
}

// GeometryType returns the geometry type, without PostGIS's schema. Call it only if HasGeometry.
func (j Job) GeometryType() string {
	kind := "Polygon"
	switch j.Geometry {
	case geomgen.AsMultiPolygon:
		kind = "MultiPolygon"
	case geomgen.AsPoint:
		kind = "Point"
	}

	if j.Grid.SRID == 0 {
		return "geometry(" + kind + ")"
	}

	return fmt.Sprintf("geometry(%s,%d)", kind, j.Grid.SRID)
}

// HasBRIN reports whether the job asks for a BRIN index.
func (j Job) HasBRIN() bool { return j.Index == IndexBRIN || j.Index == IndexBoth }

// systemColumns are names that every table already uses.
var systemColumns = map[string]bool{
	"ctid": true, "tableoid": true, "xmin": true, "xmax": true, "cmin": true, "cmax": true,
}
