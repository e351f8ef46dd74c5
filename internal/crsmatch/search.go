package crsmatch

import (
	"cmp"
	_ "embed" // for the table
	"fmt"
	"slices"
	"strings"

	"github.com/loadgrid/loadgrid/internal/feature"
)

// table is the table of known CRSs.
type table struct {
	entries []entry          // sorted by SRID
	byName  map[string][]int // indexes of the entries with a key
	byDatum map[string][]int // indexes of geographic CRSs
}

func newTable(entries []entry) *table {
	t := &table{entries, map[string][]int{}, map[string][]int{}}
	for i, e := range entries {
		for _, name := range e.names {
			t.byName[name] = append(t.byName[name], i)
		}

		if !e.projected {
			for _, datum := range e.datums {
				t.byDatum[datum] = append(t.byDatum[datum], i)
			}
		}
	}
	return t
}

func (t *table) bySRID(srid int32) *entry {
	i, ok := slices.BinarySearchFunc(t.entries, srid, func(e entry, srid int32) int { return cmp.Compare(e.srid, srid) })
	if !ok {
		return nil
	}
	return &t.entries[i]
}

func (t *table) match(d *definition) (int32, error) {
	if d.code != 0 {
		// A CRS that is missing here may be in a newer table of the server.
		if e := t.bySRID(d.code); e != nil && !t.same(d, e) {
			return 0, feature.BadArea("has the CRS %q, which claims to be %s:%d, but has another definition: %s", d.title, d.organization, d.code, cure)
		}
		return d.code, nil
	}

	if d.geocentric {
		return 0, feature.BadArea("has the CRS %q, whose coordinates are neither projected nor longitude and latitude: %s", d.title, cure)
	}

	var best *entry
	named := t.byName[d.name]
	for _, i := range named {
		if e := &t.entries[i]; t.same(d, e) && (best == nil || prefer(d, e, best) < 0) {
			best = e
		}
	}

	if best != nil {
		return best.srid, nil
	}

	// A text must not use a known name for something else.
	if len(named) > 0 && t.entries[named[0]].projected == d.projected {
		return 0, feature.BadArea("has the CRS %q, which has the name of EPSG:%d, but another definition: %s", d.title, t.entries[named[0]].srid, cure)
	}

	for i := range t.entries {
		if e := &t.entries[i]; t.same(d, e) && (best == nil || prefer(d, e, best) < 0) {
			best = e
		}
	}

	if best == nil {
		return 0, feature.BadArea("has the CRS %q, which has no code, and whose definition matches no CRS that loadgrid knows: %s", d.title, cure)
	}
	return best.srid, nil
}

// prefer compares two entries with the same definition. The better one has, in this order: the name
// in the text, a code of EPSG, a name without an addition such as (N-E), the lower number.
func prefer(d *definition, a, b *entry) int {
	worse := func(bad bool) int {
		if bad {
			return 1
		}
		return 0
	}

	const firstOfESRI = 32768
	return cmp.Or(
		cmp.Compare(worse(!slices.Contains(a.names, d.name)), worse(!slices.Contains(b.names, d.name))),
		cmp.Compare(worse(a.heights), worse(b.heights)),
		cmp.Compare(worse(a.srid >= firstOfESRI), worse(b.srid >= firstOfESRI)),
		cmp.Compare(len(a.names[0]), len(b.names[0])),
		cmp.Compare(a.srid, b.srid),
	)
}

// same tells whether a text and an entry define the same CRS.
func (t *table) same(d *definition, e *entry) bool {
	if d.projected != e.projected || !d.sameNumbers(&e.definition) {
		return false
	}

	if !d.projected {
		return t.isBase(d, e)
	}

	for _, i := range t.bases(d) {
		if t.entries[i].srid == e.base {
			return true
		}
	}
	return false
}

// isBase tells whether a geographic CRS is the CRS of a text, or the base of its projected CRS. Its
// name or its datum's name must match, and the other name must not be known to belong to another
// CRS.
func (t *table) isBase(d *definition, e *entry) bool {
	switch {
	case slices.Contains(e.names, d.baseName):
		return slices.Contains(e.datums, d.datum) || len(t.byDatum[d.datum]) == 0 || t.turned(d, e)
	case slices.Contains(e.datums, d.datum):
		return len(t.geographic(d.baseName)) == 0
	}
	return false
}

// turned tells whether the datum of a text differs from a CRS's datum only in the prime meridian.
// ESRI gives both datums the same name.
func (t *table) turned(d *definition, e *entry) bool {
	for _, i := range t.byDatum[d.datum] {
		if other := &t.entries[i]; other.sameEllipsoid(&e.definition) && !near(other.meridian, e.meridian, angleWithin) {
			return true
		}
	}
	return false
}

// geographic returns the geographic CRSs with a name.
func (t *table) geographic(name string) (all []int) {
	for _, i := range t.byName[name] {
		if !t.entries[i].projected {
			all = append(all, i)
		}
	}
	return all
}

// bases returns the geographic CRSs that the base of a text can be. They match the names of the
// base and its datum, if both are known. The two names must not contradict each other.
func (t *table) bases(d *definition) (all []int) {
	for _, i := range append(t.geographic(d.baseName), t.byDatum[d.datum]...) {
		e := &t.entries[i]
		if t.isBase(d, e) && d.sameEllipsoid(&e.definition) && near(d.meridian, e.meridian, angleWithin) && !slices.Contains(all, i) {
			all = append(all, i)
		}
	}
	return all
}

// resolve finds the base of an entry without a code for it. The base stays 0 if there is none.
func (t *table) resolve(e *entry) {
	if e.base != 0 && t.bySRID(e.base) != nil {
		return
	}

	var best *entry
	for _, i := range t.bases(&e.definition) {
		if b := &t.entries[i]; best == nil || prefer(&definition{name: e.baseName}, b, best) < 0 {
			best = b
		}
	}

	e.base = 0
	if best != nil {
		e.base = best.srid
	}
}

//go:embed table.bin
var packed string

func embedded() (*table, error) {
	entries, err := unpackTable(strings.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpacking the table of CRSs: %w", err)
	}
	return newTable(entries), nil
}
