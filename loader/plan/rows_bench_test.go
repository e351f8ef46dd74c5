package plan

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/ewkb"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/job"
	copyrows "github.com/loadgrid/loadgrid/loader/rows"
)

func benchPlan(b *testing.B) *Plan {
	b.Helper()
	p, err := New(b.Context(), job.Job{
		Table: job.Table{Name: "grid"}, Grid: geomgen.Grid{DX: 1000, DY: 1000, SRID: 3035},
		Extent: &geomgen.Box{XMin: 900000, YMin: 900000, XMax: 7400000, YMax: 5500000},
	})
	if err != nil {
		b.Fatal(err)
	}

	return p
}

// BenchmarkRow measures a complete row of binary COPY: walking the curve, ids, coordinates, and writing the bytes
// into a buffer like the driver's. One operation is one row. With -cpu 1,2 it runs on one core, then on two.
func BenchmarkRow(b *testing.B) {
	p := benchPlan(b)
	b.SetBytes(int64(p.RowBytes()))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		buf := make([]byte, copyrows.DriverBuffer)
		rows := p.NewRows(context.Background(), Chunk{Last: geomgen.MaxID})
		due := int64(0) // rows that the benchmark has counted

		for pb.Next() {
			if due++; due <= rows.Generated() {
				continue
			}

			if _, err := rows.Read(buf); err != nil {
				rows = p.NewRows(context.Background(), Chunk{Last: geomgen.MaxID})
				due = 0
			}
		}
	})
}

// BenchmarkGoGeomEncode is the reference encoder on the same cells: only the geometry, without ids, order or
// COPY.
func BenchmarkGoGeomEncode(b *testing.B) {
	g := benchPlan(b).Job.Grid
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		c := geomgen.Cell{Col: 900, Row: 900}
		for pb.Next() {
			c.Col++
			box := g.Bounds(c)
			poly := geom.NewPolygonFlat(geom.XY, []float64{
				box.XMax, box.YMin, box.XMax, box.YMax, box.XMin, box.YMax, box.XMin, box.YMin, box.XMax, box.YMin,
			}, []int{10}).SetSRID(int(g.SRID))
			if _, err := ewkb.Marshal(poly, binary.LittleEndian); err != nil {
				b.Fatal(err)
			}
		}
	})
}
