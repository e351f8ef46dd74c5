package plan

import (
	"cmp"
	"context"
	"errors"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/dissolve"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/crs"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/rows"
)

// placeArea returns the job's area with its coordinates inside the map of their CRS.
func placeArea(ctx context.Context, j job.Job) (*aoi.Area, error) {
	a := j.Area
	if err := a.CheckSRID(j.Grid.SRID); err != nil {
		return nil, err
	}

	c := knownCRS(cmp.Or(a.SRID, j.Grid.SRID))
	if need, why := a.NeedsServer(j.Grid.SRID); need {
		if err := a.CheckCoordinates(c); err != nil {
			return nil, err
		}
		return nil, &NeedsServerError{why}
	}

	placed, err := a.Place(ctx, c)
	if err != nil {
		return nil, invalidArea(a, err)
	}
	if yMin, yMax, ok := knownCRS(j.Grid.SRID).Ends(); ok {
		placed = placed.WithMapWarning(yMin, yMax)
	}

	if a.Layer == nil || a.Ready() {
		return placed, nil
	}

	with := *placed
	if with.Layer, err = placeFeatures(ctx, j, c); err != nil {
		return nil, err
	}

	return &with, nil
}

// placeFeatures returns the features of the job's area with their coordinates inside the map of their CRS. For
// pairs, it merges features that have the same name.
func placeFeatures(ctx context.Context, j job.Job, c crs.CRS) (*aoi.Layer, error) {
	placed, folded, err := j.Area.Layer.Place(ctx, j.Area, c)
	if err != nil {
		return nil, invalidFeature(j.Area, err)
	}

	if err := unite(ctx, j.Area, placed, folded, "pieces of a feature that wraps around the globe overlap"); err != nil {
		return nil, err
	}

	if !j.Pairs() {
		return placed, nil
	}

	named, several, err := placed.ByName(j.Each.Name, j.WithTypes(placed.Types).NameKey())
	if err != nil {
		return nil, err
	}

	return named, unite(ctx, j.Area, named, several, "several of its features have the same name and overlap")
}

// unite replaces the polygons of some features by their union. If features overlap, the error gives the reason
// why, because only a server can unite them.
func unite(ctx context.Context, a *aoi.Area, layer *aoi.Layer, which []bool, why string) error {
	for i := range layer.Features {
		if !which[i] {
			continue
		}

		f := &layer.Features[i]
		union, ok, err := dissolve.Union(ctx, f.Polygons)

		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return invalidFeature(a, err)
		case !ok:
			return &NeedsServerError{why + ", so they must be united"}
		}

		f.Polygons = union
	}

	return nil
}

// united returns the union of an area's features if they share borders exactly and do not overlap. For other
// areas, the mask reports what is wrong.
func united(ctx context.Context, a *aoi.Area) (*aoi.Area, error) {
	if !a.Union {
		return a, nil
	}

	union, ok, err := dissolve.Union(ctx, a.Polygons)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case !ok || err != nil:
		return a, nil
	}

	one := *a
	one.Polygons = union
	return &one, nil
}

// addArea adds the mask of the area, or its features if rows are pairs, and the attributes. It returns a box
// around them.
func (c *cellSelection) addArea(ctx context.Context, j job.Job) (around geomgen.Box, err error) {
	// Make the mask first: uniting features takes memory that the layer needs afterwards. An error in one feature
	// is clearer than an error in the whole area, so it takes precedence.
	masked := error(nil)
	if !j.Pairs() {
		masked = c.addMask(ctx, j)
	}
	if err := c.addFeatures(ctx, j); err != nil {
		return around, err
	}

	if j.Pairs() {
		return c.features.Layer().Bounds(), nil
	}
	if masked != nil {
		return around, masked
	}
	return c.area.Bounds(), nil
}

// addFeatures adds the features whose attributes the rows need.
func (c *cellSelection) addFeatures(ctx context.Context, j job.Job) (err error) {
	attributes := j.FeatureAttributes()
	if len(attributes) == 0 {
		return nil
	}

	if c.placed.Layer == nil || len(c.placed.Layer.Types) != len(attributes) {
		return &geomgen.ParamError{Param: "attribute", Value: attributes[0].Name, Reason: "was not read from the area: its features are missing"}
	}

	if c.features, err = rows.NewFeatures(ctx, j.WithTypes(c.placed.Layer.Types), c.placed.Layer); err != nil {
		return invalidFeature(j.Area, err)
	}
	return nil
}

// addMask adds the mask of the area.
func (c *cellSelection) addMask(ctx context.Context, j job.Job) error {
	one, err := united(ctx, c.placed)
	if err != nil {
		return err
	}

	c.placed = one
	if c.area, err = geomgen.NewMaskContext(ctx, j.Grid, one.Polygons, one.Rule); err != nil {
		return invalidArea(one, err)
	}
	return nil
}

// invalidFeature adds advice to the error of a feature with invalid polygons.
func invalidFeature(a *aoi.Area, err error) error {
	var invalid *geomgen.InvalidError
	if !errors.As(err, &invalid) {
		return err
	}

	if a.MakeValid && !a.Ready() {
		return &NeedsServerError{"it must be made valid: " + invalid.Error()}
	}

	return &geomgen.ParamError{Param: "aoi", Value: "(the area)",
		Reason: "is not valid: " + invalid.Error() + ": repair it, or let the server repair it with aoi-make-valid"}
}

// invalidArea adds advice to the error of invalid polygons.
func invalidArea(a *aoi.Area, err error) error {
	var invalid *geomgen.InvalidError
	if !errors.As(err, &invalid) {
		return err
	}

	switch {
	case a.Ready():
	case a.Union:
		return &NeedsServerError{"its features overlap or share edges (" + invalid.Error() + "), so they must be united"}
	case a.MakeValid:
		return &NeedsServerError{"it must be made valid: " + invalid.Error()}
	}

	return &geomgen.ParamError{Param: "aoi", Value: "(the area)",
		Reason: "is not valid: " + invalid.Error() + ": repair it, or let the server repair it with aoi-make-valid"}
}

// NeedsServerError reports an area of interest that only a server can prepare: see loader.ResolveArea.
type NeedsServerError struct {
	Reason string
}

func (e *NeedsServerError) Error() string {
	return "the area of interest needs a server: " + e.Reason
}
