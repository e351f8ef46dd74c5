package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/internal/options"
	"github.com/loadgrid/loadgrid/loader"
)

const loadLong = `load fills a new table with a grid. The table appears all at once when it is
complete, with primary key, spatial index and statistics; until then readers see
what was there before.

How the rows go out is planned ('loadgrid plan' says how and why):
  in one transaction   up to 50 million rows: a load that is stopped meanwhile
                       leaves nothing
  in chunks            beyond, or with --chunk-rows, or with two --streams or more;
                       what is committed is kept
  in partitions        with --partitions: each is filled, indexed and analyzed by one
                       stream, which keeps all of them busy; what is complete is kept
The pages of a new table are frozen in each of them. A load that was stopped in chunks
or partitions is resumed by the same command: it copies those that are missing, and no
others. The same is what puts the same rows, columns and indexes into the same table;
--streams, --if-exists and --progress may differ, and --chunk-rows stays what it was at
the first start. Another job drops what a killed one has left, and says so; one that was
stopped in order stays, unless --if-exists says replace or append.

A schedule uses --if-exists replace. --wait stands in line for a run that holds the table,
--skip-unchanged ends at once when the table holds this already and nobody has touched it
since. --before runs SQL first; --after runs SQL in the transaction that publishes, so
that readers see counts, joins and grants together with the rows, or, where a statement
fails, yesterday's table as it was. In both {{table}} is the quoted name of the table.

--if-exists replace puts a new table in the place of the old one, with its owner, grants
and comment. Views and foreign keys that depend on the old one would stay with it, so a
table that has some is refused: --publish truncate empties the table that is there and
fills it in one transaction, in which readers wait. The partitions of a partitioned table
take the place of its old ones: the table stays, with the views, grants and indexes on
it. With --keep N what is replaced stays as TABLE_runN, after the run that made it, and
'loadgrid runs rollback' puts it back. --if-exists append attaches
partitions with --partitions, and without adds the rows to the table or to the
partitions that are there; their indexes stand, and --index is of no account.

With --job the jobs of a file are done one after the other, and none before all of them
are found to be right, as far as that needs no server. The first that fails ends it; with
--keep-going the others are done all the same. 'loadgrid job schema' says what may stand
in a job file.

Names are taken exactly as they are given, capitals included. A name with a dot in
it stands in double quotes: --table '"a.b"'.

An area of interest (--aoi, --aoi-sql) selects cells by its polygons, alone or within an
extent. It is exact: with --aoi-rule intersects a cell is in that has a point in common
with the area, as ST_Intersects would say. What is in another CRS than the grid is
transformed by the server.

With --if-exists append and --on-conflict skip, cells that the table holds already stay
as they are, such as those on the border of two countries loaded one after the other; a
coverage column then has the first one's share, and with --clip the geometry is the
first one's part.

The table has the columns cell_id bigint primary key, col integer, row integer,
geom geometry(Polygon, SRID), one for each --set, code text with --code, and coverage
real with --coverage. With --clip the geometry is a MultiPolygon, empty where a cell
only touches the area; with --geometry point it is a Point.`

const loadExample = `  # 1000 x 800 unit boxes from the origin
  loadgrid load --table grid --cell-size 1 --cols 1000 --rows 800

  # the statistical grid of the European Union, 1 km, 29,900,000 cells
  loadgrid load --table eu_1km --cell-size 1000 --srid 3035 --extent 900000,900000,7400000,5500000

  # the same in 16 partitions, with a small index for windows of many cells
  loadgrid load --table eu_1km --cell-size 1000 --srid 3035 --extent 900000,900000,7400000,5500000 \
      --partitions 16 --index brin

  # a country in 1 km cells, with the share of it in each and the official codes
  loadgrid load --table france_1km --cell-size 1000 --srid 3035 --aoi france.geojson \
      --coverage --code inspire

  # a city in hexagons of 50 m, and the map tiles of zoom 12 that it needs
  loadgrid load --table city_hex --shape hexagon --cell-size 50 --srid 25832 --aoi city.geojson
  loadgrid load --table city_tiles --shape xyz --zoom 12 --aoi city.geojson --code quadkey

  # every night, in place of yesterday's, with a column that says when
  loadgrid load --table stats.grid --cell-size 0.1 --srid 4326 --extent -10,35,30,70 \
      --set loaded:date=2026-03-01 --if-exists replace

  # the same when something has changed, with grants that come with it
  loadgrid load --table stats.grid --cell-size 0.1 --srid 4326 --extent -10,35,30,70 \
      --if-exists replace --keep 2 --skip-unchanged --wait 30m --prune-runs 90d --log-format json \
      --after 'grant select on {{table}} to web'`

