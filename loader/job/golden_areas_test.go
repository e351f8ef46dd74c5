package job_test

import (
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

// ring closes a ring of coordinates x, y, x, y, ...
func ring(coordinates ...float64) []geomgen.Point {
	var points []geomgen.Point
	for i := 0; i < len(coordinates); i += 2 {
		points = append(points, geomgen.Point{X: coordinates[i], Y: coordinates[i+1]})
	}
	return append(points, points[0])
}

func triangle() []geomgen.Polygon {
	return []geomgen.Polygon{{ring(3.25, 2, 17.5, 4, 8, 13.125)}}
}

// island has a lake, and a second island next to it.
func island() []geomgen.Polygon {
	return []geomgen.Polygon{
		{ring(2, 2, 12, 2, 12, 12, 2, 12), ring(4.5, 4.5, 4.5, 8, 9, 8, 9, 4.5)},
		{ring(14, 3, 18, 3, 16, 9.75)},
	}
}

// area returns a job with an area of interest and no other bounds.
func area(a loader.Area, change func(*loader.Job)) func(*loader.Job) {
	return func(j *loader.Job) {
		j.Cols, j.Rows, j.Area = 0, 0, &a
		if change != nil {
			change(j)
		}
	}
}

// ready returns an area as a server prepares it: with the polygons of its query, or with transformed ones, in the
// grid's CRS.
func ready(t *testing.T, a loader.Area, srid int32, polygons []geomgen.Polygon) loader.Area {
	t.Helper()
	made := loader.Area{SRID: srid, Polygons: polygons}
	if err := a.Unmarshal(made.Marshal()); err != nil {
		t.Fatal(err)
	}

	return a
}

func areaVariants(t *testing.T) []goldenVariant {
	t.Helper()
	metres := func(j *loader.Job) { j.Grid.SRID = 25832 }
	tenth, none := 0.1, 0.0

	return []goldenVariant{
		{"area", area(loader.Area{Polygons: triangle()}, nil)},
		{"area, intersects", area(loader.Area{Polygons: triangle(), Rule: geomgen.Intersects}, nil)},
		{"area, within", area(loader.Area{Polygons: triangle(), Rule: geomgen.Within}, nil)},
		{"area, centroid", area(loader.Area{Polygons: triangle(), Rule: geomgen.Centroid}, nil)},
		{"area, overlaps", area(loader.Area{Polygons: triangle(), Rule: geomgen.Overlaps}, nil)},
		{"area, several polygons, hole", area(loader.Area{Polygons: island(), Union: true}, nil)},
		{"area, warnings", area(loader.Area{Polygons: triangle(), Warnings: []string{"z is left out"}}, nil)},
		{"area, srid", area(loader.Area{Polygons: triangle(), SRID: 25832}, metres)},
		{"area, srid of the grid alone", area(loader.Area{Polygons: triangle()}, metres)},
		{"area, make valid", area(loader.Area{Polygons: triangle(), MakeValid: true}, nil)},
		{"area, wrap", area(loader.Area{Polygons: triangle(), Wrap: true}, nil)},
		{"area, segmentize", area(loader.Area{Polygons: triangle(), Segmentize: &tenth}, nil)},
		{"area, segmentize not at all", area(loader.Area{Polygons: triangle(), Segmentize: &none}, nil)},
		{"area of a query", area(ready(t, loader.Area{SQL: "select geom from areas where kind = 'sea' and size > 3 -- <&>"}, 0, triangle()), nil)},
		{"area of a query, timeout", area(ready(t, loader.Area{SQL: "select 'POLYGON((0 0,9 0,9 9,0 0))'::geometry", SQLTimeout: 2 * time.Minute, MakeValid: true, Segmentize: &tenth}, 25832, island()), metres)},
		{"area that was transformed", area(ready(t, loader.Area{SRID: 4326, Segmentize: &tenth, Rule: geomgen.Centroid}, 25832, triangle()), metres)},
		{"area, columns and rows", func(j *loader.Job) { j.Area = &loader.Area{Polygons: triangle()} }},
		{"area, extent", within(5, 3, 14.5, 9, func(j *loader.Job) { j.Area = &loader.Area{Polygons: triangle()} })},
		{"coverage", area(loader.Area{Polygons: triangle()}, func(j *loader.Job) { j.Coverage = true })},
		{"clip", area(loader.Area{Polygons: triangle()}, func(j *loader.Job) { j.Clip = true })},
		{"clip, geometry spelled", area(loader.Area{Polygons: triangle()}, func(j *loader.Job) { j.Clip, j.Geometry = true, geomgen.AsMultiPolygon })},
		{"coverage, points", area(loader.Area{Polygons: triangle()}, func(j *loader.Job) { j.Coverage, j.Geometry = true, geomgen.AsPoint })},
		{"area, most positions", area(loader.Area{Polygons: triangle(), MaxPositions: 7_000_000}, nil)},
	}
}

// districts are features with the attributes of the job. Two of them have the same name.
func districts(types ...string) *loader.Layer {
	value := func(name string, number int64) []loader.Value {
		return []loader.Value{name, number}[:len(types)]
	}
	unnamed := []loader.Value{"no number", nil}[:len(types)]

	return &loader.Layer{Types: types, Features: []loader.LayerFeature{
		{Polygons: triangle(), Values: value("b", 1<<53+1)},
		{Polygons: []geomgen.Polygon{{ring(2, 22, 12, 22, 12, 32, 2, 32), ring(4.5, 24.5, 4.5, 28, 9, 28, 9, 24.5)}, {ring(14, 23, 18, 23, 16, 29.75)}}, Values: value("ä <&>", -7)},
		{Polygons: []geomgen.Polygon{{ring(20, 2, 25, 2, 25, 9)}}, Values: value("b", 1<<53+1)},
		{Polygons: []geomgen.Polygon{{ring(30, 2, 35, 2, 35, 9)}}, Values: unnamed},
	}}
}

// features returns a job whose area is districts.
func features(rule geomgen.Rule, types []string, change func(*loader.Job)) func(*loader.Job) {
	layer := districts(types...)
	return area(loader.Area{Polygons: layer.Polygons(), Layer: layer, Union: true, Rule: rule}, change)
}

func featureVariants() []goldenVariant {
	text, both := []string{"text"}, []string{"text", "bigint"}
	name := loader.Attribute{Name: "name"}

	return []goldenVariant{
		{"attribute", features("", text, func(j *loader.Job) { j.Attributes = []loader.Attribute{name} })},
		{"attributes, other type", features("", both, func(j *loader.Job) {
			j.Attributes = []loader.Attribute{name, {Name: "Zahl <1>", Type: "numeric"}}
		})},
		{"attribute, largest spelled", features("", text, func(j *loader.Job) { j.Attributes, j.AttributeRule = []loader.Attribute{name}, geomgen.Largest })},
		{"attribute, centroid", features("", text, func(j *loader.Job) { j.Attributes, j.AttributeRule = []loader.Attribute{name}, geomgen.AtCentroid })},
		{"attribute, first, clip, coverage, points", features(geomgen.Overlaps, text, func(j *loader.Job) {
			j.Attributes, j.AttributeRule, j.Coverage, j.Geometry = []loader.Attribute{name}, geomgen.First, true, geomgen.AsPoint
		})},
		{"each", features("", text, func(j *loader.Job) { j.Each = name })},
		{"each, overlaps spelled", features(geomgen.Overlaps, text, func(j *loader.Job) { j.Each = name })},
		{"each, attribute, types, clip", features(geomgen.Intersects, both, func(j *loader.Job) {
			j.Each, j.Attributes, j.Clip = loader.Attribute{Name: "name", Type: "text"}, []loader.Attribute{{Name: "number", Type: "bigint"}}, true
		})},
		{"each, partitions, without a geometry", features("", text, func(j *loader.Job) { j.Each, j.Partitions, j.Geometry = name, 3, geomgen.AsNone })},
		{"without a geometry", func(j *loader.Job) { j.Geometry = geomgen.AsNone }},
		{"without a geometry, index spelled", func(j *loader.Job) { j.Geometry, j.Index = geomgen.AsNone, loader.IndexNone }},
	}
}

// mixedVariants are jobs with many options at once.
func mixedVariants(t *testing.T) []goldenVariant {
	t.Helper()
	scaled := []geomgen.Polygon{{ring(4321000, 3210000, 4335500, 3212250, 4326000, 3224125)}}
	length := 250.5

	return []goldenVariant{
		{"all at once, plain", within(4320000, 3208000, 4340000.5, 3222000, func(j *loader.Job) {
			j.Table = loader.Table{Schema: "stats", Name: "grid_1km"}
			j.Grid = geomgen.Grid{X0: -1000, Y0: 2000, DX: 1000, DY: 1000, SRID: 3035}
			j.Area = &loader.Area{Rule: geomgen.Within, SRID: 3035, Polygons: scaled, Segmentize: &length, MakeValid: true}
			j.Coverage, j.Clip = true, true
			j.Code, j.CodeOrder, j.CodeIndex = geomgen.INSPIREShort, geomgen.EastFirst, true
			j.IDColumn, j.GeomColumn = "id", "shape"
			j.Set = []loader.Constant{{Name: "year", Type: "integer", Value: "2026"}, {Name: "source", Type: "text", Value: "a=b"}}
			j.IfExists, j.Keep, j.Index, j.Unlogged = loader.Replace, 2, loader.IndexBoth, true
			j.Streams, j.ChunkRows, j.LedgerSchema = 3, 40, "ledger"
			j.Before, j.BeforeTimeout = "select 1", time.Minute
			j.After, j.AfterTimeout = "analyze {{table}}", 2*time.Minute
		})},
		{"all at once, partitions of hexagons", area(ready(t, loader.Area{SQL: "select geom from area", SQLTimeout: time.Second, Rule: geomgen.Centroid}, 3857, triangle()), func(j *loader.Job) {
			j.Grid = geomgen.Grid{X0: 0.5, Y0: 0.25, DX: 0.75, DY: 0.75, SRID: 3857, Shape: geomgen.HexagonPointy, Rotate: 15}
			j.Extent = &geomgen.Box{XMin: 4, YMin: 3, XMax: 15, YMax: 12}
			j.Coverage, j.Clip, j.Partitions, j.Streams = true, true, 5, 2
			j.IfExists, j.Keep, j.Index = loader.Replace, 1, loader.IndexBRIN
		})},
		{"all at once, tiles to append", area(loader.Area{Polygons: []geomgen.Polygon{{ring(0, 0, 9e6, 1e6, 4e6, 8e6)}}, SRID: 3857}, func(j *loader.Job) {
			j.Grid, j.Geometry, j.Code, j.Coverage = geomgen.Tiles(5), geomgen.AsPoint, geomgen.Quadkey, true
			j.IfExists, j.OnConflict = loader.Append, loader.ConflictSkip
		})},
	}
}
