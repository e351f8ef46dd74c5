package integration

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/loader/crs"
)

type referenceSystem struct {
	SRID              int32
	Srtext, Proj4text string
}

// referenceSystems returns all rows of spatial_ref_sys that come with PostGIS.
func (s sandbox) referenceSystems() []referenceSystem {
	s.t.Helper()
	rows, err := s.pool.Query(context.Background(),
		"select srid, coalesce(srtext, ''), coalesce(proj4text, '') from spatial_ref_sys where srid < 990000 order by srid")
	if err != nil {
		s.t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[referenceSystem])
	if err != nil || len(all) < 5000 {
		s.t.Fatalf("spatial_ref_sys has %d rows, %v", len(all), err)
	}

	return all
}

// Two independent descriptions, read by two readers: srtext and proj4text of each row agree. PROJ has no
// unit of angles other than the degree.
func TestCRSWitnesses(t *testing.T) {
	s := newSandbox(t)
	both := 0
	for _, row := range s.referenceSystems() {
		switch row.SRID {
		case 102064: // proj4text has another Indian yard
			continue
		case 3752: // srtext has no standard parallel; PROJ cannot transform it either
			continue
		}

		a, b := crs.Parse(row.SRID, row.Srtext, ""), crs.Parse(row.SRID, "", row.Proj4text)
		c := crs.Parse(row.SRID, row.Srtext, row.Proj4text)
		if c.Kind == crs.Unknown || c.Unit == "" || c.PerUnit == 0 || c.SemiMajor == 0 && c.Kind != crs.Engineering {
			t.Errorf("%d: %+v of %s and %s", row.SRID, c, row.Srtext, row.Proj4text)
		}
		if a.Kind == crs.Unknown || b.Kind == crs.Unknown {
			continue
		}
		both++

		if a.Kind == crs.Geographic && a.Unit == "grad" {
			a.Unit, a.PerUnit = "degree", 1
		}
		if a.Kind != b.Kind || a.Unit != b.Unit && !sameButForName(a, b) || math.Abs(a.PerUnit-b.PerUnit) > 1e-9*a.PerUnit {
			t.Errorf("%d: %s %s %v and %s %s %v of\n%s\n%s", row.SRID, a.Kind, a.Unit, a.PerUnit, b.Kind, b.Unit, b.PerUnit, row.Srtext, row.Proj4text)
		}
		if math.Abs(a.SemiMajor-b.SemiMajor) > 1 && a.SemiMajor != 0 {
			t.Errorf("%d: %v and %v of\n%s\n%s", row.SRID, a.SemiMajor, b.SemiMajor, row.Srtext, row.Proj4text)
		}

		sa, oka := a.Seam()
		sb, okb := b.Seam()
		if a.Unit == b.Unit && a.Base != 0 && oka == okb && oka && a.Unit != "grad" && math.Abs(sa.Period-sb.Period) > 1e-7*sa.Period {
			t.Errorf("%d: %+v and %+v of\n%s\n%s", row.SRID, sa, sb, row.Srtext, row.Proj4text)
		}
		if oka != okb {
			t.Errorf("%d: %v and %v of\n%s\n%s", row.SRID, oka, okb, row.Srtext, row.Proj4text)
		}
	}

	if both < 5000 {
		t.Errorf("only %d rows have both descriptions", both)
	}
}

// PROJ has no names for rare units.
func sameButForName(a, b crs.CRS) bool { return strings.HasPrefix(b.Unit, "unit of ") }

// The same classification by the server, which searches for words in its table.
func TestCRSKindsBySQL(t *testing.T) {
	s := newSandbox(t)
	for kind, pattern := range map[crs.Kind]string{
		crs.Geographic: `^(GEOGCS|BOUNDCRS\[SOURCECRS\[GEOGCRS|GEOGCRS)|^COMPD_CS\["[^"]*",GEOGCS`,
		crs.Geocentric: `^GEOCCS`,
		crs.Projected:  `^PROJCS|^COMPD_CS\["[^"]*",PROJCS`,
	} {
		want := queryOne[int64](t, s.pool, "select count(*) from spatial_ref_sys where srid < 990000 and srtext ~ $1", pattern)
		got := int64(0)
		for _, row := range s.referenceSystems() {
			if row.Srtext != "" && crs.Parse(row.SRID, row.Srtext, row.Proj4text).Kind == kind {
				got++
			}
		}
		if got != want || got == 0 {
			t.Errorf("%d are %s, but the server finds %d", got, kind, want)
		}
	}
}

