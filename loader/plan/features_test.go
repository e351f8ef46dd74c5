package plan

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	geom "github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/ewkb"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/oracle"
	"github.com/loadgrid/loadgrid/internal/testrand"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/job"
	copyrows "github.com/loadgrid/loadgrid/loader/rows"
)

// fieldsOf decodes binary COPY into the fields of its rows; nil is NULL.
func fieldsOf(b []byte) (rows [][][]byte, err error) {
	b, ok := bytes.CutPrefix(b, []byte(copyrows.CopyHeader))
	if !ok {
		return nil, errors.New("there is no header")
	}

	for {
		n := int16(binary.BigEndian.Uint16(b))
		if b = b[2:]; n < 0 {
			break
		}

		row := make([][]byte, n)
		for i := range row {
			size := binary.BigEndian.Uint32(b)
			if b = b[4:]; size != math.MaxUint32 {
				row[i], b = b[:size:size], b[size:]
			}
		}
		rows = append(rows, row)
	}

	if len(b) > 0 {
		return nil, fmt.Errorf("%d bytes follow the trailer", len(b))
	}
	return rows, nil
}

// featureGrids returns a grid of each shape. Cells near the origin, or in the middle of the tiles, have codes if
// their shape supports them.
func featureGrids() map[string]job.Job {
	return map[string]job.Job{
		"squares":        {Grid: geomgen.Grid{DX: 100, DY: 100, SRID: 3035}, Code: geomgen.INSPIRE},
		"turned squares": {Grid: geomgen.Grid{DX: 80, DY: 120, SRID: 3035, Rotate: 20}},
		"hexagons":       {Grid: geomgen.Grid{DX: 100, DY: 100, SRID: 3035, Shape: geomgen.HexagonFlat}},
		"tiles":          {Grid: geomgen.Tiles(18), Code: geomgen.Quadkey},
	}
}

// districts returns features around a point of a grid. Some overlap, and one is empty. Some of their names and
// numbers are NULL. Some borders run along edges and through centres of cells.
func districts(rng *rand.Rand, g geomgen.Grid) *aoi.Layer {
	c := g.Centre(geomgen.Cell{Col: 40, Row: 40})
	unit := 3 * g.DX
	polygons := oracle.Honeycomb(rng, geomgen.Point{X: c.X - 3*unit, Y: c.Y - 3*unit}, unit, 5)
	polygons = append(polygons, nil, moved(oracle.Polygons(rng, g, false), c, g.Centre(geomgen.Cell{})))

	box := func(a, b geomgen.Point) []geomgen.Polygon {
		return []geomgen.Polygon{{{a, {X: b.X, Y: a.Y}, b, {X: a.X, Y: b.Y}, a}}}
	}
	edge := g.AppendCorners(nil, geomgen.Cell{Col: 40, Row: 40})
	polygons = append(polygons, box(c, g.Centre(geomgen.Cell{Col: 43, Row: 43})), box(edge[0], geomgen.Point{X: edge[0].X + 4*g.DX, Y: edge[0].Y + 4*g.DY}))

	rng.Shuffle(len(polygons), func(i, k int) { polygons[i], polygons[k] = polygons[k], polygons[i] })
	l := &aoi.Layer{Types: []string{"text", "bigint"}}
	for i, p := range polygons {
		f := aoi.LayerFeature{Polygons: p, Values: []aoi.Value{strings.Repeat("ä", i), int64(i)}}
		if i%5 == 4 {
			f.Values[1] = nil
		}
		l.Features = append(l.Features, f)
	}

	return l
}

// moved moves polygons by the distance between two points.
func moved(polygons []geomgen.Polygon, to, from geomgen.Point) []geomgen.Polygon {
	for _, p := range polygons {
		for _, ring := range p {
			for i, q := range ring {
				ring[i] = geomgen.Point{X: q.X + (to.X - from.X), Y: q.Y + (to.Y - from.Y)}
			}
		}
	}
	return polygons
}

// around returns an area that contains some of the grid's cells near districts.
func around(g geomgen.Grid, l *aoi.Layer) *aoi.Area {
	c := g.Centre(geomgen.Cell{Col: 40, Row: 40})
	w, h := 7.25*g.DX, 5.5*g.DY
	ring := []geomgen.Point{{X: c.X - w, Y: c.Y - h}, {X: c.X + w, Y: c.Y - h/2}, {X: c.X + w, Y: c.Y + h}, {X: c.X - w, Y: c.Y + h}, {X: c.X - w, Y: c.Y - h}}
	return &aoi.Area{Polygons: []geomgen.Polygon{{ring}}, Layer: l}
}

