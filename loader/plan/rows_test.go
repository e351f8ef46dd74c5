package plan

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"testing"
	"testing/iotest"

	"github.com/twpayne/go-geom/encoding/ewkb"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/oracle"
	"github.com/loadgrid/loadgrid/internal/testrand"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/job"
	copyrows "github.com/loadgrid/loadgrid/loader/rows"
)

// copyRow is a row of binary COPY, decoded.
type copyRow struct {
	id        int64
	cell      geomgen.Cell
	geom      []byte
	constants [][]byte
}

// decodeCopy reads a complete binary COPY, field by field.
func decodeCopy(t *testing.T, b []byte) []copyRow {
	t.Helper()
	if !bytes.HasPrefix(b, []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")) {
		t.Fatalf("header %q", b[:min(len(b), 19)])
	}

	b = b[19:]
	var rows []copyRow

	for {
		fields := int16(binary.BigEndian.Uint16(b))
		b = b[2:]
		if fields == -1 {
			break
		}

		var values [][]byte

		for range fields {
			n := binary.BigEndian.Uint32(b)
			values = append(values, b[4:4+n])
			b = b[4+n:]
		}

		rows = append(rows, copyRow{
			id:        int64(binary.BigEndian.Uint64(values[0])),
			cell:      geomgen.Cell{Col: int32(binary.BigEndian.Uint32(values[1])), Row: int32(binary.BigEndian.Uint32(values[2]))},
			geom:      values[3],
			constants: values[4:],
		})
	}

	if len(b) != 0 {
		t.Fatalf("%d bytes follow the trailer", len(b))
	}

	return rows
}

func everything(p *Plan) Chunk {
	return Chunk{Last: geomgen.MaxID, Rows: p.Rows}
}

func TestRowsAreTheCells(t *testing.T) {
	job := job.Job{
		Table: job.Table{Name: "t"}, Grid: geomgen.Grid{X0: 0.25, Y0: -7, DX: 0.1, DY: 3, SRID: 4326},
		Extent: &geomgen.Box{XMin: -3, YMin: -40, XMax: 4, YMax: 55},
		Set:    []job.Constant{{Name: "year", Type: "integer", Value: "2026"}, {Name: "source", Type: "", Value: "größe"}},
	}

	p, err := New(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}

	r := p.NewRows(context.Background(), everything(p))
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}

	rows := decodeCopy(t, b)
	if int64(len(rows)) != p.Rows || r.Generated() != p.Rows {
		t.Fatalf("%d rows decoded, %d generated, %d planned", len(rows), r.Generated(), p.Rows)
	}

	if want := 19 + len(rows)*p.RowBytes() + 2; len(b) != want {
		t.Errorf("%d bytes, want %d", len(b), want)
	}

	last := int64(-1)

	for _, row := range rows {
		if row.id <= last || row.id != geomgen.CellID(row.cell) || !p.Cells.Contains(row.cell) {
			t.Fatalf("row %+v after cell_id %d", row, last)
		}

		last = row.id
		if want := geomgen.AppendBox(nil, job.Grid.Bounds(row.cell), 4326); !bytes.Equal(row.geom, want) {
			t.Fatalf("cell %v: got %x, want %x", row.cell, row.geom, want)
		}

		g, err := ewkb.Unmarshal(row.geom)
		if err != nil || g.SRID() != 4326 {
			t.Fatalf("cell %v does not decode: %v", row.cell, err)
		}

		if len(row.constants) != 2 || !bytes.Equal(row.constants[0], []byte{0, 0, 7, 234}) || string(row.constants[1]) != "größe" {
			t.Fatalf("constants %q", row.constants)
		}
	}
}

// Buffers of any size, even of one byte, must give the same bytes, and all buffers except the last must be full.
func TestReadFillsItsBuffer(t *testing.T) {
	p, err := New(t.Context(), unitJob(37, 23))
	if err != nil {
		t.Fatal(err)
	}

	want, err := io.ReadAll(p.NewRows(context.Background(), everything(p)))
	if err != nil {
		t.Fatal(err)
	}

	for _, size := range []int{1, 2, 18, 19, 20, 126, 127, 128, 129, 1000, copyrows.DriverBuffer} {
		r := p.NewRows(context.Background(), everything(p))
		var got []byte
		buf := make([]byte, size)

		for {
			n, err := r.Read(buf)
			got = append(got, buf[:n]...)
			if err == io.EOF {
				break
			}

			if err != nil {
				t.Fatal(err)
			}

			if n < size && len(got) != len(want) {
				t.Fatalf("a buffer of %d bytes got %d at byte %d", size, n, len(got))
			}
		}

		if !bytes.Equal(got, want) {
			t.Fatalf("buffers of %d bytes give other bytes", size)
		}
	}

	if err := iotest.TestReader(p.NewRows(context.Background(), everything(p)), want); err != nil {
		t.Error(err)
	}
}

