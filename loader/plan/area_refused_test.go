package plan

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/job"
)

// The plan refuses areas that cannot be right, and names the ring and the position.
func TestPlanOfBadAreas(t *testing.T) {
	theJob := func(text string, srid int32) job.Job {
		a, err := aoi.Read(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}

		return job.Job{Table: job.Table{Name: "t"}, Grid: geomgen.Grid{DX: 1, DY: 1, SRID: srid}, Area: a}
	}

	for name, test := range map[string]struct {
		job    job.Job
		change func(*job.Job)
		want   string
		server bool
	}{
		"bow tie":        {job: theJob("POLYGON((0 0,4 4,4 0,0 4,0 0))", 0), want: "shell of polygon 1 crosses itself at 2 2: repair it, or let the server repair it with aoi-make-valid"},
		"to be repaired": {job: theJob("POLYGON((0 0,4 4,4 0,0 4,0 0))", 0), change: func(j *job.Job) { j.Area.MakeValid = true }, want: "crosses itself", server: true},
		"another CRS":    {job: theJob("SRID=4326;POLYGON((0 0,4 4,4 0,0 0))", 3035), want: "EPSG:4326 and the grid is in EPSG:3035", server: true},
		"no CRS":         {job: theJob("SRID=4326;POLYGON((0 0,4 4,4 0,0 0))", 0), want: "--srid 0: leaves the grid without a CRS"},
		"a query":        {job: job.Job{Table: job.Table{Name: "t"}, Grid: geomgen.Grid{DX: 1, DY: 1}, Area: &aoi.Area{SQL: "select 1"}}, want: "it is a query", server: true},
		"no cell":        {job: theJob("POLYGON((0.1 0.1,0.2 0.1,0.2 0.2,0.1 0.1))", 0), change: func(j *job.Job) { j.Area.Rule = geomgen.Within }, want: "no cell is completely in the area"},
		"outside":        {job: theJob("POLYGON((0.1 0.1,0.2 0.1,0.2 0.2,0.1 0.1))", 0), change: func(j *job.Job) { j.Extent = &geomgen.Box{XMin: 5, YMin: 5, XMax: 9, YMax: 9} }, want: "no cell intersects the area and the extent"},
		"endless parts":  {job: theJob("POLYGON((0 0,4 4,4 0,0 0))", 0), change: func(j *job.Job) { f := math.Inf(1); j.Area.Segmentize = &f }, want: "--aoi-segmentize"},
		"index appended": {job: theJob("POLYGON((0 0,4 4,4 0,0 0))", 3035), change: func(j *job.Job) { j.Code, j.CodeIndex, j.IfExists = geomgen.INSPIRE, true, job.Append }, want: "conflicts with if-exists append"},
		"a huge area":    {job: theJob("POLYGON((-1e9 -1e9,1e9 -1e9,0 1e9,-1e9 -1e9))", 0), change: func(j *job.Job) { j.Grid.DX, j.Grid.DY = 0.5, 0.5 }, want: "beyond column or row 2^30"},
		"unknown rule":   {job: theJob("POLYGON((0 0,4 4,4 0,0 0))", 0), change: func(j *job.Job) { j.Area.Rule = "touches" }, want: "intersects, within, centroid or overlaps"},
		"turned codes":   {job: theJob("POLYGON((0 0,4 4,4 0,0 0))", 3035), change: func(j *job.Job) { j.Grid.Rotate, j.Code = 10, geomgen.INSPIRE }, want: "conflicts with rotate 10"},
		"column code":    {job: theJob("POLYGON((0 0,4 4,4 0,0 0))", 3035), change: func(j *job.Job) { j.Code, j.GeomColumn = geomgen.INSPIRE, "code" }, want: "taken by the cell's code"},
		"column taken":   {job: theJob("POLYGON((0 0,4 4,4 0,0 0))", 0), change: func(j *job.Job) { j.Coverage, j.IDColumn = true, "coverage" }, want: "taken by the coverage"},
		"cut points":     {job: theJob("POLYGON((0 0,4 4,4 0,0 0))", 0), change: func(j *job.Job) { j.Clip, j.Geometry = true, geomgen.AsPoint }, want: "a point cannot be clipped"},
		"code parts":     {job: theJob("POLYGON((0 0,9 9,9 0,0 0))", 3035), change: func(j *job.Job) { j.Code, j.CodeIndex, j.Partitions = geomgen.INSPIRE, true, 2 }, want: "conflicts with partitions"},
		"coverage bare":  {job: job.Job{Table: job.Table{Name: "t"}, Grid: geomgen.Grid{DX: 1, DY: 1}, Cols: 3, Rows: 3, Coverage: true}, want: "--coverage true: needs an area of interest"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.change != nil {
				test.change(&test.job)
			}

			_, err := New(t.Context(), test.job)
			var param *geomgen.ParamError
			var needs *NeedsServerError
			if err == nil || !strings.Contains("--"+err.Error(), test.want) || errors.As(err, &needs) != test.server || errors.As(err, &param) == test.server {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

// An area may extend beyond all columns if something else limits the job.
func TestLargeAreaWithSmallExtent(t *testing.T) {
	a, err := aoi.Read(strings.NewReader("POLYGON((-1e9 -1e9,1e9 -1e9,0 1e9,-1e9 -1e9))"))
	if err != nil {
		t.Fatal(err)
	}

	for name, j := range map[string]job.Job{
		"extent":  {Grid: geomgen.Grid{DX: 0.5, DY: 0.5}, Extent: &geomgen.Box{XMax: 100, YMax: 100}},
		"columns": {Grid: geomgen.Grid{DX: 0.5, DY: 0.5, Rotate: 30}, Cols: 200, Rows: 200},
	} {
		j.Table, j.Area = job.Table{Name: "t"}, a
		p, err := New(t.Context(), j)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if p.Rows != 200*200 {
			t.Errorf("%s: %d rows", name, p.Rows)
		}
	}
}
