package crsmatch

import (
	"bufio"
	"cmp"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Source is the source of an entry: a row of spatial_ref_sys, and other names for it.
type Source struct {
	SRID   int32
	Text   string   // srtext
	Names  []string // other names of the CRS
	Datums []string // other names of its datum, if it is geographic
}

// entry is a CRS of the table.
type entry struct {
	definition
	srid   int32
	names  []string // keys, its own name first
	datums []string
}

// newEntry reads a source. ok is false if it is useless for matching.
func newEntry(s Source) (e entry, ok bool) {
	d, err := define(s.Text)
	if err != nil || d.compound || d.deprecated || d.noAxes && d.method == "polar_stereographic" || d.geocentric || d.perUnit == 0 || d.a == 0 || d.projected && d.method == "" {
		return entry{}, false
	}

	e = entry{definition: *d, srid: s.SRID, names: []string{d.name}}
	for _, name := range s.Names {
		if k := key(name); k != "" && !slices.Contains(e.names, k) {
			e.names = append(e.names, k)
		}
	}

	if !d.projected {
		e.datums = []string{d.datum}
		for _, name := range s.Datums {
			if k := datumKey(name); k != "" && !slices.Contains(e.datums, k) {
				e.datums = append(e.datums, k)
			}
		}
	}

	return e, true
}

// The columns of the table. The file has the first column of all entries, one per line, then the
// second, and so on, deflated.
const (
	colSRID = iota
	colKind // p, g, or h for heights
	colNames
	colDatums
	colBase
	colPerUnit
	colEllipsoid
	colMeridian
	colMethod
	colParameters
	columns
)

// WriteTable writes the table's file, for maketable. It leaves out useless rows.
func WriteTable(w io.Writer, sources []Source) (n int, err error) {
	var entries []entry
	for _, s := range sources {
		if e, ok := newEntry(s); ok {
			entries = append(entries, e)
		}
	}

	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.srid, b.srid) })
	t := newTable(entries)

	for i := range entries {
		if entries[i].projected {
			t.resolve(&entries[i])
		}
	}

	entries = slices.DeleteFunc(entries, func(e entry) bool { return e.projected && e.base == 0 })

	pack, err := flate.NewWriter(w, flate.BestCompression)
	if err != nil {
		return 0, err
	}

	for column := range columns {
		for _, e := range entries {
			if _, err := fmt.Fprintln(pack, e.cell(column)); err != nil {
				return 0, err
			}
		}
	}
	return len(entries), pack.Close()
}

// cell writes an entry's value of a column.
func (e entry) cell(column int) string {
	switch column {
	case colSRID:
		return strconv.Itoa(int(e.srid))
	case colKind:
		switch {
		case e.projected:
			return "p"
		case e.heights:
			return "h"
		}
		return "g"
	case colNames:
		return strings.Join(e.names, " ")
	case colDatums:
		return strings.Join(e.datums, " ")
	case colBase:
		return strconv.Itoa(int(e.base))
	case colPerUnit:
		return number(e.perUnit)
	case colEllipsoid:
		return number(e.a) + " " + number(e.rf)
	case colMeridian:
		return number(e.meridian)
	case colMethod:
		return e.method
	}

	var words []string
	for _, name := range slices.Sorted(maps.Keys(e.parameters)) {
		words = append(words, name+"="+number(e.parameters[name]))
	}
	return strings.Join(words, " ")
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 14, 64) }

// unpackTable reads the table's file.
func unpackTable(r io.Reader) ([]entry, error) {
	var lines []string
	in := bufio.NewScanner(flate.NewReader(r))
	for in.Scan() {
		lines = append(lines, in.Text())
	}

	if err := in.Err(); err != nil {
		return nil, err
	}
	if len(lines)%columns != 0 {
		return nil, errors.New("it lacks some of its columns")
	}

	entries := make([]entry, len(lines)/columns)
	for i, line := range lines {
		entries[i%len(entries)].set(i/len(entries), line)
	}
	return entries, nil
}

// set reads a value that cell wrote.
func (e *entry) set(column int, text string) {
	float := func(s string) float64 {
		v, _ := strconv.ParseFloat(s, 64)
		return v
	}

	switch column {
	case colSRID, colBase:
		n, _ := strconv.ParseInt(text, 10, 32)
		if column == colBase {
			e.base = int32(n)
		} else {
			e.srid = int32(n)
		}
	case colKind:
		e.projected, e.heights = text == "p", text == "h"
	case colNames:
		e.names = strings.Fields(text)
	case colDatums:
		e.datums = strings.Fields(text)
	case colPerUnit:
		e.perUnit = float(text)
	case colEllipsoid:
		a, rf, _ := strings.Cut(text, " ")
		e.a, e.rf = float(a), float(rf)
	case colMeridian:
		e.meridian = float(text)
	case colMethod:
		e.method = text
	case colParameters:
		e.parameters = map[string]float64{}
		for _, word := range strings.Fields(text) {
			name, v, _ := strings.Cut(word, "=")
			e.parameters[name] = float(v)
		}
	}
}
