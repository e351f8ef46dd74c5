// Package gather owns the gathering of polygons from positions, rings and WKB, within a limit, with the
// values of the features that they belong to.
package gather

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
)

// maxNesting limits the nesting of collections. Real files do not need more.
const maxNesting = 32

// Memory of values, in bytes: the overhead of a value in addition to its text, the maximum for each allowed
// position, and the minimum that is always allowed.
const (
	valueBytes        = 16
	valuesPerPosition = 64
	leastValues       = 64 << 20
)

// Collector gathers the polygons of geometries. It is a feature.Sink.
type Collector struct {
	Parts int    // number of geometries with polygons, which may overlap
	Where string // the current feature or row, for messages
	// PassedOver is the number of features with polygons for which the selection's condition was not true.
	PassedOver int

	dropped bool // there were coordinates other than x and y
	gatherer

	selection Selection
	features  list[feature.Feature]
	values    group[feature.Value]
	size      int64 // of the values, in bytes
	first     int   // the index of the first polygon of the current geometry
	invalid   error // the error in a ring of the current geometry
	fault     error // the error in the current feature

	partsBefore   int // before the current feature
	droppedBefore bool
}

var _ feature.Sink = (*Collector)(nil)

// Selection says which features to keep, and which of their values.
type Selection struct {
	// Features means that features are kept, and not just their polygons.
	Features bool
	// Names are the attributes whose values are kept: the first values of EndFeature.
	Names []string
	// Where decides by its values whether to keep a feature. nil keeps all.
	Where func(values []feature.Value) (bool, error)
}

// Select sets which features to keep. Call it before the first feature.
func (c *Collector) Select(s Selection) {
	c.selection, c.choose = s, s.Where != nil
}

// CloseRing ends a ring. EndGeometry and EndFeature report errors in it.
func (c *Collector) CloseRing() {
	if c.Over() {
		return
	}

	polygon, number := c.polygons.n+1, c.rings.n
	ring := c.closeRing()

	if c.invalid != nil {
		return
	}

	if at, reason := geomgen.RingFault(ring); reason != "" {
		c.invalid = feature.BadArea("is not valid%s: %w", c.Where, &geomgen.InvalidError{Polygon: polygon, Ring: number, At: at, Reason: reason})
	}
}

// Dropped notes that there were coordinates other than x and y.
func (c *Collector) Dropped() { c.dropped = true }

// Refuse notes a geometry that has no polygons. The returned error is for the reader, which must stop. If a
// condition may skip the feature, Refuse returns nil and EndFeature returns the error.
func (c *Collector) Refuse(kind string) error {
	if c.fault == nil {
		c.fault = feature.BadArea("holds a %s%s: an area of interest is made of polygons", kind, c.Where)
	}

	c.invalid = nil
	return c.undecided()
}

// EndGeometry ends a geometry whose polygons must not overlap: a Polygon or a MultiPolygon. The error is as
// in Refuse.
func (c *Collector) EndGeometry() error {
	if c.polygons.n > c.first {
		c.Parts++
	}

	c.first = c.polygons.n
	c.fault, c.invalid = cmp.Or(c.fault, c.invalid), nil

	return c.undecided()
}

// undecided returns the error in the current feature, unless the condition may skip the feature.
func (c *Collector) undecided() error {
	if c.choose {
		return nil
	}
	return c.fault
}

// EndFeature ends a feature with the values of its attributes, which it copies. It returns the error in the
// feature, the error of the selection's condition, or a *geomgen.ParamError if the values are too large.
func (c *Collector) EndFeature(values []feature.Value) error {
	if err := c.EndGeometry(); err != nil {
		return err
	}

	if c.polygons.n == c.start.polygons && c.Positions == c.start.positions && c.fault == nil {
		c.nextFeature()
		return nil
	}

	if c.choose {
		keep, err := c.selection.Where(values)
		switch {
		case err != nil:
			return err
		case !keep:
			c.passOver()
			return nil
		case c.fault != nil:
			return c.fault
		}
	}

	if c.Over() {
		c.start.positions = c.Positions // the feature counts, whatever follows
		c.forget()
	} else if err := c.keep(values); err != nil {
		return err
	}

	c.nextFeature()
	return nil
}

// keep keeps a feature, if the selection keeps features.
func (c *Collector) keep(values []feature.Value) error {
	if !c.selection.Features || c.polygons.n == c.start.polygons {
		return nil
	}

	f := feature.Feature{First: c.start.polygons, End: c.polygons.n}
	if n := len(c.selection.Names); n > 0 {
		f.Values = append(c.values.make(n), values[:n]...)
	}

	for i, v := range f.Values {
		text, _ := v.(string)
		if strings.IndexByte(text, 0) >= 0 {
			return &geomgen.ParamError{Param: "attribute", Value: c.selection.Names[i], Reason: "has a value with a zero character" + c.Where + ", which PostgreSQL text cannot contain"}
		}
		c.size += valueBytes + int64(len(text))
	}

	if c.size > max(leastValues, valuesPerPosition*c.most()) {
		return &geomgen.ParamError{Param: "attribute", Value: strings.Join(c.selection.Names, ", "), Reason: fmt.Sprintf(
			"has values of more than %d bytes in total, the limit that aoi-max-positions sets: request fewer attributes, or allow more positions", c.size)}
	}

	c.features.add(f)
	return nil
}

// passOver discards the current feature.
func (c *Collector) passOver() {
	c.rewind()
	c.PassedOver++
	c.Positions, c.Parts, c.dropped, c.fault = c.start.positions, c.partsBefore, c.droppedBefore, nil
	c.first = c.polygons.n
}

// nextFeature begins the next feature.
func (c *Collector) nextFeature() {
	c.Discard()
	c.begin()
	c.first, c.partsBefore, c.droppedBefore, c.fault = c.polygons.n, c.Parts, c.dropped, nil
}

// Polygons returns the polygons and removes them from the collector. The error is a *geomgen.ParamError if
// there were more positions than Max.
func (c *Collector) Polygons() ([]geomgen.Polygon, error) {
	if c.Over() {
		return nil, c.limitError()
	}

	c.first = 0
	return c.take(), nil
}

// Features returns the features, if the selection keeps them, and removes them from the collector.
func (c *Collector) Features() []feature.Feature {
	features := c.features.slice()
	c.features = list[feature.Feature]{}

	return features
}

// Warnings tell people what was left out.
func (c *Collector) Warnings() []string {
	if !c.dropped {
		return nil
	}
	return []string{"the area of interest has coordinates other than x and y: they are dropped"}
}
