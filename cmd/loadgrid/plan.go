package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/internal/options"
	"github.com/loadgrid/loadgrid/internal/picture"
	"github.com/loadgrid/loadgrid/loader"
	"github.com/loadgrid/loadgrid/loader/plan"
)

const planLong = `plan shows how many cells a load would write and in which chunks. It estimates the
size of the table, the indexes and the WAL, and the time. It writes nothing, and connects
to a server only for an area that needs one or for --if-exists append (see below).

The number of rows is exact, and the sizes follow from PostgreSQL's page layout. The time
is for a server with two cores; yours may take half or twice as long. With a GiST index, a
load takes three times as long on servers older than PostgreSQL 15 with PostGIS 3.3. plan
takes this into account if it connects; otherwise it states what it assumes. If the edge
of the area, or of a rotated extent, has more than about 100,000 cells, plan does not
count the cells. It then shows an estimate with its bounds.

plan shows the size of a cell in units of the CRS, and on the ground in the middle of the
grid. It warns if the cell size or the extent seems wrong for the unit or the domain of
the CRS.

If the area of interest is a query, or its CRS is not the CRS of the grid, the server
prepares it.

With --table and --if-exists append, plan connects and inspects the table in a read-only
transaction. It lists the indexes and the cost of the new rows in each of them. Appended
rows go through a staging table and one INSERT ... SELECT, which inserts each row into
each index. The indexes of a new table are built over all rows at once, which is several
times as fast. plan gives a hint if it is faster to rebuild an index or to attach
partitions. It refuses what load would refuse, and reads the table once to find out. Its
times and sizes for append are rough guides.`

const planExample = `  loadgrid plan --cell-size 1000 --srid 3035 --extent 900000,900000,7400000,5500000

  # what does it cost to add a strip to an existing table?
  loadgrid plan --table eu_1km --if-exists append \
      --cell-size 1000 --srid 3035 --extent 7400000,900000,7500000,5500000

  # what would each job of a file do?
  loadgrid plan --job jobs.yaml`

func newPlanCommand() *cobra.Command {
	var (
		load  options.Load
		jobs  jobFileOptions
		image imageOptions
	)
	cmd := &cobra.Command{
		Use:     "plan --cell-size DX[xDY] (--extent XMIN,YMIN,XMAX,YMAX | --cols N --rows N | --aoi FILE)",
		Short:   "Show what load would do, with sizes and time, without writing anything",
		Long:    planLong,
		Example: planExample,
		Args:    noArgs,
	}

	theme := themeOption(&image.theme)
	theme.Group, theme.In = "Output", options.Flag
	own := append(jobs.table("plan the jobs of a YAML `FILE`; - for stdin", false), options.Option{
		Name: "picture", Group: "Output", In: options.Flag, Value: pictureFile(&image.file),
		Help: "draw the extent, the area, the chunks in load order and a sample of cells into a .png or .svg `file`"}, theme)
	addFlags(cmd, load.PlanTable(), own)
	_ = cmd.MarkFlagFilename("job", "yaml", "yml")

	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		values, std := givenValues(cmd), streamsOf(cmd)
		if err := own.Apply(values); err != nil {
			return err
		}

		if values.Has("job") {
			return runPlanJobs(cmd.Context(), jobs, values, cmd.CommandPath(), image, std)
		}

		if err := load.PlanTable().Apply(values); err != nil {
			return err
		}
		if err := awaitErr(cmd.Context(), func() error { return load.CompletePlan(cmd.Context(), values, std.in, "plan") }); err != nil {
			return err
		}
		return runPlan(cmd.Context(), planOptions{newLoadOptions(load), image, values.Has("table")}, std)
	}

	return cmd
}

// imageOptions say into which file a picture goes, "" for none, and for which background.
type imageOptions struct {
	file  string
	theme picture.Theme
}

// themeOption is the background that a picture is made for.
func themeOption(to *picture.Theme) options.Option {
	return options.Option{
		Name: "theme", Value: options.Choice(to, picture.Themes()...), Default: string(picture.Light), Help: "background of the picture, `light|dark`"}
}

// pictureFile is a value with the name of a file for a picture.
func pictureFile(to *string) options.Value {
	v := options.Parsed(func(name string) error {
		*to = name
		return checkPicture(name)
	})
	v.Type = "file"

	return v
}

func checkPicture(name string) error {
	if err := picture.CheckName(name); err != nil {
		return errors.New("must end in .png or .svg")
	}
	return nil
}

// planOptions hold what to plan.
type planOptions struct {
	loadOptions
	picture imageOptions
	named   bool // whether the user named the job's table
}

// runPlan prints what load would do.
func runPlan(ctx context.Context, o planOptions, std streams) error {
	printNotes(std.err, o.notes)
	p, err := planJob(ctx, o.job, o.server, std.err)
	if err != nil {
		return err
	}

	if o.picture.file != "" {
		if err := savePicture(ctx, o.picture.file, func() ([]byte, error) { return drawPlan(p, o.picture) }); err != nil {
			return err
		}
	}

	if o.job.IfExists == loader.Append && !p.Exact() {
		return errors.Join(printPlan(std.out, p, o.named), printNotInspected(std.out, p))
	}
	if o.job.IfExists == loader.Append {
		return printPlanOfAppend(ctx, p, o.server, std.out)
	}
	return printPlan(std.out, p, o.named)
}