func TestChunksJoinToTheWhole(t *testing.T) {
	rng := testrand.New(t, 101)
	for range 30 {
		job := unitJob(1+rng.Int64N(60), 1+rng.Int64N(60))
		job.Grid.SRID = 3857 * rng.Int32N(2)
		job.ChunkRows = 1 + rng.Int64N(400)
		p, err := New(t.Context(), job)
		if err != nil {
			t.Fatal(err)
		}

		whole, _ := io.ReadAll(p.NewRows(context.Background(), everything(p)))
		joined := []byte(copyrows.CopyHeader)

		for i := range p.Chunks {
			part, err := io.ReadAll(p.NewRows(context.Background(), p.Chunk(i)))
			if err != nil {
				t.Fatal(err)
			}

			joined = append(joined, part[len(copyrows.CopyHeader):len(part)-len(copyrows.CopyTrailer)]...)
		}

		if joined = append(joined, copyrows.CopyTrailer...); !bytes.Equal(joined, whole) {
			t.Fatalf("%d chunks of %+v do not join to the whole", p.Chunks, job)
		}
	}
}

func TestReadReturnsTheContextsError(t *testing.T) {
	p, err := New(t.Context(), unitJob(1000, 800))
	if err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	r := p.NewRows(ctx, everything(p))
	if _, err := r.Read(make([]byte, copyrows.DriverBuffer)); err != nil {
		t.Fatal(err)
	}

	cancel()
	if n, err := r.Read(make([]byte, copyrows.DriverBuffer)); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("got %d, %v, want the context's error", n, err)
	}
}

func TestARowAllocatesNothing(t *testing.T) {
	// A ring whose edge runs through many cells.
	var ring []geomgen.Point
	for i := range 5000 {
		a := 2 * math.Pi * float64(i) / 5000
		r := 1500 + 300*math.Sin(900*a)
		ring = append(ring, geomgen.Point{X: 2000 + r*math.Cos(a), Y: 2000 + r*math.Sin(a)})
	}

	area := &aoi.Area{Polygons: []geomgen.Polygon{{append(ring, ring[0])}}}
	square := geomgen.Grid{DX: 1, DY: 1}
	l := &aoi.Layer{Types: []string{"text"}}
	for i, polygons := range oracle.Honeycomb(testrand.New(t, 5), geomgen.Point{}, 80, 50) {
		l.Features = append(l.Features, aoi.LayerFeature{Polygons: polygons, Values: []aoi.Value{fmt.Sprint("district ", i)}})
	}
	districts, name := &aoi.Area{Polygons: area.Polygons, Layer: l}, job.Attribute{Name: "name"}

	for name, j := range map[string]job.Job{
		"squares":    unitJob(4000, 4000),
		"hexagons":   {Grid: geomgen.Grid{DX: 1, DY: 1, Shape: geomgen.HexagonFlat, Rotate: 20}, Cols: 4000, Rows: 4000},
		"codes":      {Grid: geomgen.Grid{DX: 1, DY: 1, SRID: 3035}, Cols: 4000, Rows: 4000, Code: geomgen.INSPIRE},
		"quadkeys":   {Grid: geomgen.Tiles(12), Code: geomgen.Quadkey, Geometry: geomgen.AsPoint},
		"an area":    {Grid: square, Area: area},
		"coverage":   {Grid: square, Area: area, Coverage: true, Clip: true},
		"attributes": {Grid: square, Area: districts, Attributes: []job.Attribute{name}},
		"attributes at centres, of clipped cells with codes": {Grid: geomgen.Grid{DX: 1, DY: 1, SRID: 3035}, Area: districts, Attributes: []job.Attribute{name},
			AttributeRule: geomgen.AtCentroid, Coverage: true, Clip: true, Code: geomgen.INSPIRE},
		"pairs":         {Grid: square, Area: districts, Each: name, Geometry: geomgen.AsNone},
		"clipped pairs": {Grid: square, Area: districts, Each: name, Clip: true},
	} {
		t.Run(name, func(t *testing.T) {
			j.Table = job.Table{Name: "grid"}
			p, err := New(t.Context(), j)
			if err != nil {
				t.Fatal(err)
			}

			r := p.NewRows(context.Background(), everything(p))
			buf := make([]byte, copyrows.DriverBuffer)

			for range 1000 { // until the buffers have grown to their final size
				_, _ = r.Read(buf)
			}

			if n := testing.AllocsPerRun(1000, func() { _, _ = r.Read(buf) }); n != 0 {
				t.Errorf("a Read of %d rows allocates %v times", copyrows.DriverBuffer/p.RowBytes(), n)
			}

			if r.Generated() >= p.Rows {
				t.Error("there were too few rows to tell")
			}
		})
	}
}
