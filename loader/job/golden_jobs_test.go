package job_test

import (
	"math"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

// goldenJob is a job with a name for messages.
type goldenJob struct {
	name string
	job  loader.Job
}

// plainJob returns a job with only the required settings.
func plainJob() loader.Job {
	return loader.Job{
		Table: loader.Table{Schema: "public", Name: "grid"},
		Grid:  geomgen.Grid{DX: 1, DY: 1},
		Cols:  20, Rows: 15,
	}
}

// goldenJobs returns a job for each choice of each option. The first has only defaults. Add new ones at the end
// of a list.
func goldenJobs(t *testing.T) []goldenJob {
	t.Helper()
	all := []goldenJob{{"defaults", plainJob()}}

	for _, list := range [][]goldenVariant{nameVariants(), gridVariants(), columnVariants(), existsVariants(), layoutVariants(), areaVariants(t), mixedVariants(t), clusterVariants(), featureVariants()} {
		for _, v := range list {
			job := plainJob()
			v.change(&job)
			all = append(all, goldenJob{v.name, job})
		}
	}

	return all
}

// goldenVariant changes one setting of the job with defaults.
type goldenVariant struct {
	name   string
	change func(*loader.Job)
}

func nameVariants() []goldenVariant {
	return []goldenVariant{
		{"table without a schema", func(j *loader.Job) { j.Table.Schema = "" }},
		{"names to quote", func(j *loader.Job) { j.Table = loader.Table{Schema: "Räume <&>", Name: `Gitter "1".b`} }},
		{"id column", func(j *loader.Job) { j.IDColumn = "Zelle <1>" }},
		{"geometry column", func(j *loader.Job) { j.GeomColumn = "the geom" }},
		{"spelled column defaults", func(j *loader.Job) { j.IDColumn, j.GeomColumn = "cell_id", "geom" }},
		{"ledger schema", func(j *loader.Job) { j.LedgerSchema = "My ledger" }},
		{"ledger owner", func(j *loader.Job) { j.LedgerOwner = "Team <1>" }},
	}
}

// within returns a job with an extent instead of columns and rows.
func within(xmin, ymin, xmax, ymax float64, change func(*loader.Job)) func(*loader.Job) {
	return func(j *loader.Job) {
		j.Cols, j.Rows, j.Extent = 0, 0, &geomgen.Box{XMin: xmin, YMin: ymin, XMax: xmax, YMax: ymax}
		if change != nil {
			change(j)
		}
	}
}

func gridVariants() []goldenVariant {
	return []goldenVariant{
		{"columns and rows", func(j *loader.Job) { j.Cols, j.Rows = 7, 400 }},
		{"origin and size", func(j *loader.Job) { j.Grid = geomgen.Grid{X0: -0.1, Y0: 1e-7, DX: 0.1, DY: 0.25} }},
		{"large numbers", func(j *loader.Job) { j.Grid = geomgen.Grid{X0: 1e21, Y0: -123456789.125, DX: 1e12, DY: 1e-5} }},
		{"minus zero", within(math.Copysign(0, -1), math.Copysign(0, -1), 9, 8, func(j *loader.Job) {
			j.Grid.X0, j.Grid.Y0, j.Grid.Rotate = math.Copysign(0, -1), math.Copysign(0, -1), math.Copysign(0, -1)
		})},
		{"extent", within(-10.5, 35, -9, 36.25, func(j *loader.Job) { j.Grid = geomgen.Grid{DX: 0.1, DY: 0.1, SRID: 4326} })},
		{"extent, the same cells", within(0, 0, 19.5, 15, nil)},
		{"srid", func(j *loader.Job) { j.Grid.SRID = 3035 }},
		{"turned", func(j *loader.Job) { j.Grid.Rotate = 30.5 }},
		{"turned, extent", within(-5, -5, 5, 5, func(j *loader.Job) { j.Grid.Rotate = -123.25 })},
		{"hexagons, flat", func(j *loader.Job) { j.Grid.Shape = geomgen.HexagonFlat }},
		{"hexagons, flat, extent", within(-5, -5, 5, 5, func(j *loader.Job) { j.Grid.Shape = geomgen.HexagonFlat })},
		{"hexagons, pointy", func(j *loader.Job) { j.Grid.Shape = geomgen.HexagonPointy }},
		{"hexagons, pointy, turned, extent", within(-5, -5, 5, 5, func(j *loader.Job) { j.Grid.Shape, j.Grid.Rotate = geomgen.HexagonPointy, 10 })},
		{"tiles of the world", func(j *loader.Job) { j.Grid, j.Cols, j.Rows = geomgen.Tiles(3), 0, 0 }},
		{"tiles, extent", within(0, 0, 5e6, 6e6, func(j *loader.Job) { j.Grid = geomgen.Tiles(6) })},
		{"tile of zoom 0", func(j *loader.Job) { j.Grid, j.Cols, j.Rows = geomgen.Tiles(0), 0, 0 }},
		{"points", func(j *loader.Job) { j.Geometry = geomgen.AsPoint }},
	}
}

func columnVariants() []goldenVariant {
	metres := func(change func(*loader.Job)) func(*loader.Job) {
		return func(j *loader.Job) {
			j.Grid = geomgen.Grid{DX: 1000, DY: 1000, SRID: 3035}
			change(j)
		}
	}

	return []goldenVariant{
		{"set of each type", func(j *loader.Job) { j.Set = constantsOfEachType() }},
		{"set of one", func(j *loader.Job) { j.Set = []loader.Constant{{Name: "loaded", Type: "date", Value: "2026-11-22"}} }},
		{"code inspire", metres(func(j *loader.Job) { j.Code = geomgen.INSPIRE })},
		{"code inspire, north first", metres(func(j *loader.Job) { j.Code, j.CodeOrder = geomgen.INSPIRE, geomgen.NorthFirst })},
		{"code inspire, east first", metres(func(j *loader.Job) { j.Code, j.CodeOrder = geomgen.INSPIRE, geomgen.EastFirst })},
		{"code inspire-short, index", metres(func(j *loader.Job) { j.Code, j.CodeIndex = geomgen.INSPIREShort, true })},
		{"code quadkey", func(j *loader.Job) { j.Grid, j.Cols, j.Rows, j.Code = geomgen.Tiles(2), 0, 0, geomgen.Quadkey }},
	}
}

func constantsOfEachType() []loader.Constant {
	return []loader.Constant{
		{Name: "untyped", Value: "x"},
		{Name: "c_text", Type: "text", Value: `ä "quoted" <tag> & it's`},
		{Name: "c_boolean", Type: "boolean", Value: "true"},
		{Name: "c_bool", Type: "bool", Value: "f"},
		{Name: "c_smallint", Type: "smallint", Value: "-32768"},
		{Name: "c_int2", Type: "int2", Value: "7"},
		{Name: "c_integer", Type: "integer", Value: "2026"},
		{Name: "c_int", Type: "int", Value: "-1"},
		{Name: "c_int4", Type: "int4", Value: "2147483647"},
		{Name: "c_bigint", Type: "bigint", Value: "9223372036854775807"},
		{Name: "c_int8", Type: "int8", Value: "0"},
		{Name: "c_real", Type: "real", Value: "1.5"},
		{Name: "c_float4", Type: "float4", Value: "-0.25"},
		{Name: "c_double", Type: "double precision", Value: "1e300"},
		{Name: "c_float8", Type: "float8", Value: "0.1"},
		{Name: "c_numeric", Type: "numeric", Value: "12345678901234567890.50"},
		{Name: "c_date", Type: "date", Value: "2026-03-01"},
		{Name: "c_timestamp", Type: "timestamp", Value: "2026-03-01 12:30:00"},
		{Name: "c_timestamptz", Type: "timestamptz", Value: "2026-03-01 12:30:00+01"},
		{Name: "c_uuid", Type: "uuid", Value: "00000000-0000-4000-8000-000000000001"},
		{Name: "c_json", Type: "json", Value: `{"a": [1, null]}`},
		{Name: "c_jsonb", Type: "jsonb", Value: `{"b": 12345678901234567890}`},
	}
}

func existsVariants() []goldenVariant {
	return []goldenVariant{
		{"fail, spelled", func(j *loader.Job) { j.IfExists = loader.Fail }},
		{"append", func(j *loader.Job) { j.IfExists = loader.Append }},
		{"append, error", func(j *loader.Job) { j.IfExists, j.OnConflict = loader.Append, loader.ConflictError }},
		{"append, skip", func(j *loader.Job) { j.IfExists, j.OnConflict = loader.Append, loader.ConflictSkip }},
		{"replace", func(j *loader.Job) { j.IfExists = loader.Replace }},
		{"replace, swap", func(j *loader.Job) { j.IfExists, j.Publish = loader.Replace, loader.PublishSwap }},
		{"replace, truncate", func(j *loader.Job) { j.IfExists, j.Publish = loader.Replace, loader.PublishTruncate }},
		{"replace, keep", func(j *loader.Job) { j.IfExists, j.Keep = loader.Replace, 3 }},
		{"steps", func(j *loader.Job) {
			j.Before, j.BeforeTimeout = "create table if not exists log (at text); insert into log values ('<begun> & all')", 90*time.Second
			j.After, j.AfterTimeout = "grant select on {{table}} to public", 1500*time.Millisecond
		}},
		{"steps without timeouts", func(j *loader.Job) { j.Before, j.After = "select 1", "select 2" }},
	}
}

func layoutVariants() []goldenVariant {
	return []goldenVariant{
		{"index gist, spelled", func(j *loader.Job) { j.Index = loader.IndexGiST }},
		{"index brin", func(j *loader.Job) { j.Index = loader.IndexBRIN }},
		{"index both", func(j *loader.Job) { j.Index = loader.IndexBoth }},
		{"index none", func(j *loader.Job) { j.Index = loader.IndexNone }},
		{"unlogged", func(j *loader.Job) { j.Unlogged = true }},
		{"partitions", func(j *loader.Job) { j.Partitions = 4 }},
		{"partitions, unlogged, brin", func(j *loader.Job) { j.Partitions, j.Unlogged, j.Index = 7, true, loader.IndexBRIN }},
		{"partitions, replace, keep", func(j *loader.Job) { j.Partitions, j.IfExists, j.Keep = 3, loader.Replace, 1 }},
		{"one stream", func(j *loader.Job) { j.Streams = 1 }},
		{"streams", func(j *loader.Job) { j.Streams = 5 }},
		{"chunk rows", func(j *loader.Job) { j.ChunkRows = 50 }},
	}
}

func clusterVariants() []goldenVariant {
	return []goldenVariant{
		{"distribute", func(j *loader.Job) { j.Distribute = loader.DistributeHash }},
		{"distribute, shards", func(j *loader.Job) { j.Distribute, j.Shards = loader.DistributeHash, 8 }},
		{"distribute, colocate", func(j *loader.Job) {
			j.Distribute, j.ColocateWith = loader.DistributeHash, loader.Table{Schema: "public", Name: "points <1>"}
		}},
		{"distribute by parent", func(j *loader.Job) { j.Distribute, j.Shards, j.ParentLevels = loader.DistributeHash, 4, 6 }},
	}
}