// printNotes writes notes on how values were read.
func printNotes(stderr io.Writer, notes []string) {
	for _, note := range notes {
		fmt.Fprintf(stderr, "note: %s\n", oneLine(note))
	}
}

// estimate plans a job without a server. It returns nil if the job needs one.
func estimate(ctx context.Context, job loader.Job) (*loader.Plan, error) {
	return await(ctx, func() (*loader.Plan, error) {
		p, _, err := plan.Approximate(ctx, job)
		return p, err
	})
}

// planJob plans a job, and prints its warnings. The number of rows is an estimate if counting them takes long.
func planJob(ctx context.Context, job loader.Job, server serverOptions, stderr io.Writer) (*loader.Plan, error) {
	p, err := estimate(ctx, job)
	if p == nil && err == nil { // not through await: work on the server must end there
		p, err = loader.EstimateWith(ctx, job, func(ctx context.Context) (*pgxpool.Pool, error) {
			return server.open(ctx, 1)
		})
	}
	if err != nil {
		return nil, err
	}

	printWarnings(stderr, p.Warnings())
	return p, nil
}

func printWarnings(stderr io.Writer, warnings []loader.Warning) {
	for _, w := range warnings {
		fmt.Fprintf(stderr, "warning: %s\n", oneLine(w.Text))
	}
}

// printPlanOfAppend inspects the table on the server before it prints anything.
func printPlanOfAppend(ctx context.Context, p *loader.Plan, server serverOptions, out io.Writer) error {
	return server.withPool(ctx, func(ctx context.Context, pool *pgxpool.Pool) error {
		a, err := loader.InspectAppend(ctx, pool, p)
		if err != nil {
			return err
		}

		if p, err = loader.ForServer(ctx, pool, p); err != nil {
			return err
		}

		p.Job.Table = a.Table
		if p.Job.Distribute != "" && a.Exists {
			p.Job.Shards, p.Job.ColocateWith = a.Shards, loader.Table{}
		}
		if err := printPlan(out, p, true); err != nil {
			return err
		}
		return printAppend(out, p, a)
	})
}

func printPlan(w io.Writer, p *loader.Plan, named bool) error {
	e := p.Estimate()
	last := p.Chunk(p.Chunks - 1)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) { fmt.Fprintf(t, name+"\t"+format+"\n", args...) }
	about := ""
	if !p.Exact() {
		about = "about "
	}

	if named {
		line("table", "%s", oneLine(p.Job.Table.String()))
	}

	line("cells", "columns %d to %d, rows %d to %d", p.Cells.MinCol, p.Cells.MaxCol-1, p.Cells.MinRow, p.Cells.MaxRow-1)
	line("covering", "%s", covering(p))
	printShape(line, p.Job)
	printSize(line, p)
	printRows(line, p)
	line("method", "%s", describeMethod(p))
	line("", "%s", p.Reason)
	line("cell_id", about+"%d to %d", p.Chunk(0).First, last.Last)
	line("copy", about+"%s, %d bytes a row", formatBytes(e.CopyBytes), p.RowBytes())
	line("heap", "about %s", formatBytes(e.HeapBytes))
	line("indexes", "about %s", formatBytes(e.IndexBytes))
	line("WAL", "about %s", formatBytes(e.WALBytes))
	printDistribution(line, p)
	printTime(line, p)

	return t.Flush()
}

// printRows writes the number of rows, or an estimate with its bounds.
func printRows(line func(name, format string, args ...any), p *loader.Plan) {
	if p.Exact() {
		line("rows", "%s", formatCount(p.Rows))
		return
	}

	least, most := p.RowBounds()
	line("rows", "about %.3g, an estimate: between %s and %s", float64(p.Rows), formatCount(least), formatCount(most))
	line("", "the edge of the area has too many cells to count here; load counts them first, which takes a long time")
}

// describeMethod describes how the rows are sent.
func describeMethod(p *loader.Plan) string {
	rows := pluralCount(p.Chunk(0).Rows, "row")
	switch p.Method {
	case loader.MethodFrozen:
		return "frozen: one stream into a table made in the same transaction"
	case loader.MethodPartitions:
		return fmt.Sprintf("partitions: %d of up to %s, over %s", p.Chunks, rows, plural(p.Streams, "stream"))
	}

	return fmt.Sprintf("chunks: %s of up to %s, over %s", formatCount(p.Chunks), rows, plural(p.Streams, "stream"))
}

// covering describes where the cells lie: between the two bounds of an extent that crosses the seam
// of the map, and otherwise in a box around them.
func covering(p *loader.Plan) string {
	if e := p.Job.Extent; e != nil && e.XMin > e.XMax {
		return e.String() + ", across the seam of the map"
	}

	return p.Job.Grid.BoxAround(p.Cells).String()
}
