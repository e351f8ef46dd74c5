package area

import (
	"context"
	"errors"
	"slices"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/crs"
)

// Features says what to return of an area's features.
type Features struct {
	// Names are the attributes to return. If it is empty, no features are returned.
	Names []string
	// Key returns the key of the first attribute, which names the features, given the types of the
	// attributes. Features with the same key are merged into one. If Key is nil, the features have
	// no names.
	Key func(types []string) func(aoi.Value) (string, error)
}

// resolveFeatures prepares each feature by itself, and makes the area their union.
func (r *resolver) resolveFeatures(ctx context.Context, from, to crs.CRS) error {
	layer := &aoi.Layer{Features: slices.Clone(r.area.Layer.Features), Types: r.area.Layer.Types}
	several := make([]bool, len(layer.Features))
	if r.want.Key != nil {
		var err error
		if layer, several, err = layer.ByName(r.want.Names[0], r.want.Key(layer.Types)); err != nil {
			return err
		}
	}

	err := r.eachFeature(layer, func(i int, part *resolver) error {
		part.area.Union = several[i]
		return part.place(ctx, from)
	})
	if err != nil {
		return err
	}

	if to.SRID != from.SRID {
		if err := r.transformFeatures(ctx, layer, from, to); err != nil {
			return err
		}
	}

	r.area.Layer, r.area.Polygons, r.area.SRID, r.area.Union = layer, layer.Polygons(), to.SRID, true
	if r.want.Key != nil { // the caller needs no union
		return nil
	}

	return r.makeValid(ctx)
}

// transformFeatures transforms each feature. If none must be cut, one statement does all of them,
// because one statement per feature takes long when there are many.
func (r *resolver) transformFeatures(ctx context.Context, layer *aoi.Layer, from, to crs.CRS) error {
	together, err := r.transformTogether(ctx, layer, from, to)
	if err != nil {
		return err
	}

	return r.eachFeature(layer, func(_ int, part *resolver) error {
		if !together {
			if err := part.transform(ctx, from, to); err != nil {
				return err
			}
		}

		// Parts that were cut at a seam, or that touched, may now share edges.
		part.area.SRID, part.area.Union = to.SRID, true
		return part.makeValid(ctx)
	})
}

// transformTogether transforms the features' polygons as they are, if none of them meets a seam or
// an end of the map.
func (r *resolver) transformTogether(ctx context.Context, layer *aoi.Layer, from, to crs.CRS) (together bool, err error) {
	all := r.part(layer.Polygons())
	all.inOrder = true

	if s, ok := from.Seam(); ok && from.Kind == crs.Geographic {
		if all.goesRound(s.Period) {
			return false, nil
		}
	}

	if m, seamed := mapOf(to); seamed {
		globe, crosses, err := all.onGlobe(ctx, from, m)
		if err != nil || crosses || m.beyondBand(globe) {
			return false, err
		}
	}

	n := len(all.area.Polygons)
	if err := all.transformWhole(ctx, from, to); err != nil {
		return false, err
	}

	if len(all.area.Polygons) != n {
		return false, errors.New("the server returned different polygons from those it received")
	}

	for i := range layer.Features {
		f := &layer.Features[i]
		k := len(f.Polygons)
		f.Polygons, all.area.Polygons = all.area.Polygons[:k:k], all.area.Polygons[k:]
	}

	return true, nil
}

// goesRound tells whether a polygon is as wide as the globe.
func (r *resolver) goesRound(period float64) bool {
	return slices.ContainsFunc(r.area.Polygons, func(p geomgen.Polygon) bool {
		b := p.Bounds()
		return b.XMax-b.XMin >= period
	})
}

// eachFeature calls do with a resolver for each feature, and keeps the polygons that it makes.
func (r *resolver) eachFeature(layer *aoi.Layer, do func(i int, part *resolver) error) error {
	for i := range layer.Features {
		part := r.part(layer.Features[i].Polygons)
		if err := do(i, part); err != nil {
			return inFeature(i, err)
		}
		layer.Features[i].Polygons = part.area.Polygons
	}

	return nil
}

// inFeature adds the number of the feature to an error.
func inFeature(i int, err error) error {
	var param *geomgen.ParamError
	if errors.As(err, &param) && param.Param == "aoi" {
		return aoi.BadArea("%s, in feature %d", param.Reason, i+1)
	}
	return err
}

// part returns a resolver for some of the area's polygons, in the same transaction.
func (r *resolver) part(polygons []geomgen.Polygon) *resolver {
	return &resolver{tx: r.tx, postgis: r.postgis, area: *r.area.Part(polygons)}
}
