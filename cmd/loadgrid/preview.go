package main

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/picture"
	"github.com/loadgrid/loadgrid/internal/preview"
	"github.com/loadgrid/loadgrid/loader"
)

func newPreviewCommand() *cobra.Command {
	var options previewOptions
	cmd := &cobra.Command{
		Use:   "preview --table [SCHEMA.]NAME",
		Short: "Draw what lies in a table",
		Long: `preview draws the cells of a table, coloured by their coverage, or by a numeric
column that --column names. Of a table with more than 50,000 rows it draws a sample. It
reads in a read-only transaction; the table need not be loadgrid's. The sample is even in
space where neighbours in the primary key are neighbours in space, as in loadgrid's tables;
each cell of it is drawn larger, for those that are left out.`,
		Example: `  loadgrid preview --table france_1km
  loadgrid preview --table stats.grid --column population --out population.svg`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			table, err := options.check(cmd)
			if err != nil {
				return err
			}
			return runPreview(cmd.Context(), table, options, streamsOf(cmd))
		},
	}

	cmd.Flags().StringVar(&options.table, "table", "", "the table to draw, `[SCHEMA.]NAME`")
	cmd.Flags().StringVar(&options.column, "column", "", "numeric `column` that the colours show; left out, coverage where there is one")
	cmd.Flags().StringVar(&options.out, "out", "preview.png", "`file` for the picture, .png or .svg")
	registerDSN(cmd, &options.dsn)

	return cmd
}

// previewOptions are what the flags of preview say.
type previewOptions struct{ table, column, out, dsn string }

// check returns the table that is to be drawn.
func (o *previewOptions) check(cmd *cobra.Command) (loader.Table, error) {
	table, err := loader.ParseTable(o.table)
	if err != nil {
		return table, err
	}
	if err := picture.CheckName(o.out); err != nil {
		return table, &geomgen.ParamError{Param: "out", Value: o.out, Reason: "must end in .png or .svg"}
	}
	if cmd.Flags().Changed("column") && o.column == "" {
		return table, &geomgen.ParamError{Param: "column", Value: `""`, Reason: "the name is empty"}
	}

	return table, nil
}

func runPreview(ctx context.Context, table loader.Table, options previewOptions, std streams) error {
	pool, err := loader.Open(ctx, resolveDSN(options.dsn), 1)
	if err != nil {
		return err
	}
	defer loader.Close(pool)

	p, err := preview.New(ctx, pool, table, options.column)
	if err != nil {
		return err
	}
	if err := drawPreview(p, options.out); err != nil {
		return err
	}

	_, err = fmt.Fprintf(std.out, "%s of %s rows are drawn in %s\n", formatCount(int64(len(p.Cells))), formatCount(p.Rows), options.out)
	return err
}

func drawPreview(p *preview.Preview, name string) error {
	if len(p.Cells) == 0 {
		return fmt.Errorf("table %s has no cells to draw", p.Table)
	}

	low, high := math.Inf(1), math.Inf(-1)
	for _, c := range p.Cells {
		if c.Value != nil && !math.IsNaN(*c.Value) && !math.IsInf(*c.Value, 0) {
			low, high = math.Min(low, *c.Value), math.Max(high, *c.Value)
		}
	}

	if p.Column == "coverage" && low <= high { // the same colours in each picture; of loadgrid's, none lies beyond
		low, high = math.Min(low, 0), math.Max(high, 1)
	}

	m := picture.Map{Title: oneLine(p.Table.String()) + ": " + pluralCount(p.Rows, "row"), SRID: p.SRID, Edges: len(p.Cells) <= 5000}
	if p.Sample {
		m.Title = fmt.Sprintf("%s: about %s rows", oneLine(p.Table.String()), formatCount(p.Rows))
		m.Lines = []string{fmt.Sprintf("a sample of %s of them", formatCount(int64(len(p.Cells))))}
	}

	if p.Column != "" && low <= high {
		m.Legend = picture.Legend{Name: oneLine(p.Column), Low: formatValue(low), High: formatValue(high)}
	}

	factor := 1.0
	if p.Sample { // so that those that are drawn stand for the others, too
		factor = math.Sqrt(float64(p.Rows) / float64(len(p.Cells)))
	}

	for _, c := range p.Cells {
		value := 0.35 // one colour
		if p.Column != "" {
			value = math.NaN()
		}

		if c.Value != nil && low <= high {
			if value = 0.5; high > low {
				value = (*c.Value - low) / (high - low)
			}
		}

		for _, ring := range c.Rings {
			m.Pieces = append(m.Pieces, picture.Piece{Ring: scaleRing(ring, factor), Value: value})
		}
	}

	return m.Save(name)
}

// formatValue writes a value for the legend: whole numbers whole, others to four digits.
func formatValue(f float64) string {
	if f == math.Trunc(f) && math.Abs(f) < 1e12 {
		return formatCount(int64(f))
	}
	return strconv.FormatFloat(f, 'g', 4, 64)
}

// scaleRing returns a ring so many times as large about its middle.
func scaleRing(ring []geomgen.Point, factor float64) []geomgen.Point {
	if factor == 1 || len(ring) < 2 {
		return ring
	}

	var x, y float64
	for _, p := range ring[1:] { // the first one is the last
		x, y = x+p.X/float64(len(ring)-1), y+p.Y/float64(len(ring)-1)
	}

	for i, p := range ring {
		ring[i] = geomgen.Point{X: x + factor*(p.X-x), Y: y + factor*(p.Y-y)}
	}
	return ring
}
