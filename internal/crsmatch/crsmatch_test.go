package crsmatch

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/featurefile"
)

// Texts that ArcGIS writes into a .prj.
const (
	laea = `PROJCS["ETRS_1989_LAEA",GEOGCS["GCS_ETRS_1989",DATUM["D_ETRS_1989",SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Lambert_Azimuthal_Equal_Area"],PARAMETER["False_Easting",4321000.0],PARAMETER["False_Northing",3210000.0],PARAMETER["Central_Meridian",10.0],PARAMETER["Latitude_Of_Origin",52.0],UNIT["Meter",1.0]]`
	wgs  = `GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]`
	nad  = `GEOGCS["GCS_North_American_1983",DATUM["D_North_American_1983",SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]`
	etrs = `GEOGCS["GCS_ETRS_1989",DATUM["D_ETRS_1989",SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]`
	utm  = `PROJECTION["Transverse_Mercator"],PARAMETER["False_Easting",500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",9.0],PARAMETER["Scale_Factor",0.9996],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]`
	ntf  = `GEOGCS["GCS_NTF_Paris",DATUM["D_NTF",SPHEROID["Clarke_1880_IGN",6378249.2,293.466021293627]],PRIMEM["Paris",2.33722917],UNIT["Grad",0.0157079632679489]]`
	jtsk = `PROJCS["S-JTSK_Krovak_East_North",GEOGCS["GCS_S_JTSK",DATUM["D_S_JTSK",SPHEROID["Bessel_1841",6377397.155,299.1528128]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Krovak"],PARAMETER["False_Easting",0.0],PARAMETER["False_Northing",0.0],PARAMETER["Pseudo_Standard_Parallel_1",78.5],PARAMETER["Scale_Factor",0.9999],PARAMETER["Azimuth",30.28813975277778],PARAMETER["Longitude_Of_Center",24.83333333333333],PARAMETER["Latitude_Of_Center",49.5],PARAMETER["X_Scale",-1.0],PARAMETER["Y_Scale",1.0],PARAMETER["XY_Plane_Rotation",90.0],UNIT["Meter",1.0]]`
)

