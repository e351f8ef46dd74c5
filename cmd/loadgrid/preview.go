package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/options"
	"github.com/loadgrid/loadgrid/internal/picture"
	"github.com/loadgrid/loadgrid/internal/preview"
	"github.com/loadgrid/loadgrid/loader"
)

func newPreviewCommand() *cobra.Command {
	o := previewOptions{out: imageOptions{file: "preview.png"}}
	cmd := &cobra.Command{
		Use:   "preview --table [SCHEMA.]NAME",
		Short: "Draw the cells of a table",
		Long: `preview draws the cells of a table into a PNG or SVG file. It colours them by coverage, or
by the column of --column: numbers on a scale, and texts and dates with one colour for
each of the 12 most frequent values. It reads in a read-only transaction, and works for
tables that loadgrid did not make, too.

Of a table with more than 50,000 rows, preview draws a sample, with larger cells to fill
the gaps. The sample is even in space if neighbours in the primary key are neighbours in
space, as in the tables of loadgrid.`,
		Example: `  loadgrid preview --table france_1km
  loadgrid preview --table stats.grid --column population --out population.svg`,
		Args: noArgs,
	}

	table := options.Table{
		{Name: "table", Value: options.Parsed(o.parseTable), Help: "table to draw, as `[SCHEMA.]NAME`"},
		{Name: "column", Value: options.Text(&o.column, "the name is empty"), Help: "`column` of numbers, texts, dates or booleans to colour the cells by; defaults to coverage if the table has it"},
		{Name: "out", Value: pictureFile(&o.out.file), Default: o.out.file, Help: "picture `file` to write, .png or .svg"},
		themeOption(&o.out.theme),
		options.DSNOption(&o.server.DSN),
	}
	addFlags(cmd, table)

	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		values := givenValues(cmd)
		if err := table.Apply(values); err != nil {
			return err
		}
		if !values.Has("table") {
			return usageError{errors.New("preview needs a table to draw: set --table [SCHEMA.]NAME")}
		}
		return runPreview(cmd.Context(), o, streamsOf(cmd))
	}

	return cmd
}

// previewOptions select what to draw, and the file for it.
type previewOptions struct {
	table  loader.Table
	column string
	out    imageOptions
	server serverOptions
}

func (o *previewOptions) parseTable(text string) (err error) {
	o.table, err = loader.ParseTable(text)
	return err
}

func runPreview(ctx context.Context, o previewOptions, std streams) error {
	pool, err := o.server.open(ctx, 1)
	if err != nil {
		return err
	}
	defer loader.Close(pool)

	p, err := preview.New(ctx, pool, o.table, o.column)
	if err != nil {
		return err
	}
	printWarnings(std.err, p.Warnings())
	if err := savePicture(ctx, o.out.file, func() ([]byte, error) { return drawPreview(p, o.out) }); err != nil {
		return err
	}

	_, err = fmt.Fprintf(std.report, "%s of %s drawn in %s\n", formatCount(int64(len(p.Cells))), pluralCount(p.Rows, "row"), o.out.file)
	return err
}

func drawPreview(p *preview.Preview, image imageOptions) ([]byte, error) {
	if len(p.Cells) == 0 {
		return nil, fmt.Errorf("table %s has no cells to draw", p.Table)
	}

	low, high := math.Inf(1), math.Inf(-1)
	for _, c := range p.Cells {
		if c.Value != nil && !math.IsNaN(*c.Value) && !math.IsInf(*c.Value, 0) {
			low, high = math.Min(low, *c.Value), math.Max(high, *c.Value)
		}
	}

	if p.Column == "coverage" && low <= high { // the same colours in each picture; coverage by loadgrid is always from 0 to 1
		low, high = math.Min(low, 0), math.Max(high, 1)
	}

	m := picture.Map{Theme: image.theme, Title: oneLine(p.Table.String()) + ": " + pluralCount(p.Rows, "row"), CRS: p.CRS, Edges: !p.Sample}
	if p.Sample {
		m.Title = fmt.Sprintf("%s: about %s rows", oneLine(p.Table.String()), formatCount(p.Rows))
		m.Lines = []string{fmt.Sprintf("a sample of %s of them", formatCount(int64(len(p.Cells))))}
	}

	if p.Column != "" && low <= high {
		m.Legend = picture.Legend{Name: oneLine(p.Column), Low: low, High: high}
	}

	factor, gaps := sampleFactor(p)
	m.Gaps = gaps

	categoryOf := categories(p, &m)
	for _, c := range p.Cells {
		value := 0.35 // one colour
		if p.Column != "" {
			value = math.NaN()
		}

		if c.Value != nil && low <= high {
			value = scalePosition(*c.Value, low, high)
		}

		category := 0
		if c.Text != nil {
			category = categoryOf[*c.Text]
		}

		for _, ring := range c.Rings {
			m.Pieces = append(m.Pieces, picture.Piece{Ring: scaleRing(ring, factor), Value: value, Category: category})
		}
	}

	return m.Encode(image.file)
}

// scalePosition returns where a value lies on a scale, from 0 at low to 1 at high, and NaN for NaN.
func scalePosition(v, low, high float64) float64 {
	switch {
	case v == low && v == high:
		return 0.5 // the only value
	case v <= low:
		return 0
	case v >= high:
		return 1
	case high-low > math.MaxFloat64:
		return (v/2 - low/2) / (high/2 - low/2)
	}
	return (v - low) / (high - low)
}

// categories gives the map a legend of the most frequent texts, and returns the category number of each text.
func categories(p *preview.Preview, m *picture.Map) map[string]int {
	count := map[string]int{}
	for _, c := range p.Cells {
		if c.Text != nil {
			count[*c.Text]++
		}
	}

	texts := slices.SortedFunc(maps.Keys(count), func(a, b string) int {
		return cmp.Or(count[b]-count[a], strings.Compare(a, b))
	})
	if len(texts) == 0 {
		return nil
	}

	m.Categories.Name = oneLine(p.Column)
	if rest := len(texts) - picture.MaxCategories; rest > 0 {
		m.Categories.Other = pluralCount(int64(rest), "other")
	}

	numbers := map[string]int{}
	for i, text := range texts {
		if i < picture.MaxCategories {
			m.Categories.Values = append(m.Categories.Values, cmp.Or(oneLine(text), "empty text"))
		}
		numbers[text] = min(i, picture.MaxCategories) + 1
	}

	return numbers
}

// sampleFactor returns the factor by which each cell of a sample is enlarged, so that it fills the space of the cells that
// are left out, and a second factor by which the enlarged cells fill the gaps between them. The cell in the middle of a block
// is half a cell away from the middle. Cells that are chosen at random leave larger gaps.
func sampleFactor(p *preview.Preview) (factor, gaps float64) {
	if !p.Sample {
		return 1, 0
	}

	factor = math.Sqrt(p.Each)
	if p.Even {
		return factor, 1 + 1/factor
	}
	return factor, 3.2
}

// scaleRing returns a ring scaled by a factor about its centre.
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
