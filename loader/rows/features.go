package rows

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/job"
)

// Features holds what rows take from the area's features.
type Features struct {
	layer  *geomgen.Layer
	pairs  bool
	rule   geomgen.AttributeRule
	fields []byte    // attributes of all features as fields of binary COPY, one feature after another
	ends   []int     // end of each feature's fields
	none   []byte    // fields of a cell without a feature
	most   int       // size of the largest feature's fields in bytes
	means  []float64 // mean size of each attribute in bytes, without its length
}

const (
	// sharesLen is the size of the two shares of a pair with their lengths.
	sharesLen = 2 * (4 + 8)
	// noOwner is the owner before the first block. A cell without a feature has the owner -1.
	noOwner = -2
)

// NewFeatures returns what rows take from the features of a job. placed has the features inside the map of the
// grid. The error is a *geomgen.InvalidError for an invalid feature, and a *geomgen.ParamError for a value that
// does not fit the column's type.
func NewFeatures(ctx context.Context, j job.Job, placed *aoi.Layer) (*Features, error) {
	f := &Features{pairs: j.Pairs(), rule: j.AttributeRule}
	if f.rule == "" {
		f.rule = geomgen.Largest
	}

	polygons := make([][]geomgen.Polygon, len(placed.Features))
	for i, one := range placed.Features {
		polygons[i] = one.Polygons
	}

	var err error
	if f.layer, err = geomgen.NewLayer(ctx, j.Grid, polygons, j.Area.Rule); err != nil {
		return nil, err
	}

	return f, f.encode(j.FeatureAttributes(), placed)
}

// encode sets the fields of the features.
func (f *Features) encode(attributes []job.Attribute, placed *aoi.Layer) (err error) {
	for range attributes {
		f.none = binary.BigEndian.AppendUint32(f.none, math.MaxUint32) // NULL
	}

	encoder := job.NewEncoder()
	f.means, f.ends, f.most = make([]float64, len(attributes)), make([]int, len(placed.Features)), len(f.none)
	for i, one := range placed.Features {
		first := len(f.fields)
		for k, a := range attributes {
			before := len(f.fields)
			if f.fields, err = encoder.Append(f.fields, a, one.Values[k]); err != nil {
				return inFeature(i, err)
			}
			f.means[k] += float64(len(f.fields)-before-4) / float64(len(placed.Features))
		}

		f.ends[i] = len(f.fields)
		f.most = max(f.most, f.ends[i]-first)
	}

	return nil
}

// inFeature adds the feature to the error of a value.
func inFeature(i int, err error) error {
	var param *geomgen.ParamError
	if errors.As(err, &param) {
		return &geomgen.ParamError{Param: param.Param, Value: param.Value, Reason: fmt.Sprintf("%s, in feature %d", param.Reason, i+1)}
	}
	return fmt.Errorf("feature %d: %w", i+1, err)
}

// Layer returns the features over the grid.
func (f *Features) Layer() *geomgen.Layer { return f.layer }

// fieldsOf returns the attributes of a feature, or -1 for none.
func (f *Features) fieldsOf(feature int32) []byte {
	if feature < 0 {
		return f.none
	}
	if feature == 0 {
		return f.fields[:f.ends[0]]
	}
	return f.fields[f.ends[feature-1]:f.ends[feature]]
}

// setFeatures finds the features of the cells in the block.
func (r *Rows) setFeatures() {
	f := r.layout.features

	if f.pairs {
		r.owners = r.walk.Owners()
		r.count = len(r.offsets) * len(r.owners)
		r.edge = false
		for _, o := range r.owners {
			r.edge = r.edge || r.featureClipper != nil && o.Share < 1
		}
		return
	}

	owner := r.walk.Owner(f.rule)
	if owner == r.owner {
		return
	}

	if r.owner == noOwner { // the template still belongs to the plan
		r.template = make([]byte, 0, r.layout.most)
	}

	r.owner = owner
	r.template = append(append(r.template[:0], r.layout.template...), f.fieldsOf(owner)...)
	if r.layout.coder == nil && r.layout.coverage {
		r.template = appendCoverage(r.template, 1)
	}
}

// putPairs writes the rows of pairs of the block's cells from index i up to, and excluding, j: one row per
// feature of each cell. It returns their size in bytes.
func (r *Rows) putPairs(p []byte, i, j int) int {
	n := 0

	for ; i < j; i++ {
		cell, o := i/len(r.owners), r.owners[i%len(r.owners)]
		row := append(p[n:n:len(p)], r.layout.template...)
		r.putHead(row, cell)
		r.writer.Put(row[r.layout.pointsAt:], r.offsets[cell])
		n += len(r.appendPairTail(row, cell, o))
	}

	return n
}

// appendPairTail appends what follows the template of a pair: attributes, code and shares.
func (r *Rows) appendPairTail(row []byte, cell int, o geomgen.Owner) []byte {
	f, c := r.layout.features, r.cell(cell)
	row = r.appendTail(append(row, f.fieldsOf(o.Feature)...), c, 1)
	row = binary.BigEndian.AppendUint32(row, 8)
	row = binary.BigEndian.AppendUint64(row, math.Float64bits(o.Share))
	row = binary.BigEndian.AppendUint32(row, 8)

	return binary.BigEndian.AppendUint64(row, math.Float64bits(f.layer.ShareOfFeature(c, o)))
}

// putCutPair writes into spare the row of a pair whose cell is clipped by its feature, or by another one.
func (r *Rows) putCutPair() error {
	l, o := &r.layout, r.owners[r.next%len(r.owners)]
	if o.Share == 1 {
		r.spare = r.spare[:r.putPairs(r.spare[:l.most], r.next, r.next+1)]
		return nil
	}

	part, err := r.featureClipper.ClipContext(r.ctx, r.cell(0), o.Feature)
	if err != nil {
		return err
	}

	row := append(r.spare[:0], l.template[:geomAt]...)
	row = part.AppendEWKB(row, l.srid)
	binary.BigEndian.PutUint32(row[geomAt-4:], uint32(len(row)-geomAt))
	row = append(row, l.template[l.geomEnd:]...)
	r.putHead(row, 0)
	r.spare = r.appendPairTail(row, 0, o)

	return nil
}
