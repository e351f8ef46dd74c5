package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/internal/observe"
	"github.com/loadgrid/loadgrid/internal/options"
	"github.com/loadgrid/loadgrid/loader"
)

const loadLong = `load fills a new table with a grid. The table appears all at once when it is
complete, with primary key, spatial index and statistics; until then readers see
what was there before.

The plan chooses how the rows go out ('loadgrid plan' says how and why):
  in one transaction   up to 50 million rows; a load that you stop leaves nothing
  in chunks            for more rows, with --chunk-rows, with two --streams or more,
                       or with --unlogged; committed chunks stay
  in partitions        with --partitions; one stream fills, indexes and analyzes each
                       partition, and complete partitions stay
The pages of a new table are frozen. The same command resumes a load that stopped in
chunks or partitions: it copies only those that are missing. A command is the same if it
puts the same rows, columns and indexes into the same table; --streams, --if-exists and
--progress may differ, and --chunk-rows stays as it was at the first start. Another job
drops the unfinished run of a killed one, and says so. The run of a load that you stopped
stays, unless --if-exists says replace or append.

For a schedule, use --if-exists replace. --wait waits for a run that holds the table.
--skip-unchanged ends at once if the table already holds this and nobody has changed it
since. --before runs SQL first. --after runs SQL in the transaction that publishes:
readers see its counts, joins and grants together with the rows, and if a statement
fails they keep yesterday's table. In both, {{table}} is the quoted name of the table.

--if-exists replace swaps in a new table with the owner, grants and comment of the old
one. It refuses a table that views or foreign keys depend on, because they would follow
the old table: --publish truncate empties the existing table and fills it in one
transaction, while readers wait. In a partitioned table new partitions replace the old
ones, and the table stays, with its views, grants and indexes. With --keep N the replaced
version stays as TABLE_runN, named after the run that made it, and
'loadgrid runs rollback' restores it. --if-exists append attaches partitions with
--partitions; without, it adds the rows to the existing table or partitions, whose
indexes stay as they are, whatever --index says.

--job does the jobs of a file one after the other. It first checks all of them, as far as
that needs no server. The first job that fails ends it; with --keep-going the other jobs
run nevertheless. 'loadgrid job schema' describes job files.

With --share several processes, on one machine or many, do the jobs of one file: start
the same command in each. A process takes the jobs in order. A job whose table another
process holds comes last. The processes agree through the ledger and the lock of each
table, so nothing else is needed. The run of a killed process is resumed by another one.
--share=BATCH names the round, such as the run id of your scheduler: a job is done once a
run of this batch has published its table, and a process that you start again does only
what is left. A job that fails is tried once more, by another process or a later start,
and the other jobs go on. At the end each process says who has done which job. Its exit
code is 0 if all jobs are done, by whichever process; else it is that of the first job in
the file that failed. --wait limits the time for which a process that has nothing else to
do waits for a table that others hold; without it there is no limit. --only tries a job
however often it has failed in the batch.

Names are exact, capitals included. Put a name that has a dot in double quotes:
--table '"a.b"'.

An area of interest (--aoi, --aoi-sql) selects cells by its polygons, alone or within an
extent. The selection is exact: --aoi-rule intersects selects the cells that have a point
in common with the area, as ST_Intersects does; overlaps leaves out those that only touch
it. The server transforms an area that is in another CRS than the grid.

With --if-exists append and --on-conflict skip, cells that the table already holds stay
as they are, such as those on the border of two countries that you load one after the
other. Their coverage is the first country's share, and with --clip their geometry is
the first country's part.

The table has the columns cell_id bigint primary key, col integer, row integer,
geom geometry(Polygon, SRID), one for each --set, one for each --attribute, code text
with --code, and coverage real with --coverage. With --clip the geometry is a
MultiPolygon, empty where a cell only touches the area; with --geometry point it is a
Point, and with --geometry none there is no such column.

With --each NAME the table has a row for each pair of a cell and a feature of the area
that overlap. Its key is cell_id and NAME, and cell_share and feature_share are what
share of the cell lies in the feature, and what share of the feature in the cell.`

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

  # replaces yesterday's grid every night, with a column that says when
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
		Use:     "load --table [SCHEMA.]NAME --cell-size DX[xDY] (--extent XMIN,YMIN,XMAX,YMAX | --cols N --rows N | --aoi FILE)\n  loadgrid load --job FILE.yaml",
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
			return &runError{job: values.Text("table"), err: err}
		}
		if err := awaitErr(cmd.Context(), func() error { return load.Complete(cmd.Context(), values, std.in) }); err != nil {
			return &runError{job: values.Text("table"), err: err}
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
	notes    []string
}

func newLoadOptions(load options.Load) loadOptions {
	return loadOptions{
		job:      load.Job,
		run:      loader.Options{JobName: load.JobName, Wait: load.Wait, SkipUnchanged: load.SkipUnchanged, PruneRuns: load.PruneRuns},
		server:   serverOptions{load.Server},
		progress: progressOptions{load.Progress},
		textfile: load.MetricsFile,
		notes:    load.Notes,
	}
}

// runLoad does a job and reports how it goes; load and runs resume end here.
func runLoad(ctx context.Context, options loadOptions, std streams) error {
	_, err := doLoad(ctx, options, std)
	return err
}

// doLoad is runLoad, and returns what the job came to. A table that is on hold is no error.
func doLoad(ctx context.Context, options loadOptions, std streams) (loader.Summary, error) {
	began := time.Now()
	if err := options.checkMetricsFile(); err != nil {
		return loader.Summary{}, err
	}

	r, err := options.progress.reporter(std)
	if err != nil {
		return loader.Summary{}, err
	}

	for _, note := range options.notes {
		r.log().Info(note)
	}

	summary, err := options.execute(ctx, r)
	if err != nil && summary.Hold != nil { // a schedule goes on, and the metrics stay those of the last run
		r.summary(summary)
		return summary, printSummary(std.out, summary)
	}

	if options.run.Shared != nil && leftToOthers(summary, err) {
		return summary, err
	}

	if options.textfile != "" {
		options.writeMetrics(ctx, r, summary, err, time.Since(began))
	}

	if err != nil {
		return summary, &runError{job: options.name(), run: summary.Run, err: err, after: describeAfter(summary, options.server.ledger(), err, ctx.Err() != nil)}
	}

	r.summary(summary)
	return summary, printSummary(std.report, summary)
}

// leftToOthers reports whether a shared job is another process's, so that its numbers are, too.
func leftToOthers(s loader.Summary, err error) bool {
	return s.DoneBy != nil || errors.As(err, new(*loader.LockedError)) || errors.As(err, new(*loader.SharedFailedError))
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
	// Shared jobs were checked together.
	var p *loader.Plan
	if o.run.Shared == nil {
		var err error
		if p, err = estimate(ctx, o.job); err != nil {
			return loader.Summary{}, err
		}
	}

	var pool *pgxpool.Pool

	err := observe.New(r.log(), nil, nil).Connect(ctx, func() (err error) {
		pool, err = o.server.open(ctx, o.job.Streams)
		return err
	})
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

	if p == nil { // the server is to make the area ready, or another process may do the job
		return loader.Run(ctx, pool, o.job, run)
	}
	return loader.RunPlan(ctx, pool, p, run)
}