// judge computes in fractions what each row must contain.
type judge struct {
	j        job.Job
	area     *oracle.Area
	features []*oracle.Area
}

func newJudge(j job.Job) judge {
	o := judge{j: j, area: oracle.NewArea(j.Area.Polygons)}
	for _, f := range j.Area.Layer.Features {
		o.features = append(o.features, oracle.NewArea(f.Polygons))
	}
	return o
}

// owner returns the feature whose attributes a cell gets, or -1 for none.
func (o judge) owner(c geomgen.Cell) int {
	corners := o.j.Grid.AppendCorners(nil, c)
	best, most := -1, new(big.Rat)
	for i, f := range o.features {
		if o.j.AttributeRule == "" {
			if f.Selects(o.j.Grid, c, geomgen.Overlaps) {
				if share := f.Share(corners); share.Cmp(most) > 0 {
					best, most = i, share
				}
			}
		} else if o.j.AttributeRule == geomgen.AtCentroid && f.ContainsPoint(o.j.Grid.Centre(c)) ||
			o.j.AttributeRule == geomgen.First && f.Selects(o.j.Grid, c, o.j.Area.Rule) {
			return i
		}
	}

	for i, f := range o.features {
		if best < 0 && o.j.AttributeRule == "" && f.Selects(o.j.Grid, c, o.j.Area.Rule) {
			return i
		}
	}
	return best
}

// fieldNames maps the names of the fields of a row to their positions.
func fieldNames(j job.Job) map[string]int {
	at := map[string]int{}
	for i, name := range j.Columns() {
		at[name] = i
	}
	return at
}

// checkCommon checks what all rows have, and returns the row's cell.
func (o judge) checkCommon(row [][]byte, at map[string]int) (geomgen.Cell, error) {
	c := geomgen.Cell{Col: int32(binary.BigEndian.Uint32(row[1])), Row: int32(binary.BigEndian.Uint32(row[2]))}
	if id := int64(binary.BigEndian.Uint64(row[0])); id != geomgen.CellID(c) {
		return c, fmt.Errorf("cell %v has the id %d", c, id)
	}

	for _, s := range o.j.Set {
		want, err := s.Encode(nil)
		if err != nil || !bytes.Equal(row[at[s.Name]], want[4:]) {
			return c, fmt.Errorf("cell %v: %s is %q, %v", c, s.Name, row[at[s.Name]], err)
		}
	}

	if o.j.Code != "" {
		coder, err := geomgen.NewCoder(o.j.Grid, o.j.Code, o.j.CodeOrder)
		if err != nil {
			return c, err
		}
		if want := string(coder.Append(nil, c)); string(row[at["code"]]) != want {
			return c, fmt.Errorf("cell %v: the code is %q, want %q", c, row[at["code"]], want)
		}
	}

	return c, nil
}

// checkValues compares the attributes of a row with those of a feature, or -1 for none.
func (o judge) checkValues(row [][]byte, at map[string]int, c geomgen.Cell, feature int) error {
	want := map[string][]byte{}
	if feature >= 0 {
		values := o.j.Area.Layer.Features[feature].Values
		want["name"] = append([]byte{}, values[0].(string)...)
		if n, ok := values[1].(int64); ok {
			want["number"] = binary.BigEndian.AppendUint64(nil, uint64(n))
		}
	}

	for _, name := range []string{"name", "number"} {
		if got := row[at[name]]; (got == nil) != (want[name] == nil) || !bytes.Equal(got, want[name]) {
			return fmt.Errorf("cell %v: %s is %q, want %q of feature %d", c, name, got, want[name], feature)
		}
	}

	return nil
}

// checkGeometry checks that a geometry is a share of a cell with the right area, or the cell's centre.
func (o judge) checkGeometry(row [][]byte, at map[string]int, c geomgen.Cell, share float64) error {
	i, there := at["geom"]
	if !there {
		return nil
	}

	g, err := ewkb.Unmarshal(row[i])
	if err != nil {
		return err
	}

	corners := o.j.Grid.AppendCorners(nil, c)
	if p, ok := g.(*geom.Point); ok {
		if at := (geomgen.Point{X: p.X(), Y: p.Y()}); at != o.j.Grid.Centre(c) || o.j.Geometry != geomgen.AsPoint {
			return fmt.Errorf("cell %v has the point %v", c, at)
		}
		return nil
	}

	area := 0.0
	switch g := g.(type) {
	case *geom.Polygon:
		area, share = math.Abs(g.Area()), 1
	case *geom.MultiPolygon:
		area = math.Abs(g.Area())
	}

	cell := math.Abs(geomgen.RingArea(append(corners, corners[0])))
	if o.j.Clip != isMulti(g) || math.Abs(area-share*cell) > 1e-7*cell {
		return fmt.Errorf("cell %v has a %T of %v, want %v of %v", c, g, area, share, cell)
	}
	return nil
}

