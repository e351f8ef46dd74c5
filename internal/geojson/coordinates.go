package geojson

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/loadgrid/loadgrid/geomgen"
)

// array reads an array of coordinates after its opening bracket. It returns the number of levels of
// arrays: 1 for a position, 3 for a polygon, 0 for arrays without numbers.
func (d *reader) array(depth int) (levels int, err error) {
	var p geomgen.Point
	numbers, hollow := 0, false

	for {
		kind, err := d.json.next()
		if err != nil {
			return 0, d.explain(err)
		}

		switch kind {
		case kindNumber:
			if levels > 1 || hollow {
				return 0, d.fault("an array of coordinates mixes numbers and arrays")
			}

			f, err := d.json.number()
			if err != nil {
				return 0, d.explain(err)
			}

			levels = 1

			switch numbers++; numbers {
			case 1:
				p.X = f
			case 2:
				p.Y = f
			default:
				d.Dropped()
			}
		case jsontext.KindEndArray:
			return levels, d.close(levels, numbers, p, hollow)
		case jsontext.KindBeginArray:
			if levels == 1 || depth == 4 {
				return 0, d.misplaced("a coordinate")
			}

			inner, err := d.array(depth + 1)

			switch {
			case err != nil:
				return 0, err
			case inner == 0:
				hollow = true
			case levels != 0 && levels != inner+1:
				return 0, d.fault("its arrays of coordinates are nested unevenly")
			default:
				levels = inner + 1
			}
		default:
			return 0, d.misplaced("a coordinate")
		}
	}
}

// close processes a complete array of coordinates.
func (d *reader) close(levels, numbers int, p geomgen.Point, hollow bool) error {
	switch {
	case levels == 1 && numbers < 2, levels == 2 && hollow:
		return d.fault("a position has fewer than two numbers")
	case levels == 3 && hollow:
		return d.fault("a ring has no points")
	case levels == 1:
		d.Position(p.X, p.Y)
	case levels == 2:
		d.CloseRing()
	case levels == 3:
		d.ClosePolygon()
	}

	return nil
}