// The table agrees with the server's rows. These may come from another PostGIS release, in which a few
// definitions that EPSG has corrected differ.
func TestCRSTable(t *testing.T) {
	s := newSandbox(t)
	missing, differ := 0, 0
	rows := s.referenceSystems()
	for _, row := range rows {
		want := crs.Parse(row.SRID, row.Srtext, row.Proj4text)
		got, ok := crs.Known(row.SRID)
		if !ok {
			missing++
			continue
		}

		if got.Kind != want.Kind || got.Unit != want.Unit || math.Abs(got.PerUnit-want.PerUnit) > 1e-9*want.PerUnit || got.Method != want.Method {
			t.Logf("%d: %+v, the server has %+v", row.SRID, got, want)
			differ++
		}
	}

	if missing > len(rows)/50 || differ > 10 {
		t.Errorf("of %d rows, the table lacks %d, and %d differ", len(rows), missing, differ)
	}
}

// ellipsoidal reports whether the server maps a CRS on the ellipsoid although package crs, like PROJ
// before 9.8, maps it on a sphere. This concerns equirectangular CRSs. The second result is how much
// wider the map is: PROJ's formula changes nothing else about its ends.
func ellipsoidal(v pgtest.Version, c crs.CRS) (ok bool, wider float64) {
	seam, isMap := c.Seam()
	if v.PROJ < 908 || !isMap || c.Method != "equirectangular" || c.InverseFlattening == 0 {
		return false, 1
	}

	cos := seam.Period * c.PerUnit / (2 * math.Pi * c.SemiMajor) // of the standard parallel
	f := 1 / c.InverseFlattening

	return true, 1 / math.Sqrt(1-f*(2-f)*(1-cos*cos))
}

const seamQuery = `
select coalesce(ST_X(p), 'NaN')
  from unnest($3::float8[]) with ordinality as t(lon, n)
 cross join lateral ST_Transform(ST_SetSRID(ST_MakePoint(lon, 10), $2::int), $1::int) p
 order by n`

// A map ends just before and just after the antimeridian of its central meridian.
func TestCRSSeams(t *testing.T) {
	s := newSandbox(t)
	tried, version := map[string]int{}, pgtest.VersionOf(t, s.pool)
	for _, row := range s.referenceSystems() {
		c := crs.Parse(row.SRID, row.Srtext, row.Proj4text)
		seam, ok := c.Seam()
		if c.Kind != crs.Projected {
			continue
		}
		if cylindrical := strings.Contains(row.Proj4text, "proj=merc ") || strings.Contains(row.Proj4text, "proj=eqc ") ||
			strings.Contains(row.Proj4text, "proj=cea ") || strings.Contains(row.Proj4text, "proj=mill ") ||
			strings.Contains(row.Proj4text, "proj=gall "); ok != cylindrical {
			t.Errorf("%d has a seam: %v, of %s", row.SRID, ok, row.Proj4text)
		}
		if !ok || isOdd(row.SRID) {
			continue
		}

		const beside = 0.0001
		base := s.base(c)
		lon := []float64{
			math.Remainder(c.CentralMeridian-base.CentralMeridian-180+beside, 360),
			math.Remainder(c.CentralMeridian-base.CentralMeridian+180-beside, 360),
		}
		x, err := s.column(seamQuery, row.SRID, base.SRID, lon)
		if err != nil {
			t.Errorf("%d (%s): %v", row.SRID, c.Name, err)
			continue
		}

		if _, wider := ellipsoidal(version, c); wider != 1 {
			middle := seam.X + seam.Period/2
			seam.Period *= wider
			seam.X = middle - seam.Period/2
		}

		want := []float64{seam.X + seam.Period*beside/360, seam.X + seam.Period*(360-beside)/360}
		for i := range x {
			if math.Abs(x[i]-want[i]) > 1e-9*seam.Period {
				t.Errorf("%d (%s): x is %v at %v, want %v", row.SRID, c.Name, x[i], lon[i], want[i])
			}
		}
		tried[c.Method]++
	}

	t.Log(tried)
	if len(tried) < 7 {
		t.Errorf("only these projections were tried: %v", tried)
	}
}

// isOdd knows SRIDs for which PROJ, which looks at EPSG's code first, disagrees with srtext: it cannot
// transform 3752, and newer releases map 3975 on a sphere. EPSG has deprecated both.
func isOdd(srid int32) bool { return srid == 3752 || srid == 3975 }

