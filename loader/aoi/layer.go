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

// Layer is the ordered list of an area's features, with their own polygons and the values of their attributes.
type Layer struct {
	Features []LayerFeature
	// Types are the SQL types of the attributes in the source.
	Types []string
}

// LayerFeature is one feature of a Layer.
type LayerFeature struct {
	Polygons []geomgen.Polygon
	// Values are the values of the requested attributes, in their order.
	Values []Value
}

// NewLayer returns the features of an area's polygons, with the types of their attributes.
func NewLayer(polygons []geomgen.Polygon, features []Feature, types []string) *Layer {
	l := &Layer{Features: make([]LayerFeature, len(features)), Types: types}
	for i, f := range features {
		l.Features[i] = LayerFeature{Polygons: polygons[f.First:f.End:f.End], Values: f.Values}
	}

	return l
}

// fileLayer returns the features of a file, with types that can hold their values.
func fileLayer(f *areafile.File, attributes int) *Layer {
	l := NewLayer(f.Polygons, f.Features, make([]string, attributes))
	for i := range l.Types {
		column := l.column(i)
		l.Types[i] = string(column)
		if column == feature.Timestamp {
			l.Types[i] = "timestamptz" // the type's name in jobs
		}
	}

	return l
}

// column returns the type that can hold all values of an attribute.
func (l *Layer) column(i int) feature.Column {
	return feature.ColumnOf(func(yield func(Value) bool) {
		for _, f := range l.Features {
			if !yield(f.Values[i]) {
				return
			}
		}
	})
}

// Polygons returns the polygons of all features.
func (l *Layer) Polygons() []geomgen.Polygon {
	var all []geomgen.Polygon
	for _, f := range l.Features {
		all = append(all, f.Polygons...)
	}
	return all
}

// Place returns the features with their coordinates inside the map of the area's CRS: see Area.Place. If nothing
// changes, it returns l itself. folded reports the features that had a piece wrapped around the globe. Such a
// piece may share an edge with another one, so the pieces must be united.
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
			continue // unchanged
		}
		if placed == l {
			placed = &Layer{Features: slices.Clone(l.Features), Types: l.Types}
		}
		placed.Features[i].Polygons = polygons
	}

	return placed, folded, nil
}

// Part returns a copy of a with only these polygons.
func (a *Area) Part(polygons []geomgen.Polygon) *Area {
	part := *a
	part.Polygons, part.Layer, part.Warnings = polygons, nil, nil
	return &part
}

// ByName merges the features that have the same name, which is their first attribute. key returns equal strings
// for equal names. A merged feature has the position and the values of its first feature. several reports the
// features that have polygons of more than one, which may overlap. If a name is NULL, the error is a
// *geomgen.ParamError for the parameter each. Errors of key are returned, too.
func (l *Layer) ByName(name string, key func(Value) (string, error)) (named *Layer, several []bool, err error) {
	named = &Layer{Types: l.Types}
	at := make(map[string]int, len(l.Features))

	for i, f := range l.Features {
		if f.Values[0] == nil {
			return nil, nil, &geomgen.ParamError{Param: "each", Value: name, Reason: fmt.Sprintf("is NULL in feature %d: each feature needs a name; exclude that feature with aoi-where", i+1)}
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

		// Copy the polygons the first time, because other slices may share the array behind them.
		if !several[k] {
			named.Features[k].Polygons = slices.Clone(named.Features[k].Polygons)
		}
		named.Features[k].Polygons = append(named.Features[k].Polygons, f.Polygons...)
		several[k] = true
	}

	return named, several, nil
}
