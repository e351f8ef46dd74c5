package options

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/quantity"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/crs"
	"github.com/loadgrid/loadgrid/loader/job"
)

// The headings of the help.
const (
	groupTable    = "Table"
	groupGrid     = "Grid"
	groupArea     = "Area of interest"
	groupColumns  = "Columns"
	groupExists   = "Existing tables"
	groupLayout   = "Layout and speed"
	groupHooks    = "SQL before and after"
	groupSchedule = "Schedule"
	groupServer   = "Server"
	groupOutput   = "Output"
)

// Cells holds the options that decide which rows there are. load, plan and dump share them. Apply the
// table first, then call Complete.
type Cells struct {
	Job job.Job
	// Notes tell users how their values were read.
	Notes []string

	shape, hexagon string
	geometry       string
	zoom           int32
	size           []quantity.Size
	area           aoi.Area // the settings that are not in the file
	areaFile       string
	areaRead       aoi.ReadOptions // how the file is read
	segmentize     float64
}

// Table returns the options, which write into c.
func (c *Cells) Table() Table {
	return slices.Concat(c.gridTable(), c.areaTable(), c.attributeTable(), c.columnTable())
}

func (c *Cells) gridTable() Table {
	grid := &c.Job.Grid
	notTiles := func(reason string) []Condition {
		return []Condition{{Options: []string{"shape"}, Value: "xyz", Reason: "conflicts with shape xyz: " + reason}}
	}
	onlyShape := func(shape string) []Condition {
		return []Condition{{Options: []string{"shape"}, Value: shape, Reason: "needs shape " + shape}}
	}

	return Table{
		{Name: "cell-size", Group: groupGrid, Without: notTiles("zoom sets the size of tiles"),
			Value: Sizes(&c.size),
			Help:  "cell size as `DX[xDY]`, in CRS units or with a unit, such as 1km; for hexagons, the length of an edge"},
		{Name: "extent", Group: groupGrid, Overrides: []string{"cols", "rows"},
			Value: Numbers(4, func(n []float64) { c.Job.Extent = &geomgen.Box{XMin: n[0], YMin: n[1], XMax: n[2], YMax: n[3]} }),
			Help:  "select the cells that meet the box `XMIN,YMIN,XMAX,YMAX` in CRS units; if XMIN is larger than XMAX, the box crosses the antimeridian"},
		{Name: "cols", Group: groupGrid, Overrides: []string{"extent"}, Value: Int(&c.Job.Cols, 1, geomgen.MaxIndex),
			Help: "`number` of columns from the origin, instead of --extent"},
		{Name: "rows", Group: groupGrid, Overrides: []string{"extent"}, Value: Int(&c.Job.Rows, 1, geomgen.MaxIndex),
			Help: "`number` of rows from the origin, instead of --extent"},
		{Name: "origin", Group: groupGrid, Default: "0,0", Without: notTiles("tiles have a fixed origin"),
			Value: Numbers(2, func(n []float64) { grid.X0, grid.Y0 = n[0], n[1] }),
			Help:  "lower left corner `X,Y` of cell 0,0 in CRS units; for hexagons, its centre"},
		{Name: "srid", Group: groupGrid, Default: "0", Value: SRID(&grid.SRID),
			Help: "`SRID` of the grid's CRS, such as 3035 or EPSG:3035; 0 for none"},
		{Name: "shape", Group: groupGrid, Default: "square", Value: Choice(&c.shape, "square", "hexagon", "xyz"),
			Help: "cell shape, `square|hexagon|xyz`; xyz are web map tiles in EPSG:3857"},
		{Name: "hexagon", Group: groupGrid, Default: "flat", Value: Choice(&c.hexagon, "flat", "pointy"), With: onlyShape("hexagon"),
			Help: "orientation of hexagons, `flat|pointy`; ST_HexagonGrid makes flat ones"},
		{Name: "zoom", Group: groupGrid, Value: Int(&c.zoom, 0, geomgen.MaxZoom), With: onlyShape("xyz"),
			Help: "`zoom` level of tiles, 0 to 30"},
		{Name: "rotate", Group: groupGrid, Default: "0", Value: Number(&grid.Rotate), Without: notTiles("tiles cannot be rotated"),
			Help: "rotate squares and hexagons about the origin by `degrees` counter-clockwise"},
		{Name: "geometry", Group: groupGrid, Default: "polygon", Value: Choice(&c.geometry, "polygon", "point", "none"),
			Help: "geometry of a cell, `polygon|point|none`: the cell itself, its centre, or no geometry and no spatial index"},
	}
}