// base returns the geographic CRS on which a CRS is based, so that no change of datum moves places. It is
// WGS 84 if spatial_ref_sys does not name one.
func (s sandbox) base(c crs.CRS) crs.CRS {
	s.t.Helper()
	srid := c.Base
	if srid == 0 {
		srid = 4326
	}
	base, ok, err := catalog.ReadCRS(context.Background(), s.pool, "public", srid)
	if err != nil || !ok {
		s.t.Fatalf("the base %d of %d: %v, %v", srid, c.SRID, ok, err)
	}

	return base
}

// column returns a column of numbers.
func (s sandbox) column(sql string, args ...any) ([]float64, error) {
	rows, err := s.pool.Query(context.Background(), sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[float64])
}

// A step of a ten-thousandth of a degree in each direction, on the map and on the ground: on the spheroid
// $5, and by the server's geography of $6.
const groundQuery = `
with p as (
  select ST_Transform(ST_SetSRID(ST_MakePoint((lon + d.x) / $3::float8, (lat + d.y) / $3::float8), $2::int), $1::int) as map,
         ST_SetSRID(ST_MakePoint(lon + d.x, lat + d.y), $6::int) as place, lat, d.n
    from unnest($4::float8[]) as lat, (select 10.0 as lon) lon,
         (values (1, -0.0001, 0.0), (2, 0.0001, 0), (3, 0, -0.0001), (4, 0, 0.0001)) as d(n, x, y))
select ST_X(w.map), (ST_Y(n.map) + ST_Y(s.map)) / 2,
       ST_DistanceSpheroid(w.place, e.place, $5::spheroid) / (ST_X(e.map) - ST_X(w.map)),
       ST_DistanceSpheroid(s.place, n.place, $5::spheroid) / (ST_Y(n.map) - ST_Y(s.map)),
       ST_Distance(w.place::geography, e.place::geography) / (ST_X(e.map) - ST_X(w.map))
  from p w join p e using (lat) join p s using (lat) join p n using (lat)
 where w.n = 1 and e.n = 2 and s.n = 3 and n.n = 4`

// The length of a unit on the ground, for all CRSs that wrap around, at places from south to north.
func TestCRSGround(t *testing.T) {
	s := newSandbox(t)
	tried, byGeography, version := map[string]int{}, 0, pgtest.VersionOf(t, s.pool)
	for _, row := range s.referenceSystems() {
		c := crs.Parse(row.SRID, row.Srtext, row.Proj4text)
		if _, ok := c.Seam(); !ok || isOdd(row.SRID) || c.SemiMajor < 1e6 { // the step is too short for small moons
			continue
		}
		base := c
		if c.Kind == crs.Projected {
			base = s.base(c)
		}

		// The server reads a few definitions differently from PROJ. It reads these well.
		geography := int32(4326)
		switch base.SRID {
		case 4258, 4267, 4269, 4322, 7844:
			geography = base.SRID
		}
		trust := c.Base != 0 && geography == base.SRID

		off := 1e-6
		if ok, _ := ellipsoidal(version, c); ok {
			off = 0.025 // at 80 degrees, where a degree of longitude is short
		}

		flattening := c.InverseFlattening
		if flattening == 0 {
			flattening = 1e12
		}
		spheroid := fmt.Sprintf(`SPHEROID["s",%v,%v]`, c.SemiMajor, flattening)
		rows, err := s.pool.Query(context.Background(), groundQuery, c.SRID, base.SRID, base.PerUnit, []float64{-72, -45, 0, 10, 60, 80}, spheroid, geography)
		var x, y, wantX, wantY, geo float64
		if err == nil {
			_, err = pgx.ForEachRow(rows, []any{&x, &y, &wantX, &wantY, &geo}, func() error {
				mx, my, ok := c.Ground(x, y)
				if !ok || math.Abs(mx-wantX) > off*wantX || math.Abs(my-wantY) > off*wantY || trust && math.Abs(mx-geo) > off*geo {
					t.Errorf("%d (%s) at %v, %v: %v and %v m, %v; want %v or %v, and %v", c.SRID, c.Name, x, y, mx, my, ok, wantX, geo, wantY)
				}
				return nil
			})
		}
		if err != nil {
			t.Errorf("%d (%s): %v", c.SRID, c.Name, err)
			continue
		}
		if tried[c.Method]++; trust {
			byGeography++
		}
	}

	if t.Log(tried, byGeography); len(tried) < 8 || byGeography < 15 {
		t.Errorf("only these projections were tried: %v, and %d of them by geography", tried, byGeography)
	}
}