func isMulti(g geom.T) bool { _, ok := g.(*geom.MultiPolygon); return ok }

func double(b []byte) float64 { return math.Float64frombits(binary.BigEndian.Uint64(b)) }

// checkCell checks a row of a job without pairs.
func (o judge) checkCell(row [][]byte, at map[string]int, seen map[geomgen.Cell]bool) error {
	c, err := o.checkCommon(row, at)
	if err != nil {
		return err
	}
	if seen[c] {
		return fmt.Errorf("cell %v is there twice", c)
	}
	seen[c] = true

	if err := o.checkValues(row, at, c, o.owner(c)); err != nil {
		return err
	}

	share, _ := o.area.Share(o.j.Grid.AppendCorners(nil, c)).Float64()
	if i, there := at["coverage"]; there {
		if got := float64(math.Float32frombits(binary.BigEndian.Uint32(row[i]))); math.Abs(got-share) > 1e-6 {
			return fmt.Errorf("cell %v: the coverage is %v, want %v", c, got, share)
		}
	}

	return o.checkGeometry(row, at, c, share)
}

// checkPair checks a row of pairs.
func (o judge) checkPair(row [][]byte, at map[string]int, seen map[geomgen.Cell][]int) error {
	c, err := o.checkCommon(row, at)
	if err != nil {
		return err
	}

	feature := slices.IndexFunc(o.j.Area.Layer.Features, func(f aoi.LayerFeature) bool { return f.Values[0] == string(row[at["name"]]) })
	if feature < 0 || slices.Contains(seen[c], feature) {
		return fmt.Errorf("cell %v has a row for feature %d after %v", c, feature, seen[c])
	}
	seen[c] = append(seen[c], feature)

	if err := o.checkValues(row, at, c, feature); err != nil {
		return err
	}

	corners := o.j.Grid.AppendCorners(nil, c)
	share, _ := o.features[feature].Share(corners).Float64()
	cell, all := math.Abs(geomgen.RingArea(append(corners, corners[0]))), 0.0
	for _, p := range o.j.Area.Layer.Features[feature].Polygons {
		for i, ring := range p {
			if all += math.Abs(geomgen.RingArea(ring)); i > 0 {
				all -= 2 * math.Abs(geomgen.RingArea(ring))
			}
		}
	}

	if got := double(row[at["cell_share"]]); math.Abs(got-share) > 1e-12 {
		return fmt.Errorf("cell %v: the share of feature %d is %v, want %v", c, feature, got, share)
	}
	if got := double(row[at["feature_share"]]); math.Abs(got-share*cell/all) > 1e-9 {
		return fmt.Errorf("cell %v: the share in feature %d is %v, want %v", c, feature, got, share*cell/all)
	}

	return o.checkGeometry(row, at, c, share)
}

// checkAll checks that there are rows for all cells, or pairs, that the rule selects.
func (o judge) checkAll(r geomgen.Range, cells map[geomgen.Cell]bool, pairs map[geomgen.Cell][]int) error {
	for col := r.MinCol - 2; col < r.MaxCol+2; col++ {
		for row := r.MinRow - 2; row < r.MaxRow+2; row++ {
			c := geomgen.Cell{Col: col, Row: row}
			if !o.j.Pairs() {
				if want := o.area.Selects(o.j.Grid, c, o.j.Area.Rule); want != cells[c] {
					return fmt.Errorf("cell %v is there: %v, want %v", c, cells[c], want)
				}
				continue
			}

			for i, f := range o.features {
				if want, got := f.Selects(o.j.Grid, c, o.j.Area.Rule), slices.Contains(pairs[c], i); want != got {
					return fmt.Errorf("the pair of cell %v and feature %d is there: %v, want %v", c, i, got, want)
				}
			}
		}
	}

	return nil
}

