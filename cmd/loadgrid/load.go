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
complete, with its primary key, spatial index and statistics. Until then, readers see
the previous state.

Every table has the columns cell_id bigint (the primary key), col integer, row integer
and geom geometry(Polygon, SRID). --set and --attribute add one column each, --code adds
code text, and --coverage adds coverage real. With --clip the geometry is a MultiPolygon,
which is empty if the cell only touches the area. With --geometry point it is a Point,
and --geometry none leaves the column out. With --each NAME the table has one row for
each cell and feature that overlap, with the key (cell_id, NAME): cell_share is the part
of the cell that lies in the feature, and feature_share the part of the feature that
lies in the cell.

Names are case-sensitive. Quote a name that contains a dot: --table '"a.b"'.

An area of interest (--aoi, --aoi-sql) selects cells by its polygons, alone or within an
extent. The selection is exact: --aoi-rule intersects selects the cells that share a
point with the area, as ST_Intersects does, and overlaps leaves out cells that only
touch it. If the area is not in the CRS of the grid, the server transforms it.

load chooses one of three methods ('loadgrid plan' shows which, and why):

  in one transaction   for up to 50 million rows; if you stop the load, nothing remains
  in chunks            for more rows, or with --chunk-rows, two or more --streams, or
                       --unlogged; committed chunks remain
  in partitions        with --partitions; one stream fills, indexes and analyzes each
                       partition, and complete partitions remain

The pages of a new table are frozen.

To resume a load that stopped in chunks or partitions, run the same command. It copies
only the missing chunks or partitions. A command counts as the same if it loads the same
rows, columns and indexes into the same table. --streams, --if-exists and --progress may
differ; --chunk-rows keeps the value of the first start. If you run a different job for
the table, it drops the unfinished run of a killed process and reports that. It does not
drop the run of a load that you stopped, unless --if-exists is replace or append.

--if-exists replace swaps in a new table with the owner, grants and comment of the old
one. It refuses a table that views or foreign keys depend on, because they would follow
the old table. In that case, use --publish truncate: it empties the existing table and
fills it in one transaction, while readers wait. In a partitioned table, new partitions
replace the old ones; the table keeps its views, grants and indexes. --keep N keeps the
replaced versions as TABLE_runN, named after the run that made them, and
'loadgrid runs rollback' restores them.

--if-exists append attaches new partitions if you give --partitions. Otherwise it adds
the rows to the existing table or partitions, whose indexes stay as they are, whatever
--index says. With --on-conflict skip, cells that the table already holds stay
unchanged, such as the cells on the border of two countries that you load one after the
other. Such a cell keeps the coverage of the first country, and with --clip its geometry.

For scheduled loads, use --if-exists replace. --wait waits for a run that holds the
table. --skip-unchanged does nothing if the table already holds the same rows and nobody
has changed it. --before runs SQL first. --after runs SQL in the transaction that
publishes: readers see its counts, joins and grants together with the rows, and if a
statement fails, readers keep the previous table. In both, {{table}} is the quoted name
of the table.

--job runs the jobs of a file one after the other. It first checks all of them, as far as
possible without a server. It stops at the first job that fails; with --keep-going it
runs the other jobs too. 'loadgrid job schema' prints the format of job files.

--share lets several processes, on one or more machines, work on the jobs of one file.
Start the same command in each. The processes coordinate through the ledger and a lock on
each table; they need nothing else.

  order      a process takes the jobs in the order of the file, and postpones a job
             whose table another process holds
  batch      --share=BATCH names the round, such as the run ID of your scheduler; a job
             is done once a run of this batch has published its table, and a process
             that you start again does only the remaining jobs
  failures   a job that fails is tried once more, by another process or a later start,
             and the other jobs continue; --only tries a job no matter how often it has
             failed in the batch; if a process is killed, another one resumes its run
  waiting    a process with no other job left waits for tables that others hold, without
             limit or for the time of --wait
  result     at the end, each process reports who did which job; its exit code is 0 if
             all jobs are done, whichever process did them, and otherwise the exit code
             of the first job in the file that failed`

const loadExample = `  # 1000 x 800 unit boxes from the origin
  loadgrid load --table grid --cell-size 1 --cols 1000 --rows 800

  # the 1 km statistical grid of the European Union: 29,900,000 cells
  loadgrid load --table eu_1km --cell-size 1000 --srid 3035 --extent 900000,900000,7400000,5500000

  # the same in 16 partitions, with a small BRIN index for large windows
  loadgrid load --table eu_1km --cell-size 1000 --srid 3035 --extent 900000,900000,7400000,5500000 \
      --partitions 16 --index brin

  # a country in 1 km cells, with the covered share and the official code of each cell
  loadgrid load --table france_1km --cell-size 1000 --srid 3035 --aoi france.geojson \
      --coverage --code inspire

  # a city in hexagons with 50 m edges, and its map tiles at zoom 12
  loadgrid load --table city_hex --shape hexagon --cell-size 50 --srid 25832 --aoi city.geojson
  loadgrid load --table city_tiles --shape xyz --zoom 12 --aoi city.geojson --code quadkey

  # replace yesterday's grid every night, with a column for the date
  loadgrid load --table stats.grid --cell-size 0.1 --srid 4326 --extent -10,35,30,70 \
      --set loaded:date=2026-03-01 --if-exists replace

  # the same, but only if something has changed, and with grants for the new table
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
		Short:   "Load a grid into a table: plan, copy, index, analyze, publish",
		Long:    loadLong,
		Example: loadExample,
		Args:    noArgs,
	}

	jobTable := jobs.table("run the jobs of a YAML `FILE` in order; - for stdin. Its keys are these flags; flags on the command line override it", true)
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

// loadOptions is a job and how to run it.
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

// runLoad runs a job and reports its progress. load and runs resume end here.
func runLoad(ctx context.Context, options loadOptions, std streams) error {
	_, err := doLoad(ctx, options, std)
	return err
}

// doLoad is runLoad, and also returns the summary of the job. A table on hold is not an error.
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
	if err != nil && summary.Hold != nil { // the schedule continues, and the metrics of the last run stay
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

// leftToOthers reports whether a shared job belongs to another process, and so do its numbers.
func leftToOthers(s loader.Summary, err error) bool {
	return s.DoneBy != nil || errors.As(err, new(*loader.LockedError)) || errors.As(err, new(*loader.SharedFailedError))
}

// name returns the name of the job.
func (o *loadOptions) name() string {
	if o.run.JobName != "" {
		return o.run.JobName
	}
	return o.job.Table.String()
}

// execute opens the server and runs the job.
func (o *loadOptions) execute(ctx context.Context, r *reporter) (loader.Summary, error) {
	// Check before opening a connection, so that a wrong job is reported even if no server answers. Shared jobs were
	// checked together.
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

	if p == nil { // the server must prepare the area, or another process may do the job
		return loader.Run(ctx, pool, o.job, run)
	}
	return loader.RunPlan(ctx, pool, p, run)
}
