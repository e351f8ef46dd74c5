package crs

import (
	"bytes"
	"compress/flate"
	_ "embed" // for the table
	"encoding/binary"
	"io"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// table is what maketable makes from PostGIS's spatial_ref_sys. It contains the number of its blocks; for each
// block, its first SRID and its end in the file; and the blocks, each compressed separately. A block contains the
// cells of blockRows CRSs, sorted by SRID, one per line, column by column, which compresses better than row by
// row. Numbers have 32 bits, low byte first.
//
// The program unpacks nothing when it starts, and keeps nothing.
//
//go:embed table.bin
var table string

// blockRows is how many CRSs a block has. Larger blocks compress better but take longer to read.
const blockRows = 256

// Known returns the table's entry of a CRS: kind, unit, projection and domain. The table has the CRSs in the
// spatial_ref_sys of PostGIS 3.5. A call takes about a quarter of a millisecond.
func Known(srid int32) (c CRS, ok bool) { return lookUp(table, srid) }

func lookUp(table string, srid int32) (c CRS, ok bool) {
	if srid <= 0 || len(table) < 4 {
		return CRS{}, false
	}

	n := int(number32(table, 0))
	after := sort.Search(n, func(i int) bool { return number32(table, 4+8*i) > uint32(srid) })
	if after == 0 {
		return CRS{}, false
	}

	from := uint32(4 + 8*n)
	if after > 1 {
		from = number32(table, 8*after-8)
	}
	to := number32(table, 8*after)

	block, err := io.ReadAll(flate.NewReader(strings.NewReader(table[from:to])))
	if err != nil {
		return CRS{}, false
	}

	// The first column of all rows, then the second, and so on.
	cells := strings.Split(string(block), "\n")
	rows := len(cells) / columns
	at := slices.Index(cells[:rows], strconv.Itoa(int(srid)))
	if at < 0 {
		return CRS{}, false
	}

	var row [columns]string
	for i := range row {
		row[i] = cells[i*rows+at]
	}
	return readRow(row), true
}

func number32(table string, at int) uint32 {
	return binary.LittleEndian.Uint32([]byte(table[at : at+4]))
}

// Columns of the table.
const (
	colSRID = iota
	colName
	colKind
	colUnit
	colPerUnit
	colBase
	colMethod
	colMeridian
	colSemiMajor
	colFlattening
	colCylinder // period, x0, y0
	colDomain   // west, south, east, north
	colBox
	columns
)

func readRow(col [columns]string) (c CRS) {
	srid, _ := strconv.ParseInt(col[colSRID], 10, 32)
	base, _ := strconv.ParseInt(col[colBase], 10, 32)
	c = CRS{
		SRID: int32(srid), Name: col[colName], Kind: kindOfLetter(col[colKind]), Unit: col[colUnit],
		Base: int32(base), Method: col[colMethod],
	}
	c.PerUnit, _ = number(col[colPerUnit])
	c.CentralMeridian, _ = number(col[colMeridian])
	c.SemiMajor, _ = number(col[colSemiMajor])
	c.InverseFlattening, _ = number(col[colFlattening])
	numbers(col[colCylinder], &c.period, &c.x0, &c.y0)

	if col[colDomain] != "" {
		d := &Domain{}
		numbers(col[colDomain], &d.West, &d.South, &d.East, &d.North)
		numbers(col[colBox], &d.XMin, &d.YMin, &d.XMax, &d.YMax)
		c.Domain = d
	}

	return c
}

func numbers(text string, to ...*float64) {
	for i, s := range strings.Fields(text) {
		if i < len(to) {
			*to[i], _ = number(s)
		}
	}
}

func kindOfLetter(letter string) Kind {
	for _, k := range [...]Kind{Geographic, Projected, Engineering} {
		if letter == string(k[:1]) {
			return k
		}
	}
	if letter == "c" {
		return Geocentric
	}

	return Unknown
}

// WriteTable writes the file of the table, for maketable. all must be sorted by SRID.
func WriteTable(w io.Writer, all []CRS) error {
	var index, blocks bytes.Buffer
	n := (len(all) + blockRows - 1) / blockRows
	add := func(v int) { _ = binary.Write(&index, binary.LittleEndian, uint32(v)) }
	add(n)

	for i := 0; i < len(all); i += blockRows {
		pack, err := flate.NewWriter(&blocks, flate.BestCompression)
		if err != nil {
			return err
		}

		if _, err := io.WriteString(pack, block(all[i:min(i+blockRows, len(all))])); err != nil {
			return err
		}
		if err := pack.Close(); err != nil {
			return err
		}

		add(int(all[i].SRID))
		add(4 + 8*n + blocks.Len())
	}

	if _, err := w.Write(index.Bytes()); err != nil {
		return err
	}
	_, err := w.Write(blocks.Bytes())

	return err
}

func block(some []CRS) string {
	cells := make([]string, len(some)*columns)
	for i, c := range some {
		for j, cell := range c.row() {
			cells[j*len(some)+i] = cell
		}
	}

	return strings.Join(cells, "\n")
}

// row returns what readRow reads. Unknown values are empty.
func (c CRS) row() (col [columns]string) {
	col[colSRID] = strconv.Itoa(int(c.SRID))
	col[colName] = strings.Join(strings.Fields(c.Name), " ")
	col[colUnit] = c.Unit
	col[colMethod] = c.Method
	col[colPerUnit] = join(c.PerUnit)
	col[colBase] = strings.TrimPrefix(strconv.Itoa(int(c.Base)), "0")
	col[colMeridian] = join(c.CentralMeridian)
	col[colSemiMajor] = join(c.SemiMajor)
	col[colFlattening] = join(c.InverseFlattening)

	switch c.Kind {
	case Geocentric:
		col[colKind] = "c"
	case Unknown:
	default:
		col[colKind] = string(c.Kind[:1])
	}

	if c.period != 0 {
		col[colCylinder] = join(c.period, c.x0, c.y0)
	}
	if d := c.Domain; d != nil {
		col[colDomain] = join(d.West, d.South, d.East, d.North)
		if d.XMin < d.XMax {
			col[colBox] = join(d.XMin, d.YMin, d.XMax, d.YMax)
		}
	}

	return col
}

// join formats numbers without loss.
func join(v ...float64) string {
	var b []byte
	for i, v := range v {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendFloat(b, v, 'g', -1, 64)
	}

	return string(b)
}