func newLoadCommand() *cobra.Command {
	var (
		load options.Load
		jobs jobFileOptions
	)
	cmd := &cobra.Command{
		Use:     "load --table [SCHEMA.]NAME --cell-size DX[,DY] (--extent XMIN,YMIN,XMAX,YMAX | --cols N --rows N | --aoi FILE)\n  loadgrid load --job FILE.yaml",
		Short:   "Load a grid into a table: plan, load, index, analyze, publish",
		Long:    loadLong,
		Example: loadExample,
		Args:    noArgs,
	}

	jobTable := jobs.table("do the jobs of a `FILE` in YAML, in order, - for stdin: its keys are these flags, and what is given here wins", true)
	addFlags(cmd, load.Table(), jobTable)
	_ = cmd.MarkFlagFilename("job", "yaml", "yml")

	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		values, std := givenValues(cmd), streamsOf(cmd)
		if err := jobTable.Apply(values); err != nil {
			return err
		}

		if values.Has("job") {
			return runLoadJobs(cmd.Context(), jobs, values, cmd.CommandPath(), std)
		}

		if err := load.Table().Apply(values); err != nil {
			return err
		}
		if err := load.Complete(values, std.in); err != nil {
			return err
		}
		return runLoad(cmd.Context(), newLoadOptions(load), std)
	}

	return cmd
}

// loadOptions is a job, and how it is to be done.
type loadOptions struct {
	job      loader.Job
	run      loader.Options
	server   serverOptions
	progress progressOptions
	textfile string // for metrics, "" for none
}

func newLoadOptions(load options.Load) loadOptions {
	return loadOptions{
		job:      load.Job,
		run:      loader.Options{JobName: load.JobName, Wait: load.Wait, SkipUnchanged: load.SkipUnchanged, PruneRuns: load.PruneRuns},
		server:   serverOptions{load.Server},
		progress: progressOptions{load.Progress},
		textfile: load.MetricsFile,
	}
}

// runLoad does a job and reports how it goes; load and runs resume end here.
func runLoad(ctx context.Context, options loadOptions, std streams) error {
	began := time.Now()
	if err := options.checkMetricsFile(); err != nil {
		return err
	}

	r, err := options.progress.reporter(std.err)
	if err != nil {
		return err
	}

	summary, err := options.execute(ctx, r)
	if options.textfile != "" {
		options.writeMetrics(ctx, r, summary, err, time.Since(began))
	}

	if err != nil {
		return &runError{options.name(), summary.Run, err}
	}

	r.summary(summary)
	return printSummary(std.out, summary)
}

// name is what the job is called.
func (o *loadOptions) name() string {
	if o.run.JobName != "" {
		return o.run.JobName
	}
	return o.job.Table.String()
}

// execute opens the server and does the job.
func (o *loadOptions) execute(ctx context.Context, r *reporter) (loader.Summary, error) {
	// Checked before a connection is opened, so that a wrong job is reported as such
	// also where the server is away.
	plan, err := loader.NewPlan(ctx, o.job)
	var needs *loader.NeedsServerError
	if err != nil && !errors.As(err, &needs) {
		return loader.Summary{}, err
	}

	pool, err := o.server.open(ctx, o.job.Streams)
	if err != nil {
		return loader.Summary{}, err
	}
	defer loader.Close(pool)

	warn := func(err error) { r.log().Warn(err.Error(), "job", o.name()) }
	ctx, tracer, stop := startTracing(ctx, os.Getenv, version(), r, warn)
	defer stop()

	run := o.run
	run.Tracer, run.Log, run.Version = tracer, r.log(), version()
	run.Progress = new(loader.Progress)
	defer r.follow(run.Progress)()

	if plan == nil { // the server is to make the area ready
		return loader.Run(ctx, pool, o.job, run)
	}
	return loader.RunPlan(ctx, pool, plan, run)
}