// check compares the rows of a plan with the expected ones.
func (o judge) check(b []byte, p *Plan) error {
	rows, err := fieldsOf(b)
	if err != nil {
		return err
	}
	if int64(len(rows)) != p.Rows {
		return fmt.Errorf("there are %d rows, want %d", len(rows), p.Rows)
	}

	at, cells, pairs := fieldNames(p.Job), map[geomgen.Cell]bool{}, map[geomgen.Cell][]int{}
	for _, row := range rows {
		if len(row) != len(at) {
			return fmt.Errorf("a row has %d fields, want %d", len(row), len(at))
		}

		if o.j.Pairs() {
			err = o.checkPair(row, at, pairs)
		} else {
			err = o.checkCell(row, at, cells)
		}
		if err != nil {
			return err
		}
	}

	return o.checkAll(p.Cells, cells, pairs)
}

// mixed returns the job of a grid with random options.
func mixed(rng *rand.Rand, j job.Job) job.Job {
	j.Table = job.Table{Name: "grid"}
	j.Area = around(j.Grid, districts(rng, j.Grid))
	j.Area.Rule = []geomgen.Rule{geomgen.Intersects, geomgen.Within, geomgen.Centroid, geomgen.Overlaps}[rng.IntN(4)]
	j.Geometry = []geomgen.Geometry{geomgen.AsPolygon, geomgen.AsPoint, geomgen.AsNone}[rng.IntN(3)]
	j.Clip = j.Geometry == geomgen.AsPolygon && rng.IntN(2) == 0
	j.ChunkRows = 1 + rng.Int64N(60)
	if rng.IntN(2) == 0 {
		j.Code = ""
	}
	if rng.IntN(2) == 0 {
		j.Set = []job.Constant{{Name: "year", Type: "smallint", Value: "2026"}, {Name: "source", Value: "größe"}}
	}

	name, number := job.Attribute{Name: "name"}, job.Attribute{Name: "number"}
	if rng.IntN(2) == 0 {
		j.Each, j.Attributes = name, []job.Attribute{number}
		return j
	}

	j.Coverage = rng.IntN(2) == 0
	j.Attributes = []job.Attribute{name, number}
	j.AttributeRule = []geomgen.AttributeRule{"", geomgen.AtCentroid, geomgen.First}[rng.IntN(3)]
	return j
}

// Rows have the attributes of the feature that the rule chooses, and pairs are what the area's rule selects. That
// holds in all combinations with other columns, and for all chunk and buffer sizes.
func TestRowsOfFeatures(t *testing.T) {
	rng := testrand.New(t, 707)
	for name, grid := range featureGrids() {
		for range 4 {
			j := mixed(rng, grid)
			p, err := New(t.Context(), j)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}

			whole, err := io.ReadAll(p.NewRows(context.Background(), everything(p)))
			if err != nil {
				t.Fatal(err)
			}

			if err := newJudge(p.Job).check(whole, p); err != nil {
				t.Fatalf("%s, %s, %v, rule %s of %s, clip %v, code %s, set %v, coverage %v: %v", name, p.Job.Geometry, p.Job.FeatureAttributes(), p.Job.AttributeRule, p.Job.Area.Rule, j.Clip, j.Code, j.Set, j.Coverage, err)
			}
			checkPieces(t, p, whole)
		}
	}
}

// checkPieces compares the rows with the rows from chunks and from small buffers.
func checkPieces(t *testing.T, p *Plan, whole []byte) {
	t.Helper()
	joined, last, sum := []byte(copyrows.CopyHeader), int64(-1), int64(0)
	for i := range p.Chunks {
		c := p.Chunk(i)
		r := p.NewRows(context.Background(), c)
		part, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}

		if c.Rows != r.Generated() || c.Rows > 0 && (c.First <= last || c.Last < c.First) {
			t.Fatalf("chunk %+v after %d has %d rows", c, last, r.Generated())
		}
		if c.Rows > 0 {
			last = c.Last
		}

		sum += c.Rows
		joined = append(joined, part[len(copyrows.CopyHeader):len(part)-len(copyrows.CopyTrailer)]...)
	}

	if joined = append(joined, copyrows.CopyTrailer...); sum != p.Rows || !bytes.Equal(joined, whole) {
		t.Fatalf("%d chunks have %d rows of %d, and do not join to the whole", p.Chunks, sum, p.Rows)
	}
	if err := iotest.TestReader(p.NewRows(context.Background(), everything(p)), whole); err != nil {
		t.Fatal(err)
	}
}