// Places all over a domain lie in its box. Servers with other PROJ releases move places by some metres.
func TestCRSBoxes(t *testing.T) {
	s := newSandbox(t)
	const query = `
select ST_X(p), ST_Y(p)
  from (values (0.0, 0.0), (0, 1), (1, 0), (1, 1), (0.5, 0.5), (0.5, 0), (0.3, 1)) v(x, y)
 cross join lateral ST_Transform(ST_SetSRID(ST_MakePoint($2::float8 + x * $4::float8, $3::float8 + y * $5::float8), 4326), $1::int) p`

	tried, failed := 0, 0
	for i, row := range s.referenceSystems() {
		c, _ := crs.Known(row.SRID)
		if d := c.Domain; d == nil || d.XMin == d.XMax || i%50 != 0 && d.West < d.East {
			continue
		}
		d := *c.Domain
		width := d.East - d.West
		if width < 0 {
			width += 360
		}
		seam, _ := c.Seam()

		rows, err := s.pool.Query(context.Background(), query, c.SRID, d.West, d.South, width, d.North-d.South)
		var x, y float64
		if err == nil {
			_, err = pgx.ForEachRow(rows, []any{&x, &y}, func() error {
				slack := 1e-3*(d.XMax-d.XMin) + 300/c.PerUnit
				if c.Kind == crs.Geographic {
					slack = 0.02 / c.PerUnit
				}
				if x < d.XMin-slack {
					x += seam.Period
				}
				if x < d.XMin-slack || x > d.XMax+slack || y < d.YMin-slack || y > d.YMax+slack {
					t.Errorf("%d (%s): %v, %v is not in %+v", c.SRID, c.Name, x, y, d)
				}
				return nil
			})
		}
		if tried++; err != nil {
			t.Logf("%d (%s): %v", c.SRID, c.Name, err)
			failed++
		}
	}

	if tried < 200 || failed > 10 {
		t.Errorf("%d were tried, and %d of them cannot be transformed", tried, failed)
	}
}

// CRSs that a user has added, all in degrees.
func TestCRSOfOnesOwn(t *testing.T) {
	s := newDatabaseSandbox(t)
	const wkt = `GEOGCS["mine",DATUM["d",SPHEROID["s",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]]`
	s.exec("insert into spatial_ref_sys (srid, srtext, proj4text) values (990001, null, '+proj=latlong +datum=WGS84'), "+
		"(990002, '', '+proj=lonlat +datum=WGS84 +lon_wrap=180'), (990003, $1, null)", wkt)

	for srid, want := range map[int32]crs.Seam{990001: {X: -180, Period: 360}, 990002: {X: 0, Period: 360}, 990003: {X: -180, Period: 360}} {
		c, ok, err := catalog.ReadCRS(context.Background(), s.pool, "public", srid)
		if err != nil || !ok || !c.Degrees() || c.Domain != nil {
			t.Errorf("%d: %+v, %v, %v", srid, c, ok, err)
		}
		if got, _ := c.Seam(); got != want {
			t.Errorf("%d: %+v, want %+v", srid, got, want)
		}
	}

	// The server starts at the given longitude.
	if x := queryOne[float64](t, s.pool, "select ST_X(ST_Transform(ST_SetSRID(ST_MakePoint(-10, 5), 4326), 990002))"); math.Abs(x-350) > 1e-9 {
		t.Errorf("-10 is %v", x)
	}
}

// A server does not know domains, so they come from the table, except for an SRID that means another CRS
// on that server.
func TestCRSDomains(t *testing.T) {
	s := newDatabaseSandbox(t)
	for _, srid := range []int32{2056, 3857, 4326} {
		c, ok, err := catalog.ReadCRS(context.Background(), s.pool, "public", srid)
		if err != nil || !ok || c.Domain == nil {
			t.Errorf("%d: %+v, %v, %v", srid, c, ok, err)
		}
	}

	s.exec("update spatial_ref_sys set srtext = '', proj4text = '+proj=utm +zone=32' where srid = 2056")
	c, _, err := catalog.ReadCRS(context.Background(), s.pool, "public", 2056)
	if err != nil || c.Kind != crs.Projected || c.Domain != nil {
		t.Errorf("%+v, %v", c, err)
	}
	if _, ok, err := catalog.ReadCRS(context.Background(), s.pool, "public", 1); ok || err != nil {
		t.Errorf("SRID 1 is known: %v, %v", ok, err)
	}
}
