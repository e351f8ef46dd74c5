// Package plan turns a job into a Plan: its cells, the chunks that are loaded one by one, the rows of a chunk as
// bytes of binary COPY, and estimates. A Plan is immutable.
package plan

import (
	"context"
	"errors"
	"math"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/loader/crs"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/rows"
)

// Plan is a checked job with its cells, and the chunks in which they are loaded.
type Plan struct {
	Job   job.Job       // with its defaults
	Cells geomgen.Range // the rectangle of columns and rows around all cells
	// Rows is the number of cells, or of pairs. If Exact is false, it is an estimate of Approximate.
	Rows   int64
	Chunks int64 // number of chunks
	// Method is how the rows get into the table, Streams the number of connections that load them, and Reason
	// explains both choices.
	Method  Method
	Streams int
	Reason  string
	// CRS is what is known of the grid's CRS: see WithCRS.
	CRS         crs.CRS
	selection   cellSelection
	layout      rows.Layout
	server      Server // valid if serverKnown: see Server
	serverKnown bool
}

// Chunk is a contiguous range of cell_id with its exact number of rows. It is the unit of transactions, resuming
// and retries.
type Chunk struct {
	No          int64 // from 0
	First, Last int64 // first and last cell_id
	Rows        int64
}

// New checks a job and plans it. It needs no server. If the job is wrong, the error is a *geomgen.ParamError or a
// *job.SQLError. If only a server can prepare its area of interest, the error is a *NeedsServerError: see
// loader.PlanOn.
func New(ctx context.Context, j job.Job) (*Plan, error) {
	p, needs, err := WithoutServer(ctx, j)
	if needs != nil {
		return nil, needs
	}

	return p, err
}

// estimateBlocks is how many blocks of cells Approximate visits before it estimates. That takes half a second,
// and is a little less than a million cells at the edge of an area need.
const estimateBlocks = 500_000

// Approximate is WithoutServer for callers that need only an estimate. It ends soon however small the cells are:
// if counting them would take long, the plan's rows, and all that follows from them, are an estimate: see Exact.
// Such a plan cannot be written. RunPlan counts its cells first.
func Approximate(ctx context.Context, j job.Job) (p *Plan, needs *NeedsServerError, err error) {
	p, err = planCells(ctx, j.WithDefaults(), estimateBlocks)
	if errors.As(err, &needs) {
		return nil, needs, nil
	}

	return p, nil, err
}

// Exact reports whether Rows is exact. If not, the number is between the RowBounds, and chunks begin and end near
// the given positions.
func (p *Plan) Exact() bool {
	least, most := p.selection.Bounds()
	return least == most
}

// RowBounds returns the least and the most that the number of rows can be.
func (p *Plan) RowBounds() (least, most int64) { return p.selection.Bounds() }

// WithoutServer is New for callers that have a server. It returns either the plan, or why planning the job needs
// a server, or an error.
func WithoutServer(ctx context.Context, j job.Job) (p *Plan, needs *NeedsServerError, err error) {
	p, err = planCells(ctx, j.WithDefaults(), math.MaxInt)
	if errors.As(err, &needs) {
		return nil, needs, nil
	}

	return p, nil, err
}

// planCells plans a job that has its defaults. It estimates the cells if counting them takes more than the given
// number of blocks.
func planCells(ctx context.Context, j job.Job, blocks int) (*Plan, error) {
	if err := j.Validate(); err != nil {
		return nil, err
	}

	choice, err := selectCells(ctx, j, blocks)
	if err != nil {
		return nil, err
	}

	if choice.placed != nil {
		j.Area = choice.placed
	}

	if choice.features != nil {
		j = j.WithTypes(choice.placed.Layer.Types)
	}

	layout, err := rows.NewLayout(j, choice.Range(), choice.features)
	if err != nil {
		return nil, err
	}

	p := &Plan{Job: j, Cells: choice.Range(), Rows: choice.Count(), CRS: knownCRS(j.Grid.SRID), selection: choice, layout: layout}
	if err := p.chooseChunks(); err != nil {
		return nil, err
	}

	return p, nil
}

// Contains reports whether the plan includes a cell.
func (p *Plan) Contains(c geomgen.Cell) bool {
	return p.selection.Contains(c)
}

