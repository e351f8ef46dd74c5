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
		Short: "Draw what lies in a table",
		Long: `preview draws the cells of a table, coloured by their coverage, or by a column that --column
names: numbers on a scale, texts and dates in a colour for each of the 12 most frequent. Of a table with more than 50,000 rows it draws a sample. It
reads in a read-only transaction; the table need not be loadgrid's. The sample is even in
space where neighbours in the primary key are neighbours in space, as in loadgrid's tables;
each cell of it is drawn larger, for those that are left out.`,
		Example: `  loadgrid preview --table france_1km
  loadgrid preview --table stats.grid --column population --out population.svg`,
		Args: noArgs,
	}

	table := options.Table{
		{Name: "table", Value: options.Parsed(o.parseTable), Help: "the table to draw, `[SCHEMA.]NAME`"},
		{Name: "column", Value: options.Text(&o.column, "the name is empty"), Help: "`column` that the colours show, of numbers, texts, dates or boolean; left out, coverage where there is one"},
		{Name: "out", Value: pictureFile(&o.out.file), Default: o.out.file, Help: "`file` for the picture, .png or .svg"},
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
			return usageError{errors.New("preview needs a table to draw: name it with --table [SCHEMA.]NAME")}
		}
		return runPreview(cmd.Context(), o, streamsOf(cmd))
	}

	return cmd
}

// previewOptions say what is drawn, and where.
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

	if p.Column == "coverage" && low <= high { // the same colours in each picture; of loadgrid's, none lies beyond
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
			if value = 0.5; high > low {
				value = (*c.Value - low) / (high - low)
			}
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

// categories gives the map a legend of the most frequent texts, and returns the number of each text's
// category.
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
		m.Categories.Other = formatCount(int64(rest)) + " others"
	}

	numbers := map[string]int{}
	for i, text := range texts {
		if i < picture.MaxCategories {
			m.Categories.Values = append(m.Categories.Values, oneLine(text))
		}
		numbers[text] = min(i, picture.MaxCategories) + 1
	}

	return numbers
}

// sampleFactor returns how many times as large each cell of a sample is drawn, so that it fills the room of those that
// are left out, and how many times as large again it would fill the gaps. The cell in the middle of a block lies half a
// cell beside the middle. Cells drawn by lot leave larger gaps.
func sampleFactor(p *preview.Preview) (factor, gaps float64) {
	if !p.Sample {
		return 1, 0
	}

	factor = math.Sqrt(float64(p.Rows) / float64(len(p.Cells)))
	if p.Even {
		return factor, 1 + 1/factor
	}
	return factor, 3.2
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