func TestESRI(t *testing.T) {
	match := matcher(t)

	for want, text := range map[int32]string{
		3035:   laea,
		4326:   wgs,
		4258:   etrs,
		4269:   nad,
		32632:  `PROJCS["WGS_1984_UTM_Zone_32N",` + wgs + `,` + utm,
		25832:  `PROJCS["ETRS_1989_UTM_Zone_32N",` + etrs + `,` + utm,
		3857:   `PROJCS["WGS_1984_Web_Mercator_Auxiliary_Sphere",` + wgs + `,PROJECTION["Mercator_Auxiliary_Sphere"],PARAMETER["False_Easting",0.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",0.0],PARAMETER["Standard_Parallel_1",0.0],PARAMETER["Auxiliary_Sphere_Type",0.0],UNIT["Meter",1.0]]`,
		27700:  `PROJCS["British_National_Grid",GEOGCS["GCS_OSGB_1936",DATUM["D_OSGB_1936",SPHEROID["Airy_1830",6377563.396,299.3249646]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["False_Easting",400000.0],PARAMETER["False_Northing",-100000.0],PARAMETER["Central_Meridian",-2.0],PARAMETER["Scale_Factor",0.9996012717],PARAMETER["Latitude_Of_Origin",49.0],UNIT["Meter",1.0]]`,
		2154:   `PROJCS["RGF_1993_Lambert_93",GEOGCS["GCS_RGF_1993",DATUM["D_RGF_1993",SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Lambert_Conformal_Conic"],PARAMETER["False_Easting",700000.0],PARAMETER["False_Northing",6600000.0],PARAMETER["Central_Meridian",3.0],PARAMETER["Standard_Parallel_1",44.0],PARAMETER["Standard_Parallel_2",49.0],PARAMETER["Latitude_Of_Origin",46.5],UNIT["Meter",1.0]]`,
		2230:   `PROJCS["NAD_1983_StatePlane_California_VI_FIPS_0406_Feet",` + nad + `,PROJECTION["Lambert_Conformal_Conic"],PARAMETER["False_Easting",6561666.666666666],PARAMETER["False_Northing",1640416.666666667],PARAMETER["Central_Meridian",-116.25],PARAMETER["Standard_Parallel_1",32.78333333333333],PARAMETER["Standard_Parallel_2",33.88333333333333],PARAMETER["Latitude_Of_Origin",32.16666666666666],UNIT["Foot_US",0.3048006096012192]]`,
		26946:  `PROJCS["NAD_1983_StatePlane_California_VI_FIPS_0406",` + nad + `,PROJECTION["Lambert_Conformal_Conic"],PARAMETER["False_Easting",2000000.0],PARAMETER["False_Northing",500000.0],PARAMETER["Central_Meridian",-116.25],PARAMETER["Standard_Parallel_1",32.78333333333333],PARAMETER["Standard_Parallel_2",33.88333333333333],PARAMETER["Latitude_Of_Origin",32.16666666666666],UNIT["Meter",1.0]]`,
		27572:  `PROJCS["NTF_Paris_Lambert_Zone_II",` + ntf + `,PROJECTION["Lambert_Conformal_Conic"],PARAMETER["False_Easting",600000.0],PARAMETER["False_Northing",2200000.0],PARAMETER["Central_Meridian",0.0],PARAMETER["Standard_Parallel_1",52.0],PARAMETER["Scale_Factor",0.99987742],PARAMETER["Latitude_Of_Origin",52.0],UNIT["Meter",1.0]]`,
		2056:   `PROJCS["CH1903+_LV95",GEOGCS["GCS_CH1903+",DATUM["D_CH1903+",SPHEROID["Bessel_1841",6377397.155,299.1528128]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Hotine_Oblique_Mercator_Azimuth_Center"],PARAMETER["False_Easting",2600000.0],PARAMETER["False_Northing",1200000.0],PARAMETER["Scale_Factor",1.0],PARAMETER["Azimuth",90.0],PARAMETER["Longitude_Of_Center",7.439583333333333],PARAMETER["Latitude_Of_Center",46.95240555555556],UNIT["Meter",1.0]]`,
		3031:   `PROJCS["WGS_1984_Antarctic_Polar_Stereographic",` + wgs + `,PROJECTION["Stereographic_South_Pole"],PARAMETER["False_Easting",0.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",0.0],PARAMETER["Standard_Parallel_1",-71.0],UNIT["Meter",1.0]]`,
		5514:   jtsk,
		5513:   strings.NewReplacer("_East_North", "", `"X_Scale",-1.0`, `"X_Scale",1.0`, "90.0", "0.0").Replace(jtsk),
		102001: `PROJCS["Canada_Albers_Equal_Area_Conic",` + nad + `,PROJECTION["Albers"],PARAMETER["False_Easting",0.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",-96.0],PARAMETER["Standard_Parallel_1",50.0],PARAMETER["Standard_Parallel_2",70.0],PARAMETER["Latitude_Of_Origin",40.0],UNIT["Meter",1.0]]`,
	} {
		if got, err := match(text); got != want || err != nil {
			t.Errorf("%.60s: %d, %v; want %d", text, got, err, want)
		}
	}
}

// texts are PROJ 9.1's output for CRSs of EPSG and ESRI: ESRI's WKT, WKT 1 and WKT 2, without codes.
// The SRID is the one in the table. PROJ computes the same coordinates for both within 2 cm. It does
// so for all 22,959 such texts that match, of 25,087.
func texts(t testing.TB) map[string]int32 {
	t.Helper()

	b, err := os.ReadFile("testdata/texts.tsv")
	if err != nil {
		t.Fatal(err)
	}

	all := map[string]int32{}
	in := bufio.NewScanner(bytes.NewReader(b))
	for in.Scan() {
		number, text, _ := strings.Cut(in.Text(), "\t")
		srid, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		all[text] = int32(srid)
	}

	if len(all) < 100 {
		t.Fatalf("%d texts", len(all))
	}
	return all
}

