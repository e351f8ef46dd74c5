package crsmatch

import (
	"cmp"
	_ "embed" // the table
	"fmt"
	"slices"
	"strings"

	"github.com/loadgrid/loadgrid/internal/feature"
)

// table is what is known of CRSs.
type table struct {
	entries []entry          // sorted by SRID
	byName  map[string][]int // of a key, the numbers of entries
	byDatum map[string][]int // of geographic CRSs
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
		// A CRS that is not in the table may be in a newer one of the server.
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

	// A name that is known is not given to something else.
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

// prefer says which of two entries that define the same is the better one: with the name that
// the text has, of EPSG, without an addition to the name such as (N-E), with the lower number.
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

// same tells whether a text defines what an entry has.
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

// isBase tells whether a geographic CRS is the one of a text, or the base of its projected one:
// whether it has its name or that of its datum, and the other one is not known to be another's.
func (t *table) isBase(d *definition, e *entry) bool {
	switch {
	case slices.Contains(e.names, d.baseName):
		return slices.Contains(e.datums, d.datum) || len(t.byDatum[d.datum]) == 0 || t.turned(d, e)
	case slices.Contains(e.datums, d.datum):
		return len(t.geographic(d.baseName)) == 0
	}
	return false
}

// turned tells whether the datum of a text is that of a CRS which only counts from another prime
// meridian. ESRI gives both datums one name.
func (t *table) turned(d *definition, e *entry) bool {
	for _, i := range t.byDatum[d.datum] {
		if other := &t.entries[i]; other.sameEllipsoid(&e.definition) && !near(other.meridian, e.meridian, angleWithin) {
			return true
		}
	}
	return false
}

// geographic returns the geographic CRSs of a name.
func (t *table) geographic(name string) (all []int) {
	for _, i := range t.byName[name] {
		if !t.entries[i].projected {
			all = append(all, i)
		}
	}
	return all
}

// bases returns the geographic CRSs that the base of a text can be: of its name and of its
// datum, where both are known. The names of one must not contradict that of the other.
func (t *table) bases(d *definition) (all []int) {
	for _, i := range append(t.geographic(d.baseName), t.byDatum[d.datum]...) {
		e := &t.entries[i]
		if t.isBase(d, e) && d.sameEllipsoid(&e.definition) && near(d.meridian, e.meridian, angleWithin) && !slices.Contains(all, i) {
			all = append(all, i)
		}
	}
	return all
}

// resolve finds the base of an entry that has no code for it. It stays 0 where there is none.
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