// ContainsPair reports whether a plan of pairs includes the pair of a cell and a feature. Features are numbered
// from 0.
func (p *Plan) ContainsPair(c geomgen.Cell, feature int32) bool {
	return p.selection.Contains(c) && p.selection.features.Layer().Contains(c, feature)
}

// FeatureNames returns the names of the features of a plan of pairs, as text, in order.
func (p *Plan) FeatureNames() []string {
	names := make([]string, len(p.Job.Area.Layer.Features))
	for i, f := range p.Job.Area.Layer.Features {
		names[i] = feature.TextOf(f.Values[0])
	}
	return names
}

// Blocks calls visit for each block of a level that contains cells of the plan; level 0 is the cells. Blocks come
// in loading order, with the number of cells in the block and the number of cells before it.
func (p *Plan) Blocks(level uint8, visit func(b geomgen.Block, before, count int64)) {
	p.selection.Blocks(level, visit)
}

// Middle returns a cell from the middle of the load. If there is a cell at the edge of the area nearby, it
// returns that one.
func (p *Plan) Middle() geomgen.Cell {
	middle, _ := geomgen.CellOf(p.selection.At(p.Rows / 2))
	if p.selection.area == nil {
		return middle
	}

	w := p.selection.Walk(p.selection.At(p.Rows/2), geomgen.MaxID)

	for range 100_000 {
		b, ok := w.Next()
		if !ok {
			break
		}

		if w.Edge() {
			return geomgen.Cell{Col: b.Col, Row: b.Row}
		}
	}

	return middle
}

// minChunkRows is the number of rows below which a separate transaction costs more than a second stream saves.
const minChunkRows = 50_000

// chunkCount returns the number of chunks: as few as the limit on their rows allows, but enough to keep all
// streams busy until the end.
func chunkCount(rows, chunkRows, streams int64) int64 {
	n := (rows-1)/chunkRows + 1
	if least := min(streams, (rows-1)/minChunkRows+1); n < least {
		n = least
	}

	// With few chunks, the other streams would wait for one that has a chunk more.
	if rest := n % streams; n > streams && n < 8*streams && rest != 0 {
		n = min(n+streams-rest, rows)
	}

	return n
}

// Chunk returns chunk i, from 0 to p.Chunks-1. The numbers of rows of two chunks differ by at most one. For
// pairs, they differ by at most the rows of a cell, which is never divided.
func (p *Plan) Chunk(i int64) Chunk {
	start, end := p.chunkStart(i), p.chunkStart(i+1)
	c := Chunk{No: i, First: p.selection.At(start), Last: p.selection.At(end - 1), Rows: end - start}
	if !p.Job.Pairs() {
		return c
	}

	_, start = p.selection.CellAt(start)
	if end < p.Rows {
		var next int64
		next, end = p.selection.CellAt(end)
		c.Last = next - 1
	}
	c.Rows = end - start

	return c
}

// chunkStart returns how many rows come before chunk i if rows can be divided anywhere.
func (p *Plan) chunkStart(i int64) int64 { return i*(p.Rows/p.Chunks) + min(i, p.Rows%p.Chunks) }

// NewRows returns the rows of a chunk of p: see rows.New.
func (p *Plan) NewRows(ctx context.Context, c Chunk) *rows.Rows {
	return rows.New(ctx, p.layout, p.selection.Selection, p.selection.area, c.First, c.Last)
}

// NewFirstRows returns the first n rows of p, n from 1 to p.Rows. For pairs, it includes all rows of the last
// cell.
func (p *Plan) NewFirstRows(ctx context.Context, n int64) *rows.Rows {
	return p.NewRows(ctx, Chunk{First: p.selection.At(0), Last: p.selection.At(n - 1), Rows: n})
}

// Bounds returns the range of cell_id of a chunk's partition: from its first cell up to, and excluding, the first
// cell of the next. There are no gaps between partitions.
func (p *Plan) Bounds(c Chunk) (from, to int64) {
	if c.No == p.Chunks-1 {
		return c.First, c.Last + 1
	}
	return c.First, p.Chunk(c.No + 1).First
}

// RowBytes returns the size of a row in binary COPY in bytes. It is the size with the longest code, and with a
// whole cell if cells are clipped.
func (p *Plan) RowBytes() int {
	return p.layout.Most()
}
