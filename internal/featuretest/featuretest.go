// Package featuretest owns a sink that records what it gets, for tests of the readers of feature
// files.
package featuretest

import (
	"bufio"
	"fmt"
	"io"

	"github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/ewkb"
	"github.com/twpayne/go-geom/encoding/wkb"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
)

// Feature is a feature as the sink got it.
type Feature struct {
	Polygons []geomgen.Polygon
	Values   []feature.Value
}

// Recorder is a feature.Sink that keeps everything.
type Recorder struct {
	Features []Feature
	Drops    bool  // Dropped was called
	Err      error // what EndFeature returns

	ring    []geomgen.Point
	polygon geomgen.Polygon
	feature Feature
}

var _ feature.Sink = (*Recorder)(nil)

// Position adds a position.
func (r *Recorder) Position(x, y float64) { r.ring = append(r.ring, geomgen.Point{X: x, Y: y}) }

// CloseRing ends a ring.
func (r *Recorder) CloseRing() {
	r.polygon = append(r.polygon, r.ring)
	r.ring = nil
}

// ClosePolygon ends a polygon.
func (r *Recorder) ClosePolygon() {
	r.feature.Polygons = append(r.feature.Polygons, r.polygon)
	r.polygon = nil
}

// WKB adds polygons of WKB, EWKB, or ISO WKB.
func (r *Recorder) WKB(b []byte) (srid int32, err error) {
	g, err := wkb.Unmarshal(b)
	if err != nil {
		g, err = ewkb.Unmarshal(b)
	}

	if err != nil {
		return 0, err
	}

	return int32(g.SRID()), r.add(g)
}

// ReadWKB is WKB for everything that the reader has.
func (r *Recorder) ReadWKB(from *bufio.Reader) (srid int32, err error) {
	b, err := io.ReadAll(from)
	if err != nil {
		return 0, err
	}
	return r.WKB(b)
}

func (r *Recorder) add(g geom.T) error {
	if g.Stride() > 2 {
		r.Dropped()
	}

	switch g := g.(type) {
	case *geom.Polygon:
		r.addPolygon(g)
	case *geom.MultiPolygon:
		for i := range g.NumPolygons() {
			r.addPolygon(g.Polygon(i))
		}
	default:
		return fmt.Errorf("a %T", g)
	}

	return nil
}

func (r *Recorder) addPolygon(p *geom.Polygon) {
	for i := range p.NumLinearRings() {
		for _, c := range p.LinearRing(i).Coords() {
			r.Position(c.X(), c.Y())
		}
		r.CloseRing()
	}

	r.ClosePolygon()
}

// EndFeature ends a feature.
func (r *Recorder) EndFeature(values []feature.Value) error {
	r.feature.Values = values
	r.Features = append(r.Features, r.feature)
	r.feature = Feature{}

	return r.Err
}

// Dropped notes that there were coordinates other than x and y.
func (r *Recorder) Dropped() { r.Drops = true }
