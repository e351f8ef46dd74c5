package plan

import (
	"encoding/binary"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/job"
)

// Where the fields stand in a row: two bytes with the number of fields, then
// cell_id, col, row and, where there is one, geom, each behind its length of four bytes.
const (
	idAt   = 2 + 4
	colAt  = idAt + 8 + 4
	rowAt  = colAt + 4 + 4
	geomAt = rowAt + 4 + 4
	// parentAfter is how far behind the geometry the parent stands, where there is one.
	parentAfter = 4
)

// layout is a row of binary COPY. Its template has everything in it that is the
// same in each row of a whole cell, up to the attributes of the area's features; behind them stand a
// code, whose length differs, and coverage or shares. Without attributes and a code, coverage
// stands at the template's end.
type layout struct {
	template      []byte
	pointsAt      int     // where the points of the geometry stand
	geomEnd       int     // where the geometry ends, or row without one
	parentBits    int     // by how many bits an id is longer than its parent; 0 without parents
	constantBytes []int64 // the size of each constant, without its length
	coder         *geomgen.Coder
	codeMost      int // the length of the longest code, in bytes
	coverage      bool
	clip          bool
	features      *features // nil without attributes
	srid          int32
	most          int // the size of the largest row of a whole cell
}

// appendGeometry appends the field of the geometry, where there is one.
func (l *layout) appendGeometry(row []byte, j job.Job) []byte {
	if j.HasGeometry() {
		header := j.Grid.AppendHeader(nil, j.Geometry)
		row = binary.BigEndian.AppendUint32(row, uint32(len(header)+j.Grid.PointsLen(j.Geometry)))
		row = append(row, header...)
	}

	l.pointsAt = len(row)
	l.geomEnd = l.pointsAt + j.Grid.PointsLen(j.Geometry)

	return append(row, make([]byte, l.geomEnd-l.pointsAt)...)
}

func newLayout(j job.Job, cells geomgen.Range) (layout, error) {
	l := layout{coverage: j.Coverage, clip: j.Clip, srid: j.Grid.SRID}
	be := binary.BigEndian
	row := be.AppendUint16(nil, uint16(len(j.Columns())))
	row = append(be.AppendUint32(row, 8), make([]byte, 8)...)
	row = append(be.AppendUint32(row, 4), make([]byte, 4)...)
	row = append(be.AppendUint32(row, 4), make([]byte, 4)...)
	row = l.appendGeometry(row, j)

	if j.ParentLevels > 0 {
		l.parentBits = 2 * j.ParentLevels
		row = append(be.AppendUint32(row, 8), make([]byte, 8)...)
	}

	for _, c := range j.Set {
		before := len(row)
		var err error
		if row, err = c.Encode(row); err != nil {
			return layout{}, err
		}

		l.constantBytes = append(l.constantBytes, int64(len(row)-before-4))
	}

	if j.Coverage && j.Code == "" {
		row = appendCoverage(row, 1)
	}

	l.template, l.most = row, len(row)
	if j.Code == "" {
		return l, nil
	}

	var err error
	if l.coder, err = geomgen.NewCoder(j.Grid, j.Code, j.CodeOrder); err != nil {
		return layout{}, err
	}

	if err := l.coder.CheckRange(cells); err != nil {
		return layout{}, err
	}

	l.codeMost = l.coder.MaxLen(cells)
	l.most += 4 + l.codeMost
	if j.Coverage {
		l.most += 8
	}

	return l, nil
}
