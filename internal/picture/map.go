package picture

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/crs"
)

// Map is a picture of cells and of what selects them.
type Map struct {
	Theme Theme
	Title string
	// Lines are written below the title, in smaller letters.
	Lines []string
	// CRS is written below the map, with a scale bar. An SRID of 0 means that there is none.
	CRS crs.CRS
	// Pieces are filled, in their order.
	Pieces []Piece
	// Edges outlines each piece, where the pieces are large enough.
	Edges bool
	// Gaps is how many times as large a piece is drawn behind all others, to fill the gaps that a sample has. 0 if the
	// pieces are not a sample.
	Gaps float64
	// Area is filled below the pieces and its edge drawn above them; Extent is a dashed
	// box. Either may be none.
	Area   []geomgen.Polygon
	Extent *geomgen.Box
	// Legend says what the colours of the scale are.
	Legend Legend
	// Categories say what the colours are of pieces with one.
	Categories Categories
	// Sample is drawn larger, in a frame of its own. Nothing without cells.
	Sample Sample
}

// Piece is a filled ring, and where its colour lies on the scale, 0 to 1; NaN for
// none, which has a grey of its own. A piece with a Category, from 1, has its colour instead.
type Piece struct {
	Ring     []geomgen.Point
	Value    float64
	Category int
}

// Sample is some cells by their shapes: those that are selected, and others around
// them.
type Sample struct {
	Title         string
	Cells, Others [][]geomgen.Point
}

// CheckName refuses a name that ends in none of the formats.
func CheckName(name string) error {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".png", ".svg":
		return nil
	}
	return &geomgen.ParamError{Param: "picture", Value: name, Reason: "must end in .png or .svg"}
}

// Save draws the map into a file: see Encode.
func (m Map) Save(name string) error {
	data, err := m.Encode(name)
	if err != nil {
		return err
	}

	return Write(name, data)
}

// Encode draws the map as PNG or SVG, by the end of the name of the file that it is for. One
// unit is as long in each direction.
func (m Map) Encode(name string) ([]byte, error) {
	if len(m.Pieces) == 0 {
		return nil, fmt.Errorf("drawing %s: there are no cells to draw", name)
	}

	b := m.bounds()
	if !drawable(b) {
		return nil, fmt.Errorf("drawing %s: there are coordinates beyond %g, or that are not numbers", name, float64(maxCoordinate))
	}

	room := 0.03 * math.Max(b.XMax-b.XMin, b.YMax-b.YMin)
	f := figure{
		theme:        m.Theme,
		title:        append([]string{m.Title}, m.Lines...),
		world:        geomgen.Box{XMin: b.XMin - room, YMin: b.YMin - room, XMax: b.XMax + room, YMax: b.YMax + room},
		draw:         m.draw,
		footer:       m.footer,
		footerHeight: m.footerHeight,
	}

	data, err := f.encode(name)
	if err != nil {
		return nil, fmt.Errorf("drawing %s: %w", name, err)
	}

	return data, nil
}

// maxCoordinate is the largest coordinate that a picture can have: computations with it do not overflow.
const maxCoordinate = 1e100

func drawable(b geomgen.Box) bool {
	inside := func(f float64) bool { return math.Abs(f) <= 2*maxCoordinate } // false for NaN; bounds adds room
	return inside(b.XMin) && inside(b.YMin) && inside(b.XMax) && inside(b.YMax)
}

func (m Map) bounds() geomgen.Box {
	b := geomgen.Box{XMin: math.Inf(1), YMin: math.Inf(1), XMax: math.Inf(-1), YMax: math.Inf(-1)}
	add := func(p geomgen.Point) {
		b = geomgen.Box{XMin: math.Min(b.XMin, p.X), YMin: math.Min(b.YMin, p.Y), XMax: math.Max(b.XMax, p.X), YMax: math.Max(b.YMax, p.Y)}
	}

	for _, piece := range m.Pieces {
		for _, p := range piece.Ring {
			add(p)
		}
	}

	if m.Extent == nil {
		for _, polygon := range m.Area {
			for _, p := range polygon[0] {
				add(p)
			}
		}
	}

	if e := m.Extent; e != nil { // what of the area lies outside does not count
		add(geomgen.Point{X: e.XMin, Y: e.YMin})
		add(geomgen.Point{X: e.XMax, Y: e.YMax})
	}

	// One point has no size, and neither have points that are too close together for coordinates as large as theirs.
	largest := max(math.Abs(b.XMin), math.Abs(b.YMin), math.Abs(b.XMax), math.Abs(b.YMax))
	if size := max(b.XMax-b.XMin, b.YMax-b.YMin); size <= 1e-12*largest || size == 0 {
		room := math.Max(0.5, 1e-6*largest)
		b = geomgen.Box{XMin: b.XMin - room, YMin: b.YMin - room, XMax: b.XMax + room, YMax: b.YMax + room}
	}

	return b
}