func known(t testing.TB) *table {
	t.Helper()

	table, err := embedded()
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// matcher returns Match with one table for all texts.
func matcher(t testing.TB) func(text string) (int32, error) {
	table := known(t)

	return func(text string) (int32, error) {
		d, err := define(text)
		if err != nil {
			return 0, err
		}
		return table.match(d)
	}
}

func TestTexts(t *testing.T) {
	match := matcher(t)
	for text, want := range texts(t) {
		if got, err := match(text); got != want || err != nil {
			t.Errorf("%.60s: %d, %v; want %d", text, got, err, want)
		}
	}
}

// Any change makes it another CRS.
func TestNothingElseIsMatched(t *testing.T) {
	match := matcher(t)

	for _, change := range [...][2]string{
		{"6378137.0", "6378137.1"},
		{"298.257222101", "298.257223563"},
		{`"Greenwich",0.0`, `"Greenwich",2.33722917`},
		{"0.0174532925199433", "0.0157079632679489"},
		{"Lambert_Azimuthal_Equal_Area", "Azimuthal_Equidistant"},
		{"Lambert_Azimuthal_Equal_Area", "Lambert_Azimuthal_Equal_Area_Sphere"},
		{"4321000.0", "4321000.01"},
		{"3210000.0", "0.0"},
		{`"Central_Meridian",10.0`, `"Central_Meridian",10.000001`},
		{`"Latitude_Of_Origin",52.0`, `"Latitude_Of_Origin",51.0`},
		{`UNIT["Meter",1.0]`, `UNIT["Foot_US",0.3048006096012192]`},
		{`UNIT["Meter",1.0]`, `PARAMETER["Scale_Factor",0.9996],UNIT["Meter",1.0]`},
		{`UNIT["Meter",1.0]`, `PARAMETER["X_Scale",-1.0],UNIT["Meter",1.0]`},
		{`UNIT["Meter",1.0]`, `PARAMETER["Longitude_Of_Center",10.0],UNIT["Meter",1.0]`},
		{`UNIT["Meter",1.0]`, `UNIT["Meter",1.0],AXIS["Y",SOUTH],AXIS["X",WEST]`},
		{"D_ETRS_1989", "D_North_American_1983"},
		{"GCS_ETRS_1989", "GCS_North_American_1983"},
		{`GEOGCS["GCS_ETRS_1989",DATUM["D_ETRS_1989"`, `GEOGCS["GCS_North_American_1983",DATUM["D_North_American_1983"`},
		{`GEOGCS["GCS_ETRS_1989",DATUM["D_ETRS_1989"`, `GEOGCS["unknown",DATUM["unknown"`},
	} {
		for _, name := range [...]string{"ETRS_1989_LAEA", "Area_of_Interest"} {
			text := strings.Replace(strings.Replace(laea, change[0], change[1], 1), "ETRS_1989_LAEA", name, 1)
			got, err := match(text)
			if err == nil || !errors.As(err, new(*geomgen.ParamError)) || !strings.Contains(err.Error(), `"`+name+`"`) || !strings.Contains(err.Error(), "aoi-srid") {
				t.Errorf("%s: %d, %v", text, got, err)
			}
		}
	}
}

// An unusual name does not hide the identity of a CRS.
func TestOtherNames(t *testing.T) {
	match := matcher(t)

	for want, change := range map[int32][2]string{
		3035:  {"ETRS_1989_LAEA", "Area_of_Interest"},
		25832: {"ETRS_1989_UTM_Zone_32N", "UTM 32"},
	} {
		text := laea
		if want == 25832 {
			text = `PROJCS["ETRS_1989_UTM_Zone_32N",` + etrs + `,` + utm
		}

		text = strings.Replace(text, change[0], change[1], 1)
		if got, err := match(text); got != want || err != nil {
			t.Errorf("%s: %d, %v", change[1], got, err)
		}
	}

	for _, name := range [...][2]string{{`"GCS_ETRS_1989"`, `"my degrees"`}, {`"D_ETRS_1989"`, `"my datum"`}} {
		if got, err := match(strings.Replace(laea, name[0], name[1], 1)); got != 3035 || err != nil {
			t.Errorf("%s: %d, %v", name[1], got, err)
		}
	}
}

func TestCodes(t *testing.T) {
	match := matcher(t)

	code := func(text, code string) string { return strings.TrimSuffix(text, "]") + `,` + code + `]` }

	for _, test := range []struct {
		text string
		want int32 // 0 for a contradiction
	}{
		{code(laea, `AUTHORITY["EPSG","3035"]`), 3035},
		{code(laea, `ID["EPSG",3035]`), 3035},
		{code(strings.Replace(laea, "ETRS_1989_LAEA", "x", 1), `AUTHORITY["epsg","3035"]`), 3035},
		{code(laea, `AUTHORITY["EPSG","3034"]`), 0},
		{code(laea, `AUTHORITY["EPSG","990001"]`), 990001},
		{code(laea, `AUTHORITY["me","1"]`), 3035},
		{code(laea, `AUTHORITY["EPSG","x"]`), 3035},
		{`COMPD_CS["both",` + laea + `,VERT_CS["height",VERT_DATUM["d",2005],UNIT["metre",1]],AUTHORITY["EPSG","7409"]]`, 3035},
		{laea + `,VERTCS["EVRF2000",VDATUM["d"],PARAMETER["Vertical_Shift",0.0],PARAMETER["Direction",1.0],UNIT["Meter",1.0]]`, 3035},
		{`BOUNDCRS[SOURCECRS[` + laea + `],TARGETCRS[` + wgs + `],ABRIDGEDTRANSFORMATION["x",METHOD["y"]]]`, 3035},
	} {
		got, err := match(test.text)
		if got != test.want || (err == nil) != (test.want != 0) {
			t.Errorf("%.50s … %s: %d, %v", test.text, test.text[len(test.text)-40:], got, err)
		}
	}
}

func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "is not well-known text",
		"Projection    UTM\nZone          32": "is not well-known text",
		`LOCAL_CS["site",UNIT["m",1]]`:        `"site", which is of an unknown kind`,
		`VERT_CS["height"]`:                   "of an unknown kind",
		`GEOCCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["metre",1]]`: "neither projected nor longitude and latitude",
		`PROJCS["x"]`: "of an unknown kind",
		"A[" + strings.Repeat("A[],", 20_000) + "]": "definition has 80003 bytes",
		`GEOGCRS["rotated",BASEGEOGCRS["WGS 84",DATUM["World Geodetic System 1984",ELLIPSOID["WGS 84",6378137,298.257223563]]],DERIVINGCONVERSION["Pole rotation",METHOD["x"]],CS[ellipsoidal,2],ANGLEUNIT["degree",0.0174532925199433]]`: "of an unknown kind",
		strings.NewReplacer(`,PARAMETER["Y_Scale",1.0]`, "", `"X_Scale",-1.0`, `"X_Scale",1.0`).Replace(jtsk):                                                                                                                             "which has the name of EPSG:5514, but another definition",
	} {
		if srid, err := Match(text); !errors.As(err, new(*geomgen.ParamError)) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "aoi-srid") {
			t.Errorf("%.60s: %d, %v", text, srid, err)
		}
	}
}

