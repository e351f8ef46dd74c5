// Package plan owns what a job comes to: its cells, the chunks in which they go out,
// the rows of a chunk as bytes of binary COPY, and estimates. A Plan is immutable.
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

// Plan is what a job comes to: its cells, and the chunks in which they go out.
type Plan struct {
	Job   job.Job       // with its defaults filled in
	Cells geomgen.Range // a rectangle of columns and rows that all cells lie in
	// Rows says how many cells they are: of a plan of Approximate about how many, where
	// Exact says so.
	Rows   int64
	Chunks int64 // in how many chunks they go out
	// Method is how they get into the table, Streams over how many connections,
	// and Reason says what spoke for that.
	Method  Method
	Streams int
	Reason  string
	// CRS is what is known of the grid's CRS: see WithCRS.
	CRS         crs.CRS
	selection   cellSelection
	layout      rows.Layout
	server      Server // what serverKnown says was asked: see Server
	serverKnown bool
}

// Chunk is a contiguous range of cell_id with its exact number of rows: the unit
// of one transaction, of resume and of retry.
type Chunk struct {
	No          int64 // from 0
	First, Last int64 // the first and the last cell_id
	Rows        int64
}

// New checks a job and plans it. Nothing is asked of a server. The error of
// a wrong job is a *geomgen.ParamError or a *job.SQLError, and that of an area of interest
// that a server must make ready first a *NeedsServerError: see loader.PlanOn.
func New(ctx context.Context, j job.Job) (*Plan, error) {
	p, needs, err := WithoutServer(ctx, j)
	if needs != nil {
		return nil, needs
	}

	return p, err
}

// estimateBlocks is how many blocks of cells Approximate looks at before it estimates. A
// million cells at the edge of an area take some more; so many blocks take half a second.
const estimateBlocks = 500_000

// Approximate is WithoutServer for a caller who only wants to know about how much there is
// to do. It ends soon however small the cells are: where they are too many to be
// counted soon, the plan's rows are an estimate, and so is all that follows from them:
// see Exact. Such a plan cannot be written; RunPlan counts its cells first.
func Approximate(ctx context.Context, j job.Job) (p *Plan, needs *NeedsServerError, err error) {
	p, err = planCells(ctx, j.WithDefaults(), estimateBlocks)
	if errors.As(err, &needs) {
		return nil, needs, nil
	}

	return p, nil, err
}

// Exact tells whether Rows is exact. If not, it lies between the RowBounds, and chunks
// begin and end about where they say.
func (p *Plan) Exact() bool {
	least, most := p.selection.Bounds()
	return least == most
}

// RowBounds returns what the number of rows lies between.
func (p *Plan) RowBounds() (least, most int64) { return p.selection.Bounds() }

// WithoutServer is New for a caller that has a server. It returns either the plan, or what
// a server is needed for before the job can be planned, or an error.
func WithoutServer(ctx context.Context, j job.Job) (p *Plan, needs *NeedsServerError, err error) {
	p, err = planCells(ctx, j.WithDefaults(), math.MaxInt)
	if errors.As(err, &needs) {
		return nil, needs, nil
	}

	return p, nil, err
}

// planCells plans a job that has its defaults. Beyond so many blocks its cells are
// estimated.
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

// Contains tells whether a cell is one of the plan's.
func (p *Plan) Contains(c geomgen.Cell) bool {
	return p.selection.Contains(c)
}

// ContainsPair tells whether a pair of a cell and a feature, from 0, is one of those of a plan of pairs.
func (p *Plan) ContainsPair(c geomgen.Cell, feature int32) bool {
	return p.selection.Contains(c) && p.selection.features.Layer().Contains(c, feature)
}

// FeatureNames returns the names of the features of a plan of pairs, as texts, in their order.
func (p *Plan) FeatureNames() []string {
	names := make([]string, len(p.Job.Area.Layer.Features))
	for i, f := range p.Job.Area.Layer.Features {
		names[i] = feature.TextOf(f.Values[0])
	}
	return names
}

// Blocks calls visit for each block of a level, 0 for cells, that has cells of the
// plan in it, in the order in which they are loaded, with how many are in it and
// how many come before.
func (p *Plan) Blocks(level uint8, visit func(b geomgen.Block, before, count int64)) {
	p.selection.Blocks(level, visit)
}

// Middle returns a cell from the middle of the load: the next at the edge of the
// area, where there is one near.
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

// minChunkRows is the number of rows below which a transaction of its own costs
// more than a second stream saves.
const minChunkRows = 50_000

// chunkCount returns the number of chunks: as few as the bound on their rows
// allows, but enough to keep all streams at work to the end.
func chunkCount(rows, chunkRows, streams int64) int64 {
	n := (rows-1)/chunkRows + 1
	if least := min(streams, (rows-1)/minChunkRows+1); n < least {
		n = least
	}

	// With few chunks a stream that has one more than the others is waited for.
	if rest := n % streams; n > streams && n < 8*streams && rest != 0 {
		n = min(n+streams-rest, rows)
	}

	return n
}

// Chunk returns the i-th chunk, i from 0 to p.Chunks-1. The rows of two chunks
// differ by one at most; of pairs by those of a cell, which is never divided.
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

// chunkStart returns how many rows come before the i-th chunk, where rows can be divided anywhere.
func (p *Plan) chunkStart(i int64) int64 { return i*(p.Rows/p.Chunks) + min(i, p.Rows%p.Chunks) }

// NewRows returns the rows of a chunk of p: see rows.New.
func (p *Plan) NewRows(ctx context.Context, c Chunk) *rows.Rows {
	return rows.New(ctx, p.layout, p.selection.Selection, p.selection.area, c.First, c.Last)
}

// NewFirstRows returns the first n rows of p, n from 1 to p.Rows: of pairs all of the last cell.
func (p *Plan) NewFirstRows(ctx context.Context, n int64) *rows.Rows {
	return p.NewRows(ctx, Chunk{First: p.selection.At(0), Last: p.selection.At(n - 1), Rows: n})
}

// Bounds returns the range of cell_id that the partition of a chunk is for: from
// its first cell to before that of the next, so that no id between two
// partitions has no place.
func (p *Plan) Bounds(c Chunk) (from, to int64) {
	if c.No == p.Chunks-1 {
		return c.First, c.Last + 1
	}
	return c.First, p.Chunk(c.No + 1).First
}

// RowBytes returns the size of a row in binary COPY, in bytes: where codes differ in
// length, of the longest; of a whole cell where those at the edge are cut.
func (p *Plan) RowBytes() int {
	return p.layout.Most()
}