// RowBytes has room for the longest attributes.
func TestRowBytesOfAttributes(t *testing.T) {
	j := mixed(testrand.New(t, 3), job.Job{Grid: geomgen.Grid{DX: 100, DY: 100, SRID: 3035}})
	j.Each, j.Attributes, j.AttributeRule = job.Attribute{}, []job.Attribute{{Name: "name"}, {Name: "number"}}, ""
	j.Coverage, j.Clip, j.Code, j.Set, j.Geometry = false, false, "", nil, geomgen.AsNone
	p, err := New(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}

	// Fields; id, column, row; the longest name has as many two-byte letters as there are features before the
	// last; a bigint.
	if want := 2 + 12 + 8 + 8 + 4 + 2*(len(j.Area.Layer.Features)-1) + 12; p.RowBytes() != want && p.RowBytes() != want-8 {
		t.Errorf("a row has up to %d bytes, want %d", p.RowBytes(), want)
	}
}

// The rows of a cell are never divided. If a cell has more rows than a partition has room for, partitions are
// refused, and chunks may be empty.
func TestCellsAreNotDivided(t *testing.T) {
	square := geomgen.Polygon{{{X: 0.1, Y: 0.1}, {X: 0.9, Y: 0.1}, {X: 0.9, Y: 0.9}, {X: 0.1, Y: 0.9}, {X: 0.1, Y: 0.1}}}
	l := &aoi.Layer{Types: []string{"bigint"}}
	for i := range 10 {
		l.Features = append(l.Features, aoi.LayerFeature{Polygons: []geomgen.Polygon{square}, Values: []aoi.Value{int64(i)}})
	}

	beside := geomgen.Polygon{{{X: 0.2, Y: 1}, {X: 0.8, Y: 1}, {X: 0.8, Y: 3}, {X: 0.2, Y: 3}, {X: 0.2, Y: 1}}}
	l.Features = append(l.Features, aoi.LayerFeature{Polygons: []geomgen.Polygon{beside}, Values: []aoi.Value{int64(99)}})
	j := job.Job{Table: job.Table{Name: "t"}, Grid: geomgen.Grid{DX: 1, DY: 1}, Each: job.Attribute{Name: "no"}, Area: &aoi.Area{Polygons: l.Polygons(), Layer: l, Union: true}}

	for partitions, refused := range map[int]bool{1: false, 2: true, 3: true, 4: true, 12: true} {
		j.Partitions = partitions
		_, err := New(t.Context(), j)
		var param *geomgen.ParamError
		if refused != (err != nil) || refused && (!errors.As(err, &param) || param.Param != "partitions" || !strings.Contains(err.Error(), "cell 0 meets 10 features")) {
			t.Errorf("%d partitions: the error is %v", partitions, err)
		}
	}

	j.Partitions = 0
	for rows := int64(1); rows < 14; rows++ {
		j.ChunkRows = rows
		p, err := New(t.Context(), j)
		if err != nil {
			t.Fatal(err)
		}
		if p.Rows != 12 {
			t.Fatalf("there are %d pairs, want 12", p.Rows)
		}

		whole, err := io.ReadAll(p.NewRows(context.Background(), everything(p)))
		if err != nil {
			t.Fatal(err)
		}
		checkPieces(t, p, whole)
	}
}

// A feature that wraps around the globe stays one feature. One that crosses the antimeridian is cut there.
func TestFeaturesRoundTheGlobe(t *testing.T) {
	box := func(xmin, ymin, xmax, ymax float64) geomgen.Polygon {
		return geomgen.Polygon{{{X: xmin, Y: ymin}, {X: xmax, Y: ymin}, {X: xmax, Y: ymax}, {X: xmin, Y: ymax}, {X: xmin, Y: ymin}}}
	}
	l := &aoi.Layer{Types: []string{"text"}, Features: []aoi.LayerFeature{
		{Polygons: []geomgen.Polygon{box(0, 0, 360, 10)}, Values: []aoi.Value{"round"}},
		{Polygons: []geomgen.Polygon{box(170, 20, 200, 30)}, Values: []aoi.Value{"across"}},
		{Polygons: []geomgen.Polygon{box(-160, 20, -150, 30)}, Values: []aoi.Value{"across"}},
	}}

	j := job.Job{Table: job.Table{Name: "t"}, Grid: geomgen.Grid{DX: 10, DY: 10, SRID: 4326}, Each: job.Attribute{Name: "name"}, Area: &aoi.Area{Polygons: l.Polygons(), Layer: l, Union: true, SRID: 4326}}
	p, err := New(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	if p.Rows != 36+4 {
		t.Errorf("there are %d pairs, want 40", p.Rows)
	}
}