func TestByCode(t *testing.T) {
	for _, test := range []struct {
		organization, code string
		want               int32
	}{
		{"EPSG", "3035", 3035}, {"epsg", "4326", 4326}, {"ESRI", "102001", 102001}, {"OGC", "CRS84", 4326}, {"ogc", "crs83", 4269},
		{"ESRI", "3035", 0}, {"OGC", "x", 0}, {"EPSG", "-1", 0}, {"EPSG", "0", 0}, {"EPSG", "99999999999", 0}, {"IGNF", "1", 0}, {"", "3035", 0},
	} {
		if got, ok := ByCode(test.organization, test.code); got != test.want || ok != (test.want != 0) {
			t.Errorf("%s:%s: %d, %v", test.organization, test.code, got, ok)
		}
	}
}

func TestSRID(t *testing.T) {
	for _, test := range []struct {
		crs   featurefile.CRS
		want  int32
		fault string
	}{
		{featurefile.CRS{}, 0, ""},
		{featurefile.CRS{Organization: "EPSG", Code: "3035"}, 3035, ""},
		{featurefile.CRS{Organization: "EPSG", Code: "4326", WKT: laea}, 4326, ""},
		{featurefile.CRS{WKT: laea}, 3035, ""},
		{featurefile.CRS{Organization: "me", Code: "1", WKT: laea}, 3035, ""},
		{featurefile.CRS{Organization: "IGNF", Code: "LAMB93"}, 0, "has the CRS IGNF:LAMB93, which is unknown: name it with aoi-srid"},
		{featurefile.CRS{WKT: "nonsense"}, 0, "not well-known text"},
	} {
		got, err := SRID(test.crs)
		if got != test.want || (err == nil) != (test.fault == "") || err != nil && !strings.Contains(err.Error(), test.fault) {
			t.Errorf("%+v: %d, %v", test.crs, got, err)
		}
	}
}