func (c *Cells) areaTable() Table {
	area := []Condition{{Options: []string{"aoi", "aoi-sql"}, Reason: "needs an area of interest: set aoi or aoi-sql"}}
	file := []Condition{{Options: []string{"aoi"}, Reason: "needs a file (aoi): a query (aoi-sql) can do this itself"}}

	return Table{
		{Name: "aoi", Group: groupArea, Overrides: []string{"aoi-sql", "aoi-sql-timeout"}, Value: File(&c.areaFile, "the name is empty"),
			Help: "area of interest: `file` with polygons, - for stdin; GeoJSON, WKT, EWKT, WKB, EWKB, Shapefile, GeoPackage or FlatGeobuf, plain or compressed with gzip"},
		{Name: "aoi-sql", Group: groupArea, Overrides: []string{"aoi", "aoi-where", "aoi-layer", "aoi-ogr"}, Value: SQL(&c.area.SQL, "the query is empty"),
			Without: []Condition{{Options: []string{"aoi"}, Reason: "conflicts with aoi: a job has only one area of interest"}},
			Help:    "area of interest: `query` that returns polygons; it runs in a read-only transaction on its own connection"},
		{Name: "aoi-sql-timeout", Group: groupArea, Overrides: []string{"aoi"}, Default: aoi.DefaultSQLTimeout.String(), Value: Duration(&c.area.SQLTimeout, true),
			With: []Condition{{Options: []string{"aoi-sql"}, Reason: "needs a query: set aoi-sql"}},
			Help: "cancel the query after this `duration`, such as 90s or 1h"},
		{Name: "aoi-srid", Group: groupArea, Value: SRID(&c.area.SRID), With: area,
			Help: "`SRID` of the area's CRS, such as 25832 or EPSG:25832, if the file or the geometries of the query do not name it"},
		{Name: "aoi-where", Group: groupArea, Value: c.condition(), With: file,
			Help: "use only the features of the file that meet a `condition`, such as \"name = 'France' and pop > 1e6\"; operators are =, <>, <, <=, >, >=, in, is null, and, or, not and parentheses; put text in single quotes, and attribute names bare or in double quotes"},
		{Name: "aoi-layer", Group: groupArea, Value: Text(&c.areaRead.Layer, "the name is empty"), With: file,
			Help: "`layer` of the file to use, if it has several"},
		{Name: "aoi-ogr", Group: groupArea, Value: Bool(&c.areaRead.OGR), With: file,
			Help: "read a file in another format, such as KML, with GDAL's ogr2ogr, which must be on the PATH; --aoi-srid then overrides the CRS in the file"},
		{Name: "aoi-max-positions", Group: groupArea, Default: strconv.Itoa(aoi.DefaultMaxPositions), Value: Int(&c.area.MaxPositions, 1, math.MaxInt64), With: area,
			Help: "refuse an area with more than this number of `positions`; each needs up to 32 bytes of memory to read, and about 150 bytes to check and to select cells"},
		{Name: "aoi-rule", Group: groupArea, Default: "intersects", Value: Choice(&c.area.Rule, "intersects", "within", "centroid", "overlaps"), With: area,
			Help: "cells to select, `intersects|within|centroid|overlaps`: cells that meet or touch the area, that lie in it, whose centre lies in it, or that overlap it"},
		{Name: "aoi-segmentize", Group: groupArea, Value: Number(&c.segmentize), With: area,
			Help: "split edges of the area that are longer than this `length`, in units of its CRS, before the server transforms it; 0 to split none (default about 1 km on the ground: 0.01 degrees, 1000 metres or 3280.84 feet)"},
		{Name: "aoi-make-valid", Group: groupArea, Value: Bool(&c.area.MakeValid), With: area,
			Help: "let the server repair an invalid area"},
		{Name: "aoi-wrap", Group: groupArea, Value: Bool(&c.area.Wrap), With: area,
			Help: "let edges of the area that are longer than 180 degrees take the short way, across the antimeridian"},
		{Name: "coverage", Group: groupArea, Value: Bool(&c.Job.Coverage),
			Help: "add the column coverage real: the share of the cell that the area covers, 0 to 1"},
		{Name: "clip", Group: groupArea, Value: Bool(&c.Job.Clip),
			Help: "clip cells at the edge of the area; their geometry is then a MultiPolygon"},
	}
}

// condition is a condition on the attributes of features.
func (c *Cells) condition() Value {
	v := Parsed(func(text string) error {
		if err := aoi.CheckWhere(text); err != nil {
			return err
		}

		c.areaRead.Where = text
		return nil
	})
	v.Type = "condition"

	return v
}

