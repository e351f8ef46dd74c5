package plan

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"testing"

	"github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/ewkb"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/job"
)

// What a fuzzed job asks for, one bit each.
const (
	withArea = 1 << iota
	withExtent
	withCoverage
	withClip
	withCentres
	withCode
	withConstant
	withRule
	withOtherRule
	inPartitions
	inChunks
)

// fuzzedJob returns a job with a few thousand cells at most. It need not be valid.
func fuzzedJob(grid uint8, asks uint16, x, y int16, cols, rows uint8, ring []byte, parts uint16, streams uint8) job.Job {
	grids := []geomgen.Grid{
		{DX: 1, DY: 1}, {X0: 0.1, Y0: -7, DX: 0.1, DY: 0.3, SRID: 4326}, {X0: 5000, DX: 250, DY: 250, SRID: 3035},
		{DX: 1, DY: 2, Rotate: 30}, {DX: 1, DY: 1, Shape: geomgen.HexagonFlat}, {DX: 0.7, DY: 0.7, Shape: geomgen.HexagonPointy, Rotate: -11},
		geomgen.Tiles(6), geomgen.Tiles(0),
	}

	j := job.Job{Table: job.Table{Name: "grid"}, Grid: grids[int(grid)%len(grids)], Streams: int(streams % 9)}
	g, ask := j.Grid, func(bit uint16) bool { return asks&bit != 0 }
	at := func(col, row float64) geomgen.Point { return geomgen.Point{X: g.X0 + col*g.DX, Y: g.Y0 + row*g.DY} }
	if ask(withArea) {
		var points []geomgen.Point
		for i := 0; i+1 < min(len(ring), 64); i += 2 {
			points = append(points, at(float64(int8(ring[i]))/3, float64(int8(ring[i+1]))/3))
		}

		if len(points) > 0 {
			points = append(points, points[0])
		}

		j.Area = &aoi.Area{Polygons: []geomgen.Polygon{{points}}}
		if ask(withRule) {
			j.Area.Rule = geomgen.Within
		} else if ask(withOtherRule) {
			j.Area.Rule = geomgen.Centroid
		}
	}

	if ask(withExtent) {
		lower := at(float64(x%256)/4, float64(y%256)/4)
		j.Extent = &geomgen.Box{XMin: lower.X, YMin: lower.Y, XMax: lower.X + float64(cols)/4*g.DX, YMax: lower.Y + float64(rows)/4*g.DY}
	} else {
		j.Cols, j.Rows = int64(cols%80), int64(rows%80)
	}

	j.Coverage, j.Clip = ask(withCoverage), ask(withClip)
	if ask(withCentres) {
		j.Geometry = geomgen.AsPoint
	}

	if ask(withConstant) {
		j.Set = []job.Constant{{Name: "year", Type: "integer", Value: "2026"}}
	}

	if ask(withCode) {
		j.Code = geomgen.INSPIREShort
		if g.Shape == geomgen.XYZ {
			j.Code = geomgen.Quadkey
		}
	}

	if ask(inPartitions) {
		j.Partitions = int(parts % 257)
	}

	if ask(inChunks) {
		j.ChunkRows = int64(parts)
	}

	return j
}

// FuzzPlan plans jobs and generates their rows. Chunks are contiguous and in order, and together they are the
// plan's rows. The rows are exactly the cells that a test of each single cell selects, in the order of cell_id,
// with the right contents.
func FuzzPlan(f *testing.F) {
	ring := []byte{0xe0, 0xe0, 60, 0xe8, 40, 50, 5, 9, 0xf0, 40}
	for grid := range uint8(8) {
		for _, asks := range []uint16{
			0, withExtent | inPartitions, inChunks | withConstant | withCode, withArea | withExtent | withCoverage | withClip,
			withArea | withRule | withCentres | inChunks, withArea | withOtherRule | withCoverage | withCode | withExtent, withArea | withClip | withConstant,
		} {
			f.Add(grid, asks, int16(-9), int16(3), uint8(77), uint8(101), ring, uint16(37), uint8(3))
		}
	}

	f.Fuzz(func(t *testing.T, grid uint8, asks uint16, x, y int16, cols, rows uint8, ring []byte, parts uint16, streams uint8) {
		job := fuzzedJob(grid, asks, x, y, cols, rows, ring, parts, streams)
		p, err := New(t.Context(), job)
		if err != nil {
			var param *geomgen.ParamError
			if !errors.As(err, &param) || param.Reason == "" {
				t.Fatalf("the error is %v", err)
			}

			return
		}

		ids := idsOfJob(t, p.Job)
		if p.Rows != int64(len(ids)) || p.Chunks < 1 || p.Streams < 1 {
			t.Fatalf("%d rows in %d chunks over %d streams, want %d rows", p.Rows, p.Chunks, p.Streams, len(ids))
		}

		next, bound := int64(0), ids[0]

		for i := range p.Chunks {
			c := p.Chunk(i)
			if c.No != i || c.Rows < 1 || next+c.Rows > p.Rows || c.First != ids[next] || c.Last != ids[next+c.Rows-1] {
				t.Fatalf("chunk %d of %d is %+v, behind %d of %d rows", i, p.Chunks, c, next, p.Rows)
			}

			from, to := p.Bounds(c)
			if from != bound || from > c.First || to <= c.Last {
				t.Fatalf("the partition of %+v is for %d to %d, behind %d", c, from, to, bound)
			}

			checkChunk(t, p, c, ids[next:next+c.Rows])
			next, bound = next+c.Rows, to
		}

		if next != p.Rows {
			t.Fatalf("the chunks have %d rows, want %d", next, p.Rows)
		}
	})
}

