package shapefile

import (
	"context"
	"encoding/binary"
	"errors"
	"strconv"

	"github.com/loadgrid/loadgrid/internal/dbase"
	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/featurefile"
)

// The types of shapes.
const (
	nullShape     = 0
	polygonShape  = 5
	polygonZShape = 15
	polygonMShape = 25
)

// shapeName returns the name of a shape type.
func shapeName(kind uint32) string {
	switch kind {
	case 1, 11, 21:
		return "Point"
	case 3, 13, 23:
		return "PolyLine"
	case 8, 18, 28:
		return "MultiPoint"
	case 31:
		return "MultiPatch"
	}
	return "shape of type " + strconv.FormatUint(uint64(kind), 10)
}

type reader struct {
	shp     *stream
	index   *index       // nil for none
	table   *dbase.Table // nil for none
	options featurefile.Options
	to      feature.Sink
	max     int64 // maximum number of positions of a shape
	n       int64 // the number of the current shape, from 1
	first   int64 // the number in the first shape's header, without an index
	kept    int64
	room    int64 // bytes that the remaining shapes may have
	buffer  [1 << 15]byte
}

// header reads the header of the .shp.
func (r *reader) header() error {
	head := r.buffer[:headerBytes]
	if err := r.shp.read(head); err != nil {
		return err
	}

	if !Is(head) {
		return feature.BadArea("is not a shapefile: its .shp does not begin with the code 9994")
	}

	end, err := r.shp.end(head)
	if err != nil {
		return err
	}

	r.shp.size, r.room = end, end-headerBytes
	return checkShape(binary.LittleEndian.Uint32(head[32:]), "")
}

// checkShape refuses shapes that are not polygons.
func checkShape(kind uint32, where string) error {
	switch kind {
	case nullShape, polygonShape, polygonZShape, polygonMShape:
		return nil
	}
	return feature.BadArea("holds a %s%s: an area of interest is made of polygons", shapeName(kind), where)
}

func (r *reader) features(ctx context.Context) error {
	for {
		if err := featurefile.Ended(ctx); err != nil {
			return err
		}

		more, present, err := r.next()
		if err != nil {
			return err
		}

		if !more {
			return r.table.Finish()
		}

		if err := r.feature(ctx, present); err != nil {
			return r.explain(err)
		}
	}
}

// where names the current feature, for messages.
func (r *reader) where() string { return ", in feature " + strconv.FormatInt(r.n, 10) }

// explain adds the feature to an error about its attributes.
func (r *reader) explain(err error) error {
	var own *dbase.ValueError
	if errors.As(err, &own) {
		return feature.BadArea("cannot be read%s: %w", r.where(), own)
	}
	return err
}

// next goes to the next shape. present is false if the index says that it does not exist.
func (r *reader) next() (more, present bool, err error) {
	if r.index == nil {
		if more = r.shp.size > r.shp.at; more {
			r.n++
		}
		return more, more, nil
	}

	at, more, err := r.index.next()
	if err != nil || !more {
		return false, false, err
	}

	if r.n++; at == 0 {
		return true, false, nil
	}
	return true, true, r.shp.seek(at)
}

func (r *reader) feature(ctx context.Context, present bool) error {
	end, err := r.shp.at, error(nil)
	if present {
		if end, err = r.recordHeader(); err != nil {
			return err
		}
	}

	alive, err := r.table.Next()
	if err == nil && alive {
		err = r.read(ctx, end, present)
	}

	if err == nil && present && r.index == nil {
		err = r.shp.seek(end)
	}
	return err
}

// read reads a feature that was not deleted.
func (r *reader) read(ctx context.Context, end int64, present bool) error {
	if present {
		if err := r.shape(ctx, end-r.shp.at); err != nil {
			return err
		}
	}

	values := make([]feature.Value, 0, len(r.options.Attributes))
	for _, name := range r.options.Attributes {
		v, _, err := r.table.Value(name)
		if err != nil {
			return err
		}
		values = append(values, v)
	}

	r.kept++
	return r.to.EndFeature(values)
}

// recordHeader reads the header of a record, and returns where the record ends.
func (r *reader) recordHeader() (end int64, err error) {
	b := r.buffer[:8]
	if err := r.shp.read(b); err != nil {
		return 0, err
	}

	number := int64(binary.BigEndian.Uint32(b))
	if r.n == 1 {
		r.first = number
	}

	// A program that changes a shape may append it. Then only the index has its place, and the old
	// shape is still in its old place.
	if r.index == nil && (r.first > 1 || number != r.first+r.n-1) {
		return 0, feature.BadArea("is a shapefile whose shape %d has the number %d: put its .shx next to the .shp", r.n, number)
	}

	size := 2 * int64(binary.BigEndian.Uint32(b[4:]))
	if end = r.shp.at + size; end > r.shp.size {
		return 0, r.shp.errShort()
	}

	// An index can refer to a large shape a million times.
	if r.room -= int64(len(b)) + size; r.room < 0 {
		return 0, feature.BadArea("is a shapefile whose .shx has overlapping offsets into the .shp%s: remove it, or repair it", r.where())
	}
	return end, nil
}