// What is written is read again.
func TestTableIsReadAsWritten(t *testing.T) {
	sources := []Source{
		{SRID: 3035, Text: strings.Replace(laea, "ETRS_1989_LAEA", "ETRS89 / LAEA Europe", 1), Names: []string{"ETRS_1989_LAEA", "ETRS89 / LAEA Europe"}},
		{SRID: 4258, Text: strings.Replace(etrs, "GCS_ETRS_1989", "ETRS89", 1), Names: []string{"GCS_ETRS_1989"}, Datums: []string{"D_ETRS_1989", "European Terrestrial Reference System 1989 ensemble"}},
		{SRID: 7, Text: "nonsense"},
	}

	var file bytes.Buffer
	if n, err := WriteTable(&file, sources); n != 2 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}

	entries, err := unpackTable(&file)
	if err != nil || len(entries) != 2 {
		t.Fatalf("%+v, %v", entries, err)
	}

	want := entry{srid: 3035, names: []string{"etrs89laeaeurope", "etrs1989laea"}}
	want.projected, want.base, want.a, want.rf, want.perUnit = true, 4258, 6378137, 298.257222101, 1
	want.method = "lambert_azimuthal_equal_area"
	want.parameters = map[string]float64{"false_easting": 4321000, "false_northing": 3210000, "latitude_of_center": 52, "longitude_of_center": 10}
	if entries[0].datums = nil; !reflect.DeepEqual(entries[0], want) {
		t.Errorf("%+v", entries[0])
	}

	if e := entries[1]; e.srid != 4258 || !slices.Equal(e.datums, []string{"etrs1989", "europeanterrestrialreferencesystem1989"}) || !slices.Equal(e.names, []string{"etrs89", "gcsetrs1989"}) {
		t.Errorf("%+v", e)
	}
}

func TestTableIsSmall(t *testing.T) {
	if len(packed) > 150_000 {
		t.Errorf("the table has %d bytes", len(packed))
	}
}

func FuzzMatch(f *testing.F) {
	for text := range texts(f) {
		f.Add(text)
	}
	match := matcher(f)

	f.Fuzz(func(t *testing.T, text string) {
		_, err := match(text)
		if err != nil && !errors.As(err, new(*geomgen.ParamError)) {
			t.Fatal(err)
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	for b.Loop() {
		if _, err := Match(laea); err != nil {
			b.Fatal(err)
		}
	}
}