// idsOfJob returns the cell_ids of a job by testing each candidate cell.
func idsOfJob(t *testing.T, job job.Job) []int64 {
	t.Helper()
	r, masks, err := frame(job)
	if err != nil {
		t.Fatal(err)
	}

	if job.Area != nil {
		m, err := geomgen.NewMask(job.Grid, job.Area.Polygons, job.Area.Rule)
		if err != nil {
			t.Fatal(err)
		}

		masks = append(masks, m)
	}

	r = r.Intersect(geomgen.Range{MinCol: -256, MinRow: -256, MaxCol: 256, MaxRow: 256})
	var ids []int64

	for row := r.MinRow; row < r.MaxRow; row++ {
		for col := r.MinCol; col < r.MaxCol; col++ {
			c := geomgen.Cell{Col: col, Row: row}
			if !slices.ContainsFunc(masks, func(m *geomgen.Mask) bool { return !m.Contains(c) }) {
				ids = append(ids, geomgen.CellID(c))
			}
		}
	}

	slices.Sort(ids)

	return ids
}

func checkChunk(t *testing.T, p *Plan, c Chunk, ids []int64) {
	t.Helper()
	rows := p.NewRows(context.Background(), c)
	b, err := io.ReadAll(rows)
	if err != nil {
		t.Fatal(err)
	}

	list := decodeCopy(t, b)
	if len(list) != len(ids) || rows.Generated() != c.Rows {
		t.Fatalf("%+v has %d rows, %d of them generated", c, len(list), rows.Generated())
	}

	for i, row := range list {
		if cell, _ := geomgen.CellOf(ids[i]); row.id != ids[i] || row.cell != cell {
			t.Fatalf("row %d of %+v is %+v, want cell %d", i, c, row, ids[i])
		}

		checkRow(t, p, row)
	}
}

// checkRow checks the geometry, constants, code and coverage of a row.
func checkRow(t *testing.T, p *Plan, row copyRow) {
	t.Helper()
	if want := len(p.Job.Columns()) - 4; len(row.constants) != want {
		t.Fatalf("a row has %d columns behind the geometry, want %d", len(row.constants), want)
	}

	values, job := row.constants, p.Job
	if len(job.Set) > 0 {
		if !bytes.Equal(values[0], []byte{0, 0, 7, 234}) {
			t.Fatalf("the constant is %x", values[0])
		}

		values = values[1:]
	}

	if job.Code != "" {
		coder, err := geomgen.NewCoder(job.Grid, job.Code, job.CodeOrder)
		if err != nil || string(values[0]) != string(coder.Append(nil, row.cell)) {
			t.Fatalf("the code of %v is %s, %v", row.cell, values[0], err)
		}

		values = values[1:]
	}

	share := 1.0
	if job.Coverage {
		share = float64(math.Float32frombits(binary.BigEndian.Uint32(values[0])))
	}

	g, err := ewkb.Unmarshal(row.geom)
	if err != nil || g.SRID() != int(job.Grid.SRID) {
		t.Fatalf("the geometry of %v: %v", row.cell, err)
	}

	switch g := g.(type) {
	case *geom.Point:
		if centre := job.Grid.Centre(row.cell); job.Geometry != geomgen.AsPoint || g.X() != centre.X || g.Y() != centre.Y {
			t.Fatalf("the centre of %v is %v", row.cell, g.FlatCoords())
		}
	case *geom.Polygon:
		if job.Geometry != geomgen.AsPolygon || g.NumCoords() != job.Grid.Shape.Corners()+1 {
			t.Fatalf("cell %v is %v", row.cell, g.FlatCoords())
		}
	case *geom.MultiPolygon:
		if !job.Clip || job.Coverage && (g.NumPolygons() == 0) != (share == 0) {
			t.Fatalf("the part of %v, %v of it, is %v", row.cell, share, g.FlatCoords())
		}
	}

	if !(share >= 0 && share <= 1) || share < 1 && job.Area.Rule == geomgen.Within {
		t.Fatalf("the coverage of %v is %v", row.cell, share)
	}
}