func (c *Cells) columnTable() Table {
	return Table{
		{Name: "id-column", Group: groupColumns, Default: "cell_id", Value: Text(&c.Job.IDColumn, "the name is empty"),
			Help: "`name` of the primary key column"},
		{Name: "geom-column", Group: groupColumns, Default: "geom", Value: Text(&c.Job.GeomColumn, "the name is empty"),
			Without: []Condition{{Options: []string{"geometry"}, Value: "none", Reason: "conflicts with geometry none"}},
			Help:    "`name` of the geometry column"},
		{Name: "set", Group: groupColumns, Value: List(c.addConstant),
			Help: "add a column with the same value in every row, as `NAME[:TYPE]=VALUE`; may be repeated"},
		{Name: "code", Group: groupColumns, Value: Choice(&c.Job.Code, "inspire", "inspire-short", "quadkey"),
			Help: "add the column code text with the name of each cell in this system: `inspire|inspire-short|quadkey`"},
		{Name: "code-order", Group: groupColumns, Default: "ne", Value: Choice(&c.Job.CodeOrder, "ne", "en"),
			Help: "order of northing and easting in an inspire code, `ne|en`"},
		{Name: "code-index", Group: groupColumns, Value: Bool(&c.Job.CodeIndex),
			Help: "create a unique index on the code of a plain table"},
	}
}

func (c *Cells) addConstant(text string) error {
	constant, err := job.ParseConstant(text)
	c.Job.Set = append(c.Job.Set, constant)
	return err
}

// Complete makes the grid and the area from the values. It reads the file of the area, or stdin for -.
func (c *Cells) Complete(ctx context.Context, v Values, stdin io.Reader) error {
	if c.geometry != "polygon" {
		c.Job.Geometry = geomgen.Geometry(c.geometry)
	}

	if err := c.completeGrid(v); err != nil {
		return err
	}
	return c.completeArea(ctx, v, stdin)
}

func (c *Cells) completeGrid(v Values) error {
	switch {
	case c.shape == "xyz":
		return c.completeTiles(v)
	case !v.Has("cell-size"):
		return required("cell-size", ", as DX or DXxDY in CRS units, or with a unit such as 1km")
	case c.shape == "hexagon" && c.hexagon == "pointy":
		c.Job.Grid.Shape = geomgen.HexagonPointy
	case c.shape == "hexagon":
		c.Job.Grid.Shape = geomgen.HexagonFlat
	}

	var err error
	c.Job.Grid.DX, c.Job.Grid.DY, err = c.sizes(v)
	return err
}

// completeTiles makes the grid of web map tiles, which is fixed except for the zoom.
func (c *Cells) completeTiles(v Values) error {
	tiles := geomgen.Tiles(c.zoom)
	if v.Has("srid") && c.Job.Grid.SRID != tiles.SRID {
		return &geomgen.ParamError{Param: "srid", Value: v.Text("srid"), Reason: "conflicts with shape xyz: tiles are in EPSG:3857"}
	}
	if !v.Has("zoom") {
		return required("zoom", " with shape xyz")
	}

	c.Job.Grid = tiles
	return nil
}

func (c *Cells) completeArea(ctx context.Context, v Values, stdin io.Reader) error {
	if !v.Has("aoi") && !v.Has("aoi-sql") {
		return nil
	}

	area := c.area
	if v.Has("aoi") {
		o := c.areaRead
		o.SRID, o.MaxPositions = c.area.SRID, c.area.MaxPositions
		for _, a := range c.Job.FeatureAttributes() {
			o.Attributes = append(o.Attributes, a.Name)
		}

		read, err := readArea(ctx, c.areaFile, stdin, o)
		var wrong *geomgen.ParamError
		if each := c.Job.Each.Name; errors.As(err, &wrong) && wrong.Param == "attribute" && wrong.Value == each {
			wrong.Param = "each" // the reader does not know which option requested the attribute
		}
		if err != nil {
			return err
		}

		area = *read
		area.Rule, area.MakeValid, area.Wrap = c.area.Rule, c.area.MakeValid, c.area.Wrap
	}

	if v.Has("aoi-segmentize") {
		area.Segmentize = &c.segmentize
	}

	c.Job.Area = &area
	return nil
}

// WithoutPath returns the text of a file system error without the name of the file.
func WithoutPath(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// sizes returns the cell's sizes in CRS units, and adds a note on how sizes with a unit were converted.
func (c *Cells) sizes(v Values) (dx, dy float64, err error) {
	list := make([]float64, len(c.size))
	for i, s := range c.size {
		if list[i], err = s.In(c.Job.Grid.SRID); err != nil {
			return 0, 0, &geomgen.ParamError{Param: "cell-size", Value: v.Text("cell-size"), Reason: err.Error()}
		}
	}

	known, _ := crs.Known(c.Job.Grid.SRID)
	if c.size[0].IsLength() && !known.Metres() {
		c.Notes = append(c.Notes, fmt.Sprintf("cell-size %s is %s in CRS units (%s, %s metres each)", v.Text("cell-size"),
			joinNumbers(list, " x "), known.Unit, strconv.FormatFloat(known.PerUnit, 'g', -1, 64)))
	}

	return list[0], list[len(list)-1], nil
}

func joinNumbers(list []float64, between string) string {
	words := make([]string, len(list))
	for i, f := range list {
		words[i] = strconv.FormatFloat(f, 'g', -1, 64)
	}
	return strings.Join(words, between)
}
