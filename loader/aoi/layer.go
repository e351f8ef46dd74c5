package aoi

import (
	"context"
	"fmt"
	"slices"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/areafile"
	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/loader/crs"
)

// Layer is the features of an area, in an order, with polygons of their own and the values of their
// attributes.
type Layer struct {
	Features []LayerFeature
	// Types are the SQL types of the attributes, as the source has them.
	Types []string
}

// LayerFeature is one of a Layer's features.
type LayerFeature struct {
	Polygons []geomgen.Polygon
	// Values are those of the attributes that were asked for, in their order.
	Values []Value
}

// NewLayer returns features whose polygons are an area's, with the types of their attributes.
func NewLayer(polygons []geomgen.Polygon, features []Feature, types []string) *Layer {
	l := &Layer{Features: make([]LayerFeature, len(features)), Types: types}
	for i, f := range features {
		l.Features[i] = LayerFeature{Polygons: polygons[f.First:f.End:f.End], Values: f.Values}
	}

	return l
}

// fileLayer returns the features of a file, with the types that hold their values.
func fileLayer(f *areafile.File, attributes int) *Layer {
	l := NewLayer(f.Polygons, f.Features, make([]string, attributes))
	for i := range l.Types {
		column := l.column(i)
		l.Types[i] = string(column)
		if column == feature.Timestamp {
			l.Types[i] = "timestamptz" // as columns of jobs call it
		}
	}

	return l
}

// column returns the type of an attribute that holds all its values.
func (l *Layer) column(i int) feature.Column {
	return feature.ColumnOf(func(yield func(Value) bool) {
		for _, f := range l.Features {
			if !yield(f.Values[i]) {
				return
			}
		}
	})
}

// Polygons returns those of all features.
func (l *Layer) Polygons() []geomgen.Polygon {
	var all []geomgen.Polygon
	for _, f := range l.Features {
		all = append(all, f.Polygons...)
	}
	return all
}

// Place returns the features with their coordinates where the map of the area's CRS has them: see
// Area.Place. Where nothing changes, they are the same. folded tells of which features a piece came round the globe: it may share an edge with
// another one, so they must be united.
func (l *Layer) Place(ctx context.Context, a *Area, c crs.CRS) (placed *Layer, folded []bool, err error) {
	placed = l
	folded = make([]bool, len(l.Features))
	s, ok := c.Seam()
	if !ok || a.ready {
		return l, folded, nil
	}

	for i, f := range l.Features {
		var polygons []geomgen.Polygon
		if polygons, folded[i], err = a.placePolygons(ctx, f.Polygons, c, s); err != nil {
			return nil, nil, fmt.Errorf("feature %d: %w", i+1, err)
		}

		if len(polygons) == len(f.Polygons) && (len(polygons) == 0 || &polygons[0] == &f.Polygons[0]) {
			continue // they are the same
		}
		if placed == l {
			placed = &Layer{Features: slices.Clone(l.Features), Types: l.Types}
		}
		placed.Features[i].Polygons = polygons
	}

	return placed, folded, nil
}

// Part returns an area like a, of these polygons alone.
func (a *Area) Part(polygons []geomgen.Polygon) *Area {
	part := *a
	part.Polygons, part.Layer, part.Warnings = polygons, nil, nil
	return &part
}

// ByName returns the features as their first attribute, which has a name, names them: those whose
// values have the same key are one, in the place of the first of them, whose values it has. The result
// tells which features have the polygons of several; these may overlap. The error is that of key,
// and a *geomgen.ParamError of parameter each for a feature whose name is NULL.
func (l *Layer) ByName(name string, key func(Value) (string, error)) (named *Layer, several []bool, err error) {
	named = &Layer{Types: l.Types}
	at := make(map[string]int, len(l.Features))

	for i, f := range l.Features {
		if f.Values[0] == nil {
			return nil, nil, &geomgen.ParamError{Param: "each", Value: name, Reason: fmt.Sprintf("is NULL in feature %d: each feature needs a name; leave that one out with aoi-where", i+1)}
		}

		equal, err := key(f.Values[0])
		if err != nil {
			return nil, nil, fmt.Errorf("feature %d: %w", i+1, err)
		}

		k, there := at[equal]
		if !there {
			at[equal] = len(named.Features)
			named.Features, several = append(named.Features, f), append(several, false)
			continue
		}

		// The first time the polygons are copied, since others may have what is behind them.
		if !several[k] {
			named.Features[k].Polygons = slices.Clone(named.Features[k].Polygons)
		}
		named.Features[k].Polygons = append(named.Features[k].Polygons, f.Polygons...)
		several[k] = true
	}

	return named, several, nil
}
