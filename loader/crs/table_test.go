package crs

import (
	"bytes"
	"math"
	"testing"
)

// Facts about CRSs that are common for grids.
func TestKnown(t *testing.T) {
	for _, want := range []CRS{
		{SRID: 2056, Kind: Projected, Unit: "metre", PerUnit: 1, Base: 4150, Method: "hotine_oblique_mercator_azimuth_center"},
		{SRID: 2230, Kind: Projected, Unit: "US survey foot", PerUnit: 1200.0 / 3937, Base: 4269, Method: "lambert_conformal_conic_2sp"},
		{SRID: 3035, Kind: Projected, Unit: "metre", PerUnit: 1, Base: 4258, Method: "lambert_azimuthal_equal_area"},
		{SRID: 3857, Kind: Projected, Unit: "metre", PerUnit: 1, Base: 4326, Method: "popular_visualisation_pseudo_mercator"},
		{SRID: 4258, Kind: Geographic, Unit: "degree", PerUnit: 1, Base: 4258},
		{SRID: 4267, Kind: Geographic, Unit: "degree", PerUnit: 1, Base: 4267},
		{SRID: 4269, Kind: Geographic, Unit: "degree", PerUnit: 1, Base: 4269},
		{SRID: 4322, Kind: Geographic, Unit: "degree", PerUnit: 1, Base: 4322},
		{SRID: 4326, Kind: Geographic, Unit: "degree", PerUnit: 1, Base: 4326},
		{SRID: 4807, Kind: Geographic, Unit: "grad", PerUnit: 0.9, Base: 4807},
		{SRID: 4978, Kind: Geocentric, Unit: "metre", PerUnit: 1},
		{SRID: 4979, Kind: Geographic, Unit: "degree", PerUnit: 1, Base: 4979},
		{SRID: 7844, Kind: Geographic, Unit: "degree", PerUnit: 1, Base: 7844},
		{SRID: 22300, Kind: Projected, Unit: "kilometre", PerUnit: 1000, Base: 4816, Method: "tunisia_mining_grid"},
	} {
		got, ok := Known(want.SRID)
		if !ok || got.Name == "" || got.SemiMajor < 6.3e6 || got.Domain == nil {
			t.Errorf("%d: %+v, %v", want.SRID, got, ok)
			continue
		}

		got.Name, got.SemiMajor, got.InverseFlattening, got.CentralMeridian = "", 0, 0, 0
		got.cylinder, got.Domain = cylinder{}, nil
		if got != want {
			t.Errorf("%d:\n got %+v\nwant %+v", want.SRID, got, want)
		}
	}

	for _, srid := range []int32{math.MinInt32, -1, 0, 1, 5, 3858, 990001, math.MaxInt32} {
		if c, ok := Known(srid); ok {
			t.Errorf("%d is %+v", srid, c)
		}
	}
}

// Domains in longitudes, and the approximate positions of their boxes.
func TestDomains(t *testing.T) {
	for srid, want := range map[int32]Domain{
		4326: {-180, -90, 180, 90, -180, -90, 180, 90},
		3460: {176.81, -20.81, -178.15, -12.42, 1789000, 3575000, 2337000, 4507000},
		2056: {5.96, 45.82, 10.49, 47.81, 2485000, 1074000, 2838000, 1300000},
		4720: {176.81, -20.81, -178.15, -12.42, 176.81, -20.81, 181.85, -12.42},
	} {
		c, _ := Known(srid)
		if c.Domain == nil {
			t.Errorf("%d has no domain", srid)
			continue
		}
		d := *c.Domain
		if d.West != want.West || d.South != want.South || d.East != want.East || d.North != want.North {
			t.Errorf("%d: %+v, want %+v", srid, d, want)
		}

		within := (want.XMax - want.XMin) / 100
		if math.Abs(d.XMin-want.XMin) > within || math.Abs(d.XMax-want.XMax) > within ||
			math.Abs(d.YMin-want.YMin) > within || math.Abs(d.YMax-want.YMax) > within {
			t.Errorf("%d has the box %+v, want about %+v", srid, d, want)
		}
	}
}

// A table with several blocks survives a round trip.
func TestTableIsReadAsWritten(t *testing.T) {
	var all []CRS
	for i := range 3*blockRows + 7 {
		if c, ok := Known(int32(3000 + i)); ok {
			all = append(all, c)
		}
	}
	if len(all) < 2*blockRows {
		t.Fatalf("the table has %d CRSs from 3000 on", len(all))
	}

	var file bytes.Buffer
	if err := WriteTable(&file, all); err != nil {
		t.Fatal(err)
	}
	again := file.String()
	for _, want := range all {
		got, ok := lookUp(again, want.SRID)
		if want.Domain != nil && got.Domain != nil {
			if *want.Domain != *got.Domain {
				t.Errorf("%d: domain %+v, want %+v", want.SRID, *got.Domain, *want.Domain)
			}
			got.Domain, want.Domain = nil, nil
		}
		if !ok || got != want {
			t.Errorf("%d:\n got %+v\nwant %+v", want.SRID, got, want)
		}
	}

	if _, ok := lookUp(again, 2999); ok {
		t.Error("there is a CRS before the first one")
	}
	if _, ok := lookUp("", 3000); ok {
		t.Error("an empty table has a CRS")
	}
}

func TestTableIsSmall(t *testing.T) {
	if len(table) > 300_000 {
		t.Errorf("the table has %d bytes", len(table))
	}
}

func BenchmarkKnown(b *testing.B) {
	for b.Loop() {
		Known(32632)
	}
}
