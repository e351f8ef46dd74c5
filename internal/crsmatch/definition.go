package crsmatch

import (
	"math"
	"strings"
	"unicode"

	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/wkt"
	"github.com/loadgrid/loadgrid/loader/crs"
)

// definition is the definition of a CRS, read from a text.
type definition struct {
	title        string // its name as written
	name         string // its name as a key
	organization string // of the code
	code         int32  // the authority's code, 0 for none
	projected    bool
	geocentric   bool // or another kind without longitude and latitude
	heights      bool // a geographic CRS with three axes
	compound     bool
	deprecated   bool
	noAxes       bool   // a projected CRS that does not name its first axis
	baseName     string // of the geographic CRS, as a key
	base         int32  // its code, 0 for none
	datum        string // as a key
	meridian     float64
	a, rf        float64 // the ellipsoid
	perUnit      float64 // metres or degrees
	method       string  // of the projection; "" if it is not known well enough
	parameters   map[string]float64
}

// The differences that rounding may cause.
const (
	angleWithin  = 1e-7 // degrees: a centimetre
	lengthWithin = 1e-3 // metres
	factorWithin = 1e-9
	// GRS 80 and WGS 84 differ by 1.5e-6.
	flatteningWithin = 1e-6
)

func near(a, b, within float64) bool { return math.Abs(a-b) <= within }

// key normalizes a name: letters, digits and plus signs, in lower case. Datums that became ensembles
// keep their keys.
func key(name string) string {
	name = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(name), " (deprecated)"))
	name = strings.TrimSuffix(name, " ensemble")

	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '+' {
			return r
		}
		return -1
	}, name)
}

// datumKey returns the key of a datum, whose name begins with D_ in ESRI's dialect.
func datumKey(name string) string {
	return key(strings.TrimPrefix(name, "D_"))
}

// maxDefinition is the maximum length of a text in bytes. Real ones have less than 10,000. Reading a
// text takes many times its length in memory.
const maxDefinition = 1 << 16

// define reads a text.
func define(text string) (*definition, error) {
	if len(text) > maxDefinition {
		return nil, feature.BadArea("has a CRS whose definition has %d bytes, %.60q...: loadgrid reads at most %d: %s", len(text), text, maxDefinition, cure)
	}

	nodes, ok := wkt.Read(strings.TrimSpace(text))
	if !ok {
		return nil, feature.BadArea("has a CRS whose definition is not well-known text, %.60q: %s", text, cure)
	}

	d, ok := definitionOf(nodes[0], text)
	if !ok {
		return nil, feature.BadArea("has the CRS %q, which is of an unknown kind, %.40s: %s", nodes[0].Name(), nodes[0].Keyword, cure)
	}
	return d, nil
}

// definitionOf reads the node of a CRS. text is the whole definition.
func definitionOf(n wkt.Node, text string) (*definition, bool) {
	d := &definition{title: n.Name()}
	d.deprecated = strings.HasSuffix(d.title, "(deprecated)")
	d.compound = n.Keyword == "COMPD_CS" || n.Keyword == "COMPOUNDCRS"
	d.readCode(n)

	horizontal, ok := horizontalOf(n)
	if !ok {
		return nil, false
	}

	if horizontal.Keyword != n.Keyword {
		d.readCode(horizontal) // the code of the heights is of no use
	}

	c := crs.Parse(0, text, "")
	d.name = key(horizontal.Name())
	d.a, d.rf, d.perUnit = c.SemiMajor, c.InverseFlattening, c.PerUnit
	d.projected = c.Kind == crs.Projected
	d.geocentric = c.Kind != crs.Projected && c.Kind != crs.Geographic

	geographic := horizontal
	if d.projected {
		base, ok := horizontal.Find("GEOGCS", "BASEGEOGCRS", "BASEGEODCRS", "GEOGCRS", "GEODCRS")
		if !ok {
			return nil, false
		}
		geographic = base
	}

	d.readGeographic(geographic)
	d.meridian = c.CentralMeridian

	if d.projected {
		d.readProjection(horizontal, c)
		d.meridian = math.Remainder(c.CentralMeridian-d.parameters["longitude_of_center"], 360)
	} else {
		d.base = d.code
		d.heights = axes(horizontal) == 3
	}

	return d, c.Kind != crs.Unknown && c.Kind != crs.Engineering
}

// horizontalOf returns the part of a CRS that defines x and y. It refuses derived CRSs, which differ
// from what their names suggest.
func horizontalOf(n wkt.Node) (wkt.Node, bool) {
	switch n.Keyword {
	case "COMPD_CS", "COMPOUNDCRS", "BOUNDCRS", "SOURCECRS":
		for _, in := range n.Nodes {
			if h, ok := horizontalOf(in); ok {
				return h, true
			}
		}
	case "PROJCS", "PROJCRS", "PROJECTEDCRS":
		return n, true
	case "GEOGCS", "GEOGCRS", "GEOGRAPHICCRS", "GEODCRS", "GEODETICCRS", "GEOCCS":
		_, derived := n.Find("BASEGEOGCRS", "BASEGEODCRS")
		return n, !derived
	}
	return wkt.Node{}, false
}

// axes returns the number of axes that a node names.
func axes(n wkt.Node) (count int) {
	for _, in := range n.Nodes {
		if in.Keyword == "AXIS" {
			count++
		}
	}
	return count
}

// readCode reads the code of an authority.
func (d *definition) readCode(n wkt.Node) {
	d.code, d.organization = 0, ""

	id, ok := n.Find("AUTHORITY", "ID")
	if !ok || len(id.Values) < 2 {
		return
	}

	if srid, ok := ByCode(id.Values[0], strings.TrimSpace(id.Values[1])); ok {
		d.code, d.organization = srid, strings.ToUpper(id.Values[0])
	}
}

// readGeographic reads a geographic CRS, or the base of a projected one.
func (d *definition) readGeographic(n wkt.Node) {
	d.baseName = key(n.Name())

	if id, ok := n.Find("AUTHORITY", "ID"); ok && len(id.Values) > 1 {
		d.base, _ = ByCode(id.Values[0], strings.TrimSpace(id.Values[1]))
	}

	datum, _ := n.Find("DATUM", "ENSEMBLE", "GEODETICDATUM", "TRF")
	d.datum = datumKey(datum.Name())
}

// sameNumbers tells whether two definitions agree in everything but the names. A method that is not
// known well enough never agrees.
func (d *definition) sameNumbers(e *definition) bool {
	if d.perUnit == 0 || !near(d.perUnit, e.perUnit, factorWithin*e.perUnit) || !d.sameEllipsoid(e) {
		return false
	}

	if !d.projected {
		return near(d.meridian, e.meridian, angleWithin)
	}
	return d.method != "" && d.method == e.method && sameParameters(d.parameters, e.parameters)
}

func (d *definition) sameEllipsoid(e *definition) bool {
	return d.a > 0 && near(d.a, e.a, lengthWithin) && near(d.rf, e.rf, flatteningWithin)
}
