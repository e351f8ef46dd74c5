package integration

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/dissolve"
	"github.com/loadgrid/loadgrid/internal/gather"
	"github.com/loadgrid/loadgrid/internal/testrand"
)

// The union of parts of partitions is valid and equals PostGIS's: for Voronoi cells, for rectangles with
// corners on the sides of others, and for squares with holes between them.
func TestUnionAgainstPostGIS(t *testing.T) {
	s := newSandbox(t)
	rng := testrand.New(t, 611)
	united := 0
	for n := range 120 {
		parts := s.voronoi(rng, geomgen.Point{}, 8, 20+rng.IntN(60))
		if n%2 == 0 {
			parts = lots(rng, 0, 0, 16, 16, 6)
		}

		var kept []geomgen.Polygon
		for _, p := range parts {
			if rng.IntN(4) > 0 {
				kept = append(kept, p)
			}
		}

		if len(kept) == 0 {
			kept = parts
		}
		union, ok, err := dissolve.Union(t.Context(), kept)
		if err != nil {
			t.Fatal(err)
		}
		if !ok { // polygons that the server has rounded may overlap
			if n%2 == 0 {
				t.Fatalf("no union of %v", kept)
			}
			continue
		}

		united++
		var valid bool
		var differ, area, reason = 0.0, 0.0, ""
		err = s.pool.QueryRow(context.Background(), `
			select st_isvalid(u), st_isvalidreason(u), st_area(st_symdifference(u, v)), st_area(v)
			from (select st_geomfromewkb($1) u, (select st_union(geom) from st_dump(st_geomfromewkb($2))) v) w`,
			areaEWKB(union, 0), areaEWKB(kept, 0)).Scan(&valid, &reason, &differ, &area)
		if err != nil {
			t.Fatal(err)
		}
		if !valid || differ > 1e-9*area {
			t.Fatalf("union validity: %s; it differs by %g of %g from PostGIS's: %v of %v", reason, differ, area, union, kept)
		}
	}

	if united < 100 {
		t.Errorf("only %d unions were made", united)
	}
}

// voronoi returns PostGIS's Voronoi cells of n random points in a square around a place.
func (s sandbox) voronoi(rng *rand.Rand, centre geomgen.Point, reach float64, n int) []geomgen.Polygon {
	s.t.Helper()
	var xs, ys []float64
	for range n {
		xs, ys = append(xs, centre.X+(2*rng.Float64()-1)*reach), append(ys, centre.Y+(2*rng.Float64()-1)*reach)
	}

	b := queryOne[[]byte](s.t, s.pool, `select st_asewkb(st_collectionextract(st_voronoipolygons(st_collect(st_makepoint(x, y))), 3))
		from unnest($1::float8[], $2::float8[]) p (x, y)`, xs, ys)
	return polygonsOf(s.t, b)
}

// polygonsOf reads polygons from EWKB.
func polygonsOf(t *testing.T, b []byte) []geomgen.Polygon {
	t.Helper()
	var r gather.Collector
	if _, err := r.WKB(b); err != nil {
		t.Fatal(err)
	}
	polygons, err := r.Polygons()
	if err != nil {
		t.Fatal(err)
	}
	return polygons
}

// lots divides a rectangle recursively.
func lots(rng *rand.Rand, xmin, ymin, xmax, ymax float64, depth int) []geomgen.Polygon {
	if depth == 0 || rng.IntN(8) == 0 {
		return []geomgen.Polygon{{{{X: xmin, Y: ymin}, {X: xmax, Y: ymin}, {X: xmax, Y: ymax}, {X: xmin, Y: ymax}, {X: xmin, Y: ymin}}}}
	}

	share := float64(1+rng.IntN(7)) / 8
	if rng.IntN(2) == 0 {
		at := xmin + share*(xmax-xmin)
		return append(lots(rng, xmin, ymin, at, ymax, depth-1), lots(rng, at, ymin, xmax, ymax, depth-1)...)
	}
	at := ymin + share*(ymax-ymin)
	return append(lots(rng, xmin, ymin, xmax, at, depth-1), lots(rng, xmin, at, xmax, ymax, depth-1)...)
}
