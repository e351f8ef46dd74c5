package rows

import (
	"encoding/binary"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/job"
)

// Positions of the fields in a row: two bytes with the number of fields, then cell_id, col, row and, if there is
// one, geom, each after its length of four bytes.
const (
	idAt   = 2 + 4
	colAt  = idAt + 8 + 4
	rowAt  = colAt + 4 + 4
	geomAt = rowAt + 4 + 4
	// parentAfter is the distance from the end of the geometry to the parent, if there is one.
	parentAfter = 4
	// coverageLen is the size of the coverage with its length.
	coverageLen = 4 + 4
)

// Layout is the layout of a row of binary COPY. Its template contains everything that is the same in each row of
// a whole cell, up to the attributes of the area's features. After the template come the code, whose length
// varies, and coverage or shares. Without attributes and a code, the coverage is at the end of the template.
type Layout struct {
	template      []byte
	pointsAt      int     // start of the geometry's points
	geomEnd       int     // end of the geometry, or of row if there is none
	parentBits    int     // how many bits longer an id is than its parent; 0 without parents
	constantBytes []int64 // size of each constant, without its length
	coder         *geomgen.Coder
	codeMost      int // length of the longest code in bytes
	coverage      bool
	clip          bool
	features      *Features // nil without attributes
	srid          int32
	grid          geomgen.Grid
	geometry      geomgen.Geometry
	most          int // size of the largest row of a whole cell
}

// appendGeometry appends the geometry field if there is one.
func (l *Layout) appendGeometry(row []byte, j job.Job) []byte {
	if j.HasGeometry() {
		header := j.Grid.AppendHeader(nil, j.Geometry)
		row = binary.BigEndian.AppendUint32(row, uint32(len(header)+j.Grid.PointsLen(j.Geometry)))
		row = append(row, header...)
	}

	l.pointsAt = len(row)
	l.geomEnd = l.pointsAt + j.Grid.PointsLen(j.Geometry)

	return append(row, make([]byte, l.geomEnd-l.pointsAt)...)
}

// NewLayout returns the layout of a job's rows. f is nil if rows have no attributes of features.
func NewLayout(j job.Job, cells geomgen.Range, f *Features) (Layout, error) {
	l := Layout{grid: j.Grid, geometry: j.Geometry, coverage: j.Coverage, clip: j.Clip, srid: j.Grid.SRID, features: f}
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
			return Layout{}, err
		}

		l.constantBytes = append(l.constantBytes, int64(len(row)-before-4))
	}

	if f == nil && j.Coverage && j.Code == "" {
		row = appendCoverage(row, 1)
	}

	l.template, l.most = row, len(row)
	if f != nil {
		l.most += f.most
		if j.Coverage && j.Code == "" {
			l.most += coverageLen
		}
	}

	if j.Pairs() {
		l.most += sharesLen
	}

	if j.Code == "" {
		return l, nil
	}

	var err error
	if l.coder, err = geomgen.NewCoder(j.Grid, j.Code, j.CodeOrder); err != nil {
		return Layout{}, err
	}

	if err := l.coder.CheckRange(cells); err != nil {
		return Layout{}, err
	}

	l.codeMost = l.coder.MaxLen(cells)
	l.most += 4 + l.codeMost
	if j.Coverage {
		l.most += coverageLen
	}

	return l, nil
}

// Most returns the size of the largest row of a whole cell in binary COPY, in bytes.
func (l *Layout) Most() int { return l.most }

// ConstantBytes returns the size of each constant, in bytes, without its length.
func (l *Layout) ConstantBytes() []int64 { return l.constantBytes }

// CodeMost returns the length of the longest code in bytes. It is 0 without codes.
func (l *Layout) CodeMost() int { return l.codeMost }

// AttributeBytes returns the mean size of each attribute over the features in bytes, without its length.
func (l *Layout) AttributeBytes() []float64 {
	if l.features == nil {
		return nil
	}
	return l.features.means
}
